"""Runs that have been kept for long enough: which they are, and how they go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import CompoundSelect, Connection, delete, exists, func, or_, select, union

from debugger.store.claims import unknown_run
from debugger.store.database import Database
from debugger.store.forks import forks
from debugger.store.notebook_schema import (
    comments,
    kits,
    ratings,
    run_marks,
    run_tags,
    spoken,
    unfinished_turns,
)
from debugger.store.schema import IN_PROGRESS, runs, turns, versions
from debugger.store.server_schema import rerun_tokens

_DAY = 86_400
_ROW = 200
"""Bytes that a row takes besides its texts, roughly."""
_BATCH = 100
"""Runs that go in one transaction, so that no turn waits long to be kept."""

_MARKED = union(
    select(run_marks.c.run_id).where(or_(run_marks.c.starred, run_marks.c.note != "")),
    select(run_tags.c.run_id),
    select(comments.c.run_id),
    select(ratings.c.run_id),
)
_UNDER_WAY = union(select(unfinished_turns.c.run_id), select(turns.c.run_id).where(IN_PROGRESS))
_TURN_SIZE = (
    func.length(turns.c.events)
    + func.length(turns.c.checkpoint)
    + func.coalesce(func.length(turns.c.pair), 0)
)


@dataclass(frozen=True)
class Limits:
    """How much may be kept. Whatever is left out is without a limit."""

    days: float | None = None
    """How long after its last turn a run is kept."""
    runs: int | None = None
    size: int | None = None
    """Bytes that workflows and runs may take."""
    with_marked: bool = False
    """Whether runs may go that somebody has starred, tagged, commented, rated or written a note on."""


class KeptRun(NamedTuple):
    """A run as far as it matters to whether it may go."""

    run_id: str
    workflow_name: str | None
    updated_at: float
    """Seconds since 1970."""
    turn_count: int
    size: int
    is_marked: bool
    is_under_way: bool


@dataclass(frozen=True)
class Pruning:
    """What would go."""

    limits: Limits
    gone: Sequence[KeptRun]
    """The one that was left alone for longest first."""
    spared: int
    """Runs beyond the limits that stay, because somebody has marked them or a turn of theirs is under way."""
    runs: int
    """How many there are at present."""
    size: int
    """Bytes that workflows and runs take at present."""


def plan(connection: Connection, limits: Limits) -> Pruning:
    """What would go by these limits; nothing is changed."""
    kept = _kept_runs(connection)
    documents = connection.scalar(select(func.sum(func.length(versions.c.document)))) or 0
    return choose(kept, limits, int(documents), time.time())


def choose(kept: Sequence[KeptRun], limits: Limits, other_size: int, now: float) -> Pruning:
    """The runs that would go.

    Args:
        kept: All runs, the one that was left alone for longest first.
        limits: How much may be kept.
        other_size: Bytes that are taken by what is no run.
        now: Seconds since 1970.
    """
    size = other_size + sum(run.size for run in kept)
    gone: list[KeptRun] = []
    left, left_size, spared = len(kept), size, 0
    for run in kept:
        if not _is_beyond(run, limits, left, left_size, now):
            break  # those that come next are younger still
        if run.is_under_way or (run.is_marked and not limits.with_marked):
            spared += 1
            continue
        gone.append(run)
        left, left_size = left - 1, left_size - run.size
    return Pruning(limits, gone, spared, len(kept), size)


def prune(database: Database, pruning: Pruning) -> int:
    """Delete what would go, but for runs that were gone on with or marked since; how many did go."""
    gone = 0
    for at in range(0, len(pruning.gone), _BATCH):
        with database.writing() as connection:
            wanted = _still_wanted(connection, pruning.gone[at : at + _BATCH], pruning.limits)
            delete_runs(connection, wanted)
            gone += len(wanted)
    return gone


def delete_run(connection: Connection, run_id: str) -> None:
    """Delete a run.

    Raises:
        NotFoundError: There is no such run.
    """
    if connection.scalar(select(runs.c.id).where(runs.c.id == run_id).with_for_update()) is None:
        raise unknown_run(run_id)
    delete_runs(connection, [run_id])


def delete_runs(connection: Connection, run_ids: Sequence[str]) -> None:
    """Delete runs with all that is kept of them. Forks of them stay, and still tell where they came from."""
    for table in (
        turns,
        spoken,
        comments,
        ratings,
        run_marks,
        run_tags,
        kits,
        unfinished_turns,
        rerun_tokens,
    ):
        connection.execute(delete(table).where(table.c.run_id.in_(run_ids)))
    # What is remembered of a fork is the way from its own forks to their first run.
    child = forks.alias()
    has_forks = exists().where(child.c.source_run_id == forks.c.run_id)
    connection.execute(delete(forks).where(forks.c.run_id.in_(run_ids), ~has_forks))
    connection.execute(delete(runs).where(runs.c.id.in_(run_ids)))


def _is_beyond(run: KeptRun, limits: Limits, left: int, left_size: int, now: float) -> bool:
    return (
        (limits.days is not None and run.updated_at < now - limits.days * _DAY)
        or (limits.runs is not None and left > limits.runs)
        or (limits.size is not None and left_size > limits.size)
    )


def _kept_runs(connection: Connection) -> list[KeptRun]:
    sizes = dict[str, int]()
    for run_id, size, count in connection.execute(
        select(turns.c.run_id, func.sum(_TURN_SIZE), func.count()).group_by(turns.c.run_id)
    ):
        sizes[run_id] = int(size) + _ROW * count
    marked, under_way = _ids(connection, _MARKED), _ids(connection, _UNDER_WAY)
    statement = select(runs.c.id, runs.c.workflow_name, runs.c.updated_at, runs.c.turn_count)
    return [
        KeptRun(*row, sizes.get(row.id, 0) + _ROW, row.id in marked, row.id in under_way)
        for row in connection.execute(statement.order_by(runs.c.updated_at, runs.c.id))
    ]


def _still_wanted(connection: Connection, chosen: Sequence[KeptRun], limits: Limits) -> list[str]:
    """Those of the runs that are as they were; nobody goes on with them until the transaction ends."""
    ids = [run.run_id for run in chosen]
    rows = connection.execute(
        select(runs.c.id, runs.c.updated_at).where(runs.c.id.in_(ids)).with_for_update()
    )
    stands = {row.id: row.updated_at for row in rows}
    under_way = _ids(connection, _UNDER_WAY)
    marked = set[str]() if limits.with_marked else _ids(connection, _MARKED)
    return [
        run.run_id
        for run in chosen
        if stands.get(run.run_id) == run.updated_at and run.run_id not in marked | under_way
    ]


def _ids(connection: Connection, statement: CompoundSelect[str]) -> set[str]:
    return set(connection.scalars(statement))
