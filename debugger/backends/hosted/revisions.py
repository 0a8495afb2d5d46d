"""The state of runs in their records, read at little cost."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from debugger.backends.base import RunRevision
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import numbered_turns

MAX_RUNS = 64
"""Runs whose last state is remembered."""
ROWS = 20
"""The newest runs of a workflow among which a run's row is looked for."""
_AT_REST = frozenset({"waiting_for_user_input", "paused", "completed", "failed", "cancelled"})


class RunRevisions:
    """Reads the state of runs.

    The API has no summary of one run, and a record may be large.

    So the rows of the workflow's newest runs are read first, and the record only where the row of the run has
    changed or is not among them.

    Args:
        run: Returns a run's record.
        newest_runs: Returns the newest runs of a workflow, without their turns.
    """

    def __init__(self, run: Callable[[str], Run], newest_runs: Callable[[str, int], list[Run]]) -> None:
        self._run = run
        self._newest_runs = newest_runs
        self._known: OrderedDict[str, tuple[Run, RunRevision]] = OrderedDict()

    def read(self, run_id: str) -> RunRevision:
        """Return the state of a run.

        Raises:
            NotFoundError: There is no such run.
        """
        known = self._known.get(run_id)
        if known is not None and self._is_unchanged(known[0]):
            return known[1]
        run = self._run(run_id)
        revision = _revision_of(run)
        self._known[run_id] = (run.model_copy(update={"input_output_pairs": []}), revision)
        self._known.move_to_end(run_id)
        if len(self._known) > MAX_RUNS:
            self._known.popitem(last=False)
        return revision

    def _is_unchanged(self, known: Run) -> bool:
        if known.updated_at is None or known.status not in _AT_REST:
            return False
        rows = self._newest_runs(known.workflow_id, ROWS)
        row = next((row for row in rows if row.workflow_run_id == known.workflow_run_id), None)
        return row is not None and (row.updated_at, row.status) == (known.updated_at, known.status)


def _revision_of(run: Run) -> RunRevision:
    length = len(run.finished_turns)
    executing = [turn for turn in run.input_output_pairs if turn.is_in_progress and not turn.is_background]
    if not executing:
        return RunRevision(run.status, length)
    number = max((log.number for _, log in numbered_turns(run)), default=0) + 1
    return RunRevision(run.status, length, number, len(executing[-1].run_output.events))
