"""Replays of runs on another version of their workflow, and what users have accepted of their results."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, select, update

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.store.compression import compress, read_json
from debugger.store.database import Repository
from debugger.store.process_identity import current_owner, is_running
from debugger.store.schema import accepted_groups, hidden_runs, replay_results, replays, runs
from debugger.store.sql_helpers import DAY, has_key, page_of, split_ids, upsert

_PAGE = 200
"""Results that are in memory at once while all are read."""
_played_here: set[str] = set()
"""The replays that this process plays: it goes on when the end of one cannot be stored."""
_IS_SHOWN = replay_results.c.run_id.not_in(select(hidden_runs.c.run_id))
"""The condition for results of runs that no user has deleted."""


class ReplayTarget(NamedTuple):
    """The version on which runs are played."""

    workflow_id: str
    version_number: int
    digest: str
    """Of its document: a replay is continued with the same one alone."""
    file: str = ""
    """Where the version is in a file, its name."""
    connection: str = ""
    """The connection of hosted runs; empty of the embedded engine."""


class StoredReplay(NamedTuple):
    """A replay."""

    id: str
    target: ReplayTarget
    started_at: float
    """Seconds since 1970."""
    ended_at: float | None
    """``None`` while it runs, and after a crash."""
    started_by: str
    program_version: str
    is_complete: bool
    """Whether every selected run was played."""
    is_running: bool
    """Whether it has not ended, and a process of this machine is playing it."""
    selected: int
    """The runs to play."""
    counts: Counter[str]
    """Results by verdict."""


class StoredReplayResult(NamedTuple):
    """The result of one run."""

    run_id: str
    verdict: str
    key: str
    """Of its group; empty for a run that is the same."""
    result: JsonObject


class Acceptance(NamedTuple):
    """A difference that is on purpose."""

    accepted_by: str
    comment: str
    accepted_at: float
    """Seconds since 1970."""


class StoredGroup(NamedTuple):
    """The results of a replay that differ for the same cause."""

    key: str
    verdict: str
    runs: int
    example: JsonObject
    """The result of its newest run."""
    acceptance: Acceptance | None


class ReplayRepository(Repository):
    """Replays and their results.

    A result is stored when it is there, so that a replay that was interrupted can be continued. Results of
    runs that a user has deleted are not returned.
    """

    def begin(
        self, replay_id: str, target: ReplayTarget, *, started_by: str, program_version: str, selected: int
    ) -> None:
        """Store the start of a replay by this process, or its continuation, which keeps time and user."""
        now = {
            "ended_at": None,
            "owner": current_owner(),
            "is_complete": False,
            "selected": selected,
        }
        first = {
            **target._asdict(),
            "started_at": time.time(),
            "started_by": started_by,
            "program_version": program_version,
        }
        with self._database.writing() as connection:
            changed = connection.execute(update(replays).where(replays.c.id == replay_id).values(now))
            if not changed.rowcount:
                connection.execute(replays.insert().values(id=replay_id, **first, **now))
        _played_here.add(replay_id)

    def add(self, replay_id: str, result: StoredReplayResult, *, is_hosted: bool = False) -> bool:
        """Store a result in place of the run's earlier one in the replay.

        Args:
            replay_id: The replay.
            result: The result.
            is_hosted: Whether the run is of a connection, and not stored here.

        Returns:
            ``False`` where the run was deleted meanwhile; then nothing is stored.

        Raises:
            NotFoundError: The replay was deleted meanwhile, as with its workflow; then nothing is stored.
        """
        values = {
            "verdict": result.verdict,
            "group_key": result.key,
            "result": compress(encode(result.result)),
        }
        with self._database.writing() as connection:
            if connection.scalar(select(replays.c.id).where(replays.c.id == replay_id)) is None:
                raise NotFoundError("The replay was deleted meanwhile.", advice="Replay its runs again.")
            # Locked, so that the run cannot be deleted between this and the result.
            stored = select(runs.c.id).where(runs.c.id == result.run_id).with_for_update()
            if not is_hosted and connection.scalar(stored) is None:
                return False
            key = {"replay_id": replay_id, "run_id": result.run_id}
            connection.execute(upsert(replay_results, key, values))
        return True

    def end(self, replay_id: str, *, is_complete: bool) -> None:
        """Store the end of a replay; where that fails, it counts as interrupted."""
        _played_here.discard(replay_id)
        values = {"ended_at": time.time(), "is_complete": is_complete}
        with self._database.writing() as connection:
            connection.execute(update(replays).where(replays.c.id == replay_id).values(values))

    def find(self, replay_id: str) -> StoredReplay | None:
        """Return a replay with its counts; ``None`` where there is none."""
        found = self._stored(select(replays).where(replays.c.id == replay_id))
        return found[0] if found else None

    def newest(
        self,
        workflow_id: str | None = None,
        *,
        connection: str | None = None,
        limit: int = 50,
        counted: bool = True,
    ) -> list[StoredReplay]:
        """Return at most ``limit`` replays, the last started first, with their counts.

        Args:
            workflow_id: The workflow whose replays are returned, instead of all.
            connection: The connection whose replays are returned; empty of the embedded engine.
            limit: Their number at most.
            counted: Whether their results are counted, which reads all of them; else ``counts`` is empty.
        """
        statement = select(replays).order_by(replays.c.started_at.desc(), replays.c.id).limit(limit)
        if workflow_id is not None:
            statement = statement.where(replays.c.workflow_id == workflow_id)
        if connection is not None:
            statement = statement.where(replays.c.connection == connection)
        return self._stored(statement, counted=counted)

    def find_interrupted(self, target: ReplayTarget) -> StoredReplay | None:
        """Return the newest replay on the same version that can be continued.

        It is incomplete, and no process of this machine is playing it. ``None`` where there is none.
        """
        same = and_(
            *(replays.c[name] == getattr(target, name) for name in ("connection", "workflow_id", "digest"))
        )
        order = (replays.c.started_at.desc(), replays.c.id)
        statement = select(replays).where(~replays.c.is_complete, same).order_by(*order)
        return next((each for each in self._stored(statement) if not each.is_running), None)

    def without_result(self, replay_id: str, run_ids: Sequence[str]) -> list[str]:
        """Return those of some runs that have no result in a replay, in their order."""
        of_replay = replay_results.c.replay_id == replay_id
        known: set[str] = set()
        with self._database.reading() as connection:
            for some in split_ids(run_ids):
                found = select(replay_results.c.run_id).where(of_replay, replay_results.c.run_id.in_(some))
                known |= set(connection.scalars(found))
        return [each for each in run_ids if each not in known]

    def results(
        self,
        replay_id: str,
        *,
        verdict: str | None = None,
        key: str | None = None,
        page: int = 1,
        size: int = 50,
    ) -> list[StoredReplayResult]:
        """Return one page of results, those of the newest runs first.

        Args:
            replay_id: The replay.
            verdict: The verdict of the results, instead of all.
            key: The group of the results, instead of all; empty of the runs that are the same.
            page: Counts from 1.
            size: Results on a page.

        Raises:
            InputError: Page or size is below 1.
            StoreError: A result was changed by another program.
        """
        statement = _results(replay_id, verdict, key)
        with self._database.reading() as connection:
            return [_result(row) for row in connection.execute(page_of(statement, page, size))]

    def all_results(self, replay_id: str, *, verdict: str | None = None) -> Iterator[StoredReplayResult]:
        """Yield all results, or those of a verdict, in the order of `results`; some are in memory at once.

        Raises:
            StoreError: A result was changed by another program.
        """
        statement, last = _results(replay_id, verdict, None).limit(_PAGE), ""
        while True:
            part = statement.where(replay_results.c.run_id < last) if last else statement
            with self._database.reading() as connection:
                rows = connection.execute(part).all()
            yield from map(_result, rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1].run_id

    def groups(self, replay_id: str, limit: int = 500) -> list[StoredGroup]:
        """Return at most ``limit`` groups of results that differ, the one with the most runs first.

        Raises:
            StoreError: A result was changed by another program.
        """
        columns = replay_results.c
        counted = (
            select(
                columns.group_key,
                columns.verdict,
                func.count().label("count"),
                func.max(columns.run_id).label("run_id"),
            )
            .where(columns.replay_id == replay_id, columns.group_key != "", _IS_SHOWN)
            .group_by(columns.group_key, columns.verdict)
            .order_by(func.count().desc(), columns.group_key)
            .limit(limit)
            .subquery()
        )
        is_example = and_(columns.replay_id == replay_id, columns.run_id == counted.c.run_id)
        statement = (
            select(
                counted,
                columns.result,
                accepted_groups.c.accepted_by,
                accepted_groups.c.comment,
                accepted_groups.c.accepted_at,
            )
            .join(replay_results, is_example)
            .outerjoin(accepted_groups, _is_accepted(replay_id, counted.c.group_key))
            .order_by(counted.c["count"].desc(), counted.c.group_key)
        )
        with self._database.reading() as connection:
            return [
                StoredGroup(
                    row.group_key,
                    row.verdict,
                    row[2],
                    read_json(row.result, f"result of run {row.run_id}"),
                    None
                    if row.accepted_at is None
                    else Acceptance(row.accepted_by, row.comment, row.accepted_at),
                )
                for row in connection.execute(statement)
            ]

    def count_open(self, replay_id: str) -> Counter[str]:
        """Return the number of results by verdict, without groups that are accepted."""
        columns = replay_results.c
        statement = (
            select(columns.verdict, func.count())
            .select_from(replay_results)
            .outerjoin(accepted_groups, _is_accepted(replay_id, columns.group_key))
            .where(columns.replay_id == replay_id, _IS_SHOWN, accepted_groups.c.group_key.is_(None))
            .group_by(columns.verdict)
        )
        with self._database.reading() as connection:
            return Counter({row[0]: row[1] for row in connection.execute(statement)})

    def accept(
        self, workflow_id: str, key: str, *, accepted_by: str, comment: str, replaces: bool = True
    ) -> None:
        """Store that a group is on purpose, for all replays of the workflow, past and later.

        Args:
            workflow_id: The workflow.
            key: The group.
            accepted_by: The user.
            comment: The reason.
            replaces: Whether it may take the place of an earlier acceptance, as of another user.

        Raises:
            ConflictError: There is an earlier one that it may not replace.
        """
        values = {"accepted_by": accepted_by, "comment": comment, "accepted_at": time.time()}
        group = {"workflow_id": workflow_id, "group_key": key}
        with self._database.writing() as connection:
            own = has_key(accepted_groups, group)
            earlier = None if replaces else connection.execute(select(accepted_groups).where(own)).first()
            if earlier is not None:
                raise ConflictError(
                    f"{earlier.accepted_by} has accepted it meanwhile.",
                    advice="Close this, and withdraw that first, if the comment is to be another one.",
                )
            connection.execute(upsert(accepted_groups, group, values))

    def acceptances(self, workflow_id: str) -> dict[str, Acceptance]:
        """Return what is accepted of a workflow's replays, by the keys of the groups."""
        columns = accepted_groups.c
        statement = select(accepted_groups).where(columns.workflow_id == workflow_id)
        with self._database.reading() as connection:
            return {
                row.group_key: Acceptance(row.accepted_by, row.comment, row.accepted_at)
                for row in connection.execute(statement)
            }

    def withdraw_acceptance(self, workflow_id: str, key: str) -> None:
        """Delete the acceptance of a group; nothing happens where there is none."""
        columns = accepted_groups.c
        with self._database.writing() as connection:
            connection.execute(
                delete(accepted_groups).where(columns.workflow_id == workflow_id, columns.group_key == key)
            )

    def find_workflows(self, key: str) -> list[str]:
        """Return the ids of the workflows whose replays have a group; empty for an unknown key."""
        statement = (
            select(replays.c.workflow_id)
            .distinct()
            .join(replay_results, replay_results.c.replay_id == replays.c.id)
            .where(replay_results.c.group_key == key)
        )
        with self._database.reading() as connection:
            return sorted(connection.scalars(statement))

    def find_expired(self, days: float) -> list[str]:
        """Return the ids of the replays that started more than ``days`` days ago."""
        old = replays.c.started_at < time.time() - days * DAY
        with self._database.reading() as connection:
            return list(connection.scalars(select(replays.c.id).where(old)))

    def prune(self, days: float) -> int:
        """Delete replays that started more than ``days`` days ago, with results; return their number.

        What users have accepted stays.
        """
        gone = self.find_expired(days)
        for replay_id in gone:
            self.delete(replay_id)
        return len(gone)

    def delete(self, replay_id: str) -> None:
        """Delete a replay with its results."""
        with self._database.writing() as connection:
            connection.execute(delete(replay_results).where(replay_results.c.replay_id == replay_id))
            connection.execute(delete(replays).where(replays.c.id == replay_id))

    def _stored(self, statement: Select[Any], *, counted: bool = True) -> list[StoredReplay]:
        """Return the replays of a statement in its order, with their counts or with empty ones."""
        columns = replay_results.c
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
            counts: dict[str, Counter[str]] = {row.id: Counter() for row in rows}
            for some in split_ids(counts) if counted else ():
                for replay_id, verdict, number in connection.execute(
                    select(columns.replay_id, columns.verdict, func.count())
                    .where(columns.replay_id.in_(some), _IS_SHOWN)
                    .group_by(columns.replay_id, columns.verdict)
                ):
                    counts[replay_id][verdict] = number
        return [_replay(row._mapping, counts[row.id]) for row in rows]


def _replay(row: Mapping[Any, Any], counts: Counter[str]) -> StoredReplay:
    return StoredReplay(
        row["id"],
        ReplayTarget(**{name: row[name] for name in ReplayTarget._fields}),
        row["started_at"],
        row["ended_at"],
        row["started_by"],
        row["program_version"],
        row["is_complete"],
        row["ended_at"] is None and _is_played(row["id"], row["owner"]),
        row["selected"],
        counts,
    )


def _is_played(replay_id: str, owner: str) -> bool:
    return replay_id in _played_here if owner == current_owner() else is_running(owner)


def _results(replay_id: str, verdict: str | None, key: str | None) -> Select[Any]:
    """Return the statement of a replay's results, those of the newest runs first."""
    columns = replay_results.c
    statement = select(replay_results).where(columns.replay_id == replay_id, _IS_SHOWN)
    if verdict is not None:
        statement = statement.where(columns.verdict == verdict)
    if key is not None:
        statement = statement.where(columns.group_key == key)
    return statement.order_by(columns.run_id.desc())


def _result(row: Row[Any]) -> StoredReplayResult:
    value = read_json(row.result, f"result of run {row.run_id}")
    return StoredReplayResult(row.run_id, row.verdict, row.group_key, value)


def _is_accepted(replay_id: str, key: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition for the acceptance of a group, in a replay's workflow."""
    workflow = select(replays.c.workflow_id).where(replays.c.id == replay_id).scalar_subquery()
    return and_(accepted_groups.c.workflow_id == workflow, accepted_groups.c.group_key == key)
