from __future__ import annotations

from debugger.analysis.comparison.comparison import Totals
from debugger.protocol.runs import Run
from tests.analysis.comparison.turns import at, turn


def run(**fields):
    return Run.from_wire({"workflow_run_id": "r", "workflow_id": "w", "status": "completed", **fields})


def test_turns_events_time_and_tokens_are_counted():
    closing = {"type": "end_workflow_iteration", "iteration_metrics": {"e2e_latency_milliseconds": 40}}

    found = Totals.of(
        run(llm_token_usage={"total_tokens": 12}), [turn(1, None, at("a"), closing), turn(2, "x", closing)]
    )

    assert found == Totals(turns=2, events=3, milliseconds=80, tokens=12)


def test_what_a_record_does_not_tell_stays_open():
    strange = {"type": "end_workflow_iteration", "iteration_metrics": {"e2e_latency_milliseconds": True}}

    assert Totals.of(run(), []) == Totals(turns=0, events=0, milliseconds=None, tokens=None)
    assert Totals.of(run(), [turn(1, None, strange)]).milliseconds is None
