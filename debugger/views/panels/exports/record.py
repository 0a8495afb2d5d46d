"""The state of the export dialog in one tab."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from debugger.exports.csv_files import CsvOptions
from debugger.exports.formats import ExportOptions
from debugger.exports.jobs import ExportJob
from debugger.exports.presets import preset_columns
from debugger.exports.table import TableOptions
from debugger.views.panels.exports.preview import Preview, Sample
from debugger.views.panels.exports.scope import ExportScope

FIRST_PRESET = "qa-review"


def first_options() -> ExportOptions:
    """Return the options that the dialog begins with."""
    columns = tuple(preset_columns(FIRST_PRESET, "message"))
    return ExportOptions("csv", FIRST_PRESET, TableOptions("message", columns), CsvOptions())


@dataclass
class ExportRecord:
    """The state of the export dialog in one tab."""

    scopes: tuple[ExportScope, ...] = ()
    """The scopes to choose from; none while the dialog is closed."""
    place: int = 0
    """The chosen scope."""
    options: ExportOptions = field(default_factory=first_options)
    """Those that were chosen last; another export begins with them."""
    variables: str = ""
    """Variables that are columns of their own, as they were written."""
    saved: str = ""
    """The saved preset that was chosen; empty for one of the program's."""
    job: ExportJob | None = None
    """The export that is being written, or waits to be fetched."""
    token: str = ""
    """The token of its file."""
    sample: tuple[Any, Sample] | None = None
    """The runs that previews are made of, and what they are of."""
    preview: Preview | None = None
    generation: int = 0
    """Counts how often controls got values from elsewhere; part of their keys."""
    moves: int = 0
    """Counts how often a column was moved; part of the key of their list."""

    @property
    def scope(self) -> ExportScope:
        """Return the chosen scope."""
        return self.scopes[min(self.place, len(self.scopes) - 1)]

    def drop_job(self) -> None:
        """Cancel the export; a finished file can still be fetched."""
        if self.job is not None and not self.token:
            self.job.close()
        self.job, self.token = None, ""
