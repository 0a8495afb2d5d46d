"""Large JSON texts, packed: the events of a turn that ran hundreds of nodes say the same again and again."""

from __future__ import annotations

import zlib

_LARGE = 32_000
"""Bytes from which packing takes less time than SQLite takes to write what it saves.

A straight line of 100 nodes makes 380 kB, packed to 24 kB in 0.7 ms, or written as they are in 2 ms. The 8 kB
of a chat turn would take twice as long packed.
"""

# The quickest; the slowest makes it half as large once more, for thirty times the time.
_LEVEL = 1

_ZLIB = b"\x78"
"""What a packed text begins with, and no JSON text does."""


def pack(text: bytes) -> bytes:
    """A JSON text as it is kept: packed where it is large."""
    return text if len(text) < _LARGE else zlib.compress(text, _LEVEL)


def unpack(data: bytes) -> bytes:
    """The JSON text that was given to `pack`.

    Raises:
        ValueError: It was changed since.
    """
    if not data.startswith(_ZLIB):
        return data
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(str(error)) from error
