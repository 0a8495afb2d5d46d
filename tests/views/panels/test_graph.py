from __future__ import annotations

import importlib
import json
import time
from functools import partial

import pytest

from debugger.errors import UnsupportedError
from debugger.graph import graphviz_program
from debugger.protocol.runs import TurnInput
from debugger.views import actions, state
from debugger.views.components.graph.props import geometry
from debugger.views.panels import graph
from debugger.views.run_state import CurrentRun, Cursor, Selection
from tests.support.companions import lab
from tests.support.factories import direct, document, say, static, when, workflow
from tests.views.bars import control, use
from tests.views.message import box
from tests.views.records import record_of
from tests.views.row_lists import choose, rows, send
from tests.views.row_lists import drawn as list_drawn


def drawn(app):
    """Return the properties of the graph component."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return next(data for data in given if "stamp" in data)


def ask(app, direction):
    """Ask for a direction as a browser does that has room for it."""
    send(app, drawn(app)["aria_label"], "direction", direction)


def test_graph_is_drawn_before_run(app, backend):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))

    app.run()

    assert not app.exception
    assert [node["id"] for node in drawn(app)["geometry"]["nodes"]] == ["a", "chat"]
    assert drawn(app)["nodes"]["a"]["state"] == "idle"


def test_graph_follows_run(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()

    press("start")

    made = drawn(app)
    assert made["nodes"]["a"]["state"] == "visited"
    assert made["nodes"]["chat"]["state"] == "current"
    assert made["edges"]["edge_a_chat"]["order"] == "1"
    assert made["stamp"].endswith("waiting_for_user_input")


def test_choosing_another_place_in_run_leaves_geometry_alone(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    before = drawn(app)["version"]

    press("start")

    assert drawn(app)["version"] == before


def test_graph_turns_where_browser_asks_for_it(app, backend, monkeypatch):
    laid_out = []
    layout = importlib.import_module("debugger.graph.layout")  # the package gives the function of that name
    place = layout._laid_out
    monkeypatch.setattr(layout, "_laid_out", lambda drawing: laid_out.append(drawing) or place(drawing))
    layout._layouts.clear()
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    down = drawn(app)["geometry"]
    assert set(down["sizes"]) == {"down", "right"}

    ask(app, "right")

    right = drawn(app)["geometry"]
    assert (down["direction"], right["direction"]) == ("down", "right")
    assert right["version"] != down["version"]
    assert sorted(drawing.direction for drawing in laid_out) == ["down", "right"]


def test_demo_and_engineer_view_keep_their_directions(app, backend):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    ask(app, "right")
    use(app, "skin")
    assert drawn(app)["geometry"]["direction"] == "down"
    use(app, "skin")
    assert drawn(app)["geometry"]["direction"] == "right"

    use(app, "skin")
    ask(app, "right")
    use(app, "skin")
    ask(app, "down")
    use(app, "skin")

    assert drawn(app)["geometry"]["direction"] == "right"


def test_next_workflow_begins_in_the_last_direction(app, backend):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    ask(app, "right")
    other = backend.create_workflow(document(static("b", "Hello")))

    app.query_params["workflow"] = other.id
    app.run()

    assert [node["id"] for node in drawn(app)["geometry"]["nodes"]] == ["b"]
    assert drawn(app)["geometry"]["direction"] == "right"


def test_large_graph_sends_its_geometry_apart(app, backend):
    nodes = [static(f"n{place}", "Hi") for place in range(40)]
    edges = [direct(f"n{place}", f"n{place + 1}") for place in range(39)]
    backend.create_workflow(document(*nodes, *edges))

    app.run()

    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    pictures = [data for data in given if "version" in data]
    assert pictures[0]["role"] == "geometry"
    assert len(pictures[0]["geometry"]["nodes"]) == 40
    assert "geometry" not in pictures[1]
    assert pictures[0]["version"] == pictures[1]["version"]


def test_chosen_node_is_shown_as_chosen(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()

    record(Selection).node = "a"
    app.run()

    assert drawn(app)["selected"] == "a"


def test_table_tells_same_facts(app, backend, press):
    backend.create_workflow(
        document(
            static("a", "Hello"),
            say("chat"),
            static("bye", "Bye"),
            direct("a", "chat"),
            when("chat", "bye", "[[done]]", name="done"),
        )
    )
    app.run()
    press("start")

    use(app, "graph_view", "Table")

    assert {row["node"]: row["status"] for row in rows(app, "The nodes")} == {
        "A": "visited",
        "Chat": "waiting here",
        "Bye": "next",
    }
    assert any("Possible next: done → Bye" in caption.value for caption in app.caption)


def test_chosen_node_outlives_look_at_table(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    record(Selection).node = "a"
    app.run()

    use(app, "graph_view", "Table")
    use(app, "graph_view", "Graph")

    assert record(Selection).node == "a"
    assert drawn(app)["selected"] == "a"


def test_labels_travel_as_data(app, backend):
    backend.create_workflow(document(static("a", "Hello", name='<img src=x onerror="alert(1)">')))

    app.run()

    assert drawn(app)["geometry"]["nodes"][0]["title"].startswith("<img src=x")


def test_workflow_without_nodes_says_what_would_be_here(app, backend):
    backend.create_workflow(document())

    app.run()

    assert not app.exception
    assert any("This version has none" in caption.value for caption in app.caption)


def test_graph_of_300_nodes_is_laid_out_once_whatever_is_chosen_and_however_far_run_goes(
    app, backend, record, press, monkeypatch
):
    laid_out = []
    layout = importlib.import_module("debugger.graph.layout")  # the package gives the function of that name
    place = layout._laid_out
    monkeypatch.setattr(layout, "_laid_out", lambda drawing: laid_out.append(drawing) or place(drawing))
    described = []
    monkeypatch.setattr(graph, "geometry", lambda *args: described.append(args) or geometry(*args))
    nodes = [say("chat"), *(static(f"once{number}", "Hi") for number in range(299))]
    edges = [when("chat", f"once{number}", f"[[answer]] == {number}") for number in range(299)]
    backend.create_workflow(document(*nodes, *edges))
    app.run()

    press("start")
    for node in ("once7", "once250", "chat"):
        record(Selection).node = node
        app.run()
    record(Selection).node, record(Selection).edge = None, "edge_chat_once9"
    app.run()

    assert drawn(app)["selected_edge"] == "edge_chat_once9"
    assert [len(drawing.boxes) for drawing in laid_out] == [300, 300]  # in each direction
    assert len(described) == 1


def test_chosen_edge_is_shown_as_chosen_and_no_node_with_it(app, backend, record):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()

    record(Selection).edge = "edge_a_chat"
    app.run()

    assert (drawn(app)["selected"], drawn(app)["selected_edge"]) == (None, "edge_a_chat")


def test_choosing_node_gives_edge_back(app, backend, record):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    record(Selection).edge = "edge_a_chat"
    app.run()

    with_session(app, lambda: actions.select_node("a"))

    assert (record(Selection).node, record(Selection).edge) == ("a", None)


def test_edges_are_table_too(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")

    use(app, "graph_view", "Table")
    use(app, "graph_table", "Edges")

    (edge,) = rows(app, "The edges")
    assert [edge[name] for name in ("from", "to", "condition", "status", "taken")] == [
        "A",
        "Chat",
        "always",
        "taken",
        "1",
    ]


def test_row_of_edges_is_chosen_and_marked(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    use(app, "graph_view", "Table")
    use(app, "graph_table", "Edges")

    choose(app, ["edge", "edge_a_chat"], "The edges")

    assert record(Selection).edge == "edge_a_chat"
    assert list_drawn(app, "The edges")["chosen"] == 0


def test_threads_are_table_too_and_way_of_one_can_be_shown_alone(app, backend, press):
    backend.create_workflow(lab(pause=60))
    app.run()
    press("start")
    assert [lane["text"] for lane in drawn(app)["lanes"]] == ["◆ labpoll"]

    use(app, "graph_thread", "0_companion_labpoll")

    made = drawn(app)
    assert set(made["edges"]) == {"edge_entry_poll"}
    assert made["nodes"]["chat"]["state"] == "unreached"
    use(app, "graph_view", "Table")
    use(app, "graph_table", "Threads")
    threads = rows(app, "The threads")
    assert [(row["thread"], row["status"], row["node"]) for row in threads] == [
        ("main", "waiting", "Chat"),
        ("labpoll", "in the background", "Poll"),
    ]
    assert threads[1]["due"].startswith("in ")
    use(app, "graph_view", "Graph")
    assert control(app, "graph_thread").value == "0_companion_labpoll"


def test_demo_view_shows_whole_run_whatever_was_chosen_before(app, backend, press):
    backend.create_workflow(lab(pause=60))
    app.run()
    press("start")
    use(app, "graph_tint", True)
    use(app, "graph_thread", "0_companion_labpoll")
    use(app, "graph_view", "Table")

    use(app, "skin")

    made = drawn(app)
    assert made["nodes"]["chat"]["state"] == "current"
    assert not any("share" in node for node in made["nodes"].values())
    assert made["aria_label"] == "Now it is your turn."
    assert box(app)["aria_label"] == "", "read aloud once"
    use(app, "skin")
    use(app, "graph_view", "Graph")
    assert control(app, "graph_thread").value == "0_companion_labpoll"


def test_next_due_of_past_is_as_of_then(app, backend, record, press):
    backend.create_workflow(lab(pause=1))
    app.run()
    press("start")
    record(Cursor).event = record(CurrentRun).session.event_count - 2
    use(app, "graph_view", "Table")
    time.sleep(1)

    use(app, "graph_table", "Threads")

    assert rows(app, "The threads")[1]["due"] == "in 1 s"


def test_run_with_one_thread_offers_no_choice_of_threads(app, backend, press):
    backend.create_workflow(document(say("chat")))
    app.run()

    press("start")

    assert "graph_thread" not in [control.key for control in app.segmented_control]


def test_time_tints_nodes_when_it_is_asked_for(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    assert "share" not in drawn(app)["nodes"]["a"]

    use(app, "graph_tint", True)

    assert drawn(app)["nodes"]["a"]["share"] == "100 %"
    assert "share" not in drawn(app)["nodes"]["chat"]


def test_breakpoints_can_be_set_where_everything_is_shown_and_not_in_demo(app, backend):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    everything = drawn(app)["can_break"]

    app.query_params["skin"] = "demo"
    app.run()

    assert everything is True
    assert drawn(app)["can_break"] is False


def test_breakpoint_of_session_is_drawn_on_its_node(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    assert drawn(app)["can_break"] is True

    record(CurrentRun).session.breakpoints.toggle(("before",), "a")
    app.run()

    assert drawn(app)["nodes"]["a"]["breakpoint"]["look"] == "verified"


def test_run_that_stands_still_at_breakpoint_is_drawn_as_paused(app, backend, record):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    record(CurrentRun).session.breakpoints.toggle(("before",), "a")

    use(app, "start")
    until(lambda: record(CurrentRun).session.stop_point is not None)
    app.run()

    assert drawn(app)["nodes"]["a"]["note"] == "paused"
    record(CurrentRun).session.stop()


def test_run_of_workflow_that_is_gone_is_drawn_as_far_as_it_tells(app, backend):
    kept = backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    stream = backend.execute(kept.id, TurnInput())
    stream.finish()
    backend.delete_workflow(kept.id)

    app.query_params["run"] = stream.run_id
    app.run()

    assert not app.exception
    assert any("The workflow was deleted" in caption.value for caption in app.caption)
    shape = drawn(app)["geometry"]
    assert [(node["id"], node["missing"]) for node in shape["nodes"]] == [("a", True), ("chat", True)]
    assert [(edge["id"], edge["unmapped"]) for edge in shape["edges"]] == [("a > chat", "removed")]


def test_what_another_version_does_not_have_is_drawn_dashed_under_banner(app, backend, monkeypatch):
    kept = backend.create_workflow(document(static("a", "Hello"), say("old"), direct("a", "old")))
    stream = backend.execute(kept.id, TurnInput())
    stream.finish()
    newer = workflow(static("a", "Hello"), say("new"), direct("a", "new"))
    there_is_only_the_newer(backend, newer, monkeypatch)

    app.query_params["run"] = stream.run_id
    app.run()

    assert not app.exception
    assert any("Drawn with v0, the run used v0" in plain_of(caption.value) for caption in app.caption)
    missing_nodes = {node["id"]: node["missing"] for node in drawn(app)["geometry"]["nodes"]}
    assert missing_nodes == {"a": False, "new": False, "old": True}
    assert [edge["unmapped"] for edge in drawn(app)["geometry"]["edges"] if "unmapped" in edge] == ["removed"]


def until(is_so):
    """Wait for what another thread does."""
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def there_is_only_the_newer(backend, newer, monkeypatch):
    """Let the backend refuse the version that ran, and give another one instead."""

    def give(workflow_id, version_number=None):
        if version_number is not None:
            raise UnsupportedError("The API shows the graph of the active version only.")
        return newer

    monkeypatch.setattr(backend, "workflow", give)


def plain_of(text):
    return text.replace("\\", "")


def with_session(app, do):
    """Do what a control's callback does, in the app's own session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "record", partial(record_of, app))
        patch.setattr(state, "set_widget", lambda key, value: None)
        do()


def test_graph_is_drawn_in_the_same_session_once_there_is_a_program(app, backend, monkeypatch):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    with monkeypatch.context() as patch:
        patch.setattr(graphviz_program, "find_program", lambda output: None)
        app.run()
        assert rows(app, "The nodes")

    app.run()

    assert [node["id"] for node in drawn(app)["geometry"]["nodes"]] == ["a", "chat"]


def test_table_stands_in_for_graph_without_a_program(app, backend, monkeypatch):
    monkeypatch.setattr(graphviz_program, "find_program", lambda output: None)
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))

    app.run()

    notes = [caption.value.replace("\\", "") for caption in app.caption]
    assert any("pip install graphviz-pure. The table shows the same." in note for note in notes)
    assert [row["id"] for row in rows(app, "The nodes")] == ["a", "chat"]
