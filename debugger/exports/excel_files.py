"""Excel files, written row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from debugger.exports.file_text import text_bytes

MAX_ROWS = 1_048_576
"""Of one sheet, the header included; more of them go on in another sheet."""
MAX_CHARACTERS = 32_767
"""Of one cell."""
_CUT = " … (cut: the text has {} characters)"
_MAX_EXACT = 2**53
_WIDTHS = {"text": 60, "user_text": 48, "agent_text": 48, "path": 48, "summary": 48, "payload": 48}
_NARROW = 14
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


class _Sheet(Worksheet):  # type: ignore[misc]  # xlsxwriter has no types
    """A sheet without rich texts: ``<r>…</r>`` is a text like any other."""

    def _xml_rich_inline_string(self, string: str, attributes: Any) -> None:
        self._xml_inline_string(string, False, attributes)


def write_excel(
    file: BinaryIO,
    header: Sequence[str],
    rows: Iterable[Iterable[Any]],
    about: Callable[[], Iterable[tuple[str, Any]]],
) -> None:
    """Write rows as an Excel workbook, on as many sheets as they need.

    Texts stay texts, whatever they begin with; numbers stay numbers. An error while rows are read is raised,
    and leaves a workbook without the rest.

    Args:
        file: It stays open.
        header: The names of the columns.
        rows: Texts, numbers, truth values and ``None``.
        about: Returns names and values for a sheet of their own; called after the rows.
    """
    book = xlsxwriter.Workbook(file, _OPTIONS)
    try:
        bold = book.add_format({"bold": True})
        sheet, at = _new_sheet(book.add_worksheet("Rows", _Sheet), header, bold), 1
        for row in rows:
            if at == MAX_ROWS:
                sheet.autofilter(0, 0, at - 1, len(header) - 1)
                number = len(book.worksheets()) + 1
                sheet, at = _new_sheet(book.add_worksheet(f"Rows {number}", _Sheet), header, bold), 1
            for column, value in enumerate(row):
                _write(sheet, at, column, value)
            at += 1
        sheet.autofilter(0, 0, at - 1, len(header) - 1)
        sheet = book.add_worksheet("About", _Sheet)
        sheet.set_column(0, 1, 40)
        for at, (name, value) in enumerate(about()):
            _write(sheet, at, 0, name)
            _write(sheet, at, 1, value)
    finally:
        book.close()


def _new_sheet(sheet: Worksheet, header: Sequence[str], bold: Any) -> Worksheet:
    """Write a header into a new sheet, freeze it, set the widths of the columns; return the sheet."""
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(header):
        sheet.set_column(column, column, _WIDTHS.get(name, max(_NARROW, len(name) + 4)))
        sheet.write_string(0, column, name, bold)
    return sheet


def _write(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    """Write a value into a cell, a number that Excel cannot hold exactly as a text.

    An empty one writes nothing.
    """
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float) and math.isfinite(value) and abs(value) <= _MAX_EXACT:
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, _cell_text(str(value)))


def _cell_text(text: str) -> str:
    """Return a text that Excel can hold; of a longer one the begin, with its length."""
    text = text_bytes(text).decode()
    if len(text) <= MAX_CHARACTERS // 2:
        return text
    units = text.encode("utf-16-le")  # Excel counts a character such as 🫖 twice
    if len(units) <= 2 * MAX_CHARACTERS:
        return text
    mark = _CUT.format(len(text))
    return units[: 2 * (MAX_CHARACTERS - len(mark))].decode("utf-16-le", "ignore") + mark
