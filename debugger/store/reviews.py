"""Verdicts of reviewers on runs, turns and messages, and the rubrics of workflows.

All go by ids alone, so they may be of runs and workflows of a hosted API.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select

from debugger.errors import ConflictError, NotFoundError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict, VerdictValue, check_rubric, check_verdict, target_words
from debugger.store.database import Repository
from debugger.store.notes import add_comment, set_tags, tags_of
from debugger.store.schema import IS_SHOWN, rubrics, runs, verdicts
from debugger.store.sql_helpers import has_key, insert, iso_time, split_ids, upsert


@dataclass(frozen=True)
class VerdictChange:
    """A verdict to store in place of the one that its author has seen."""

    verdict: Verdict
    before: Verdict | None = None
    """The stored verdict of the same reviewer and target; ``None`` if there was none."""


@dataclass(frozen=True)
class TagChange:
    """Tags to store in place of those that their author has seen."""

    run_id: str
    tags: Sequence[str]
    before: Sequence[str] = ()


@dataclass(frozen=True)
class NewComment:
    """A comment to store."""

    run_id: str
    target: Target
    author: str
    content: str


@dataclass(frozen=True)
class ReviewChanges:
    """Changes that are stored together or not at all."""

    verdicts: Sequence[VerdictChange] = field(default_factory=tuple)
    tags: Sequence[TagChange] = field(default_factory=tuple)
    comments: Sequence[NewComment] = field(default_factory=tuple)


class ReviewRepository(Repository):
    """Verdicts and rubrics.

    A connection is the name of a hosted API's connection; it is empty for the embedded engine.
    """

    def verdicts(self, run_ids: Collection[str], *, connection: str = "") -> dict[str, list[Verdict]]:
        """Return the verdicts of runs that have any, the oldest first."""
        found: dict[str, list[Verdict]] = {}
        with self._database.reading() as reading:
            for some in split_ids(run_ids):
                for verdict in _select(reading, connection, some):
                    found.setdefault(verdict.run_id, []).append(verdict)
        return found

    def counts(self, run_ids: Collection[str], *, connection: str = "") -> dict[str, dict[VerdictValue, int]]:
        """Return the number of verdicts on runs by value.

        Verdicts on turns and messages do not count.
        """
        columns = verdicts.c
        statement = select(columns.run_id, columns.value, func.count()).group_by(
            columns.run_id, columns.value
        )
        found: dict[str, dict[VerdictValue, int]] = {}
        with self._database.reading() as reading:
            for some in split_ids(run_ids):
                for run_id, value, number in reading.execute(statement.where(*_on_runs(connection, some))):
                    found.setdefault(run_id, {})[value] = number
        return found

    def runs_without_verdict(
        self, run_ids: Collection[str], *, connection: str = "", reviewer: str | None = None
    ) -> list[str]:
        """Return the runs that have no verdict as a whole, in order.

        Args:
            run_ids: The runs.
            connection: Their connection.
            reviewer: Count only the verdicts of this user.
        """
        columns = verdicts.c
        decided = set[str]()
        with self._database.reading() as reading:
            for some in split_ids(run_ids):
                statement = select(columns.run_id).where(*_on_runs(connection, some))
                if reviewer is not None:
                    statement = statement.where(columns.reviewer == reviewer)
                decided.update(reading.scalars(statement))
        return [run_id for run_id in run_ids if run_id not in decided]

    def turn_counts(self, run_ids: Collection[str]) -> dict[str, int]:
        """Return the number of turns and background steps of existing runs."""
        with self._database.reading() as reading:
            return _turn_counts(reading, run_ids)

    def set_verdict(self, verdict: Verdict) -> None:
        """Store a verdict in place of the reviewer's earlier one.

        Its times are those of the store.

        Raises:
            InputError: A field is blank, too long or malformed.
        """
        check_verdict(verdict)
        with self._database.writing() as writing:
            _store(writing, [verdict])

    def delete_verdict(self, run_id: str, target: Target, reviewer: str, *, connection: str = "") -> None:
        """Delete a verdict.

        Raises:
            NotFoundError: The reviewer has none on the target.
        """
        key = _key(connection, run_id, target, reviewer)
        with self._database.writing() as writing:
            if not writing.execute(delete(verdicts).where(has_key(verdicts, key))).rowcount:
                raise NotFoundError("This verdict is gone already.", advice="Another user has deleted it.")

    def apply(self, changes: ReviewChanges) -> None:
        """Store changes in one transaction.

        Raises:
            NotFoundError: A run of the embedded engine has been deleted.
            ConflictError: Another user has changed one of the verdicts or tags meanwhile.
            InputError: A verdict, a tag or a comment is malformed.
        """
        for change in changes.verdicts:
            check_verdict(change.verdict)
        own = {change.verdict.run_id for change in changes.verdicts if not change.verdict.connection}
        with self._database.writing() as writing:
            _check_stored(writing, own)
            for connection in {change.verdict.connection for change in changes.verdicts}:
                ours = [change for change in changes.verdicts if change.verdict.connection == connection]
                _check_unchanged(writing, connection, ours)
            _store(writing, [change.verdict for change in changes.verdicts])
            _apply_tags(writing, changes.tags)
            for new in changes.comments:
                add_comment(writing, new.run_id, new.target, new.author, new.content)

    def rubric(self, workflow_id: str) -> list[str]:
        """Return the names of the checks of a workflow's rubric, in order."""
        statement = select(rubrics.c.checks).where(rubrics.c.workflow_id == workflow_id)
        with self._database.reading() as reading:
            found = reading.scalar(statement)
        return [] if found is None else list(json.loads(found))

    def set_rubric(self, workflow_id: str, checks: Sequence[str]) -> None:
        """Replace the rubric of a workflow; without checks it is deleted.

        Results of checks that are no longer in it stay on their verdicts.

        Raises:
            InputError: There are too many checks, or one is blank, too long or there twice.
        """
        names = check_rubric(checks)
        with self._database.writing() as writing:
            if not names:
                writing.execute(delete(rubrics).where(rubrics.c.workflow_id == workflow_id))
                return
            values = {"checks": json.dumps(names, ensure_ascii=False)}
            writing.execute(upsert(rubrics, {"workflow_id": workflow_id}, values))


def _select(connection: Connection, name: str, run_ids: Sequence[str]) -> list[Verdict]:
    columns = verdicts.c
    statement = select(verdicts).where(columns.connection == name, columns.run_id.in_(run_ids))
    order = (columns.created_at, columns.target_kind, columns.target_key, columns.reviewer)
    return [_verdict(row) for row in connection.execute(statement.order_by(*order))]


def _verdict(row: Row[Any]) -> Verdict:
    return Verdict(
        run_id=row.run_id,
        target=Target(kind=row.target_kind, key=row.target_key),
        value=row.value,
        reviewer=row.reviewer,
        comment=row.comment,
        checks=json.loads(row.checks),
        connection=row.connection,
        created_at=iso_time(row.created_at),
        updated_at=iso_time(row.updated_at),
    )


def _on_runs(connection: str, run_ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    columns = verdicts.c
    return columns.connection == connection, columns.run_id.in_(run_ids), columns.target_kind == "run"


def _key(connection: str, run_id: str, target: Target, reviewer: str) -> dict[str, str]:
    return {
        "connection": connection,
        "run_id": run_id,
        "target_kind": target.kind,
        "target_key": target.key,
        "reviewer": reviewer,
    }


def _store(connection: Connection, changed: Sequence[Verdict]) -> None:
    now = time.time()
    rows = [
        {
            **_key(verdict.connection, verdict.run_id, verdict.target, verdict.reviewer),
            "value": verdict.value,
            "comment": verdict.comment.strip(),
            "checks": json.dumps(verdict.checks, ensure_ascii=False, sort_keys=True),
            "created_at": now,
            "updated_at": now,
        }
        for verdict in changed
    ]
    fresh = insert(verdicts)
    replaced = {name: fresh.excluded[name] for name in ("value", "comment", "checks", "updated_at")}
    key = [column.name for column in verdicts.primary_key]
    if rows:
        connection.execute(fresh.on_conflict_do_update(index_elements=key, set_=replaced), rows)


def _turn_counts(connection: Connection, run_ids: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in split_ids(run_ids):
        statement = select(runs.c.id, runs.c.turn_count).where(runs.c.id.in_(some), IS_SHOWN)
        found.update((row.id, row.turn_count) for row in connection.execute(statement))
    return found


def _check_stored(connection: Connection, run_ids: Collection[str]) -> None:
    gone = sorted(set(run_ids) - set(_turn_counts(connection, run_ids)))
    if gone:
        raise NotFoundError(
            f"There is no run {gone[0]}; nothing was stored.", advice="It has been deleted meanwhile."
        )


def _check_unchanged(connection: Connection, name: str, changes: Sequence[VerdictChange]) -> None:
    stored: dict[tuple[str, ...], Verdict] = {}
    for some in split_ids({change.verdict.run_id for change in changes}):
        stored.update((verdict.identity, verdict) for verdict in _select(connection, name, some))
    for change in changes:
        present = stored.get(change.verdict.identity)
        if (present and present.content) != (change.before and change.before.content):
            raise ConflictError(
                f"The verdict of {change.verdict.reviewer} on {target_words(change.verdict.target)} of run "
                f"{change.verdict.run_id} has been changed meanwhile; nothing was stored.",
                advice="Compare again with what is stored now.",
            )


def _apply_tags(connection: Connection, changes: Sequence[TagChange]) -> None:
    for change in changes:
        if sorted(tags_of(connection, change.run_id)) != sorted(change.before):
            raise ConflictError(
                f"The tags of run {change.run_id} have been changed meanwhile; nothing was stored.",
                advice="Compare again with what is stored now.",
            )
        set_tags(connection, change.run_id, change.tags)
