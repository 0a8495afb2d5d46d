"""Every format of an export, and the one function that writes them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO

from debugger.boundary import RULES, Boundary, Kind
from debugger.errors import DebuggerError, InputError
from debugger.exports.column_values import Words, change_words
from debugger.exports.csv_files import SEPARATORS, CsvOptions, write_csv
from debugger.exports.excel_files import write_excel
from debugger.exports.html_files import PageOptions, write_html
from debugger.exports.lex_files import write_lex
from debugger.exports.presets import LEX
from debugger.exports.records import ExportedRun
from debugger.exports.run_files import SUFFIX, write_run_files
from debugger.exports.table import Table, TableOptions, cell_of
from debugger.protocol.json_codec import json_bytes
from debugger.protocol.runs import Turn
from debugger.protocol.turn_logs import ReadTurn

_ROWS_BETWEEN = 200
"""Rows after which progress is reported and a cancellation noticed."""


MAX_NAMED_RUNS = 5
"""Runs without a row that the words on an export name."""


class ExportCancelled(DebuggerError):
    """An export that its user has cancelled."""


@dataclass(frozen=True)
class ExportOptions:
    """The content and format of one file."""

    format: str = "csv"
    preset: str = ""
    """The preset that the columns were taken from; of `LEX` the columns are its own."""
    table: TableOptions = field(default_factory=TableOptions)
    csv: CsvOptions = field(default_factory=CsvOptions)
    title: str = "Runs"
    is_single: bool = False
    """Whether it is one run that was named, and not the runs of a filter."""

    @property
    def has_table(self) -> bool:
        """Return whether shape and columns are chosen."""
        return EXPORTS[self.format].has_table and self.preset != LEX

    @property
    def extension(self) -> str:
        """Return the file's extension, with its dot."""
        if self.format == "run":
            return SUFFIX if self.is_single else ".runs.zip"
        return EXPORTS[self.format].extension

    @property
    def media_type(self) -> str:
        """Return the media type of the file."""
        is_archive = self.format == "run" and not self.is_single
        return "application/zip" if is_archive else EXPORTS[self.format].media_type


@dataclass
class ExportProgress:
    """The state of an export, read from other threads."""

    run_id: str = ""
    """The run that is being written."""
    runs: int = 0
    rows: int = 0
    masked: Counter[str] = field(default_factory=Counter)
    """How often each rule has masked something."""
    rowless: int = 0
    """Runs that have no row in a table, as those without a message in rows of messages."""
    rowless_ids: list[str] = field(default_factory=list)
    """The first of them, at most `MAX_NAMED_RUNS`."""
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def rowless_words(self) -> str:
        """Return how many runs have no row, and which, as a sentence; empty where each has one."""
        if not self.rowless:
            return ""
        words = f"{self.rowless:,} of {self.runs:,} run{'' if self.runs == 1 else 's'}"
        more = self.rowless - len(self.rowless_ids)
        rest = f" and {more:,} more" if more else ""
        return (
            f"{words} {'has' if self.rowless == 1 else 'have'} no row: {', '.join(self.rowless_ids)}{rest}."
        )

    def end_run(self, rows_before: int) -> None:
        """Count a run of a table as one without a row where no row was added since.

        Args:
            rows_before: The number of rows when the run began.
        """
        if self.rows > rows_before:
            return
        self.rowless += 1
        if len(self.rowless_ids) < MAX_NAMED_RUNS:
            self.rowless_ids.append(self.run_id)

    def add_row(self) -> None:
        """Count a row.

        Raises:
            ExportCancelled: The user has cancelled the export, noticed every `_ROWS_BETWEEN` rows.
        """
        self.rows += 1
        if self.rows % _ROWS_BETWEEN == 0:
            self.check()

    def check(self) -> None:
        """Stop an export that was cancelled.

        Raises:
            ExportCancelled: It was.
        """
        if self.cancelled.is_set():
            raise ExportCancelled("The export was cancelled.", advice="Nothing was saved.")


@dataclass(frozen=True)
class ExportSource:
    """The content of one file, as a format reads it."""

    runs: Iterable[ExportedRun]
    options: ExportOptions
    progress: ExportProgress
    boundary: Boundary

    def about(self) -> list[tuple[str, Any]]:
        """Return names and values that a reader should know of the file, once its rows are written.

        They are time, numbers of runs and rows, the masking, and how often each rule that is on has masked
        something.
        """
        masking = self.options.table.masking
        counts = [(f"masked: {label}", self.boundary.counts[rule]) for rule, label in RULES.items()]
        own = [pair for pair, rule in zip(counts, RULES, strict=True) if rule in masking.rules]
        return [
            ("made at", _now()),
            ("runs", self.progress.runs),
            *([("rows", self.progress.rows)] if EXPORTS[self.options.format].has_table else []),
            ("masking", masking.words),
            *own,
        ]

    def table(self) -> Table:
        """Return the table of the options."""
        return Table(self.options.table, self.boundary)

    def rows(self, table: Table, convert: Callable[[Any], Any] | None = cell_of) -> Iterator[list[Any]]:
        """Yield the rows of all runs, each counted in `progress`.

        Args:
            table: The table.
            convert: Makes cells of JSON values, in place; ``None`` leaves them.

        Raises:
            ExportCancelled: The user has cancelled the export.
        """
        count_row = self.progress.add_row
        places = [at for at, column in enumerate(table.columns) if column.kind in _STRUCTURED]
        for run in self.runs:
            for row in table.rows(run):
                count_row()
                if convert is not None:
                    for at in places:
                        if row[at].__class__ in _CONVERTED:
                            row[at] = convert(row[at])
                yield row


@dataclass(frozen=True)
class Export:
    """One file format."""

    label: str
    """The name for users."""
    help: str
    extension: str
    """With its dot."""
    media_type: str
    write: Callable[[BinaryIO, ExportSource], None]
    has_table: bool = True
    """Whether shape and columns are chosen."""


def write_export(
    file: BinaryIO,
    runs: Iterable[ExportedRun],
    options: ExportOptions,
    progress: ExportProgress | None = None,
) -> ExportProgress:
    """Write an export while its runs are read.

    Args:
        file: It stays open.
        runs: The runs, read one by one.
        options: Content and format.
        progress: Counts what is written, and is looked at for a cancellation.

    Returns:
        What was written.

    Raises:
        InputError: An option has no such value, or a run cannot be read.
        ExportCancelled: It was cancelled; what the file holds is no whole export.
    """
    check_options(options)
    progress = progress or ExportProgress()
    boundary = Boundary(options.table.masking, progress.masked)
    counted = _counted(runs, progress, has_rows=EXPORTS[options.format].has_table)
    source = ExportSource(counted, options, progress, boundary)
    write = _write_lex if options.preset == LEX else EXPORTS[options.format].write
    try:
        write(file, source)
    except InputError as error:  # of a damaged record
        raise InputError(f"Run {progress.run_id} cannot be exported: {error.message}") from error
    progress.check()
    return progress


def check_options(options: ExportOptions) -> None:
    """Check options before anything is written.

    Raises:
        InputError: An option has no such value, no column was chosen, or format and preset do not go
            together.
    """
    if options.format not in EXPORTS:
        raise InputError(
            f"There is no format {options.format!r}.", advice=f"Choose from {', '.join(EXPORTS)}."
        )
    if options.csv.separator not in SEPARATORS:
        raise InputError(
            f"{options.csv.separator!r} cannot separate columns.",
            advice="Choose a comma, a semicolon or a tab.",
        )
    if options.preset == LEX and options.format != "csv":
        raise InputError("A Lex test set is a CSV file.", advice="Choose the format csv.")
    if options.has_table:
        Table(options.table)


def _counted(
    runs: Iterable[ExportedRun], progress: ExportProgress, *, has_rows: bool
) -> Iterator[ExportedRun]:
    """Yield the runs and report each as begun and done.

    Of a file with rows, the next run is asked for when those of the last one are counted.

    Raises:
        ExportCancelled: The user has cancelled the export.
    """
    for run in runs:
        progress.check()
        progress.run_id = run.run.workflow_run_id
        rows_before = progress.rows
        turns = [partial(_read_unless_cancelled, read, progress) for read in run.record.turns]
        yield replace(run, record=replace(run.record, turns=turns))
        progress.runs += 1
        if has_rows:
            progress.end_run(rows_before)


def _read_unless_cancelled(read: ReadTurn, progress: ExportProgress) -> Turn:
    progress.check()
    return read()


def _write_csv(file: BinaryIO, source: ExportSource) -> None:
    table = source.table()
    write_csv(file, table.header, source.rows(table), source.options.csv)


def _write_excel(file: BinaryIO, source: ExportSource) -> None:
    table = source.table()
    write_excel(file, table.header, source.rows(table), source.about)


def _write_json_lines(file: BinaryIO, source: ExportSource) -> None:
    """Write an object for each row, and one about the file."""
    table = source.table()
    for row in source.rows(table, None):
        values = (change_words(value) if isinstance(value, Words) else value for value in row)
        file.write(json_bytes(dict(zip(table.header, values, strict=True))) + b"\n")
    file.write(json_bytes({"about": dict(source.about())}) + b"\n")


def _write_html(file: BinaryIO, source: ExportSource) -> None:
    is_off = source.options.table.masking.is_off
    words = "Personal data is not masked." if is_off else "Personal data is masked by rules, see the end."
    page = PageOptions(source.options.title, _now(), words, source.about)
    write_html(file, source.runs, source.boundary, page)


def _write_run(file: BinaryIO, source: ExportSource) -> None:
    write_run_files(file, source.runs, source.boundary, is_single=source.options.is_single)


def _write_lex(file: BinaryIO, source: ExportSource) -> None:
    write_lex(file, source.runs, source.boundary, source.options.csv, source.progress.add_row)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_CONVERTED = frozenset({dict, list, Words})
_STRUCTURED = frozenset({Kind.VALUE, Kind.CHANGES, Kind.RECORD})
"""Kinds of columns whose values may be JSON."""
EXPORTS: dict[str, Export] = {
    "csv": Export("CSV", "For spreadsheets and scripts", ".csv", "text/csv; charset=utf-8", _write_csv),
    "xlsx": Export(
        "Excel",
        "A workbook with numbers as numbers",
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _write_excel,
    ),
    "jsonl": Export(
        "JSON Lines",
        "One JSON object per line, for programs",
        ".jsonl",
        "application/x-ndjson",
        _write_json_lines,
    ),
    "html": Export(
        "HTML page",
        "Transcript, path, variables and remarks, readable without network",
        ".html",
        "text/html; charset=utf-8",
        _write_html,
        has_table=False,
    ),
    "run": Export(
        "Run file",
        "Record, workflow, notes, verdicts; the page Runs opens it again. Several runs are in a ZIP archive",
        SUFFIX,
        "application/json",
        _write_run,
        has_table=False,
    ),
}
"""Every format by name, in the order of the menu."""
