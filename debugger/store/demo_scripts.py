"""Demo scripts of workflows: the lines that a presenter says, in order."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import delete, select

from debugger.errors import InputError
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
        key = {"connection": connection, "workflow_id": workflow_id}
        statement = select(demo_scripts.c.lines).where(has_key(demo_scripts, key))
        with self._database.reading() as reading:
            found = reading.scalar(statement)
        return [] if found is None else list(json.loads(found))

    def save(self, connection: str, workflow_id: str, lines: Sequence[str]) -> None:
        """Replace a workflow's demo script; without lines it is deleted.

        Blank lines are left out.

        Raises:
            InputError: There are too many lines, or one is too long.
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
            if kept:
                values = {"lines": json.dumps(kept, ensure_ascii=False)}
                writing.execute(upsert(demo_scripts, key, values))
            else:
                writing.execute(delete(demo_scripts).where(has_key(demo_scripts, key)))
