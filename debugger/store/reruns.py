"""Counts of the runs that were made from turns of others."""

from __future__ import annotations

from sqlalchemy import func, select

from debugger.store.database import Database
from debugger.store.schema import runs


class RerunBook:
    """Counts re-runs. Every method is one transaction and may raise `StoreError`.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self, run_id: str) -> dict[int, int]:
        """Return the number of runs made from each turn of a run, by the turn's index from 0."""
        index = runs.c.checkpoint_source_turn_index
        statement = select(index, func.count()).where(runs.c.source_workflow_run_id == run_id).group_by(index)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(statement) if row[0] is not None}
