"""Interrupted turns: what is left of them where their process ended before they did."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from debugger.store.json_text import unpack
from debugger.store.notebook_schema import unfinished_turns


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


def forget_unfinished(connection: Connection, run_id: str) -> None:
    """Delete a run's interrupted turn, if it has one."""
    connection.execute(delete(unfinished_turns).where(unfinished_turns.c.run_id == run_id))


def read_unfinished(connection: Connection, run_id: str | None) -> list[UnfinishedTurn]:
    """Return the interrupted turns, of every run or of one; the newest first."""
    statement = select(unfinished_turns).order_by(unfinished_turns.c.began_at.desc())
    if run_id is not None:
        statement = statement.where(unfinished_turns.c.run_id == run_id)
    return [
        UnfinishedTurn(*row)._replace(events_json=unpack(row.events_json))
        for row in connection.execute(statement)
    ]
