"""A run through super nodes, as it is seen on the graph that its author drew."""

from __future__ import annotations

from debugger.analysis.chat import chat_messages
from debugger.analysis.decisions import DecisionLog
from debugger.analysis.position import position
from debugger.analysis.run_tables import node_table, place_label
from debugger.analysis.thread_positions import (
    ThreadPositions,
    can_have_background_work,
    input_hint,
    last_hint,
)
from debugger.graph.graph import Graph
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.factories import direct, document, node, say, static, tool, when, workflow
from tests.support.super_nodes import Run, expanded, super_node
from tests.support.timelines import build_timeline
from tests.support.transcripts import transcript_turns

WAITING = "waiting_for_user_input"


def booking(*more):
    """Hello, then a super node that greets, asks and waits, and looks something up that fails."""
    broken = tool("look", "def look():\n    raise ValueError('no')\n")
    inside = document(
        static("greet", "Let us book."),
        say("ask", "Ask the name"),
        broken,
        static("done", "Booked."),
        direct("greet", "ask"),
        when("ask", "look", "1 == 1", name="named"),
        direct("look", "done"),
    )
    return workflow(
        static("hello", "Hello"),
        super_node("booking", inside),
        say("chat"),
        direct("hello", "booking"),
        direct("booking", "chat", name="out"),
        *more,
    )


def played(drawn, *texts):
    """The turns of a run."""
    run = Run(drawn)
    return [
        TurnLog(number, TurnInput.with_message(text), [parse_event(event) for event in run.turn(text)])
        for number, text in enumerate(texts, start=1)
    ]


def test_decisions_count_transitions_as_the_graph():
    drawn = booking()
    turns = played(drawn, None, "Ann", "thanks")
    drawn_numbers = {made.event_index: made.number for made in position(turns, Graph(drawn)).transitions}

    for graph in (Graph(drawn), Graph(expanded(drawn).workflow)):
        records = DecisionLog(graph).catch_up(turns).all
        numbers = {each.index: each.transition_number for each in records}
        assert {index: number for index, number in numbers.items() if number} == drawn_numbers


def names(drawn):
    return {each.logical_id: each.label for each in drawn.node_configs}


def test_position_of_a_run_inside():
    drawn = booking()
    turns = played(drawn, None)

    found = position(turns, Graph(drawn), WAITING)

    assert (found.current, found.inner_names, found.missing_nodes) == ("booking", {"booking": "Ask"}, {})
    assert found.visits == {"hello": 1, "booking": 1}
    assert [(hop.number, hop.source, hop.destination, hop.edge_id) for hop in found.transitions] == [
        (1, "hello", "booking", "edge_hello_booking")
    ]
    assert [step.destination for step in found.next_edges] == ["chat"]
    assert found.unreached == ("chat",)


def test_node_table_names_the_inner_node():
    drawn = booking()
    graph = Graph(drawn)

    rows = {row.id: row.status for row in node_table(position(played(drawn, None), graph, WAITING), graph)}

    assert rows == {"hello": "visited", "booking": "waiting here (at Ask)", "chat": "next"}


def test_position_edge_out_after_inner_failure():
    drawn = booking()
    turns = played(drawn, None, "Ann")

    found = position(turns, Graph(drawn), WAITING)

    numbers = {way: trail.latest for way, trail in found.path_counts.by_edge.items()}
    assert numbers == {"edge_hello_booking": (1,), "edge_booking_chat": (2,)}
    assert (found.current, found.failed, found.inner_names) == ("chat", ("booking",), {})
    assert found.visits["booking"] == 1


def test_position_finds_conditional_exit_edge():
    inside = document(static("one", "1"))
    drawn = workflow(
        super_node("box", inside), static("bye", "Bye"), when("box", "bye", "1 == 1", name="always")
    )

    found = position(played(drawn, None), Graph(drawn), "completed")

    assert found.path_counts.by_edge["edge_box_bye"].latest == (1,)
    assert found.transitions[0].edge_name == "always"


def test_position_counts_each_entry():
    inside = document(static("one", "1"), static("two", "2"), direct("one", "two"))
    again = when("chat", "box", "1 == 1")
    drawn = workflow(super_node("box", inside), say("chat"), direct("box", "chat"), again)

    found = position(played(drawn, None, "more"), Graph(drawn), WAITING)

    assert found.visits["box"] == 2


def test_labels_name_the_super_node():
    drawn = booking()
    turns = played(drawn, None)
    known = names(drawn)

    rows = build_timeline(turns, known)
    said = chat_messages(turns, known)
    hint = input_hint(last_hint(ThreadPositions.after(turns)), WAITING, names=known)
    read = transcript_turns(turns, drawn, WAITING)

    inner = next(row for row in rows if row.node_logical_id == "booking/greet")
    assert (inner.node_name, inner.drawn_node) == ("Booking › Greet", "booking")
    assert [message.node_name for message in said] == ["Hello", "Booking › Greet"]
    assert hint.sentence == "Booking › Ask waits for the user's message."
    assert [(line.node_logical_id, line.node_name) for turn in read for line in turn.rows] == [
        ("hello", "Hello"),
        ("booking/greet", "Booking › Greet"),
    ]
    assert read[-1].hint.who == "Booking › Ask"


def test_place_label_names_the_inner_node():
    drawn = booking()
    found = position(played(drawn, None), Graph(drawn), WAITING)

    told = [place_label(found, node_id, names(drawn)) for node_id in ("booking", "chat", "unknown")]

    assert told == ["Booking › Ask", "Chat", "unknown"]


def test_background_work_of_inner_waiting_edges():
    waking = {"enabled": True, "trigger_mode": "on_every_background_tick"}
    inside = document(
        say("ask"),
        static("bye", "Bye"),
        when("ask", "bye", "[[x]] == 1", evaluate_while_waiting_config=waking),
    )
    outer = document(super_node("inner", inside))
    watched, quiet = workflow(super_node("outer", outer)), booking()

    assert can_have_background_work(ThreadPositions.after(played(watched, None)), watched, WAITING)
    assert not can_have_background_work(ThreadPositions.after(played(quiet, None)), quiet, WAITING)


def test_position_skipped_node_is_reached():
    drawn = workflow(
        static("hello", "Hello"),
        node("odd", "quantum_leap"),
        say("chat"),
        direct("hello", "odd"),
        direct("odd", "chat"),
    )
    graph = Graph(drawn)

    found = position(played(drawn, None), graph, WAITING)

    assert (found.skipped, found.unreached) == (("odd",), ())
    assert {row.id: row.status for row in node_table(found, graph)}["odd"] == "skipped"


def test_super_node_that_leads_to_itself_is_entered_again():
    inside = document(static("greet", "Hi"), say("ask"), direct("greet", "ask"))
    drawn = workflow(super_node("booking", inside), when("booking", "booking", "1 == 1", logical_id="again"))
    turns = played(drawn, None, "once more", "and again")

    for graph in (Graph(drawn), Graph(expanded(drawn).workflow)):
        found = position(turns, graph)
        assert found.visits["booking" if "booking" in graph.nodes else "booking/greet"] == 3
    assert position(turns, Graph(drawn)).path_counts.by_edge["again"].count == 2
