"""The journal of interrupted turns: their run input, and their events so far."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect

from debugger.store.notebook_schema import unfinished_turns
from debugger.store.packing import pack, unpack
from debugger.store.prepared import Prepared
from debugger.store.upserts import insert


class UnfinishedTurn(NamedTuple):
    """A turn as far as it has come."""

    run_id: str
    workflow_id: str
    version_number: int
    began_at: float
    """Seconds since 1970."""
    input_json: bytes
    """The run input."""
    events_json: bytes = b"[]"
    """Its events so far as one array."""


_INSERT = insert(unfinished_turns).values(
    **{column.name: bindparam(column.name) for column in unfinished_turns.c}
)
_KEEP = _INSERT.on_conflict_do_update(
    index_elements=["run_id"],
    set_={
        column.name: _INSERT.excluded[column.name] for column in unfinished_turns.c if column.name != "run_id"
    },
)
_FORGET = delete(unfinished_turns).where(unfinished_turns.c.run_id == bindparam("run_id"))


class _Run(NamedTuple):
    run_id: str


class UnfinishedStatements:
    """What is asked of the journal event by event, for one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        self._keep = Prepared(_KEEP, dialect)
        self._forget = Prepared(_FORGET, dialect)

    def keep(self, cursor: DBAPICursor, turn: UnfinishedTurn) -> None:
        """Put a turn in the place of what was kept of it before."""
        self._keep.run(cursor, turn._replace(events_json=pack(turn.events_json)))

    def forget(self, cursor: DBAPICursor, run_id: str) -> None:
        """Take a run's turn out, if it has one."""
        self._forget.run(cursor, _Run(run_id))


def read_unfinished(connection: Connection, run_id: str | None) -> list[UnfinishedTurn]:
    """Return the interrupted turns, of every run or of one; the newest first."""
    statement = select(unfinished_turns).order_by(unfinished_turns.c.began_at.desc())
    if run_id is not None:
        statement = statement.where(unfinished_turns.c.run_id == run_id)
    return [
        UnfinishedTurn(*row)._replace(events_json=unpack(row.events_json))
        for row in connection.execute(statement)
    ]
