"""Zstandard frames instead of LZ4 blocks with a private dictionary."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from alembic import op
from sqlalchemy import ColumnClause, Connection, LargeBinary, bindparam, column, select, table, update

from debugger.store.compression import compress

revision = "0007"
down_revision = "0006"

_ROWS_AT_ONCE = 100
_MAX_TEXT = 1_000_000_000
_MAX_RATIO = 255
"""Bytes of text per byte of LZ4, at most."""
_LZ4, _ZLIB = b"\x04", b"\x78"
"""First bytes of what earlier revisions compressed; no JSON text begins with one of them."""


def upgrade() -> None:
    """Compress turns and interrupted turns anew with Zstandard, and raise the schema version to 4.

    It locks out programs that cannot read them. Values that cannot be decompressed stay as they are.
    """
    connection = op.get_bind()
    dictionary = Path(__file__).with_name("r0007_dictionary.json").read_bytes()
    for name, key, columns in (
        ("turns", "id", ("checkpoint", "events")),
        ("unfinished_turns", "run_id", ("events_json",)),
    ):
        for column_name in columns:
            _convert(connection, name, key, column_name, dictionary)
    op.execute("UPDATE meta SET value = '4' WHERE key = 'schema_version'")


def _convert(connection: Connection, table_name: str, key_name: str, name: str, dictionary: bytes) -> None:
    """Compress a column's values of earlier revisions anew, `_ROWS_AT_ONCE` at a time; leave all others."""
    key: ColumnClause[Any] = column(key_name)
    value = column(name, LargeBinary)
    rows = table(table_name, key, value)
    # By name of the parameters: `update` reserves those of the columns.
    change = update(rows).where(key == bindparam("row_key")).values({name: bindparam("new_value")})
    last = None
    while True:
        page = select(key, value).order_by(key).limit(_ROWS_AT_ONCE)
        found = connection.execute(page if last is None else page.where(key > last)).all()
        if not found:
            return
        last = found[-1][0]
        changes = [
            {"row_key": row_key, "new_value": compress(text)}
            for row_key, data in found
            if isinstance(data, bytes) and (text := _text_of(data, dictionary)) is not None
        ]
        if changes:
            connection.execute(change, changes)


def _text_of(data: bytes, dictionary: bytes) -> bytes | None:
    """Return the text of a value in zlib or LZ4; ``None`` of one that is neither, or is damaged."""
    try:
        if data.startswith(_ZLIB):
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(data, _MAX_TEXT)
            return text if unpacker.eof else None
        if data.startswith(_LZ4) and zlib.adler32(data[5:]).to_bytes(4) == data[1:5]:
            return _decompress_lz4(data[5:], dictionary)
    except (ValueError, IndexError, zlib.error):
        pass
    return None


def _decompress_lz4(data: bytes, dictionary: bytes) -> bytes:
    """Return the text of an LZ4 block that follows its size of four bytes, compressed with a dictionary.

    Raises:
        ValueError: The block is damaged.
        IndexError: It ends too early.
    """
    size, place = int.from_bytes(data[:4], "little"), 4
    if size > min(_MAX_RATIO * len(data) + len(dictionary), _MAX_TEXT):
        raise ValueError("the text is longer than it can be")
    text = bytearray(dictionary)
    end = len(dictionary) + size
    while True:
        token = data[place]
        count, place = _length(data, place + 1, token >> 4)
        text += data[place : place + count]
        place += count
        if place >= len(data) or len(text) > end:
            break
        offset = int.from_bytes(data[place : place + 2], "little")
        count, place = _length(data, place + 2, token & 15)
        count += 4
        if not 0 < offset <= len(text) or len(text) + count > end:
            raise ValueError("a match lies outside the text")
        start = len(text) - offset
        match = text[start : start + min(offset, count)]  # repeats itself where it is longer than the offset
        text += (match * (count // offset + 1))[:count]
    if len(text) != end:
        raise ValueError("the text has another size")
    return bytes(text[len(dictionary) :])


def _length(data: bytes, place: int, count: int) -> tuple[int, int]:
    """Return a length that may continue in further bytes (after a `count` of 15), and the place after them.

    Raises:
        IndexError: The data end within it.
    """
    if count == 15:
        while (more := data[place]) == 255:
            count, place = count + 255, place + 1
        count, place = count + more, place + 1
    return count, place
