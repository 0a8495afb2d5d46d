"""Filters of the list of runs, saved under names."""

from __future__ import annotations

import time

from sqlalchemy import delete, func, select

from debugger.errors import InputError, NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.store.compression import read_json
from debugger.store.database import Repository
from debugger.store.notes import MAX_NAME_CHARACTERS
from debugger.store.schema import saved_filters
from debugger.store.sql_helpers import upsert


class SavedFilters(Repository):
    """Filters of the list of runs, saved under names."""

    def all(self) -> dict[str, JsonObject]:
        """Return every filter by its name, in the order of the names."""
        statement = select(saved_filters).order_by(func.lower(saved_filters.c.name))
        with self._database.reading() as connection:
            return {
                row.name: read_json(row.filter.encode(), f"filter {row.name!r}")
                for row in connection.execute(statement)
            }

    def save(self, name: str, wanted: JsonObject) -> str:
        """Store a filter under a name; return the tidied name.

        Raises:
            InputError: The name is blank or too long.
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= MAX_NAME_CHARACTERS:
            raise InputError(
                f"The name of a filter has 1 to {MAX_NAME_CHARACTERS} characters, and this has {len(name)}.",
                advice="Name it after the runs that it finds.",
            )
        values = {"filter": encode(wanted).decode(), "updated_at": time.time()}
        with self._database.writing() as connection:
            connection.execute(upsert(saved_filters, {"name": name}, values))
        return name

    def delete(self, name: str) -> None:
        """Delete a filter.

        Raises:
            NotFoundError: There is none of that name.
        """
        with self._database.writing() as connection:
            if not connection.execute(delete(saved_filters).where(saved_filters.c.name == name)).rowcount:
                raise NotFoundError(f"There is no filter {name!r}.", advice="Another user has deleted it.")
