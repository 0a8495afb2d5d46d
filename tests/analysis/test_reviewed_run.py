from __future__ import annotations

from debugger.analysis.reviewed_run import reviewed_turns
from debugger.protocol.events import parse_event
from debugger.protocol.runs import Run, TurnInput, background_input
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

RUN = Run(workflow_run_id="665f0c2b9a3e4d5f6a7b8c90", workflow_id="w", status="failed")


def event(kind, **fields):
    return parse_event({"type": kind, "timestamp": 1785200000.0, "origin_thread_id": "0", **fields})


def step(source, destination, **fields):
    names = {"source_node_logical_id": source, "destination_node_logical_id": destination}
    return event("direct_edge", **names, **fields)


def spoken(text):
    return event("assistant_response", content=text, origin_node_logical_id="a", origin_node_name="Ask")


def test_turn_holds_its_background_work():
    turns = [
        TurnLog(1, TurnInput.with_message("Hi"), [step("a", "b", edge_name="yes"), spoken("Hello")]),
        TurnLog(1, background_input(), [step("b", "c"), spoken("Done")], is_background=True),
        TurnLog(2, TurnInput.with_message("Bye"), []),
    ]

    first, second = reviewed_turns(RUN, turns, Workflow())

    assert [(row.seq, row.role, row.text) for row in first.messages] == [
        (1, "user", "Hi"),
        (2, "agent", "Hello"),
        (3, "agent", "Done"),
    ]
    assert [row.is_background for row in first.messages] == [False, False, True]
    assert first.path == "a > yes > b > always > c"
    assert (second.number, [row.text for row in second.messages], second.path) == (2, ["Bye"], "")


def test_error_of_a_turn_is_shown():
    turns = [TurnLog(1, TurnInput.with_message("Hi"), [event("workflow_error", error_message="It broke")])]

    [turn] = reviewed_turns(RUN, turns, Workflow())

    assert turn.error == "It broke"


def test_turn_without_messages_has_a_row():
    failed = event("workflow_error", error_message="It broke")
    turns = [TurnLog(1, TurnInput.with_message(None), [failed])]

    [turn] = reviewed_turns(RUN, turns, Workflow())

    assert [(row.seq, row.role, row.text) for row in turn.messages] == [(1, "system", "It broke")]
    assert turn.error == ""


def test_long_path_shows_both_ends():
    steps = [step(f"n{number}", f"n{number + 1}") for number in range(40)]

    [turn] = reviewed_turns(RUN, [TurnLog(1, TurnInput.with_message("Hi"), steps)], Workflow())

    assert turn.path.startswith("n0 > always > n1 > ")
    assert " > … > n34 > " in turn.path
    assert turn.path.endswith(" > n40")
    assert len(turn.path.split(" > ")) == 27
