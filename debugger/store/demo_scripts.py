"""Demo scripts of workflows: the lines that a presenter says, in order."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from debugger.errors import ConflictError, InputError
from debugger.store.database import Repository
from debugger.store.schema import demo_scripts
from debugger.store.sql_helpers import has_key, upsert

MAX_LINES = 100
"""Of a demo script."""
MAX_LINE_CHARACTERS = 2_000


class DemoScripts(Repository):
    """Demo scripts by connection and workflow; all users share them.

    The connection is empty for the embedded engine.
    """

    def lines(self, connection: str, workflow_id: str) -> list[str]:
        """Return the lines of a workflow's demo script; none without one."""
        with self._database.reading() as reading:
            return _lines(reading, {"connection": connection, "workflow_id": workflow_id})

    def save(
        self, connection: str, workflow_id: str, lines: Sequence[str], before: Sequence[str] | None = None
    ) -> None:
        """Replace a workflow's demo script; without lines it is deleted.

        Args:
            connection: The connection of the workflow.
            workflow_id: The workflow.
            lines: The new lines; blank ones are left out.
            before: The lines that their author has seen; ``None`` replaces any.

        Raises:
            InputError: There are too many lines, or one is too long.
            ConflictError: Another user has changed the script meanwhile.
        """
        words = [" ".join(line.split()) for line in lines]
        for number, line in enumerate(words, start=1):
            if len(line) > MAX_LINE_CHARACTERS:
                raise InputError(
                    f"Line {number} of the demo script has {len(line)} characters.",
                    advice=f"Shorten it to {MAX_LINE_CHARACTERS}.",
                )
        kept = [line for line in words if line]
        if len(kept) > MAX_LINES:
            raise InputError(f"The demo script has {len(kept)} lines.", advice=f"It may have {MAX_LINES}.")
        key = {"connection": connection, "workflow_id": workflow_id}
        with self._database.writing() as writing:
            if before is not None and _lines(writing, key) not in (list(before), kept):
                raise ConflictError(
                    "The demo script has been changed meanwhile; nothing was stored.",
                    advice="Copy your lines, then open this dialog again to see the stored ones.",
                )
            if kept:
                values = {"lines": json.dumps(kept, ensure_ascii=False)}
                writing.execute(upsert(demo_scripts, key, values))
            else:
                writing.execute(delete(demo_scripts).where(has_key(demo_scripts, key)))


def _lines(connection: Connection, key: dict[str, str]) -> list[str]:
    found = connection.scalar(select(demo_scripts.c.lines).where(has_key(demo_scripts, key)))
    return [] if found is None else list(json.loads(found))
