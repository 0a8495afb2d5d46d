"""Compression of stored JSON."""

from __future__ import annotations

import threading
from typing import Any

import zstandard

from debugger.errors import StoreError
from debugger.protocol.json_codec import decode

_MIN_BYTES = 400
"""Texts up to this size stay as they are: compression would save too little."""

_MAX_RATIO = 1000
"""Bytes of text per compressed byte: a text beyond it stays as it is, a frame beyond it is refused."""
_MAX_TEXT = 1_000_000_000
"""Bytes of a text; no value in SQLite is longer."""


class _Codec(threading.local):
    """A compressor and a decompressor of each thread: neither may be shared.

    A new compressor for each text takes 0.1 ms of a turn's 0.6 ms (bench W1, 2026-11-28).
    """

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
        self.decompressor = zstandard.ZstdDecompressor()


_codec = _Codec()


def compress(text: bytes) -> bytes:
    """Compress a JSON text to a Zstandard frame, unless it is small."""
    if len(text) <= _MIN_BYTES:
        return text
    frame = _codec.compressor.compress(text)
    return frame if len(text) <= _MAX_RATIO * len(frame) else text


def decompress(data: bytes) -> bytes:
    """Return the JSON text that `compress` was called with; data that is no Zstandard frame stays as it is.

    Raises:
        ValueError: The frame was changed since, or claims to be longer than any that `compress` writes.
    """
    if not data.startswith(zstandard.FRAME_HEADER):
        return data
    try:
        # The size that a frame claims is allocated before anything is decompressed.
        if not 0 <= zstandard.frame_content_size(data) <= min(_MAX_RATIO * len(data), _MAX_TEXT):
            raise ValueError("a compressed text claims to be longer than it can be")
        return _codec.decompressor.decompress(data)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def read_json(data: bytes, place: str) -> Any:
    """Return the value of stored JSON, compressed or not.

    Args:
        data: The bytes in the database.
        place: Their subject, for the message.

    Raises:
        StoreError: They are not JSON.
    """
    try:
        return decode(decompress(data))
    except ValueError as error:
        raise _unreadable(place, error) from error


def read_text(data: bytes, place: str) -> bytes:
    """Return stored JSON as text.

    Raises:
        StoreError: It was compressed, and changed since.
    """
    try:
        return decompress(data)
    except ValueError as error:
        raise _unreadable(place, error) from error


def _unreadable(place: str, error: ValueError) -> StoreError:
    return StoreError(
        f"The {place} cannot be read: {error}.",
        advice="The database was changed by something else; restore it from a copy.",
    )
