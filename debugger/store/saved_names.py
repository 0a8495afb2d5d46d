"""JSON objects that users save under names: filters and export settings."""

from __future__ import annotations

import time

from sqlalchemy import Table, delete, func, select

from debugger.errors import InputError, NotFoundError, StoreError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.store.compression import read_json
from debugger.store.database import Database, Repository
from debugger.store.sql_helpers import upsert

MAX_NAME_CHARACTERS = 80


class SavedObjects(Repository):
    """JSON objects by name; all users share them.

    Args:
        database: The store's.
        table: Has the columns ``name``, ``updated_at`` and one for the JSON text.
        noun: One of them, as errors name it.
        purpose: What its name should say, as the advice ends.
    """

    def __init__(self, database: Database, table: Table, noun: str, purpose: str) -> None:
        super().__init__(database)
        self._table = table
        [self._content] = (column for column in table.c if column.name not in ("name", "updated_at"))
        self._noun = noun
        self._purpose = purpose

    def all(self) -> dict[str, JsonObject]:
        """Return every object by name, in alphabetical order.

        Raises:
            StoreError: One was changed by another program.
        """
        name = self._table.c.name
        statement = select(name, self._content).order_by(func.lower(name))
        with self._database.reading() as connection:
            return {key: self._read(key, text) for key, text in connection.execute(statement)}

    def save(self, name: str, content: JsonObject) -> str:
        """Store an object under a name; return the tidied name.

        Raises:
            InputError: The name is blank or too long.
        """
        name = checked_name(name, self._noun, self._purpose)
        values = {self._content.name: encode(content).decode(), "updated_at": time.time()}
        with self._database.writing() as connection:
            connection.execute(upsert(self._table, {"name": name}, values))
        return name

    def delete(self, name: str) -> None:
        """Delete an object.

        Raises:
            NotFoundError: There is none of that name.
        """
        with self._database.writing() as connection:
            if not connection.execute(delete(self._table).where(self._table.c.name == name)).rowcount:
                raise unknown_name(name, self._noun)

    def _read(self, name: str, text: str) -> JsonObject:
        place = f"{self._table.name.replace('_', ' ').removesuffix('s')} {name!r}"
        found = read_json(text.encode(), place)
        if not isinstance(found, dict):
            raise StoreError(
                f"The {place} in the store is not a JSON object.",
                advice="It was changed by another program; save it again.",
            )
        return found


def checked_name(name: str, noun: str, purpose: str) -> str:
    """Return a name with single spaces.

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
