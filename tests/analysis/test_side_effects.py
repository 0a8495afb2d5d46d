from __future__ import annotations

import pytest

from debugger.analysis.side_effects import (
    SideEffect,
    blocked_call_advice,
    ledgers,
    needs_recorded_ledger,
    side_effects,
    summary,
)
from debugger.protocol.events import parse_event
from debugger.protocol.runs import Run, TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs


def entry(call_class="read", how="live", **fields):
    return {
        "at": 1_700_000_000.25,
        "node_logical_id": "node_a",
        "kind": "http",
        "call_class": call_class,
        "target": "GET https://api.example/",
        "request": {"method": "GET"},
        "how": how,
        "success": True,
        "status_code": 200,
        "error": None,
        "duration_milliseconds": 12.5,
        **fields,
    }


def closed(state, *events, number=1):
    """A turn that has told its own ledger."""
    pair = {"iteration_end_state_miscellaneous": state}
    closing = {"type": "end_workflow_iteration", "logical_id": "c", "run_input_output_pair": pair}
    ready = {"type": "workflow_ready_for_input", "logical_id": "r"}
    return TurnLog(number, TurnInput(), [parse_event(event) for event in (*events, closing, ready)])


def made(*entries):
    return side_effects([closed({"side_effects": list(entries)})])


def test_side_effects_are_in_turn_order():
    refused = entry("write", "blocked", success=False, status_code=None, error="no")
    turns = [
        closed({"side_effects": [entry()]}),
        closed(None, number=2),
        closed({"side_effects": [refused, entry("talk")]}, number=3),
    ]

    found = side_effects(turns)

    assert found[0] == SideEffect(
        turn_number=1,
        is_background=False,
        time="2023-11-14T22:13:20.250Z",
        node_logical_id="node_a",
        node_name="node_a",
        kind="http",
        call_class="read",
        target="GET https://api.example/",
        how="live",
        success=True,
        status_code=200,
        error="",
        duration_milliseconds=12.5,
        request={"method": "GET"},
    )
    assert [(each.turn_number, each.call_class, each.how, each.error) for each in found[1:]] == [
        (3, "write", "blocked", "no"),
        (3, "talk", "live", ""),
    ]


@pytest.mark.parametrize(
    "kept", [None, {}, {"side_effects": None}, {"side_effects": "many"}, {"side_effects": [1]}]
)
def test_side_effects_without_a_ledger(kept):
    assert side_effects([closed(kept)]) == []


def test_side_effects_of_an_empty_entry():
    odd = {"at": "noon", "success": "maybe", "status_code": True, "duration_milliseconds": [], "request": 1}

    found = made({}, odd, {"at": 1e30})

    assert found == [SideEffect(1, False, "", "", "", "", "", "", "", False, None, "", None, {})] * 3


def test_side_effects_from_the_record():
    spoken = {"type": "assistant_response", "logical_id": "e1", "content": "Hi"}
    ended = {"type": "end_thread", "logical_id": "e2"}
    failed = {"type": "workflow_error", "logical_id": "e3", "error_message": "boom"}
    record = Run.from_wire(
        {
            "workflow_run_id": "1" * 24,
            "workflow_id": "2" * 24,
            "status": "failed",
            "input_output_pairs": [
                {"run_input": {"command": "start"}, "run_output": {"events": [spoken]}},
                {
                    "run_input": {"command": "data", "miscellaneous": {"background": True}},
                    "run_output": {"events": [ended]},
                    "iteration_end_state_miscellaneous": {"side_effects": [entry("talk")]},
                },
                {
                    "run_input": {"command": "data"},
                    "run_output": {"events": [failed]},
                    "iteration_end_state_miscellaneous": {"side_effects": [entry("write")]},
                },
            ],
        }
    )
    turns = turn_logs(record)

    found = side_effects(turns, ledgers(record))

    assert set(ledgers(record)) == {"e2", "e3"}
    assert [needs_recorded_ledger(turn) for turn in turns] == [True] * 3
    assert [each.call_class for each in found] == ["talk", "write"]
    assert [each.turn_number for each in found] == [turn.number for turn in turns[1:]]
    assert side_effects(turns) == []


def test_needs_recorded_ledger_only_without_own():
    assert not needs_recorded_ledger(closed(None))
    assert not needs_recorded_ledger(TurnLog(1, TurnInput()))


def test_side_effects_label_their_nodes():
    run = {"type": "start_node_run", "origin_node_logical_id": "booking/look", "origin_node_name": "Look up"}
    calls = [entry(node_logical_id=node) for node in ("hello", "booking/look", "gone")]

    found = side_effects(
        [closed({"side_effects": calls}, run)], names={"hello": "Hello", "booking": "Booking"}
    )

    assert [each.node_name for each in found] == ["Hello", "Booking › Look up", "gone"]
    assert found[1].node_logical_id == "booking/look"


def test_summary_counts_by_class():
    entries = [entry(), entry("contact", "simulated"), entry(), entry("write", "blocked"), entry("write")]

    told = summary(made(*entries))

    assert told == "2 read, 1 write, 1 write (blocked), 1 contact (simulated)"


def test_the_summary_hides_no_failure():
    entries = [entry(), entry(success=False), entry("write", "simulated", success=False)]

    told = summary(made(*entries))

    assert told == "1 read, 1 read (failed), 1 write (simulated, failed)"


def test_summary_of_unknown_class_and_nothing():
    assert summary([]) == ""
    assert summary(made(entry("new"), entry("write"))) == "1 write, 1 new"


@pytest.mark.parametrize(
    ("how", "success", "outcome"),
    [("live", True, "ok"), ("simulated", False, "failed"), ("blocked", False, "not made")],
)
def test_the_outcome_in_a_word(how, success, outcome):
    (found,) = made(entry(how=how, success=success))

    assert found.outcome == outcome


def test_blocked_call_advice_once_per_reason():
    reason = "calls of the class 'write' are blocked. Set X=live to let them out."
    refused = [
        entry("write", "blocked", success=False, error=f"{target} was not called: {reason}")
        for target in ("POST a", "POST b")
    ]

    told = blocked_call_advice(
        made(*refused, entry("contact", "blocked", error="Refused."), entry(success=False, error="x"))
    )

    assert told == [f"2 calls not made: {reason}", "1 call not made: Refused."]


@pytest.mark.parametrize("pair", [1, "x", [], [1], None])
def test_ledger_in_an_odd_pair_is_passed_over(pair):
    closing = {"type": "end_workflow_iteration", "logical_id": "c", "run_input_output_pair": pair}

    assert side_effects([TurnLog(1, TurnInput(), [parse_event(closing)])]) == []
