"""JSON as it is kept: what is read is exactly what was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from debugger.errors import InputError, StoreError
from debugger.protocol.json_text import decode
from debugger.store.packing import unpack


def document_text(document: Mapping[str, Any]) -> str:
    """A workflow document as JSON text: every field, in the order given, integers of any size.

    Raises:
        InputError: Something in it has no JSON form.
    """
    try:
        text = json.dumps(document, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"The workflow document cannot be kept, because it is not JSON: {error}.",
            advice="A document holds objects, lists, texts, numbers, true, false and null only.",
        ) from error
    # Half a surrogate pair is a JSON text, but no text that a database takes unless it is escaped.
    return text if _is_unicode(text) else json.dumps(document)


def read_json(data: bytes, place: str) -> Any:
    """A value out of the JSON bytes that were kept, packed or not.

    Args:
        data: The bytes as they are in the database.
        place: What they are, for the message.

    Raises:
        StoreError: They are not JSON.
    """
    try:
        return decode(unpack(data))
    except ValueError as error:
        raise _unreadable(place, error) from error


def read_text(data: bytes, place: str) -> bytes:
    """The JSON bytes themselves.

    Raises:
        StoreError: They were packed, and changed since.
    """
    try:
        return unpack(data)
    except ValueError as error:
        raise _unreadable(place, error) from error


def _unreadable(place: str, error: ValueError) -> StoreError:
    return StoreError(
        f"The {place} cannot be read: {error}.",
        advice="The database was changed by something else; restore it from a copy.",
    )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
