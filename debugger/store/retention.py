"""Deletion of runs, one by one or beyond limits."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import CompoundSelect, Connection, Table, delete, exists, func, or_, select, union, update

from debugger.errors import TurnInProgressError
from debugger.store.claims import unknown_run
from debugger.store.database import Repository
from debugger.store.schema import (
    IN_PROGRESS,
    comments,
    forks,
    hidden_runs,
    kits,
    ratings,
    replay_results,
    rerun_tokens,
    run_facts,
    run_marks,
    run_scenarios,
    run_tags,
    runs,
    spoken,
    suite_repetitions,
    turns,
    unfinished_turns,
    verdicts,
    versions,
)
from debugger.store.sql_helpers import DAY, byte_count
from debugger.telemetry.progress import report_progress

_ROW_BYTES = 200
"""Bytes of a row besides its texts, roughly."""
RUNS_AT_ONCE = 100
"""Runs that are deleted in one transaction, so that no turn waits long to be stored."""

RUN_TABLES: tuple[Table, ...] = (
    turns,
    spoken,
    comments,
    ratings,
    run_marks,
    run_tags,
    kits,
    unfinished_turns,
    rerun_tokens,
    verdicts,
    hidden_runs,
    run_facts,
    suite_repetitions,
    run_scenarios,
    replay_results,
)
"""Every table, besides ``runs`` and ``forks``, whose rows go with their run."""

_MARKED = union(
    select(run_marks.c.run_id).where(or_(run_marks.c.starred, run_marks.c.note != "")),
    select(run_tags.c.run_id),
    select(comments.c.run_id),
    select(ratings.c.run_id),
    select(verdicts.c.run_id),
)
_IN_PROGRESS = union(select(unfinished_turns.c.run_id), select(turns.c.run_id).where(IN_PROGRESS))
_TURN_SIZE = (
    func.length(turns.c.events)
    + func.length(turns.c.checkpoint)
    + func.coalesce(func.length(turns.c.pair), 0)
)


@dataclass(frozen=True)
class Limits:
    """Limits on the stored runs; ``None`` is no limit."""

    days: float | None = None
    """Days since the last turn of a run."""
    runs: int | None = None
    size: int | None = None
    """Bytes of workflows and runs."""
    with_marked: bool = False
    """Delete runs, too, that a user has starred, tagged, commented, rated or written a note on."""


class StoredRun(NamedTuple):
    """The facts on a run that decide whether it is deleted."""

    run_id: str
    workflow_name: str | None
    updated_at: float
    """Seconds since 1970."""
    turn_count: int
    size: int
    is_marked: bool
    is_in_progress: bool


@dataclass(frozen=True)
class Pruning:
    """The plan of a deletion."""

    limits: Limits
    candidates: Sequence[StoredRun]
    """Runs to delete, the one with the oldest last turn first."""
    kept: int
    """Runs beyond the limits that stay: marked by a user, or with a turn in progress or interrupted."""
    runs: int
    """Number of runs at present."""
    size: int
    """Bytes of workflows and runs at present."""


class RunDeletion(Repository):
    """Runs, deleted one by one or beyond limits."""

    def delete_run(self, run_id: str, *, unless_busy: bool = False) -> None:
        """Delete a run with all notes on it. Forks of it stay.

        Args:
            run_id: The run.
            unless_busy: Refuse to delete a run while a turn of it is being executed.

        Raises:
            NotFoundError: There is no such run.
            TurnInProgressError: A turn of it is being executed. Nothing was deleted.
        """
        with self._database.writing() as connection:
            busy = busy_runs(connection, [run_id])
            if connection.scalar(select(runs.c.id).where(runs.c.id == run_id)) is None:
                raise unknown_run(run_id)
            if unless_busy:
                _check_idle(busy)
            delete_runs(connection, [run_id])

    def erase_runs(self, run_ids: Sequence[str]) -> bool:
        """Delete every trace of runs, also from the database's files; ids that no run has are passed over.

        A fork of them that is not among them stays with the turns that it copied, and is a fork no more; see
        `ForkRepository.copies`.

        Returns:
            ``False`` where another program that reads the database holds its log, which is then to be emptied
            later by `compact`.

        Raises:
            TurnInProgressError: A turn of one of them is being executed. Nothing was deleted.
        """
        with self._database.writing() as connection:
            _check_idle(busy_runs(connection, run_ids))
            delete_runs(connection, run_ids)
            origins = or_(forks.c.run_id.in_(run_ids), forks.c.source_run_id.in_(run_ids))
            connection.execute(delete(forks).where(origins))
            connection.execute(
                update(runs)
                .where(runs.c.source_workflow_run_id.in_(run_ids))
                .values(source_workflow_run_id=None, checkpoint_source_turn_index=None)
            )
        return self._database.erase_deleted()

    def plan_pruning(self, limits: Limits) -> Pruning:
        """Return the runs beyond limits; none is deleted by itself.

        Hidden runs are no part of it: they can be restored, and go by themselves.
        """
        with self._database.reading() as connection:
            documents = connection.scalar(select(func.sum(byte_count(versions.c.document)))) or 0
            stored, hidden = _stored_runs(connection), _hidden(connection)
            return choose(stored, limits, int(documents), time.time(), hidden)

    def prune(self, pruning: Pruning) -> int:
        """Delete the runs of a plan but for those changed, marked or hidden since; return their number.

        It is done in portions, each a transaction with a report of progress. Space is returned by `compact`.
        """
        count = 0
        for at in range(0, len(pruning.candidates), RUNS_AT_ONCE):
            with self._database.writing() as connection:
                chosen = _unchanged(connection, pruning.candidates[at : at + RUNS_AT_ONCE], pruning.limits)
                delete_runs(connection, chosen)
                count += len(chosen)
            done = min(at + RUNS_AT_ONCE, len(pruning.candidates))
            report_progress("Deleting runs", done, len(pruning.candidates))
        return count

    def compact(self) -> None:
        """Return the space of deleted rows to the system."""
        self._database.compact()


def choose(
    stored: Sequence[StoredRun], limits: Limits, other_size: int, now: float, hidden: Collection[str] = ()
) -> Pruning:
    """Return the plan for some runs: as many from the oldest on as bring the rest within the limits.

    Runs that are in progress, or marked where the limits spare those, stay and are counted in `kept`.

    Args:
        stored: All runs, the one with the oldest last turn first.
        limits: The limits.
        other_size: Bytes of everything but runs.
        now: Seconds since 1970.
        hidden: The ids of runs that are passed over.
    """
    size = other_size + sum(run.size for run in stored)
    candidates: list[StoredRun] = []
    shown = [run for run in stored if run.run_id not in hidden]
    left, left_size, spared = len(shown), other_size + sum(run.size for run in shown), 0
    for run in shown:
        if not _is_beyond(run, limits, left, left_size, now):
            break  # the next ones are younger still
        if run.is_in_progress or (run.is_marked and not limits.with_marked):
            spared += 1
            continue
        candidates.append(run)
        left, left_size = left - 1, left_size - run.size
    return Pruning(limits, candidates, spared, len(stored), size)


def delete_runs(connection: Connection, run_ids: Sequence[str]) -> None:
    """Delete runs with their turns and notes, but not their forks."""
    for table in RUN_TABLES:
        connection.execute(delete(table).where(table.c.run_id.in_(run_ids)))
    connection.execute(delete(runs).where(runs.c.id.in_(run_ids)))
    _delete_origins(connection, run_ids)


def _delete_origins(connection: Connection, run_ids: Sequence[str]) -> None:
    """Delete the origins of deleted runs, and of deleted runs above them that have no other forks.

    The origin of a fork leads from its own forks to their first run, and stays as long as there are any.
    """
    child = forks.alias()
    has_forks = exists().where(child.c.source_run_id == forks.c.run_id)
    while run_ids:
        ours = (forks.c.run_id.in_(run_ids), ~has_forks)
        above = set(connection.scalars(select(forks.c.source_run_id).where(*ours)))
        connection.execute(delete(forks).where(*ours))
        above -= set(connection.scalars(select(runs.c.id).where(runs.c.id.in_(above))))
        run_ids = sorted(above)


def busy_runs(connection: Connection, run_ids: Sequence[str]) -> set[str]:
    """Lock runs, and return those with a turn that is being executed.

    Without the lock a turn could be claimed between this and their deletion.
    """
    connection.execute(select(runs.c.id).where(runs.c.id.in_(run_ids)).order_by(runs.c.id).with_for_update())
    claimed = select(turns.c.run_id).where(IN_PROGRESS, turns.c.run_id.in_(run_ids))
    return set(connection.scalars(claimed))


def _check_idle(busy: Collection[str]) -> None:
    """Raise the error for the first of some busy runs; do nothing without any.

    Raises:
        TurnInProgressError: There is one.
    """
    if busy:
        raise TurnInProgressError(
            f"A turn of run {min(busy)} is being executed, so the run cannot be deleted.",
            advice="Stop it first, or wait until the turn has ended.",
        )


def _is_beyond(run: StoredRun, limits: Limits, left: int, left_size: int, now: float) -> bool:
    """Return whether a run is older than the limits allow, or the remaining runs are too many or too large.

    Args:
        run: The oldest remaining run.
        limits: The limits.
        left: The number of remaining runs.
        left_size: Bytes of them and of the workflows.
        now: Seconds since 1970.
    """
    return (
        (limits.days is not None and run.updated_at < now - limits.days * DAY)
        or (limits.runs is not None and left > limits.runs)
        or (limits.size is not None and left_size > limits.size)
    )


def _stored_runs(connection: Connection) -> list[StoredRun]:
    """Return all runs, hidden ones too, the one with the oldest last turn first, with their size in bytes."""
    sizes = dict[str, int]()
    for run_id, size, count in connection.execute(
        select(turns.c.run_id, func.sum(_TURN_SIZE), func.count()).group_by(turns.c.run_id)
    ):
        sizes[run_id] = int(size) + _ROW_BYTES * count
    marked, in_progress = _ids(connection, _MARKED), _ids(connection, _IN_PROGRESS)
    statement = select(runs.c.id, runs.c.workflow_name, runs.c.updated_at, runs.c.turn_count)
    return [
        StoredRun(*row, sizes.get(row.id, 0) + _ROW_BYTES, row.id in marked, row.id in in_progress)
        for row in connection.execute(statement.order_by(runs.c.updated_at, runs.c.id))
    ]


def _unchanged(connection: Connection, chosen: Sequence[StoredRun], limits: Limits) -> list[str]:
    """Lock the chosen runs; return the ids of those without a later turn that may still be deleted, in order.

    Left out are runs that are in progress, hidden, gone, or marked where the limits spare those.
    """
    ids = [run.run_id for run in chosen]
    rows = connection.execute(
        select(runs.c.id, runs.c.updated_at).where(runs.c.id.in_(ids)).with_for_update()
    )
    updated_at = {row.id: row.updated_at for row in rows}
    in_progress = _ids(connection, _IN_PROGRESS)
    marked = set[str]() if limits.with_marked else _ids(connection, _MARKED)
    spared = marked | in_progress | _hidden(connection)
    return [
        run.run_id
        for run in chosen
        if updated_at.get(run.run_id) == run.updated_at and run.run_id not in spared
    ]


def _hidden(connection: Connection) -> set[str]:
    return set(connection.scalars(select(hidden_runs.c.run_id)))


def _ids(connection: Connection, statement: CompoundSelect[str]) -> set[str]:
    return set(connection.scalars(statement))
