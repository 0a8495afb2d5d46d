"""Runs as they are forgotten."""

from __future__ import annotations

from sqlalchemy import Connection, delete

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
from debugger.store.schema import runs, turns
from debugger.store.server_schema import rerun_tokens
from debugger.store.turns import unknown_run

_BESIDE = (comments, ratings, run_marks, run_tags, kits, unfinished_turns, spoken, rerun_tokens, forks)
"""What is kept beside a run's record and goes with it."""


def delete_run(connection: Connection, run_id: str) -> None:
    """Forget a run with its turns and all that was noted on it. Its forks stay: their turns are their own.

    Raises:
        NotFoundError: There is no such run.
    """
    connection.execute(delete(turns).where(turns.c.run_id == run_id))
    if not connection.execute(delete(runs).where(runs.c.id == run_id)).rowcount:
        raise unknown_run(run_id)
    for table in _BESIDE:
        connection.execute(delete(table).where(table.c.run_id == run_id))
