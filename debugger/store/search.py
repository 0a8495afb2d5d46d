"""Runs that are looked for by what they are like."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select

from debugger.protocol.runs import Run, RunSearch
from debugger.store.database import Database
from debugger.store.functions import place_in
from debugger.store.notebook_schema import comments, run_marks, run_tags, spoken
from debugger.store.runs import list_runs
from debugger.store.schema import runs
from debugger.store.spoken import catch_up


class FoundRuns(NamedTuple):
    """One page of the runs that were looked for."""

    rows: list[Run]
    """Without their turns, the newest first."""
    total: int
    """On all pages."""
    unread: int = 0
    """Runs whose words there was no time to read; the next search goes on with them."""


def search_runs(
    database: Database, workflow_id: str | None, status: str | None, search: RunSearch, page: int, size: int
) -> FoundRuns:
    """One page of runs.

    Raises:
        InputError: There cannot be such a page.
    """
    conditions = _conditions(workflow_id, status, search)
    unread = catch_up(database, conditions) if search.words else 0
    conditions += [_has(word) for word in search.words]
    with database.reading() as connection:
        return FoundRuns(*list_runs(connection, conditions, page, size), unread)


def _conditions(workflow_id: str | None, status: str | None, search: RunSearch) -> list[ColumnElement[bool]]:
    equal = {
        runs.c.workflow_id: workflow_id,
        runs.c.status: status,
        runs.c.version_number: search.version_number,
        runs.c.source_workflow_run_id: search.source_workflow_run_id or None,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in equal.items() if value is not None
    ]
    if search.since is not None:
        conditions.append(runs.c.created_at >= search.since.timestamp())
    if search.until is not None:
        conditions.append(runs.c.created_at < search.until.timestamp())
    if search.tag:
        conditions.append(runs.c.id.in_(select(run_tags.c.run_id).where(run_tags.c.tag == search.tag)))
    if search.starred:
        conditions.append(runs.c.id.in_(select(run_marks.c.run_id).where(run_marks.c.starred)))
    return conditions


def _has(word: str) -> ColumnElement[bool]:
    """Whether a word is anywhere in a run."""
    noted = (
        select(spoken.c.run_id).where(place_in(spoken.c.text, word) > 0),
        select(run_marks.c.run_id).where(run_marks.c.note.icontains(word, autoescape=True)),
        select(run_tags.c.run_id).where(run_tags.c.tag.icontains(word, autoescape=True)),
        select(comments.c.run_id).where(comments.c.content.icontains(word, autoescape=True)),
    )
    named = (runs.c.workflow_name, runs.c.version_name, runs.c.run_by)
    return or_(
        runs.c.id == word,
        *(column.icontains(word, autoescape=True) for column in named),
        *(runs.c.id.in_(statement) for statement in noted),
    )
