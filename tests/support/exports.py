"""Files of runs as the product exports them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from debugger.boundary import Boundary, MaskingOptions
from debugger.exports.columns import columns_of
from debugger.exports.formats import EXPORTS, ExportOptions, write_export
from debugger.exports.presets import LEX, preset_columns
from debugger.exports.records import ExportedRun
from debugger.exports.rows import Shape
from debugger.exports.run_files import build_run_file
from debugger.exports.table import TableOptions
from debugger.protocol.notes import RunNotes
from debugger.protocol.run_file import RunFile
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import LazyRun
from debugger.protocol.workflow import Workflow

NO_MASKING = MaskingOptions(frozenset())


def exported(run: Run, workflow: Workflow | None = None, **fields: Any) -> ExportedRun:
    """A run that was read whole, as an export reads it."""
    return ExportedRun(LazyRun.of(run), workflow, **fields)


def options(
    file_format: str = "csv",
    preset: str = "qa-review",
    shape: Shape = "message",
    masking: MaskingOptions | None = None,
    columns: Iterable[str] | None = None,
    **fields: Any,
) -> ExportOptions:
    """The options of a file, by default of the preset's columns and masked."""
    names = tuple(preset_columns(preset, shape) if columns is None else columns)
    return ExportOptions(
        file_format, preset, TableOptions(shape, names, masking or MaskingOptions()), **fields
    )


def written(runs: Iterable[ExportedRun], chosen: ExportOptions | None = None) -> bytes:
    """The whole file."""
    file = io.BytesIO()
    write_export(file, runs, chosen or options())
    return file.getvalue()


def csv_rows(data: bytes, separator: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV by column."""
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    return list(csv.DictReader(text, delimiter=separator))


def run_file(run: Run, workflow: Workflow, notes: RunNotes | None = None, *, engine: str = "") -> RunFile:
    """The content of a run file with personal data, whose secrets are masked."""
    given = exported(run, workflow, notes=notes or RunNotes(), engine=engine)
    return build_run_file(given, Boundary(NO_MASKING))


def every_text(run: ExportedRun, masking: MaskingOptions = NO_MASKING) -> Iterator[tuple[str, str]]:
    """The text of the run in each format, shape and preset, by name; archives are unpacked."""
    for name, export in EXPORTS.items():
        for shape in ("turn", "message", "event") if export.has_table else ("message",):
            every = options(name, shape=shape, masking=masking, columns=columns_of(shape))
            yield f"{name} {shape}", _unpacked(written([run], every))
    yield LEX, written([run], options(preset=LEX, masking=masking)).decode()


def _unpacked(data: bytes) -> str:
    if not data.startswith(b"PK"):
        return data.decode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())
