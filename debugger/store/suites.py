"""History of suite runs: many scenarios, run together."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, func, select, update

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.store.compression import compress, read_json
from debugger.store.database import Repository
from debugger.store.process_identity import current_owner, is_running
from debugger.store.schema import run_scenarios, runs, suite_repetitions, suite_results, suite_runs
from debugger.store.sql_helpers import DAY, split_ids

# Made once: making the statements of a result takes as long as executing them.
_REMOVE = [
    delete(table).where(
        table.c.suite_run_id == bindparam("suite"), table.c.scenario_key == bindparam("scenario")
    )
    for table in (suite_repetitions, suite_results)
]
_ADD_RESULT, _ADD_REPETITION = suite_results.insert(), suite_repetitions.insert()


class StoredSuite(NamedTuple):
    """A suite run."""

    id: str
    started_at: float
    """Seconds since 1970."""
    ended_at: float | None
    """``None`` while it runs, and after a crash."""
    started_by: str
    program_version: str
    is_complete: bool
    """Whether every selected scenario has a result."""
    selected: int
    counts: Counter[str]
    """Results by outcome."""


class StoredRepetition(NamedTuple):
    """One run of a scenario."""

    run_id: str | None
    result: JsonObject


class StoredResult(NamedTuple):
    """The result of one scenario."""

    scenario_id: str
    digest: str
    """Digest of the scenario, its workflow and its script: equal while none is changed."""
    outcome: str
    disposition: str | None
    repetitions: Sequence[StoredRepetition]


class PastResult(NamedTuple):
    """An earlier outcome of a scenario."""

    digest: str
    outcome: str


class SuiteRepository(Repository):
    """Suite runs and their results.

    A result is stored when it is there, so that a suite run that was interrupted can be continued.
    """

    def begin(self, suite_id: str, *, started_by: str, program_version: str, selected: int) -> None:
        """Store the start of a suite run by this process, or its continuation, which keeps time and user."""
        now = {
            "ended_at": None,
            "owner": current_owner(),
            "is_complete": False,
            "selected": selected,
        }
        first = {"started_at": time.time(), "started_by": started_by, "program_version": program_version}
        with self._database.writing() as connection:
            changed = connection.execute(update(suite_runs).where(suite_runs.c.id == suite_id).values(now))
            if not changed.rowcount:
                connection.execute(suite_runs.insert().values(id=suite_id, **first, **now))

    def add(self, suite_id: str, result: StoredResult) -> None:
        """Store a result and its repetitions in place of the scenario's earlier ones in the suite run."""
        key = {"suite_run_id": suite_id, "scenario_key": _key(result.scenario_id)}
        row = {
            **key,
            "scenario_id": result.scenario_id,
            "digest": result.digest,
            "outcome": result.outcome,
            "disposition": result.disposition,
            "repetitions": len(result.repetitions),
            "stored_at": time.time(),
        }
        repetitions = [
            {**key, "number": number, "run_id": each.run_id, "result": compress(encode(each.result))}
            for number, each in enumerate(result.repetitions, start=1)
        ]
        with self._database.writing() as connection:
            for statement in _REMOVE:
                connection.execute(statement, {"suite": suite_id, "scenario": key["scenario_key"]})
            connection.execute(_ADD_RESULT, row)
            if repetitions:
                connection.execute(_ADD_REPETITION, repetitions)

    def end(self, suite_id: str, *, is_complete: bool) -> None:
        """Store the end of a suite run."""
        values = {"ended_at": time.time(), "is_complete": is_complete}
        with self._database.writing() as connection:
            connection.execute(update(suite_runs).where(suite_runs.c.id == suite_id).values(values))

    def has(self, suite_id: str) -> bool:
        """Return whether a suite run is stored."""
        with self._database.reading() as connection:
            return connection.scalar(select(suite_runs.c.id).where(suite_runs.c.id == suite_id)) is not None

    def withdraw(self, suite_id: str) -> None:
        """Delete a suite run that has no result."""
        results = select(suite_results.c.suite_run_id).where(suite_results.c.suite_run_id == suite_id)
        with self._database.writing() as connection:
            connection.execute(delete(suite_runs).where(suite_runs.c.id == suite_id, ~results.exists()))

    def newest(self, limit: int = 50) -> list[StoredSuite]:
        """Return at most ``limit`` suite runs, the last started first, with counts of results by outcome."""
        columns = suite_results.c
        with self._database.reading() as connection:
            order = (suite_runs.c.started_at.desc(), suite_runs.c.id)
            selected = [suite_runs.c[name] for name in StoredSuite._fields[:-1]]
            rows = connection.execute(select(*selected).order_by(*order).limit(limit)).all()
            counts: dict[str, Counter[str]] = {row.id: Counter() for row in rows}
            for suite_id, outcome, number in connection.execute(
                select(columns.suite_run_id, columns.outcome, func.count())
                .where(columns.suite_run_id.in_(list(counts)))
                .group_by(columns.suite_run_id, columns.outcome)
            ):
                counts[suite_id][outcome] = number
        return [StoredSuite._make((*row, counts[row.id])) for row in rows]

    def results(self, suite_id: str) -> list[StoredResult]:
        """Return the results of a suite run whose scenario runs are all stored still, the first stored first.

        Raises:
            StoreError: A repetition was changed by another program.
        """
        with self._database.reading() as connection:
            repetitions: dict[str, list[StoredRepetition]] = {}
            of_suite = suite_repetitions.c.suite_run_id == suite_id
            order = suite_repetitions.c.number
            for row in connection.execute(select(suite_repetitions).where(of_suite).order_by(order)):
                value = read_json(row.result, f"result of the suite run {suite_id}")
                repetitions.setdefault(row.scenario_key, []).append(StoredRepetition(row.run_id, value))
            found = connection.execute(
                select(suite_results)
                .where(suite_results.c.suite_run_id == suite_id)
                .order_by(suite_results.c.stored_at)
            ).all()
        return [
            StoredResult(
                row.scenario_id, row.digest, row.outcome, row.disposition, repetitions[row.scenario_key]
            )
            for row in found
            if len(repetitions.get(row.scenario_key, ())) == row.repetitions
        ]

    def find_interrupted_run(self, scenario_ids: Collection[str]) -> str | None:
        """Return the id of the newest suite run with results of these scenarios that can be continued.

        It is incomplete, and no process of this machine is running it. ``None`` where there is none.
        """
        columns = suite_runs.c
        newest: tuple[float, str] | None = None
        with self._database.reading() as connection:
            for keys in split_ids([_key(each) for each in scenario_ids]):
                rows = connection.execute(
                    select(columns.started_at, columns.id, columns.owner, columns.ended_at)
                    .distinct()
                    .join(suite_results, suite_results.c.suite_run_id == columns.id)
                    .where(~columns.is_complete, suite_results.c.scenario_key.in_(keys))
                )
                for row in rows:
                    has_stopped = row.ended_at is not None or not is_running(row.owner)
                    if has_stopped and (newest is None or (row.started_at, row.id) > newest):
                        newest = (row.started_at, row.id)
        return newest[1] if newest else None

    def read_past_results(
        self, scenario_ids: Collection[str], *, limit: int = 10, without: str = ""
    ) -> dict[str, list[PastResult]]:
        """Return the last results of each scenario that has any, by scenario id, the newest first.

        Args:
            scenario_ids: The scenarios.
            limit: Results of each.
            without: The id of a suite run that does not count.
        """
        columns = suite_results.c
        place = (
            func.row_number()
            .over(partition_by=columns.scenario_key, order_by=columns.stored_at.desc())
            .label("place")
        )
        found: dict[str, list[PastResult]] = {}
        with self._database.reading() as connection:
            for keys in split_ids([_key(each) for each in scenario_ids]):
                ranked = (
                    select(columns.scenario_id, columns.digest, columns.outcome, place)
                    .where(columns.scenario_key.in_(keys), columns.suite_run_id != without)
                    .subquery()
                )
                rows = connection.execute(
                    select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.place)
                )
                for row in rows:
                    found.setdefault(row.scenario_id, []).append(PastResult(row.digest, row.outcome))
        return found

    def find_expired(self, days: float) -> list[str]:
        """Return the ids of the suite runs that started more than ``days`` days ago."""
        old = suite_runs.c.started_at < time.time() - days * DAY
        with self._database.reading() as connection:
            return list(connection.scalars(select(suite_runs.c.id).where(old)))

    def prune(self, days: float) -> int:
        """Delete suite runs that started more than ``days`` days ago, with results; return their number.

        Scenario notes of runs that are neither stored here nor in a suite run go with them. The runs stay.
        """
        gone = self.find_expired(days)
        with self._database.writing() as connection:
            for some in split_ids(gone):
                for table in (suite_repetitions, suite_results):
                    connection.execute(delete(table).where(table.c.suite_run_id.in_(some)))
                connection.execute(delete(suite_runs).where(suite_runs.c.id.in_(some)))
            # Of hosted runs, which are not deleted here.
            has_run = exists().where(runs.c.id == run_scenarios.c.run_id)
            has_suite = exists().where(suite_repetitions.c.run_id == run_scenarios.c.run_id)
            connection.execute(delete(run_scenarios).where(~has_run, ~has_suite))
        return len(gone)


def _key(scenario_id: str) -> str:
    return hashlib.sha256(scenario_id.encode("utf-8", "surrogatepass")).hexdigest()
