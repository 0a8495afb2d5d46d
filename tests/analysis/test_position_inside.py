"""Positions inside opened super nodes."""

from __future__ import annotations

import pytest

from debugger.analysis.position import Position, PositionTracker
from debugger.engine.super_nodes import unfold
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import direct, document, say, static, when, workflow
from tests.support.super_nodes import Run, expanded, super_node

INSIDE = document(
    static("greet", "Hello"), say("ask"), static("end", "Right"), direct("greet", "ask"), direct("ask", "end")
)
OUTER = (
    static("hi", "Hi"),
    super_node("box", INSIDE),
    static("bye", "Bye"),
    static("other", "Other"),
    direct("hi", "box"),
    when("box", "bye", "[[done]]", name="done"),
    direct("box", "other"),
)


def place(opened: set[str], *messages: str, outer=OUTER) -> Position:
    """The position after these messages, in the graph with those super nodes opened."""
    written = workflow(*outer)
    run, expansion = Run(written), expanded(written)
    tracker = PositionTracker(unfold(written, expansion, opened).graph, Graph(expansion.workflow))
    for number, text in enumerate((None, *messages), start=1):
        events = [parse_event(event) for event in run.turn(text)]
        tracker.add_turn(TurnLog(number, TurnInput.with_message(text), events=events))
    return tracker.position(None)


def test_position_is_at_the_inner_node():
    found = place({"box"})

    assert (found.current, found.state) == ("box/ask", "waiting")
    assert list(found.first_visit) == ["hi", "box/greet", "box/ask"]


def test_transitions_inside_are_numbered_with_the_others():
    edges = [(made.number, made.edge_id) for made in place({"box"}).transitions]

    assert edges == [(1, "edge_hi_box"), (2, "box/edge_greet_ask")]


def test_edge_out_of_a_super_node_is_found_from_inside():
    found = place({"box"}, "Hello")

    assert [made.edge_id for made in found.transitions][2:] == ["box/edge_ask_end", "edge_box_other"]
    assert found.current == "other"


@pytest.mark.parametrize("opened", [set(), {"box"}])
def test_next_steps_inside_are_those_of_the_expanded_workflow(opened):
    steps = [(step.edge_id, step.destination) for step in place(opened).next_edges]

    inner = [("box/edge_ask_end", "box/end")] if opened else []
    assert steps == [*inner, ("edge_box_bye", "bye")]


def test_next_step_into_a_super_node_is_its_entry():
    outer = (
        static("hi", "Hi"),
        say("chat"),
        super_node("box", INSIDE),
        direct("hi", "chat"),
        direct("chat", "box"),
    )

    steps = [(step.edge_id, step.destination) for step in place({"box"}, outer=outer).next_edges]

    assert steps == [("edge_chat_box", "box")]


def test_nodes_in_a_nested_closed_super_node_count_for_it():
    nested = document(static("in", "In"), super_node("deep", INSIDE), direct("in", "deep"))
    outer = (static("hi", "Hi"), super_node("box", nested), direct("hi", "box"))

    found = place({"box"}, outer=outer)

    assert found.current == "box/deep"
    assert found.inner_names == {"box/deep": "Ask"}
    assert place({"box", "box/deep"}, outer=outer).current == "box/deep/ask"


def test_tracker_begins_again_where_turns_were_taken_back():
    written = workflow(*OUTER)
    tracker = PositionTracker(Graph(written))
    events = [parse_event(event) for event in Run(written).turn(None)]
    tracker.catch_up([TurnLog(1, TurnInput(), events=events)])

    tracker.catch_up([])

    assert tracker.position(None).state == "not_started"
    assert tracker.fresh().event_count == 0
