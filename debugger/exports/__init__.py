"""Exports of runs; a new format is a line in `formats.EXPORTS`.

    >>> import io
    >>> from debugger.backends.embedded import EmbeddedBackend
    >>> from debugger.exports import ExportOptions, RunReader, TableOptions, write_export
    >>> from debugger.protocol.runs import TurnInput
    >>> from debugger.samples import SAMPLES
    >>> from debugger.settings import Settings
    >>> backend = EmbeddedBackend(Settings(database="sqlite://"))
    >>> workflow = backend.create_workflow(SAMPLES[0].load_documents()[0], name="Tea")
    >>> turn = backend.execute(workflow.id, TurnInput.with_message(None)).finish()
    >>> options = ExportOptions("csv", table=TableOptions("message", ("turn", "role", "node")))
    >>> file = io.BytesIO()
    >>> write_export(file, RunReader(backend, backend.store).read([turn.run_id]), options).rows
    2
    >>> file.getvalue().decode("utf-8-sig").splitlines()
    ['turn,role,node', '1,agent,Welcome', '1,agent,Tea of the day']
    >>> backend.close()

Personal data is masked unless `MaskingOptions` say otherwise, secrets always. The names in
``__all__`` are public (``docs/python.md``); all else may change with any version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from debugger.lazy_names import lazy_names

if TYPE_CHECKING:
    from debugger.boundary import MaskingOptions
    from debugger.exports.columns import COLUMNS
    from debugger.exports.csv_files import CsvOptions
    from debugger.exports.formats import EXPORTS, ExportCancelled, ExportOptions, ExportProgress, write_export
    from debugger.exports.presets import PRESETS, preset_columns
    from debugger.exports.records import ExportedRun
    from debugger.exports.sources import RunFilter, RunReader, find_run_ids
    from debugger.exports.table import TableOptions

__all__ = [
    "COLUMNS",
    "EXPORTS",
    "PRESETS",
    "CsvOptions",
    "ExportCancelled",
    "ExportOptions",
    "ExportProgress",
    "ExportedRun",
    "MaskingOptions",
    "RunFilter",
    "RunReader",
    "TableOptions",
    "find_run_ids",
    "preset_columns",
    "write_export",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "COLUMNS": "debugger.exports.columns",
        "EXPORTS": "debugger.exports.formats",
        "PRESETS": "debugger.exports.presets",
        "CsvOptions": "debugger.exports.csv_files",
        "ExportCancelled": "debugger.exports.formats",
        "ExportOptions": "debugger.exports.formats",
        "ExportProgress": "debugger.exports.formats",
        "ExportedRun": "debugger.exports.records",
        "MaskingOptions": "debugger.boundary",
        "RunFilter": "debugger.exports.sources",
        "RunReader": "debugger.exports.sources",
        "TableOptions": "debugger.exports.table",
        "find_run_ids": "debugger.exports.sources",
        "preset_columns": "debugger.exports.presets",
        "write_export": "debugger.exports.formats",
    },
)
