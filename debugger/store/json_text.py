"""JSON as it is stored, packed unless it is small; what is read is exactly what was written."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import lz4.block

from debugger.errors import InputError, StoreError
from debugger.protocol.json_text import decode

_SMALL = 400
"""Bytes up to which packing saves too little.

The 8 kB of a chat turn become 1.2 kB in 4 µs and its checkpoint 300 bytes in 3, so that a page of a
database has room for two turns; the 380 kB of a straight line of 100 nodes become 31 kB in 70 µs.
"""

_WORDS = resources.files(__package__ or "").joinpath("packing_words.json").read_bytes()
"""What is taken to have come before every text: events and a checkpoint as the engine writes them.

It belongs to the format: a change of a single byte would make what was packed unreadable, so that another
text needs another mark than `_LZ4`.
"""

_HASTE = 4
"""How much less closely than usual is looked for what was there before: a fifth quicker, a twentieth more."""

_LZ4, _ZLIB = b"\x04", b"\x78"
"""What a packed text begins with, and no JSON text does."""
_SUM = 4
"""Bytes of the checksum, which come next: LZ4 blocks have none of their own."""

_MAX_RATIO = 255
"""Bytes of text for a byte of LZ4, at most: a byte that continues the length of a match adds so many."""
_MAX_TEXT = 1_000_000_000
"""Bytes of a text, at most; no value in SQLite is longer."""


def pack(text: bytes) -> bytes:
    """A JSON text as it is kept: packed unless it is small."""
    if len(text) <= _SMALL:
        return text
    packed = lz4.block.compress(text, mode="fast", acceleration=_HASTE, dict=_WORDS)
    return b"".join((_LZ4, zlib.adler32(packed).to_bytes(_SUM), packed))


def unpack(data: bytes) -> bytes:
    """The JSON text that was given to `pack`, by this version or an earlier one.

    Raises:
        ValueError: It was changed since.
    """
    if data.startswith(_LZ4):
        checksum, packed = data[1 : 1 + _SUM], data[1 + _SUM :]
        if zlib.adler32(packed).to_bytes(_SUM) != checksum:
            raise ValueError("incorrect checksum of what was packed")
        # The length that a block claims is allocated before anything is unpacked.
        if int.from_bytes(packed[:4], "little") > min(_MAX_RATIO * len(packed) + len(_WORDS), _MAX_TEXT):
            raise ValueError("what was packed claims to be longer than it can be")
        try:
            text: bytes = lz4.block.decompress(packed, dict=_WORDS)
        except lz4.block.LZ4BlockError as error:
            raise ValueError(str(error)) from error
        return text
    return _unpack_zlib(data) if data.startswith(_ZLIB) else data


def _unpack_zlib(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, _MAX_TEXT)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacker.eof:
        raise ValueError("what was packed was cut off, or is too long")
    return text


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
