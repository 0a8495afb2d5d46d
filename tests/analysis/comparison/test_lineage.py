from __future__ import annotations

from debugger.analysis.comparison.comparison import shift_between
from debugger.protocol.runs import Run
from tests.analysis.comparison.turns import at, turn

TURNS = [turn(1, None, at("a")), turn(2, "x", at("b")), turn(3, "y", at("c"))]


def run(run_id, **fields):
    return Run.from_wire({"workflow_run_id": run_id, "workflow_id": "w", "status": "completed", **fields})


def test_runs_of_no_kin_begin_together():
    assert shift_between(run("a"), TURNS, run("b"), TURNS[1:]) == 0


def test_a_run_that_goes_on_from_a_turn_begins_beside_it():
    child = run("b", source_workflow_run_id="a", checkpoint_source_turn_index=1)

    assert shift_between(run("a"), TURNS, child, TURNS[1:]) == 1
    assert shift_between(child, TURNS[1:], run("a"), TURNS) == -1


def test_a_record_that_begins_with_the_turns_before_stands_beside_them():
    child = run("b", source_workflow_run_id="a", checkpoint_source_turn_index=2)

    assert shift_between(run("a"), TURNS, child, TURNS) == 0
