from __future__ import annotations

import json

import pytest

from debugger.session.breakpoints import Breakpoint
from debugger.views import actions
from debugger.views.panels import drawn_graph
from debugger.views.panels.drawn_graph import OpenSuperNodes, Unfolding
from debugger.views.panels.graph import TINT_KEY
from debugger.views.run_state import CurrentRun, Cursor, Selection
from tests.support.companions import lab
from tests.support.factories import direct, document, say, static
from tests.support.super_nodes import super_node
from tests.views.bars import use
from tests.views.panels.test_graph import drawn

INSIDE = document(static("a", "Hello"), say("ask", name="Ask"), direct("a", "ask"))


@pytest.fixture
def opened(app, backend, record):
    """The page with a workflow of which the super node is opened."""
    backend.create_workflow(
        document(static("hi", "Hi"), super_node("box", INSIDE, name="Booking"), direct("hi", "box"))
    )
    app.run()
    open_nodes(app, record, {"box"})
    return app


def open_nodes(app, record, super_nodes):
    """Open these super nodes, as their buttons do."""
    record(OpenSuperNodes).by_workflow[record(CurrentRun).session.workflow_id] = frozenset(super_nodes)
    app.run()
    assert not app.exception


def test_opened_super_node_is_box_of_its_nodes(opened):
    nodes = {node["id"]: node for node in drawn(opened)["geometry"]["nodes"]}

    assert {name: node["kind"] for name, node in nodes.items()} == {
        "hi": "node",
        "box": "super_node",
        "box/a": "node",
        "box/ask": "node",
    }
    assert [edge["id"] for edge in drawn(opened)["geometry"]["edges"]] == ["edge_hi_box", "box/edge_a_ask"]


def test_run_is_followed_inside_opened_super_node(opened, press):
    press("start")

    made = drawn(opened)
    assert made["current"] == ["box/ask"]
    assert made["nodes"]["box/ask"]["chips"][0]["text"] == "your turn"
    assert {name: node["order"] for name, node in made["nodes"].items()} == {
        "hi": "1",
        "box/a": "2",
        "box/ask": "3",
        "box": "",
    }
    assert made["nodes"]["box"]["state"] == "current"
    assert made["edges"]["box/edge_a_ask"]["state"] == "taken"


def test_past_is_drawn_inside_opened_super_node(opened, record, press):
    press("start")
    rows = record(CurrentRun).session.index.read(record(CurrentRun).session.turns).timeline.rows
    began = next(row.index for row in rows if row.node_logical_id == "box/a")

    record(Cursor).event = began
    opened.run()

    assert drawn(opened)["current"] == ["box/a"]
    assert drawn(opened)["edges"]["box/edge_a_ask"]["state"] == "next"


def test_closing_takes_inner_nodes_away(opened, record):
    open_nodes(opened, record, set())

    assert [node["id"] for node in drawn(opened)["geometry"]["nodes"]] == ["hi", "box"]


def test_layout_stays_while_run_continues(opened, record, press):
    placed = record(Unfolding).placed

    press("start")

    assert placed is not None
    assert record(Unfolding).placed is placed


def test_layout_changes_with_opened_super_nodes(opened, record):
    *_, before = record(Unfolding).placed

    open_nodes(opened, record, set())

    *_, after = record(Unfolding).placed
    assert len(after.nodes) < len(before.nodes)


def test_inner_node_is_shown_by_inspector(opened, record, press):
    press("start")
    record(Selection).node = "box/a"
    use(opened, "inspector_tab", "Node")

    (configuration,) = opened.json
    assert json.loads(configuration.value)["logical_id"] == "box/a"


def test_inner_breakpoint_is_drawn_and_verified(opened, record):
    record(CurrentRun).session.breakpoints.put(Breakpoint("before", "box/a"))

    opened.run()

    assert drawn(opened)["nodes"]["box/a"]["breakpoint"] == {
        "look": "verified",
        "title": "Breakpoint before Booking › A",
    }


def test_time_of_inner_nodes_is_their_own(opened, press):
    press("start")

    use(opened, TINT_KEY, True)

    assert "share" in drawn(opened)["nodes"]["box/a"]


def test_toggle_opens_and_closes(opened, record, monkeypatch):
    monkeypatch.setattr(drawn_graph.state, "record", record)
    monkeypatch.setattr(actions, "check_role", lambda role: None)

    drawn_graph.toggle_super_node("box")
    assert record(OpenSuperNodes).by_workflow == {record(CurrentRun).session.workflow_id: frozenset()}
    drawn_graph.toggle_super_node("box")

    assert record(OpenSuperNodes).by_workflow == {record(CurrentRun).session.workflow_id: {"box"}}


def test_super_node_without_workflow_stays_closed(app, backend, record):
    backend.create_workflow(
        document(static("hi", "Hi"), super_node("box", super_workflow_id="gone"), direct("hi", "box"))
    )
    app.run()

    open_nodes(app, record, {"box"})

    assert [node["id"] for node in drawn(app)["geometry"]["nodes"]] == ["hi", "box"]


def test_companion_thread_is_box_with_sign_of_legend(app, backend, press):
    backend.create_workflow(lab(pause=60))
    app.run()
    before = drawn(app)

    press("start")

    made = drawn(app)
    group = next(node for node in made["geometry"]["nodes"] if node["kind"] == "thread")
    assert group["lines"] == ["labpoll"]
    assert before["lanes"] == made["lanes"] == [{"lane": 1, "text": "◆ labpoll"}]
    assert made["nodes"][group["id"]] == {"state": "thread", "lane": 1, "sign": "◆"}
    assert made["nodes"]["poll"]["chips"][0]["lane"] == 1


def test_inner_breakpoint_is_drawn_on_closed_super_node(opened, record):
    record(CurrentRun).session.breakpoints.put(Breakpoint("edge", "box/edge_a_ask"))

    open_nodes(opened, record, set())

    assert drawn(opened)["nodes"]["box"]["breakpoint"] == {
        "look": "verified",
        "title": "Breakpoint on Booking › A → Booking › Ask",
    }
    record(CurrentRun).session.breakpoints.put(Breakpoint("before", "box"))
    opened.run()
    assert drawn(opened)["nodes"]["box"]["breakpoint"]["title"] == "Breakpoint before Booking"


def test_inner_breakpoint_of_earlier_session_is_verified(app, backend, record, press):
    backend.create_workflow(document(static("hi", "Hi"), super_node("box", INSIDE), direct("hi", "box")))
    app.run()
    session = record(CurrentRun).session
    session.breakpoints.put(Breakpoint("before", "box/a", is_enabled=False))
    record(Unfolding).session = None  # as if the session had begun with it

    press("start")

    (point,) = session.breakpoints.points
    assert session.breakpoints.explain_unreachable(point) is None
