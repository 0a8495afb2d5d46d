"""CSV files (RFC 4180) for spreadsheets."""

from __future__ import annotations

import io
import json
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO

from debugger.analysis.comparison.comparison import Comparison
from debugger.analysis.side_effects import SideEffect
from debugger.exports.redaction import redact_text

_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
"""A spreadsheet takes a cell that begins with one of these for a formula."""
_PASSED_OVER = r"\s\x00-\x20\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\""
"""What a spreadsheet may drop before it looks: blanks, controls, invisible characters and quotes."""
_BEGINS_FORMULA = re.compile(rf"[\t\r\n]|[{_PASSED_OVER}]*+[{_SIGNS}]")
_HARMLESS = frozenset(string.ascii_letters + string.digits + "{[(#/_'") | {""}
"""Characters that no formula begins with, nor anything that is passed over before one."""
_BATCH = 50
"""Rows that are read before their lines are made.

One by one, an export took 1, 13 and 13 % longer (three comparisons on a busy machine, 2026-11-28).
"""
_MAX_KNOWN = 2_000
_MAX_KNOWN_CHARACTERS = 100
"""Of a text whose cell is remembered."""
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
# To a spreadsheet that separates cells by semicolons or tabs, our quotes mean nothing: a cell begins after
# each of these, also within a text. The sign is optional so that a run of separators is looked at once.
_NEXT_CELL = re.compile(rf"([;\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029][;{_PASSED_OVER}]*+)([{_SIGNS}]?)")

_AFTER_COMMA = re.compile(rf"(,[,{_PASSED_OVER}]*+)([{_SIGNS}])")
_GUARD = re.compile(rf"'(?={_BEGINS_FORMULA.pattern})")
_INNER_GUARD = re.compile(rf"([,;\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029][,;{_PASSED_OVER}]*+)'(?=[{_SIGNS}])")

_BOM = b"\xef\xbb\xbf"
"""The mark by which Excel knows UTF-8."""


@dataclass(frozen=True)
class CsvOptions:
    """The dialect of a CSV file."""

    has_bom: bool = True
    """Whether it begins with the mark by which Excel knows UTF-8."""
    separator: str = ","
    """One of `SEPARATORS`."""
    is_guarded: bool = True
    """Whether texts that a spreadsheet would run as formulas get a leading apostrophe."""


SEPARATORS = {",": "Comma", ";": "Semicolon", "\t": "Tab"}
"""Separators with their names for users."""


def write_csv(
    file: BinaryIO, header: Sequence[str], rows: Iterable[Iterable[Any]], options: CsvOptions
) -> None:
    """Write rows as CSV in UTF-8, while they are read.

    A text that a spreadsheet would run as a formula gets a leading apostrophe, and so does a part of a text
    that would become a cell where semicolons or tabs separate cells.

    Args:
        file: It stays open.
        header: The names of the columns.
        rows: Texts, numbers, truth values and ``None``.
        options: The dialect.
    """
    if options.has_bom:
        file.write(_BOM)
    plain = _Cells(replace(options, is_guarded=False))
    file.write(_encoded(plain.line(header)))
    line = _Cells(options).line
    rest = iter(rows)
    while batch := list(islice(rest, _BATCH)):
        file.write(_encoded("".join(map(line, batch))))


def _encoded(line: str) -> bytes:
    # A lone surrogate has no bytes in UTF-8: it is written as its escape, so that the file does not fail.
    return line.encode("utf-8", "backslashreplace")


class _Cells(dict[str, str]):
    """The cells of texts, cached, as most texts repeat.

    The lines are those of `csv.writer`, in two thirds of its time.

    Args:
        options: The dialect.
    """

    def __init__(self, options: CsvOptions) -> None:
        super().__init__()
        self._separator = options.separator
        self._is_guarded = options.is_guarded

    def line(self, row: Iterable[Any]) -> str:
        """Return a row with its line end."""
        cells = [self[value] if value.__class__ is str else self._other(value) for value in row]
        line = self._separator.join(cells)
        # A line without a character would be no row.
        return '""\r\n' if line == "" and len(cells) == 1 else f"{line}\r\n"

    def _other(self, value: Any) -> str:
        kind = value.__class__
        if kind is int or kind is float:
            return repr(value)
        if value is None:
            return ""
        if kind is bool:
            return "true" if value else "false"
        return self[value if isinstance(value, str) else str(value)]

    def __missing__(self, text: str) -> str:
        cell = _guarded(text, self._separator) if self._is_guarded else text
        if '"' in cell:
            cell = '"' + cell.replace('"', '""') + '"'
        elif self._separator in cell or "\n" in cell or "\r" in cell:
            cell = f'"{cell}"'
        if len(text) <= _MAX_KNOWN_CHARACTERS:
            if len(self) == _MAX_KNOWN:
                self.clear()
            self[text] = cell
        return cell


def csv_bytes(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """Return rows as CSV in UTF-8, safe for spreadsheets."""
    out = io.BytesIO()
    write_csv(out, header, rows, CsvOptions())
    return out.getvalue()


def _guarded(text: str, separator: str) -> str:
    if separator != ",":
        text = _AFTER_COMMA.sub(r"\1'\2", text)  # there a comma is not quoted
    # Nearly all of them: no formula, and nothing that separates cells.
    if text[:1] in _HARMLESS and ";" not in text and "\t" not in text and len(text.splitlines()) <= 1:
        return text
    if _NUMBER.fullmatch(text):
        return text
    inner = _NEXT_CELL.sub(lambda found: f"{found[1]}'{found[2]}" if found[2] else found[0], text)
    return f"'{inner}" if _BEGINS_FORMULA.match(text) else inner


def remove_formula_guard(text: str) -> str:
    """Return a text of a CSV file without the apostrophes of the formula guard."""
    inner = _INNER_GUARD.sub(r"\1", text)
    return inner[1:] if _GUARD.match(inner) else inner


COMPARISON_SCHEMA_VERSION = 1
"""Counts up when a column changes its meaning."""

COMPARISON_COLUMNS = (
    "schema_version",
    "row",
    "verdict",
    "turn",
    "node_logical_id",
    "node_name",
    "type",
    "event_a",
    "event_b",
    "a",
    "b",
    "differing_values",
)


def comparison_csv(found: Comparison, names: Mapping[str, str]) -> bytes:
    """Return a comparison as CSV in UTF-8.

    Args:
        found: The comparison.
        names: The author's node names by id.
    """
    return csv_bytes(COMPARISON_COLUMNS, _rows(found, names))


def _rows(found: Comparison, names: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(found.rows, start=1):
        one, other = found.pair(row)
        item = found.get_item(row)
        yield (
            COMPARISON_SCHEMA_VERSION,
            number,
            row.verdict,
            row.turn,
            item.node or "",
            names.get(item.node or "", ""),
            item.type,
            one.event_index if one else None,
            other.event_index if other else None,
            redact_text(one.summary) if one else "",
            redact_text(other.summary) if other else "",
            ", ".join(each.path for each in found.differences(row)) if row.verdict == "changed" else "",
        )


SIDE_EFFECTS_SCHEMA_VERSION = 1
"""Counts up when a column of the calls changes its meaning."""

_CALL_FIELDS = {
    "turn_number": "turn_number",
    "is_background": "is_background",
    "at": "time",
    "node_logical_id": "node_logical_id",
    "node_name": "node_name",
    "kind": "kind",
    "call_class": "call_class",
    "target": "target",
    "how": "how",
    "outcome": "outcome",
    "status_code": "status_code",
    "duration_ms": "duration_milliseconds",
    "error_message": "error",
}
"""Columns by name, with the attributes of a call that they show."""
SIDE_EFFECT_COLUMNS = ("schema_version", "run_id", "seq", *_CALL_FIELDS, "request")


def side_effects_csv(run_id: str, effects: Iterable[SideEffect]) -> bytes:
    """Return the calls of a run to the outside as CSV in UTF-8.

    The column ``seq`` counts them from 1; ``request`` is JSON with secrets masked.
    """
    rows = (
        (
            SIDE_EFFECTS_SCHEMA_VERSION,
            run_id,
            seq,
            *(getattr(effect, name) for name in _CALL_FIELDS.values()),
            json.dumps(effect.request, ensure_ascii=False, default=str),
        )
        for seq, effect in enumerate(effects, start=1)
    )
    return csv_bytes(SIDE_EFFECT_COLUMNS, rows)
