"""Verdicts of reviewers on runs, turns and messages, and the rubrics of workflows.

All go by ids alone, so they may be of runs and workflows of a hosted API.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from debugger.errors import NotFoundError
from debugger.protocol.notes import Target
from debugger.protocol.reviews import (
    RunVerdict,
    Verdict,
    VerdictValue,
    check_rubric,
    check_verdict,
    target_words,
)
from debugger.store.database import Repository
from debugger.store.edited_tables import NEVER_WRITTEN, RUBRICS, VERDICTS, Stored
from debugger.store.notes import add_comment, change_tags
from debugger.store.schema import IS_SHOWN, comments, runs, verdicts
from debugger.store.sql_helpers import has_key, iso_time, seconds_of, split_ids

_NO_RESULTS = "{}"
"""The stored results of a verdict without any."""


@dataclass(frozen=True)
class VerdictChange:
    """A verdict to store in place of the one that its author has seen."""

    verdict: Verdict
    before: Verdict | None = None
    """The stored verdict of the same reviewer and target; ``None`` if there was none."""

    @property
    def expected(self) -> int:
        """Return the revision that the verdict replaces."""
        return self.before.revision if self.before else NEVER_WRITTEN


@dataclass(frozen=True)
class TagChange:
    """Tags to add to a run and to remove from it; its other tags stay."""

    run_id: str
    added: Sequence[str] = ()
    removed: Sequence[str] = ()


@dataclass(frozen=True)
class NewComment:
    """A comment to store, unless its author has said the same: two tabs may import one sheet."""

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
        """Return the verdicts on runs, their turns and messages by run, the oldest first; no empty lists."""
        found: dict[str, list[Verdict]] = {}
        with self._database.reading() as reading:
            for some in split_ids(run_ids):
                for verdict in _select(reading, connection, some):
                    found.setdefault(verdict.run_id, []).append(verdict)
        return found

    def counts(self, run_ids: Collection[str], *, connection: str = "") -> dict[str, dict[VerdictValue, int]]:
        """Return the number of verdicts on each run as a whole by value; runs without a verdict are left out.

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
        """Return the ids of the runs that have no verdict as a whole, in the order given.

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

    def checks_by_run(self, *, connection: str = "") -> dict[str, set[str]]:
        """Return the names of the checks that verdicts on a run, its turns or messages have results of.

        Runs without a result are left out.
        """
        columns = verdicts.c
        has_results = (columns.connection == connection) & (columns.checks != _NO_RESULTS)
        statement = select(columns.run_id, columns.checks).where(has_results).distinct()
        found: dict[str, set[str]] = {}
        with self._database.reading() as reading:
            for run_id, checks in reading.execute(statement):
                found.setdefault(run_id, set()).update(json.loads(checks))
        return found

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
            _store(writing, verdict, None, verdict.reviewer)

    def add_imported(self, run_id: str, verdicts: Sequence[RunVerdict], *, by: str = "") -> None:
        """Add the verdicts of an imported run; one that its reviewer has on the target already stays.

        Reviewers and times are those of the file, which nobody has verified: who imports it is stored as the
        author of each.

        Args:
            run_id: The run.
            verdicts: Its verdicts.
            by: Who imports them.

        Raises:
            InputError: A field is blank, too long or malformed.
        """
        for verdict in verdicts:
            check_verdict(verdict)
        with self._database.writing() as writing:
            for verdict in verdicts:
                times = {name: seconds_of(getattr(verdict, name)) for name in ("created_at", "updated_at")}
                key = _key("", run_id, verdict.target, verdict.reviewer)
                VERDICTS.add(writing, key, {**_values(verdict), **times}, by=by)

    def delete_verdict(
        self,
        run_id: str,
        target: Target,
        reviewer: str,
        *,
        connection: str = "",
        expected: int,
    ) -> None:
        """Delete a verdict.

        Raises:
            NotFoundError: The reviewer has none on the target.
            EditConflictError: It has been changed since the author has seen it.
        """
        key = _key(connection, run_id, target, reviewer)
        subject = _subject(run_id, target, reviewer)
        with self._database.writing() as writing:
            if not VERDICTS.delete(writing, key, expected, subject=subject):
                raise NotFoundError("This verdict is gone already.", advice="Another user has deleted it.")

    def apply(self, changes: ReviewChanges, *, by: str = "") -> list[Verdict]:
        """Store changes in one transaction; return the verdicts with their new revisions, in order.

        A comment that its author has written on the same target already is not stored again.

        Args:
            changes: The changes.
            by: Their author; by default each verdict's reviewer.

        Raises:
            NotFoundError: A run of the embedded engine has been deleted.
            EditConflictError: Another user has changed one of the verdicts meanwhile.
            InputError: A verdict, a tag or a comment is malformed.
        """
        for change in changes.verdicts:
            check_verdict(change.verdict)
        own = {change.verdict.run_id for change in changes.verdicts if not change.verdict.connection}
        with self._database.writing() as writing:
            _check_stored(writing, own)
            stored = [
                _store(writing, change.verdict, change.expected, by or change.verdict.reviewer)
                for change in changes.verdicts
            ]
            for tagged in changes.tags:
                change_tags(writing, [tagged.run_id], tagged.added, tagged.removed)
            for new in changes.comments:
                if not _is_said(writing, new):
                    add_comment(writing, new.run_id, new.target, new.author, new.content)
        return stored

    def rubric(self, workflow_id: str) -> list[str]:
        """Return the names of the checks of a workflow's rubric, in order."""
        return self.stored_rubric(workflow_id).content

    def stored_rubric(self, workflow_id: str) -> Stored[list[str]]:
        """Return the same with their revision."""
        with self._database.reading() as reading:
            return RUBRICS.find(reading, {"workflow_id": workflow_id}) or Stored([], NEVER_WRITTEN)

    def set_rubric(self, workflow_id: str, checks: Sequence[str], *, by: str = "", expected: int) -> int:
        """Replace the rubric of a workflow; return its revision.

        Results of checks that are no longer in it stay on their verdicts.

        Args:
            workflow_id: The workflow.
            checks: The names of the checks, in order.
            by: The author.
            expected: The revision that the author has seen, `NEVER_WRITTEN` of a new one.

        Raises:
            InputError: There are too many checks, or one is blank, too long or there twice.
            EditConflictError: Another user has changed the rubric meanwhile.
        """
        values = {"checks": json.dumps(check_rubric(checks), ensure_ascii=False)}
        key = {"workflow_id": workflow_id}
        with self._database.writing() as writing:
            return RUBRICS.write(writing, key, values, expected, by=by, subject="The rubric")


def _select(connection: Connection, name: str, run_ids: Sequence[str]) -> list[Verdict]:
    columns = verdicts.c
    statement = select(verdicts).where(columns.connection == name, columns.run_id.in_(run_ids))
    return sorted(map(_verdict, connection.execute(statement)), key=_order)


def _order(verdict: Verdict) -> tuple[str, ...]:
    """Return what verdicts are sorted by; times are to the millisecond, as in run files."""
    return verdict.created_at, verdict.target.kind, verdict.target.key, verdict.reviewer


def _verdict(row: Row[Any]) -> Verdict:
    """Return a stored verdict, with its times as ISO 8601."""
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
        revision=row.revision,
    )


def _on_runs(connection: str, run_ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    columns = verdicts.c
    return columns.connection == connection, columns.run_id.in_(run_ids), columns.target_kind == "run"


def _key(connection: str, run_id: str, target: Target, reviewer: str) -> dict[str, str]:
    """Return the primary key of a verdict by column."""
    return {
        "connection": connection,
        "run_id": run_id,
        "target_kind": target.kind,
        "target_key": target.key,
        "reviewer": reviewer,
    }


def _subject(run_id: str, target: Target, reviewer: str) -> str:
    return f"The verdict of {reviewer} on {target_words(target)} of run {run_id}"


def _store(connection: Connection, verdict: Verdict, expected: int | None, by: str) -> Verdict:
    """Write a verdict in place of the expected revision (``None``: of any); return it with the new one.

    Raises:
        EditConflictError: Another revision is stored.
    """
    key = _key(verdict.connection, verdict.run_id, verdict.target, verdict.reviewer)
    subject = _subject(verdict.run_id, verdict.target, verdict.reviewer)
    revision = VERDICTS.write(connection, key, _values(verdict), expected, by=by, subject=subject)
    return verdict.model_copy(update={"revision": revision})


def _values(verdict: RunVerdict) -> dict[str, str]:
    """Return the content of a verdict by column."""
    return {
        "value": verdict.value,
        "comment": verdict.comment.strip(),
        "checks": json.dumps(verdict.checks, ensure_ascii=False, sort_keys=True),
    }


def _is_said(connection: Connection, new: NewComment) -> bool:
    """Return whether the author has written the same on the same target."""
    key = {
        "run_id": new.run_id,
        "target_kind": new.target.kind,
        "target_key": new.target.key,
        "author": new.author,
        "content": new.content.strip(),
    }
    found = select(comments.c.logical_id).where(has_key(comments, key)).limit(1)
    return connection.scalar(found) is not None


def _turn_counts(connection: Connection, run_ids: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in split_ids(run_ids):
        statement = select(runs.c.id, runs.c.turn_count).where(runs.c.id.in_(some), IS_SHOWN)
        found.update((row.id, row.turn_count) for row in connection.execute(statement))
    return found


def _check_stored(connection: Connection, run_ids: Collection[str]) -> None:
    """Check that runs are stored and not hidden.

    Raises:
        NotFoundError: One is not; the message names the first by id.
    """
    gone = sorted(set(run_ids) - set(_turn_counts(connection, run_ids)))
    if gone:
        raise NotFoundError(
            f"There is no run {gone[0]}; nothing was stored.", advice="It has been deleted meanwhile."
        )
