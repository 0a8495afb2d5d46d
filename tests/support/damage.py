"""Pages of a SQLite file, to damage one (https://www.sqlite.org/fileformat.html)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_INTERIOR = (2, 5)
"""Kinds of pages that refer to other pages: of an index, of a table."""


def leaf_pages(file: Path, name: str) -> list[int]:
    """Return the numbers of the leaf pages of a table or an index, in the order of its rows."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [name]).fetchone()
        [size] = connection.execute("PRAGMA page_size").fetchone()
    return list(_leaves(file.read_bytes(), size, root))


def damage(file: Path, page: int) -> None:
    """Overwrite a page."""
    with closing(sqlite3.connect(file)) as connection:
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xff" * size)


def _leaves(data: bytes, size: int, page: int):
    content = data[(page - 1) * size : page * size]
    if content[0] not in _INTERIOR:
        yield page
        return
    count = int.from_bytes(content[3:5], "big")
    for index in range(count):
        cell = int.from_bytes(content[12 + 2 * index : 14 + 2 * index], "big")
        yield from _leaves(data, size, int.from_bytes(content[cell : cell + 4], "big"))
    yield from _leaves(data, size, int.from_bytes(content[8:12], "big"))
