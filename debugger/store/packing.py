"""JSON texts, packed: turns say the same again and again, each in itself and one like the other."""

from __future__ import annotations

import zlib
from importlib import resources

import lz4.block

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
        return _unpack_lz4(data[1 : 1 + _SUM], data[1 + _SUM :])
    return _unpack_zlib(data) if data.startswith(_ZLIB) else data


def _unpack_lz4(expected: bytes, packed: bytes) -> bytes:
    if zlib.adler32(packed).to_bytes(_SUM) != expected:
        raise ValueError("incorrect checksum of what was packed")
    # The length that a block claims is allocated before anything is unpacked.
    if int.from_bytes(packed[:4], "little") > min(_MAX_RATIO * len(packed) + len(_WORDS), _MAX_TEXT):
        raise ValueError("what was packed claims to be longer than it can be")
    try:
        text: bytes = lz4.block.decompress(packed, dict=_WORDS)
    except lz4.block.LZ4BlockError as error:
        raise ValueError(str(error)) from error
    return text


def _unpack_zlib(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, _MAX_TEXT)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacker.eof:
        raise ValueError("what was packed was cut off, or is too long")
    return text
