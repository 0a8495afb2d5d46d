"""Scenarios that users store: anyone reads them, and each writes his own."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from debugger.errors import ForbiddenError, InputError
from debugger.protocol.natural_order import natural_key
from debugger.store.database import Repository
from debugger.store.edited_tables import SCENARIOS
from debugger.store.keys import Role
from debugger.store.saved_names import unknown_name
from debugger.store.schema import scenarios

MAX_NAME_CHARACTERS = 120
MAX_TEXT_CHARACTERS = 100_000
"""Of one scenario: a conversation of some thousand turns."""
MAX_SCENARIOS = 2_000
"""In one store; each look at the list reads all of them."""


class Writer(NamedTuple):
    """The user who writes."""

    name: str
    role: Role | None


class StoredScenario(NamedTuple):
    """A scenario as a user has stored it."""

    name: str
    text: str
    """As a file has it; it may be one that this program cannot read."""
    author: str
    """The user who has added it, whose it is."""
    revision: int
    updated_by: str
    updated_at: str
    """ISO 8601, UTC."""

    def may_be_written_by(self, writer: Writer) -> bool:
        """Return whether a user may change and delete it."""
        return not _reason_against(writer, self.name, self.author)


class StoredScenarios(Repository):
    """Scenarios by name; all users share them.

    The role ``run`` adds scenarios, and changes and deletes its own; ``admin`` those of others, too. This
    class checks it, whatever the page has offered.
    """

    def all(self) -> list[StoredScenario]:
        """Return every scenario, in natural order of the names."""
        with self._database.reading() as connection:
            found = [_read(row) for row in connection.execute(select(scenarios))]
        return sorted(found, key=lambda each: natural_key(each.name))

    def find(self, name: str) -> StoredScenario | None:
        """Return a scenario; ``None`` where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(scenarios).where(scenarios.c.name == name)).one_or_none()
            return None if row is None else _read(row)

    def save(self, name: str, text: str, writer: Writer, *, expected: int) -> int:
        """Store a scenario under its name; return its revision.

        Args:
            name: The name, with single spaces.
            text: The text, which the caller has read.
            writer: The user; of a new scenario the author.
            expected: The revision that the user has seen, `NEVER_WRITTEN` of a new one.

        Raises:
            ForbiddenError: The user may not add scenarios, or this one is another user's.
            InputError: Name or text is too long, or there are too many scenarios.
            EditConflictError: Another revision is stored.
        """
        subject = f"The scenario {name!r}"
        if not 0 < len(name) <= MAX_NAME_CHARACTERS:
            raise InputError(
                f"The name of a stored scenario has 1 to {MAX_NAME_CHARACTERS} characters, and this has "
                f"{len(name)}.",
                advice="Change its 'name'.",
            )
        if len(text) > MAX_TEXT_CHARACTERS:
            raise InputError(
                f"{subject} has {len(text):,} characters.",
                advice=f"A stored one has at most {MAX_TEXT_CHARACTERS:,}: split it.",
            )
        with self._database.writing() as connection:
            is_new = _check_writer(connection, name, writer)
            known = connection.scalar(select(func.count()).select_from(scenarios)) or 0
            if is_new and known >= MAX_SCENARIOS:
                raise InputError(
                    f"There are {MAX_SCENARIOS:,} stored scenarios.",
                    advice="Delete some that are not needed.",
                )
            return SCENARIOS.write(
                connection,
                {"name": name},
                {"text": text},
                expected,
                by=writer.name,
                subject=subject,
                first={"author": writer.name},
            )

    def delete(self, name: str, writer: Writer, *, expected: int) -> None:
        """Delete a scenario; the results of its runs stay.

        Raises:
            ForbiddenError: It is another user's.
            NotFoundError: There is none of that name.
            EditConflictError: Another revision is stored.
        """
        with self._database.writing() as connection:
            _check_writer(connection, name, writer)
            subject = f"The scenario {name!r}"
            if not SCENARIOS.delete(connection, {"name": name}, expected, subject=subject):
                raise unknown_name(name, "scenario")


def _check_writer(connection: Connection, name: str, writer: Writer) -> bool:
    """Refuse a user who may not write a scenario; return whether it is new.

    Raises:
        ForbiddenError: The user may not write it.
    """
    author = connection.scalar(select(scenarios.c.author).where(scenarios.c.name == name))
    reason = _reason_against(writer, name, author)
    if reason:
        raise ForbiddenError(reason, advice="Store it under another name, or ask an administrator.")
    return author is None


def _reason_against(writer: Writer, name: str, author: str | None) -> str:
    """Return why a user may not write a scenario; empty where he may.

    Args:
        writer: The user.
        name: The scenario's name.
        author: Whose it is; ``None`` of a new one.
    """
    if writer.role is None or not writer.role.covers(Role.RUN):
        return f"Needs the role {Role.RUN}; you have {writer.role or 'none'}."
    if author is None or author == writer.name or writer.role is Role.ADMIN:
        return ""
    return f"The scenario {name!r} belongs to {author or 'another user'}; you may change your own."


def _read(row: Row[Any]) -> StoredScenario:
    found = SCENARIOS.stored(row)
    return StoredScenario(
        row.name, found.content, row.author, found.revision, found.updated_by, found.updated_at
    )
