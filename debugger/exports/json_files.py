"""JSON Lines: an object for each row, and one about the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from debugger.exports.column_values import Words, change_words
from debugger.protocol.json_codec import encode

ABOUT = "about"
"""The only key of the last line."""


def write_json_lines(
    file: BinaryIO, header: Sequence[str], rows: Iterable[Iterable[Any]], about: Iterable[tuple[str, Any]]
) -> None:
    """Write rows as JSON Lines while they are read.

    Args:
        file: It stays open.
        header: The names of the columns, which become keys.
        rows: JSON values.
        about: Names and values for the last line, read after the rows.
    """
    for row in rows:
        file.write(encode(dict(zip(header, map(_value, row), strict=True))) + b"\n")
    file.write(encode({ABOUT: dict(about)}) + b"\n")


def _value(value: Any) -> Any:
    return change_words(value) if isinstance(value, Words) else value
