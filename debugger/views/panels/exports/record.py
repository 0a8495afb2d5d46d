"""State of the export dialog in one tab, with the preview of the file."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from debugger.boundary import RULES
from debugger.exports.choices import FIRST_PRESET, ExportChoices, assemble_options
from debugger.exports.formats import ExportOptions, ExportProgress, write_export
from debugger.exports.jobs import ExportJob
from debugger.exports.table import Table, cell_of
from debugger.views.panels.exports.scope import ExportScope, Sample, SampledRun

MAX_ROWS = 10


@dataclass(frozen=True)
class Preview:
    """The first rows of an export, and its estimated size."""

    total: int
    """Runs of the scope."""
    workflow_names: tuple[str, ...]
    """The workflows of all runs; none where they are not known."""
    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    """Empty of a format without a table."""
    size: int
    """Estimated bytes of the file."""
    masked: Counter[str]
    """How often each rule masked something in the sample."""


def make_preview(options: ExportOptions, sample: Sample) -> Preview:
    """Return the preview of a sample: at most `MAX_ROWS` rows, the estimated size, and what is masked.

    A format without a table has neither header nor rows.

    Raises:
        DebuggerError: The turns cannot be read, or the options cannot be used.
    """
    sampled, total = sample.runs, sample.total
    runs = [each.run for each in sampled]
    names = tuple(dict.fromkeys(run.workflow_name for run in runs)) if sample.has_all_workflows else ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    if options.has_table:
        table = Table(options.table)
        every = (row for run in runs for row in table.rows(run))
        rows = tuple(tuple(map(cell_of, row)) for row in islice(every, MAX_ROWS))
        header = tuple(table.header)
    return Preview(total, names, header, rows, *_size(options, sampled, total))


def sample_key(scope: ExportScope) -> tuple[Any, ...]:
    """Return what a sample depends on."""
    return (id(scope.backend), scope.run_ids, scope.wanted)


def size_words(size: int) -> str:
    """Return a number of bytes for users, in units of 1000: ``900 bytes``, ``1.2 MB``.

    Gigabytes are the largest unit; all but bytes have one decimal.
    """
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def masked_words(counts: Counter[str]) -> str:
    """Return counts of rules for users, as ``phone numbers: 2, dates: 1``; "nothing" without any."""
    parts = [f"{RULES[rule].lower()}: {counts[rule]}" for rule in RULES if counts[rule]]
    return ", ".join(parts) if parts else "nothing"


def _size(options: ExportOptions, sampled: Sequence[SampledRun], total: int) -> tuple[int, Counter[str]]:
    """Return the estimated bytes of the file, and how often each rule masked something in the sample.

    The estimate extrapolates the sampled runs to all of the scope; without one it is the size of an empty
    file.
    """
    empty = io.BytesIO()
    write_export(empty, (), options)
    base, size, masked = len(empty.getvalue()), 0.0, Counter[str]()
    for each in sampled:
        file = io.BytesIO()
        masked += write_export(file, [each.run], replace(options, is_single=False)).masked
        size += max(0, len(file.getvalue()) - base) / each.share
    return base + round(size * total / len(sampled)) if sampled else base, masked


def first_options() -> ExportOptions:
    """Return the options that the dialog begins with."""
    return assemble_options(ExportChoices(FIRST_PRESET), {})


@dataclass
class ExportRecord:
    """The state of the export dialog in one tab."""

    scopes: tuple[ExportScope, ...] = ()
    """The scopes to choose from; none while the dialog is closed."""
    page: str = ""
    """The page on which the dialog was opened."""
    place: int = 0
    """The chosen scope."""
    options: ExportOptions = field(default_factory=first_options)
    """Those that were chosen last; another export begins with them."""
    variables: str = ""
    """Variables that are columns of their own, as they were written."""
    checks: tuple[str, ...] = ()
    """Columns of checks that were among the options since the dialog was opened or a preset was chosen: they
    are offered beside those of the runs."""
    saved: str = ""
    """The saved preset that was chosen; empty for one of the program's."""
    job: ExportJob | None = None
    """The export that is being written, or waits to be fetched."""
    token: str = ""
    """The token of its file."""
    sample: tuple[Any, Sample] | None = None
    """The runs that previews are made of, and what they are of."""
    preview: tuple[Any, Preview] | None = None
    written: tuple[Any, ExportProgress] | None = None
    """The export that a click has downloaded last, and what it was made of."""
    generation: int = 0
    """Counts how often controls got values from elsewhere; part of their keys."""
    moves: int = 0
    """Counts how often a column was moved; part of the key of their list."""

    @property
    def scope(self) -> ExportScope:
        """Return the chosen scope."""
        return self.scopes[min(self.place, len(self.scopes) - 1)]

    def read_sample(self) -> Sample:
        """Return the sample of the chosen scope, read again only for another one.

        Raises:
            DebuggerError: The runs cannot be read.
        """
        wanted = sample_key(self.scope)
        if self.sample is None or self.sample[0] != wanted:
            self.sample = wanted, self.scope.sample()
        return self.sample[1]

    def drop_job(self) -> None:
        """Cancel the export; a finished file can still be fetched."""
        if self.job is not None and not self.token:
            self.job.close()
        self.job, self.token = None, ""
