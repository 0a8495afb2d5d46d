"""The scenarios that runs are of."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import exists, select

from debugger.protocol.json_codec import encode
from debugger.protocol.natural_order import natural_key
from debugger.protocol.scenario_runs import Outcome, ScenarioCheck, ScenarioMark
from debugger.store.compression import compress, read_json
from debugger.store.database import Repository
from debugger.store.schema import run_scenarios, runs
from debugger.store.sql_helpers import has_key, split_ids, upsert

_CHECKS: TypeAdapter[Any] = TypeAdapter(list[ScenarioCheck])
_MAX_NAMES = 500
"""Names in the list of a filter."""
_HAS_RUN = exists().where(runs.c.id == run_scenarios.c.run_id)
"""A hosted run is not among those that a filter finds."""


class ScenarioRuns(Repository):
    """Scenarios of runs, with the results of their checks.

    They go with their runs, and those of hosted runs with their suite runs.
    """

    def save(self, run_id: str, mark: ScenarioMark) -> None:
        """Store the scenario of a run, its result and its checks, in place of an earlier one."""
        values = {
            "name": mark.name,
            "file": mark.file,
            "row_number": mark.row_number,
            "outcome": mark.outcome,
            "tags": json.dumps(list(mark.tags), ensure_ascii=False),
            "checks": compress(encode(_CHECKS.dump_python(list(mark.checks), mode="json"))),
        }
        with self._database.writing() as connection:
            connection.execute(upsert(run_scenarios, {"run_id": run_id}, values))

    def of(self, run_id: str) -> ScenarioMark | None:
        """Return the scenario of a run; ``None`` where it is of none.

        Raises:
            StoreError: Its checks are not JSON.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                select(run_scenarios).where(has_key(run_scenarios, {"run_id": run_id}))
            ).one_or_none()
        if row is None:
            return None
        checks = _CHECKS.validate_python(read_json(row.checks, f"checks of run {run_id}"))
        tags = tuple(json.loads(row.tags))
        return ScenarioMark(row.name, row.file, row.outcome, row.row_number, tags, tuple(checks))

    def outcomes(self, run_ids: Collection[str]) -> dict[str, Outcome]:
        """Return the result of each of the runs that is of a scenario, by run id."""
        found: dict[str, Outcome] = {}
        with self._database.reading() as connection:
            for part in split_ids(run_ids):
                rows = select(run_scenarios.c.run_id, run_scenarios.c.outcome)
                of_part = connection.execute(rows.where(run_scenarios.c.run_id.in_(part)))
                found.update((run_id, outcome) for run_id, outcome in of_part)
        return found

    def names(self) -> list[str]:
        """Return the names of the scenarios that have runs here, in order, `_MAX_NAMES` at most."""
        names = (
            select(run_scenarios.c.name)
            .where(_HAS_RUN)
            .distinct()
            .order_by(run_scenarios.c.name)
            .limit(_MAX_NAMES)
        )
        with self._database.reading() as connection:
            return sorted(connection.scalars(names), key=natural_key)

    def tags(self) -> list[str]:
        """Return the tags of the scenarios that have runs here, in order."""
        with self._database.reading() as connection:
            found = connection.scalars(select(run_scenarios.c.tags).where(_HAS_RUN).distinct())
            return sorted({tag for text in found for tag in json.loads(text)}, key=natural_key)
