"""JSON objects that users save under names: filters and export settings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from debugger.errors import InputError, NotFoundError, StoreError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.natural_order import natural_key
from debugger.store.compression import read_json
from debugger.store.database import Database, Repository
from debugger.store.edited_tables import EditedTable, Stored

MAX_NAME_CHARACTERS = 80


class SavedObjects(Repository):
    """JSON objects by name; all users share them.

    Args:
        database: The store's.
        edited: Its table has the column ``name`` and one for the JSON text.
        noun: One of them, as errors name it.
        purpose: What its name should say, as the advice ends.
    """

    def __init__(self, database: Database, edited: EditedTable[Any], noun: str, purpose: str) -> None:
        super().__init__(database)
        self._edited = edited
        self._table = edited.table
        [name] = edited.columns
        self._content = self._table.c[name]
        self._noun = noun
        self._purpose = purpose

    def all(self) -> dict[str, JsonObject]:
        """Return every object by name, in natural order of the names.

        Raises:
            StoreError: One was changed by another program.
        """
        return {name: found.content for name, found in self.stored().items()}

    def stored(self) -> dict[str, Stored[JsonObject]]:
        """Return every object by name, each with its revision, in alphabetical order.

        Raises:
            StoreError: One was changed by another program.
        """
        columns = self._table.c
        statement = select(columns.name, columns.revision, self._content)
        with self._database.reading() as connection:
            return {
                name: Stored(self._read(name, text), revision)
                for name, revision, text in sorted(
                    connection.execute(statement).all(), key=lambda row: natural_key(row.name)
                )
            }

    def save(self, name: str, content: JsonObject, *, by: str = "", expected: int) -> Stored[str]:
        """Store an object under a name; return the name with single spaces, and the revision.

        Args:
            name: The name.
            content: The object.
            by: The author.
            expected: The revision of the object that the author replaces, `NEVER_WRITTEN` of a new one.

        Raises:
            InputError: The name is blank or too long.
            EditConflictError: Another user has saved one under the name meanwhile.
        """
        name = checked_name(name, self._noun, self._purpose)
        values = {self._content.name: encode(content).decode()}
        subject = f"The {self._noun} {name!r}"
        with self._database.writing() as connection:
            revision = self._edited.write(
                connection, {"name": name}, values, expected, by=by, subject=subject
            )
        return Stored(name, revision)

    def delete(self, name: str, *, expected: int) -> None:
        """Delete an object.

        Raises:
            NotFoundError: There is none of that name.
            EditConflictError: Another user has changed it since the author has seen it.
        """
        subject = f"The {self._noun} {name!r}"
        with self._database.writing() as connection:
            if not self._edited.delete(connection, {"name": name}, expected, subject=subject):
                raise unknown_name(name, self._noun)

    def _read(self, name: str, text: str) -> JsonObject:
        """Return the object of a stored text.

        Raises:
            StoreError: It is no JSON, or no object.
        """
        place = f"{self._table.name.replace('_', ' ').removesuffix('s')} {name!r}"
        found = read_json(text.encode(), place)
        if not isinstance(found, dict):
            raise StoreError(
                f"The {place} in the store is not a JSON object.",
                advice="It was changed by another program; save it again.",
            )
        return found


def checked_name(name: str, noun: str, purpose: str) -> str:
    """Return a name without outer white space and with single spaces.

    Raises:
        InputError: It is blank or too long.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise InputError(
            f"The name of a {noun} has 1 to {MAX_NAME_CHARACTERS} characters, and this has {len(name)}.",
            advice=f"Name it after {purpose}.",
        )
    return name


def unknown_name(name: str, noun: str) -> NotFoundError:
    """Return the error for a name that was deleted."""
    return NotFoundError(f"There is no {noun} {name!r}.", advice="Another user has deleted it.")
