"""JSON texts, packed: the events of a turn say the same again and again."""

from __future__ import annotations

import zlib

import lz4.block

_LARGE = 2_000
"""Bytes from which packing takes less time than SQLite takes to write what it saves.

The 8 kB of a chat turn become 2 kB in 3 µs, the 380 kB of a straight line of 100 nodes 31 kB in 70 µs. By
zlib, as rows were packed before, they are a third smaller, and take five to ten times as long.
"""

_LZ4, _ZLIB = b"\x04", b"\x78"
"""What a packed text begins with, and no JSON text does."""
_SUM = 4
"""Bytes of the checksum, which come next: LZ4 blocks have none of their own."""


def pack(text: bytes) -> bytes:
    """A JSON text as it is kept: packed unless it is small."""
    if len(text) < _LARGE:
        return text
    packed = lz4.block.compress(text)
    return b"".join((_LZ4, zlib.adler32(packed).to_bytes(_SUM), packed))


def unpack(data: bytes) -> bytes:
    """The JSON text that was given to `pack`, by this version or an earlier one.

    Raises:
        ValueError: It was changed since.
    """
    if data.startswith(_LZ4):
        return _unpack_lz4(data[1 : 1 + _SUM], data[1 + _SUM :])
    return _unpack_zlib(data) if data.startswith(_ZLIB) else data


def _unpack_lz4(expected: bytes, packed: bytes) -> bytes:
    if zlib.adler32(packed).to_bytes(_SUM) != expected:
        raise ValueError("incorrect checksum of what was packed")
    text: bytes = lz4.block.decompress(packed)
    return text


def _unpack_zlib(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(str(error)) from error
