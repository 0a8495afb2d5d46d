"""Sheets out of files: CSV of any separator, and Excel workbooks."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from xml.parsers import expat

from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from debugger.errors import InputError
from debugger.protocol.file_limits import REVIEW_SHEET

MAX_ROWS = 200_000
MAX_COLUMNS = 500
"""Of a workbook."""
MAX_UNPACKED_BYTES = 200_000_000
"""Of a workbook, which is a ZIP archive."""
_MAX_MEMBERS = 2_000
"""Files in that archive."""
_MAX_CELL_CHARACTERS = 1_000_000
MAX_ROW_CHARACTERS = 1_500_000
"""Of a CSV file."""
_LINE = re.compile(rf"[^\r\n]{{0,{MAX_ROW_CHARACTERS}}}+(?:\r\n|\r|\n)|[^\r\n]{{1,{MAX_ROW_CHARACTERS}}}+")
MAX_RATIO = 30
"""Of a workbook's bytes once they are unpacked to those of the file, which far smaller ones may exceed."""
_MIN_RATIO_BYTES = 2_000_000
_EXCEL_ROWS = 1_048_576
"""Rows that a worksheet can have."""
_HEADER_ROWS = 10
"""The names of the columns are in one of the first rows."""
_SEPARATORS = ",;\t|"
_ZIP = b"PK\x03\x04"
_CHUNK = 65_536
_ESCAPED = re.compile(r"_x(?!0000|[Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")
"""A character as a workbook has those that XML has not; 0 and half surrogate pairs cannot be stored."""

Row = tuple[int, list[str]]
"""A row by its number in a spreadsheet, from 1, and the texts of its cells."""


@dataclass(frozen=True)
class Table:
    """The rows below a header, to be read once."""

    header: list[str]
    """Names of columns in lower case, without blanks around them."""
    rows: Iterator[Row]


def read_table(content: bytes, name: str, wanted: str) -> Table:
    """Return the table of a CSV file or workbook.

    Args:
        content: The file.
        name: Its name, for messages.
        wanted: A column that its header has.

    Raises:
        InputError: It is too large, damaged, hostile or of another kind, or has no such column. Rows may
            raise it, too, while they are read.
    """
    REVIEW_SHEET.check(content, name)
    if content.startswith(_ZIP):
        return _workbook_table(content, name, wanted)
    return _csv_table(_text(content, name), name, wanted)


def _text(content: bytes, name: str) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 where a mark says so.

    Raises:
        InputError: A byte does not fit.
    """
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        encoding = "UTF-16" if is_wide else "UTF-8"
        raise InputError(
            f"The sheet {name!r} is not text in {encoding}: byte {error.start} does not fit.",
            advice="Save it as an Excel workbook (.xlsx) or as “CSV UTF-8”.",
        ) from error


def _csv_table(text: str, name: str, wanted: str) -> Table:
    """Return the table of a CSV text, with the first separator by which a header has the wanted column.

    The limit of cells of the module `csv` is set for the process.

    Raises:
        InputError: No header has it, or a row before it cannot be read.
    """
    csv.field_size_limit(_MAX_CELL_CHARACTERS)
    is_hinted = text[:4].lower() == "sep=" and text[4:5] in tuple(_SEPARATORS)  # a line that Excel reads
    start = text.find("\n") + 1 or len(text) if is_hinted else 0
    for separator in text[4] if is_hinted else _SEPARATORS:
        rows = _csv_rows(text, separator, name, 2 if is_hinted else 1, start)
        header = _find_header(rows, wanted)
        if header is not None:
            return Table(header, rows)
    raise _no_header(name, wanted)


class CsvLines:
    """The lines of a text, handed to `csv.reader`, which otherwise holds the lock for a row of any length.

    Args:
        text: The text, of which no copy is made.
        start: Where to begin.
    """

    def __init__(self, text: str, start: int = 0) -> None:
        self._lines = _LINE.finditer(text, start)
        self._end = len(text)
        self._left = MAX_ROW_CHARACTERS

    def end_row(self) -> None:
        """Begin to count anew."""
        self._left = MAX_ROW_CHARACTERS

    def __iter__(self) -> Iterator[str]:
        """Yield each line with its end.

        Raises:
            csv.Error: A row has too many characters.
        """
        for match in self._lines:
            self._left -= match.end() - match.start()
            # For the reader, what ends without a line end is a row of its own.
            is_cut = match.end() < self._end and match[0][-1] not in "\r\n"
            if self._left < 0 or is_cut:
                raise csv.Error(f"a row has more than {MAX_ROW_CHARACTERS:,} characters")
            yield match[0]


def _csv_rows(text: str, separator: str, name: str, first: int, start: int) -> Iterator[Row]:
    """Yield the rows of a CSV text with their numbers.

    Args:
        text: The text.
        separator: What separates cells.
        name: The file's name, for errors.
        first: The number of the first row.
        start: The place in the text where it begins.

    Raises:
        InputError: A row cannot be read, or there are too many.
    """
    lines = CsvLines(text, start)
    reader = csv.reader(lines, delimiter=separator)
    number = first - 1
    try:
        for number, cells in enumerate(reader, start=first):
            lines.end_row()
            _check_row(number, cells, name)
            yield number, cells
    except csv.Error as error:
        raise InputError(
            f"Row {number + 1} of the sheet {name!r} cannot be read: {error}.",
            advice="Save it again as CSV or as an Excel workbook (.xlsx).",
        ) from error


def _workbook_table(content: bytes, name: str, wanted: str) -> Table:
    """Return the table of the first sheet of a workbook whose header has the wanted column.

    Raises:
        InputError: The workbook is damaged or hostile, or no sheet has the column.
    """
    _check_archive(content, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and links, which are not read
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # openpyxl raises whatever a damaged part leads to
        raise _damaged(name) from error
    for sheet in book.worksheets:
        rows = _sheet_rows(sheet, name, columns=MAX_COLUMNS, last=_HEADER_ROWS)
        header = _find_header(rows, wanted)
        if header is not None:
            while not header[-1]:
                header.pop()
            below = next(rows, (_HEADER_ROWS + 1, []))[0]
            return Table(header, _sheet_rows(sheet, name, columns=len(header), first=below))
    raise _no_header(name, wanted)


def _sheet_rows(
    sheet: ReadOnlyWorksheet, name: str, *, columns: int, first: int = 1, last: int = _EXCEL_ROWS
) -> Iterator[Row]:
    """Yield the rows of a sheet with their numbers, cells as texts.

    Args:
        sheet: The sheet.
        name: The file's name, for errors.
        columns: The cells of a row that are read.
        first: The number of the first row.
        last: That of the last row.

    Raises:
        InputError: The workbook is damaged, or there are too many rows.
    """
    # The bounds are ours, for a file may claim any number of rows and columns.
    rows = sheet.iter_rows(min_row=first, max_row=last, max_col=columns, values_only=True)
    number = first - 1
    while True:
        try:
            values = next(rows, None)
        except Exception as error:  # openpyxl raises whatever a damaged part leads to
            raise _damaged(name) from error
        if values is None:
            return
        number += 1
        cells = [_cell(value) for value in values]
        _check_row(number, cells, name)
        yield number, cells


def _cell(value: Any) -> str:
    """Return a cell as a text: empty for none, times in ISO 8601, whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(value))


def _check_archive(content: bytes, name: str) -> None:
    """Refuse a workbook that unpacks into much or defines entities.

    Raises:
        InputError: It does so, or is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            most = min(MAX_UNPACKED_BYTES, max(_MIN_RATIO_BYTES, MAX_RATIO * len(content)))
            if size > most or len(members) > _MAX_MEMBERS:
                raise InputError(
                    f"The workbook {name!r} unpacks into {size:,} bytes in {len(members):,} parts.",
                    advice=f"Split it: {most:,} bytes in {_MAX_MEMBERS:,} parts are the most.",
                )
            for member in members:
                _check_prolog(archive, member, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise _damaged(name) from error


class _RootReached(Exception):
    pass


def _check_prolog(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    """Refuse a part with a document type: only that can define entities.

    Raises:
        InputError: It has one.
    """
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise InputError(
            f"The part {member.filename!r} of the workbook {name!r} defines XML entities.",
            advice="No spreadsheet writes that: do not open the file.",
        )

    def stop(*_: object) -> None:
        raise _RootReached

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = stop
    # A part may have any name. One that is no XML, such as a picture, ends this as the root of another does.
    with suppress(_RootReached, expat.ExpatError), archive.open(member) as part:
        while chunk := part.read(_CHUNK):
            parser.Parse(chunk, False)


def _find_header(rows: Iterator[Row], wanted: str) -> list[str] | None:
    """Return the names of the first row with a wanted one, in lower case; ``None`` without one.

    The rows up to it, or the first `_HEADER_ROWS`, are taken from the iterator.
    """
    for number, cells in rows:
        names = [" ".join(cell.split()).lower() for cell in cells]
        if wanted in names:
            return names
        if number >= _HEADER_ROWS:
            return None
    return None


def _check_row(number: int, cells: list[str], name: str) -> None:
    if number > MAX_ROWS + _HEADER_ROWS and any(cells):
        raise InputError(
            f"The sheet {name!r} has more than {MAX_ROWS:,} rows.", advice="Split it, or leave runs out."
        )


def _no_header(name: str, wanted: str) -> InputError:
    return InputError(
        f"The sheet {name!r} has no column {wanted!r} in its first {_HEADER_ROWS} rows.",
        advice="Export the runs with that column, and leave its name as it is.",
    )


def _damaged(name: str) -> InputError:
    return InputError(
        f"The workbook {name!r} is damaged, or locked by a password.",
        advice="Open it in a spreadsheet and save it again as .xlsx.",
    )
