"""Settings of exports, saved under names."""

from __future__ import annotations

import time

from sqlalchemy import delete, func, select

from debugger.errors import InputError, NotFoundError, StoreError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode, encode
from debugger.store.database import Repository
from debugger.store.notes import MAX_NAME_CHARACTERS
from debugger.store.schema import export_presets
from debugger.store.sql_helpers import upsert


class ExportPresetRepository(Repository):
    """Settings of exports by name; all users share them."""

    def all(self) -> dict[str, JsonObject]:
        """Return every preset by name, in alphabetical order.

        Raises:
            StoreError: One was changed by another program.
        """
        statement = select(export_presets).order_by(func.lower(export_presets.c.name))
        with self._database.reading() as connection:
            return {row.name: _settings(row.name, row.settings) for row in connection.execute(statement)}

    def save(self, name: str, settings: JsonObject) -> str:
        """Store settings under a name; return the name.

        Raises:
            InputError: The name is blank or too long.
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= MAX_NAME_CHARACTERS:
            raise InputError(
                f"The name of a preset has 1 to {MAX_NAME_CHARACTERS} characters, and this has {len(name)}.",
                advice="Name it after what the file is for.",
            )
        values = {"settings": encode(settings).decode(), "updated_at": time.time()}
        with self._database.writing() as connection:
            connection.execute(upsert(export_presets, {"name": name}, values))
        return name

    def delete(self, name: str) -> None:
        """Delete a preset.

        Raises:
            NotFoundError: There is none of that name.
        """
        with self._database.writing() as connection:
            if not connection.execute(delete(export_presets).where(export_presets.c.name == name)).rowcount:
                raise NotFoundError(f"There is no preset {name!r}.", advice="Another user has deleted it.")


def _settings(name: str, text: str) -> JsonObject:
    try:
        found = decode(text.encode())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StoreError(
            f"The export preset {name!r} in the store is not a JSON object.",
            advice="It was changed by another program; save it again.",
        )
    return found
