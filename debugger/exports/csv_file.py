"""A transcript as CSV (RFC 4180), made to be opened in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from debugger.analysis.transcript import TranscriptRow
from debugger.errors import InputError

EVERYTHING: tuple[str, ...] = TranscriptRow._fields

QA_REVIEW: tuple[str, ...] = (
    "schema_version",
    "run_id",
    "turn_number",
    "is_background",
    "seq",
    "role",
    "text",
    "node_name",
    "edge_taken",
    "is_waiting_for_input",
    "next_input_hint",
    "changed_variables",
    "error_message",
    "status",
)

_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
"""A spreadsheet takes a cell that begins with one of these for a formula, whoever wrote it."""
_PASSED_OVER = r"\s\x00-\x20\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\""
"""What a spreadsheet may drop before it looks: blanks, controls, invisible characters and quotes."""
_BEGINS_FORMULA = re.compile(rf"[\t\r\n]|[{_PASSED_OVER}]*+[{_SIGNS}]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
# To a spreadsheet that separates cells by semicolons or tabs, our quotes mean nothing: a cell begins after
# each of these, also within a text. The sign is optional so that a run of separators is looked at once.
_NEXT_CELL = re.compile(rf"([;\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029][;{_PASSED_OVER}]*+)([{_SIGNS}]?)")

_BOM = b"\xef\xbb\xbf"
"""The mark by which Excel knows UTF-8."""


def transcript_csv(rows: Sequence[TranscriptRow], *, columns: Sequence[str] = EVERYTHING) -> bytes:
    """The rows as CSV in UTF-8; without rows, the header alone.

    A text that a spreadsheet would run as a formula gets a leading apostrophe, and so does a part of a text
    that would become a cell where semicolons or tabs separate cells.

    Args:
        rows: The transcript.
        columns: Which columns, in this order.

    Raises:
        InputError: There is no such column.
    """
    _check(columns)
    return csv_bytes(columns, _picked(rows, columns))


def csv_bytes(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """Rows of any kind as CSV in UTF-8, safe to be opened in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(map(_cell, row) for row in rows)
    # A lone surrogate has no bytes in UTF-8: it is kept as its escape instead of failing the whole file.
    return _BOM + out.getvalue().encode("utf-8", "backslashreplace")


def _picked(rows: Sequence[TranscriptRow], columns: Sequence[str]) -> Any:
    if tuple(columns) == EVERYTHING:
        return rows
    if len(columns) == 1:
        return ([getattr(row, columns[0])] for row in rows)
    return map(attrgetter(*columns), rows)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return _guarded(value)
    if value.__class__ is bool:
        return "true" if value else "false"
    return value


def _guarded(text: str) -> str:
    if _NUMBER.fullmatch(text):
        return text
    inner = _NEXT_CELL.sub(lambda found: f"{found[1]}'{found[2]}" if found[2] else found[0], text)
    return f"'{inner}" if _BEGINS_FORMULA.match(text) else inner


def _check(columns: Sequence[str]) -> None:
    unknown = [column for column in columns if column not in EVERYTHING]
    if unknown or not columns:
        named = f"There is no column {unknown[0]!r}." if unknown else "No column was chosen."
        raise InputError(named, advice=f"Choose from {', '.join(EVERYTHING)}.")
