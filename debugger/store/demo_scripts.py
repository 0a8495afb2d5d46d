"""Demo scripts of workflows: the lines that a presenter says, in order."""

from __future__ import annotations

import json
from collections.abc import Sequence

from debugger.errors import InputError
from debugger.store.database import Repository
from debugger.store.edited_tables import DEMO_SCRIPTS, NEVER_WRITTEN, Stored

MAX_LINES = 100
"""Of a demo script."""
MAX_LINE_CHARACTERS = 2_000


class DemoScripts(Repository):
    """Demo scripts by connection and workflow; all users share them.

    The connection is empty for the embedded engine.
    """

    def lines(self, connection: str, workflow_id: str) -> list[str]:
        """Return the lines of a workflow's demo script; none without one."""
        return self.stored(connection, workflow_id).content

    def stored(self, connection: str, workflow_id: str) -> Stored[list[str]]:
        """Return the same with their revision."""
        key = {"connection": connection, "workflow_id": workflow_id}
        with self._database.reading() as reading:
            return DEMO_SCRIPTS.find(reading, key) or Stored([], NEVER_WRITTEN)

    def save(
        self,
        connection: str,
        workflow_id: str,
        lines: Sequence[str],
        *,
        by: str = "",
        expected: int,
    ) -> int:
        """Replace a workflow's demo script; return its revision.

        Args:
            connection: The connection of the workflow.
            workflow_id: The workflow.
            lines: The new lines; white space becomes single spaces, and blank lines are left out.
            by: The author.
            expected: The revision that the author has seen, `NEVER_WRITTEN` of a new one.

        Raises:
            InputError: There are too many lines, or one is too long.
            EditConflictError: Another user has changed the script meanwhile.
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
        values = {"lines": json.dumps(kept, ensure_ascii=False)}
        with self._database.writing() as writing:
            return DEMO_SCRIPTS.write(writing, key, values, expected, by=by, subject="The demo script")
