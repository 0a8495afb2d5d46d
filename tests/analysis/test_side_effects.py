from __future__ import annotations

import pytest

from debugger.analysis.side_effects import SideEffect, side_effects, summary
from debugger.protocol.runs import Run


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


def run(*ledgers):
    """A record whose turns kept these ledgers."""
    return Run.from_wire(
        {
            "workflow_run_id": "1" * 24,
            "workflow_id": "2" * 24,
            "status": "completed",
            "input_output_pairs": [{"iteration_end_state_miscellaneous": ledger} for ledger in ledgers],
        }
    )


def test_the_calls_of_all_turns_come_in_order_with_their_turn():
    record = run(
        {"side_effects": [entry()]},
        None,
        {
            "side_effects": [
                entry("write", "blocked", success=False, status_code=None, error="no"),
                entry("talk"),
            ]
        },
    )

    found = side_effects(record)

    assert found[0] == SideEffect(
        turn_number=1,
        time="2023-11-14T22:13:20.250Z",
        node_logical_id="node_a",
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
def test_a_turn_without_a_ledger_had_no_side_effects(kept):
    assert side_effects(run(kept)) == []


def test_an_entry_that_lacks_everything_is_still_shown():
    odd = {"at": "noon", "success": "yes", "status_code": True, "duration_milliseconds": [], "request": 1}

    found = side_effects(run({"side_effects": [{}, odd, {"at": 1e30}]}))

    assert found == [SideEffect(1, "", "", "", "", "", "", False, None, "", None, {})] * 3


def test_the_summary_counts_by_class_and_says_what_did_not_go_out():
    entries = [entry(), entry("contact", "simulated"), entry(), entry("write", "blocked"), entry("write")]

    told = summary(side_effects(run({"side_effects": entries})))

    assert told == "2 read, 1 write, 1 write (blocked), 1 contact (simulated)"


def test_the_summary_of_nothing_is_empty_and_an_unknown_class_comes_last():
    assert summary([]) == ""
    assert summary(side_effects(run({"side_effects": [entry("new"), entry("write")]}))) == "1 write, 1 new"
