"""Compression of stored JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import zstandard

from debugger.errors import InputError, StoreError
from debugger.protocol.json_codec import decode

_MIN_BYTES = 400
"""Texts up to this size stay as they are: compression would save too little."""

_MAX_RATIO = 1000
"""Bytes of text per compressed byte: a text beyond it stays as it is, a frame beyond it is refused."""
_MAX_TEXT = 1_000_000_000
"""Bytes of a text; no value in SQLite is longer."""


def pack(text: bytes) -> bytes:
    """Compress a JSON text to a Zstandard frame with a checksum, unless it is small."""
    if len(text) <= _MIN_BYTES:
        return text
    # One compressor per call: it must not be shared by threads. 8 kB take 20 µs.
    frame = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(text)
    return frame if len(text) <= _MAX_RATIO * len(frame) else text


def unpack(data: bytes) -> bytes:
    """Return the JSON text that `pack` was called with.

    Raises:
        ValueError: The frame was changed since.
    """
    if not data.startswith(zstandard.FRAME_HEADER):
        return data
    try:
        # The size that a frame claims is allocated before anything is decompressed.
        if not 0 <= zstandard.frame_content_size(data) <= min(_MAX_RATIO * len(data), _MAX_TEXT):
            raise ValueError("a compressed text claims to be longer than it can be")
        return zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


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
