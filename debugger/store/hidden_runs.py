"""Runs that a user has deleted and that can still be restored.

A hidden run is in no list, search or statistic. Its record stays until `prune_hidden`.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Select, delete, func, select

from debugger.store.database import Repository
from debugger.store.retention import RUNS_AT_ONCE, busy_runs, delete_runs
from debugger.store.schema import IS_SHOWN, hidden_runs, runs
from debugger.store.sql_helpers import DAY, insert, split_ids


class HiddenRun(NamedTuple):
    """A deleted run that can still be restored."""

    run_id: str
    hidden_by: str
    hidden_at: float
    """Seconds since 1970."""
    workflow_id: str
    workflow_name: str | None
    version_number: int
    turn_count: int
    created_at: float


_columns = {**runs.c, **hidden_runs.c}
_HIDDEN = (
    select(*(_columns[name] for name in HiddenRun._fields))
    .select_from(hidden_runs)
    .join(runs, runs.c.id == hidden_runs.c.run_id)
    .order_by(hidden_runs.c.hidden_at.desc(), hidden_runs.c.run_id)
)


class HiddenRuns(Repository):
    """Runs that are deleted and can still be restored."""

    def hide(self, run_ids: Collection[str], by: str) -> list[str]:
        """Hide the runs that exist; return the ids of those not hidden before, in the order given."""
        values = {"hidden_by": by, "hidden_at": time.time()}
        hidden: list[str] = []
        with self._database.writing() as connection:
            for some in split_ids(run_ids):
                shown = set(connection.scalars(select(runs.c.id).where(runs.c.id.in_(some), IS_SHOWN)))
                rows = [{"run_id": run_id, **values} for run_id in some if run_id in shown]
                if rows:
                    connection.execute(insert(hidden_runs).on_conflict_do_nothing(), rows)
                hidden += [run_id for run_id in some if run_id in shown]
        return hidden

    def restore(self, run_ids: Collection[str]) -> int:
        """Show runs again; return how many were hidden."""
        with self._database.writing() as connection:
            return sum(
                connection.execute(delete(hidden_runs).where(hidden_runs.c.run_id.in_(some))).rowcount
                for some in split_ids(run_ids)
            )

    def find(self, run_id: str) -> HiddenRun | None:
        """Return a hidden run; ``None`` where it is not hidden."""
        with self._database.reading() as connection:
            row = connection.execute(_HIDDEN.where(hidden_runs.c.run_id == run_id)).one_or_none()
            return None if row is None else HiddenRun(*row)

    def newest(self, limit: int) -> tuple[list[HiddenRun], int]:
        """Return the last hidden runs, and the number of all."""
        with self._database.reading() as connection:
            rows = connection.execute(_HIDDEN.limit(limit)).all()
            total = connection.scalar(select(func.count()).select_from(hidden_runs)) or 0
            return [HiddenRun(*row) for row in rows], total

    def find_expired(self, days: float) -> list[str]:
        """Return the ids of the runs that were hidden more than ``days`` days ago."""
        with self._database.reading() as connection:
            return list(connection.scalars(_expired(days).order_by(hidden_runs.c.hidden_at)))

    def prune(self, days: float) -> int:
        """Delete the runs that were hidden more than ``days`` days ago for good; return their number.

        A run with a turn in progress stays until the next time.
        """
        run_ids, count = self.find_expired(days), 0
        for at in range(0, len(run_ids), RUNS_AT_ONCE):
            some = hidden_runs.c.run_id.in_(run_ids[at : at + RUNS_AT_ONCE])
            with self._database.writing() as connection:
                # One of them may have been restored meanwhile.
                chosen = connection.scalars(_expired(days).where(some).with_for_update()).all()
                busy = busy_runs(connection, chosen)
                gone = [run_id for run_id in chosen if run_id not in busy]
                delete_runs(connection, gone)
                count += len(gone)
        return count


def _expired(days: float) -> Select[str]:
    return select(hidden_runs.c.run_id).where(hidden_runs.c.hidden_at < time.time() - days * DAY)
