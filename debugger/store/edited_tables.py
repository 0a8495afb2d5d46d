"""Compare-and-set of what several users edit: one way to write such a row, and one error.

Each change gives a row another ``revision``, a random number: no clock, deletion or restored backup brings
one back with other content. An author names the revision that he has seen, and his change is stored in its
place only; otherwise `EditConflictError` says what is stored now. Lists to which users add and from which
they remove, as tags and comments, need none of it: each entry is a row of its own.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Row, Table, delete, select, update

from debugger.errors import EditConflictError
from debugger.protocol.json_codec import decode
from debugger.store.schema import (
    demo_scripts,
    export_presets,
    presets,
    rubrics,
    run_marks,
    saved_filters,
    scenarios,
    verdicts,
)
from debugger.store.sql_helpers import has_key, insert, iso_time

Content = TypeVar("Content")

NEVER_WRITTEN = 0
"""The revision of what is not stored."""


_REVISIONS = 2**52
"""As many as a JSON number of any reader holds."""


class Stored(NamedTuple, Generic[Content]):
    """Stored content, with the revision that a change of it names."""

    content: Content
    revision: int
    """`NEVER_WRITTEN` where nothing is stored."""
    updated_by: str = ""
    """The last author; empty where it is not known."""
    updated_at: str = ""
    """ISO 8601, UTC; empty where it is not known."""


@dataclass(frozen=True)
class EditedTable(Generic[Content]):
    """A table whose rows users edit.

    Besides its own columns it has ``revision``, ``updated_by`` and ``updated_at``.
    """

    table: Table
    columns: tuple[str, ...]
    """The columns that a revision covers."""
    read: Callable[[Row[Any]], Content]
    """Returns what they hold."""

    def find(self, connection: Connection, key: Mapping[str, Any]) -> Stored[Content] | None:
        """Return the row with a key."""
        row = connection.execute(select(self.table).where(has_key(self.table, key))).one_or_none()
        return None if row is None else self.stored(row)

    def stored(self, row: Row[Any]) -> Stored[Content]:
        """Return a row of the table as what it holds, with its revision."""
        at = "" if row.updated_at is None else iso_time(row.updated_at)
        return Stored(self.read(row), row.revision, row.updated_by or "", at)

    def write(
        self,
        connection: Connection,
        key: Mapping[str, Any],
        values: Mapping[str, Any],
        expected: int | None,
        *,
        by: str,
        subject: str,
        first: Mapping[str, Any] | None = None,
    ) -> int:
        """Write a row in place of the revision that its author has seen; return the new revision.

        Args:
            connection: In a transaction that may write.
            key: The row's primary key.
            values: The new content, by column.
            expected: The revision that the author has seen, `NEVER_WRITTEN` where there was no row; ``None``
                replaces whatever is stored.
            by: The author.
            subject: What is written, as a sentence begins with it.
            first: Values, by column, of a row that is new; another keeps its own.

        Raises:
            EditConflictError: Another revision is stored; nothing was written.
        """
        now = time.time()
        revision = _new_revision()
        changes = {**values, "revision": revision, "updated_by": by or None, "updated_at": now}
        if expected is None or expected == NEVER_WRITTEN:
            made = {"created_at": now} if "created_at" in self.table.c else {}
            statement: Any = insert(self.table).values(**key, **changes, **made, **(first or {}))
            statement = statement.on_conflict_do_update(
                index_elements=list(key),
                set_=changes,
                where=None if expected is None else self.table.c.revision == NEVER_WRITTEN,
            )
        else:
            ours = has_key(self.table, key) & (self.table.c.revision == expected)
            statement = update(self.table).where(ours).values(**changes)
        # The number of rows of an insert is not known in PostgreSQL.
        if connection.scalar(statement.returning(self.table.c.revision)) is not None:
            return revision
        raise _conflict(subject, self.find(connection, key))

    def add(
        self, connection: Connection, key: Mapping[str, Any], values: Mapping[str, Any], *, by: str
    ) -> None:
        """Write a row where there is none with its key, as of an import; another stays as it is.

        Args:
            connection: In a transaction that may write.
            key: The row's primary key.
            values: Its content and its times, by column.
            by: Who imports it.
        """
        row = {**key, **values, "revision": _new_revision(), "updated_by": by or None}
        connection.execute(insert(self.table).values(row).on_conflict_do_nothing())

    def delete(self, connection: Connection, key: Mapping[str, Any], expected: int, *, subject: str) -> bool:
        """Delete a row of the revision that its author has seen.

        Returns:
            ``False`` where there is no row with the key.

        Raises:
            EditConflictError: Another revision is stored; nothing was deleted.
        """
        ours = has_key(self.table, key)
        seen = ours & (self.table.c.revision == expected)
        if connection.execute(delete(self.table).where(seen)).rowcount:
            return True
        present = self.find(connection, key)
        if present is not None:
            raise _conflict(subject, present)
        return False


def _new_revision() -> int:
    return 1 + secrets.randbelow(_REVISIONS)


def _conflict(subject: str, present: Stored[Any] | None) -> EditConflictError:
    """Return the error that says what is stored now and by whom, or that the row was deleted."""
    what = "deleted" if present is None else "changed"
    found = present or Stored(None, NEVER_WRITTEN)
    return EditConflictError(
        f"{subject} has been {what} meanwhile; nothing was stored.",
        present=found.content,
        revision=found.revision,
        changed_by=found.updated_by,
        changed_at=found.updated_at,
        advice="Look at what is stored now, then save again to replace it.",
    )


def _read_verdict(row: Row[Any]) -> dict[str, Any]:
    return {"value": row.value, "comment": row.comment, "checks": json.loads(row.checks)}


NOTES = EditedTable(run_marks, ("note",), lambda row: str(row.note))
"""The star beside a note is a choice of its own: it leaves the revision as it is."""
VERDICTS = EditedTable(verdicts, ("value", "comment", "checks"), _read_verdict)
RUBRICS = EditedTable[list[str]](rubrics, ("checks",), lambda row: list(json.loads(row.checks)))
DEMO_SCRIPTS = EditedTable[list[str]](demo_scripts, ("lines",), lambda row: list(json.loads(row.lines)))
PRESETS = EditedTable(presets, ("run_input",), lambda row: decode(row.run_input))
EXPORT_PRESETS = EditedTable(export_presets, ("settings",), lambda row: decode(row.settings.encode()))
SAVED_FILTERS = EditedTable(saved_filters, ("filter",), lambda row: decode(row.filter.encode()))
SCENARIOS = EditedTable[str](scenarios, ("text",), lambda row: str(row.text))
"""The author of a scenario stays the same: the revision does not cover him."""

EDITED_TABLES: tuple[EditedTable[Any], ...] = (
    NOTES,
    VERDICTS,
    RUBRICS,
    DEMO_SCRIPTS,
    PRESETS,
    EXPORT_PRESETS,
    SAVED_FILTERS,
    SCENARIOS,
)
