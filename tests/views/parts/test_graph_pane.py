from __future__ import annotations

import json

from tests.factories import direct, document, say, static, when


def drawn(app):
    """What the graph component is given."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return next(data for data in given if "stamp" in data)


def test_the_graph_is_drawn_before_a_run(app, backend):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))

    app.run()

    assert not app.exception
    assert [node["id"] for node in drawn(app)["geometry"]["nodes"]] == ["a", "chat"]
    assert drawn(app)["nodes"]["a"]["state"] == "idle"


def test_the_graph_follows_the_run(app, backend, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()

    press("start")

    made = drawn(app)
    assert made["nodes"]["a"]["state"] == "visited"
    assert made["nodes"]["chat"]["state"] == "current"
    assert made["edges"]["edge_a_chat"]["order"] == "1"
    assert made["stamp"].endswith("waiting_for_user_input")


def test_choosing_another_place_in_the_run_leaves_the_geometry_alone(app, backend, page, press):
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    before = drawn(app)["version"]

    press("start")

    assert drawn(app)["version"] == before


def test_a_large_graph_sends_its_geometry_apart(app, backend):
    nodes = [static(f"n{place}", "Hi") for place in range(40)]
    edges = [direct(f"n{place}", f"n{place + 1}") for place in range(39)]
    backend.create_workflow(document(*nodes, *edges))

    app.run()

    pictures = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    assert pictures[0]["role"] == "geometry"
    assert len(pictures[0]["geometry"]["nodes"]) == 40
    assert "geometry" not in pictures[1]
    assert pictures[0]["version"] == pictures[1]["version"]


def test_the_chosen_node_is_shown_as_chosen(app, backend, page):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()

    page().node = "a"
    app.run()

    assert drawn(app)["selected"] == "a"


def test_the_table_tells_the_same_facts(app, backend, press):
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

    app.segmented_control("graph_view").set_value("Table").run()

    table = next(element.value for element in app.dataframe if element.proto.alt.startswith("The nodes"))
    assert dict(zip(table["node"], table["status"], strict=True)) == {
        "A": "visited",
        "Chat": "waiting here",
        "Bye": "next",
    }
    assert any("Possible next: done → Bye" in caption.value for caption in app.caption)


def test_the_chosen_node_outlives_a_look_at_the_table(app, backend, page):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    page().node = "a"
    app.run()

    app.segmented_control("graph_view").set_value("Table").run()
    app.segmented_control("graph_view").set_value("Graph").run()

    assert page().node == "a"
    assert drawn(app)["selected"] == "a"


def test_labels_travel_as_data(app, backend):
    backend.create_workflow(document(static("a", "Hello", name='<img src=x onerror="alert(1)">')))

    app.run()

    assert drawn(app)["geometry"]["nodes"][0]["title"].startswith("<img src=x")


def test_a_workflow_without_nodes_says_what_would_be_here(app, backend):
    backend.create_workflow(document())

    app.run()

    assert not app.exception
    assert any("This version has none" in caption.value for caption in app.caption)
