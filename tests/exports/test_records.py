from __future__ import annotations

from debugger.protocol.runs import Run
from tests.support.exports import exported


def test_duration_of_times_with_and_without_zone():
    run = Run(
        workflow_run_id="665f0c2b9a3e4d5f6a7b8c90",
        workflow_id="665f00000000000000000001",
        status="completed",
        created_at="2026-11-28T10:00:00",
        updated_at="2026-11-28T10:00:01Z",
    )

    assert exported(run).duration_ms == 1_000


def test_duration_is_never_negative():
    run = Run(
        workflow_run_id="665f0c2b9a3e4d5f6a7b8c90",
        workflow_id="665f00000000000000000001",
        status="completed",
        created_at="2026-11-28T10:00:01Z",
        updated_at="2026-11-28T10:00:00Z",
    )

    assert exported(run).duration_ms == 0
