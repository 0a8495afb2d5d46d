"""CSV files (RFC 4180) for spreadsheets."""

from __future__ import annotations

import io
import json
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from debugger.analysis.comparison.comparison import Comparison
from debugger.analysis.side_effects import SideEffect
from debugger.boundary import SECRETS_ONLY, Boundary, Kind
from debugger.exports.file_text import text_bytes

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
    """Write rows as CSV in UTF-8, while they are read; lines end with CR and LF.

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
    line = _Cells(options).line
    file.write(text_bytes(line(header)))
    rest = iter(rows)
    while batch := list(islice(rest, _BATCH)):
        file.write(text_bytes("".join(map(line, batch))))


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
        """Return the cell of a value that is no text: ``None`` is empty, truth values are lower case."""
        kind = value.__class__
        if kind is int or kind is float:
            return repr(value)
        if value is None:
            return ""
        if kind is bool:
            return "true" if value else "false"
        return self[value if isinstance(value, str) else str(value)]

    def __missing__(self, text: str) -> str:
        """Return the cell of a text, guarded and quoted where needed, and remember that of a short one.

        When `_MAX_KNOWN` are known, all are forgotten first.
        """
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
    """Return rows as CSV in UTF-8, safe for spreadsheets; secrets in their texts are masked."""
    out, release = io.BytesIO(), Boundary(SECRETS_ONLY).release
    shown = ([release(Kind.TEXT, cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    write_csv(out, header, shown, CsvOptions())
    return out.getvalue()


def _released_csv(columns: Mapping[str, Kind], rows: Iterable[list[Any]], names: Iterable[str]) -> bytes:
    """Return rows as CSV in UTF-8, with each cell masked by the kind of its column.

    Args:
        columns: The kinds by name.
        rows: JSON values; objects are written as JSON.
        names: What the authors of the workflows have named; it is kept in texts.
    """
    out, boundary = io.BytesIO(), Boundary()
    boundary.begin_run(names)
    release = boundary.row_releaser(dict(enumerate(columns.values())))

    def shown(row: list[Any]) -> list[Any]:
        release(row)
        return [_json_text(cell) if isinstance(cell, Mapping) else cell for cell in row]

    write_csv(out, list(columns), map(shown, rows), CsvOptions())
    return out.getvalue()


def _json_text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _guarded(text: str, separator: str) -> str:
    """Return a text with an apostrophe before each place that a spreadsheet could read as a formula."""
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

COMPARISON_COLUMNS = {
    "schema_version": Kind.NUMBER,
    "row": Kind.NUMBER,
    "verdict": Kind.FLAG,
    "turn": Kind.NUMBER,
    "node_logical_id": Kind.ID,
    "node_name": Kind.NAME,
    "type": Kind.FLAG,
    "event_a": Kind.NUMBER,
    "event_b": Kind.NUMBER,
    "a": Kind.TEXT,
    "b": Kind.TEXT,
    "differing_values": Kind.NAME,
}
"""Kinds of the columns by name."""


def comparison_csv(found: Comparison, names: Mapping[str, str], own_names: Iterable[str] = ()) -> bytes:
    """Return a comparison as CSV in UTF-8, masked by the kinds of its columns.

    Args:
        found: The comparison.
        names: The author's node names by id.
        own_names: All that the authors of both versions have named; it is kept in texts.
    """
    return _released_csv(COMPARISON_COLUMNS, _rows(found, names), own_names)


def _rows(found: Comparison, names: Mapping[str, str]) -> Iterator[list[Any]]:
    """Yield the rows of a comparison, numbered from 1, with the values of `COMPARISON_COLUMNS`."""
    for number, row in enumerate(found.rows, start=1):
        one, other = found.pair(row)
        item = found.get_item(row)
        yield [
            COMPARISON_SCHEMA_VERSION,
            number,
            row.status,
            row.turn,
            item.node or "",
            names.get(item.node or "", ""),
            item.type,
            one.event_index if one else None,
            other.event_index if other else None,
            one.summary if one else "",
            other.summary if other else "",
            ", ".join(each.path for each in found.differences(row)) if row.status == "changed" else "",
        ]


SIDE_EFFECTS_SCHEMA_VERSION = 1
"""Counts up when a column of the calls changes its meaning."""

_CALL_FIELDS = {
    "turn_number": ("turn_number", Kind.NUMBER),
    "is_background": ("is_background", Kind.FLAG),
    "at": ("time", Kind.TIME),
    "node_logical_id": ("node_logical_id", Kind.ID),
    "node_name": ("node_name", Kind.NAME),
    "kind": ("kind", Kind.FLAG),
    "call_class": ("call_class", Kind.FLAG),
    "target": ("target", Kind.TEXT),  # a phone number, too
    "how": ("how", Kind.FLAG),
    "outcome": ("outcome", Kind.FLAG),
    "status_code": ("status_code", Kind.NUMBER),
    "duration_ms": ("duration_milliseconds", Kind.NUMBER),
    "error_message": ("error", Kind.TEXT),
    "request": ("request", Kind.VALUE),
}
"""Columns by name, with the attributes of a call that they show and their kinds."""
SIDE_EFFECT_COLUMNS = {
    "schema_version": Kind.NUMBER,
    "run_id": Kind.ID,
    "seq": Kind.NUMBER,
    **{name: kind for name, (_, kind) in _CALL_FIELDS.items()},
}
"""Kinds of the columns by name."""


def side_effects_csv(run_id: str, effects: Iterable[SideEffect], own_names: Iterable[str] = ()) -> bytes:
    """Return the calls of a run to the outside as CSV in UTF-8, masked by the kinds of its columns.

    The column ``seq`` counts them from 1; ``request`` is JSON.

    Args:
        run_id: The run's.
        effects: Its calls.
        own_names: What the author of the workflow has named; it is kept in texts.
    """
    rows = (
        [
            SIDE_EFFECTS_SCHEMA_VERSION,
            run_id,
            seq,
            *(getattr(effect, attribute) for attribute, _ in _CALL_FIELDS.values()),
        ]
        for seq, effect in enumerate(effects, start=1)
    )
    return _released_csv(SIDE_EFFECT_COLUMNS, rows, own_names)
