"""What is remembered of forks: where each came from, and what was changed for it.

It goes by ids alone, so it may be of runs that are kept elsewhere, as on the hosted API.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Double,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    select,
    update,
)

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import ForkRecord, RunStatus
from debugger.store.database import Database
from debugger.store.json_text import read_json
from debugger.store.schema import Number, metadata, runs
from debugger.store.upserts import insert

forks = Table(
    "forks",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("source_run_id", String(64), nullable=False, index=True),
    Column("turn_number", Number, nullable=False),
    Column("way", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("forked_by", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("fidelity", LargeBinary),
    Column("changes", LargeBinary, nullable=False),
)

_MOST_AT_ONCE = 500
"""Ids in one statement; SQLite takes some thousands."""


class ForkBook:
    """What is remembered of forks. Every method is one transaction and may raise `StoreError`.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, record: ForkRecord) -> None:
        """Remember a fork; what was remembered of its run before is replaced."""
        with self._database.writing() as connection:
            keep(connection, record)

    def describe(self, run_id: str, changes: Sequence[JsonObject], note: str = "") -> None:
        """Say what was changed for a fork, and why."""
        self._update(run_id, {"changes": encode(list(changes)), "note": note})

    def judge(self, run_id: str, fidelity: JsonObject) -> None:
        """Remember what a control run of a fork found."""
        self._update(run_id, {"fidelity": encode(fidelity)})

    def of(self, run_id: str) -> ForkRecord | None:
        """Where a run came from; ``None`` where it is no fork."""
        with self._database.reading() as connection:
            return _find(connection, run_id)

    def family(self, run_id: str) -> list[ForkRecord]:
        """Every fork that comes from the same first run, the oldest first; empty where there is none."""
        with self._database.reading() as connection:
            found = _descendants(connection, _root(connection, run_id))
        return sorted(found, key=lambda record: (record.created_at, record.run_id))

    def statuses(self, run_ids: Collection[str]) -> dict[str, RunStatus]:
        """How those of the runs stand that are kept here."""
        question = select(runs.c.id, runs.c.status)
        with self._database.reading() as connection:
            found = [
                row
                for some in _portions(run_ids)
                for row in connection.execute(question.where(runs.c.id.in_(some)))
            ]
        return {row.id: row.status for row in found}

    def _update(self, run_id: str, values: dict[str, Any]) -> None:
        with self._database.writing() as connection:
            connection.execute(update(forks).where(forks.c.run_id == run_id).values(**values))


def keep(connection: Connection, record: ForkRecord) -> None:
    """Remember a fork; what was remembered of its run before is replaced."""
    values = {
        "source_run_id": record.source_run_id,
        "turn_number": record.turn_number,
        "way": record.way,
        "note": record.note,
        "forked_by": record.forked_by,
        "created_at": record.created_at,
        "fidelity": None if record.fidelity is None else encode(record.fidelity),
        "changes": encode(list(record.changes)),
    }
    statement = insert(forks).values(run_id=record.run_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["run_id"], set_=values))


def _find(connection: Connection, run_id: str) -> ForkRecord | None:
    row = connection.execute(select(forks).where(forks.c.run_id == run_id)).one_or_none()
    return None if row is None else _record(row)


def _root(connection: Connection, run_id: str) -> str:
    seen = {run_id}
    while (record := _find(connection, run_id)) is not None and record.source_run_id not in seen:
        run_id = record.source_run_id
        seen.add(run_id)
    return run_id


def _descendants(connection: Connection, root: str) -> list[ForkRecord]:
    found: dict[str, ForkRecord] = {}
    parents = [root]
    while parents:
        rows = [
            row
            for some in _portions(parents)
            for row in connection.execute(select(forks).where(forks.c.source_run_id.in_(some)))
        ]
        children = [_record(row) for row in rows if row.run_id not in found and row.run_id != root]
        found |= {record.run_id: record for record in children}
        parents = [record.run_id for record in children]
    return list(found.values())


def _portions(ids: Collection[str]) -> list[list[str]]:
    wanted = list(ids)
    return [wanted[at : at + _MOST_AT_ONCE] for at in range(0, len(wanted), _MOST_AT_ONCE)]


def _record(row: Row[Any]) -> ForkRecord:
    place = f"fork {row.run_id}"
    return ForkRecord(
        run_id=row.run_id,
        source_run_id=row.source_run_id,
        turn_number=row.turn_number,
        way=row.way,
        changes=tuple(read_json(row.changes, place)),
        note=row.note,
        forked_by=row.forked_by,
        fidelity=None if row.fidelity is None else read_json(row.fidelity, place),
        created_at=row.created_at,
    )
