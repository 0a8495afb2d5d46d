"""Runs made out of the first turns of another, whose words and whose workflow may be others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from debugger.protocol.runs import ForkRecord, RunStatus
from debugger.store.claims import unknown_run
from debugger.store.copied_usage import CopiedUsage
from debugger.store.database import Database
from debugger.store.forks import keep
from debugger.store.json_text import pack
from debugger.store.run_copies import OWN_COLUMNS
from debugger.store.schema import runs, turns

_NO_INPUT = b'{"run_input":{},"run_output":{}}'


@dataclass(frozen=True)
class WrittenPair:
    """An input/output pair as it is to be kept, in JSON."""

    pair: bytes
    """But for the events."""
    events: bytes


@dataclass(frozen=True, kw_only=True)
class RerunCopy:
    """A run that is to be made."""

    record: ForkRecord
    turn_index: int
    """The source's turn that the re-run names, from 0."""
    workflow_id: str
    workflow_name: str
    version_number: int
    version_name: str | None
    status: RunStatus
    checkpoint: bytes
    """Where it stands."""
    pair_count: int
    """How many pairs of the source are copied."""
    written: Mapping[int, WrittenPair] = field(default_factory=dict)
    """Pairs that stand in the place of the source's of that number, or come after those that are copied."""
    usage: CopiedUsage


class RerunBook:
    """Makes re-runs, and counts them. Every method is one transaction and may raise `StoreError`.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, copy: RerunCopy) -> None:
        """Make a run; the source is left as it is.

        Raises:
            NotFoundError: The source is not there.
        """
        with self._database.writing() as connection:
            _keep(connection, copy)

    def counts(self, run_id: str) -> dict[int, int]:
        """How many runs were made from each turn of a run, by the turn's index from 0."""
        index = runs.c.checkpoint_source_turn_index
        statement = select(index, func.count()).where(runs.c.source_workflow_run_id == run_id).group_by(index)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(statement) if row[0] is not None}


def _keep(connection: Connection, copy: RerunCopy) -> None:
    source_id = copy.record.source_run_id
    if connection.scalar(select(runs.c.id).where(runs.c.id == source_id)) is None:
        raise unknown_run(source_id)
    last = max((copy.pair_count, *copy.written))
    connection.execute(insert(runs), _run_row(copy, last))
    source = select(turns).where(turns.c.run_id == source_id, turns.c.turn_number.between(1, copy.pair_count))
    found = connection.execute(source.order_by(turns.c.turn_number)).all()
    rows = [_copied(row, copy) for row in found]
    rows += [_added(number, copy) for number in sorted(copy.written) if number > copy.pair_count]
    rows = rows or [_beginning(copy)]
    rows[-1] |= {"checkpoint": pack(copy.checkpoint), "status": copy.status}
    connection.execute(insert(turns), rows)
    keep(connection, copy.record)


def _run_row(copy: RerunCopy, turn_count: int) -> dict[str, Any]:
    record = copy.record
    return {
        "id": record.run_id,
        "workflow_id": copy.workflow_id,
        "version_number": copy.version_number,
        "version_name": copy.version_name,
        "workflow_name": copy.workflow_name,
        "run_by": record.forked_by or None,
        "status": copy.status,
        "termination_source": None,
        "turn_count": turn_count,
        **copy.usage.columns(),
        "source_workflow_run_id": record.source_run_id,
        "checkpoint_source_turn_index": copy.turn_index,
        "created_at": record.created_at,
        "updated_at": record.created_at,
    }


def _copied(row: Row[Any], copy: RerunCopy) -> dict[str, Any]:
    found = {key: value for key, value in row._mapping.items() if key not in OWN_COLUMNS}
    return {**found, "run_id": copy.record.run_id, **_words(copy.written.get(row.turn_number))}


def _words(written: WrittenPair | None) -> dict[str, bytes]:
    return {} if written is None else {"pair": written.pair, "events": pack(written.events)}


def _added(number: int, copy: RerunCopy) -> dict[str, Any]:
    return {**_beginning(copy), "turn_number": number, **_words(copy.written[number])}


def _beginning(copy: RerunCopy) -> dict[str, Any]:
    """The row of a turn 0: no record shows it, but a run that has not begun stands there."""
    moment = copy.record.created_at
    return {
        "run_id": copy.record.run_id,
        "turn_number": 0,
        "status": copy.status,
        "started_at": moment,
        "finished_at": moment,
        "checkpoint": pack(copy.checkpoint),
        "pair": _NO_INPUT,
        "events": b"[]",
    }
