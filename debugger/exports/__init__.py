"""A run as a file. A new format is a file in this folder with a line in one of the lists below."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from debugger.analysis.transcript import TranscriptRow
from debugger.exports.base import Export
from debugger.exports.csv_files import EVERYTHING, QA_REVIEW, SideEffectRow, side_effects_csv, transcript_csv
from debugger.exports.json_files import EventLine, json_lines, run_json
from debugger.protocol.run_file import RunFile

EXPORTS: dict[str, Export[Sequence[TranscriptRow]]] = {
    "csv_review": Export(
        "CSV for QA review", ".csv", "text/csv; charset=utf-8", partial(transcript_csv, columns=QA_REVIEW)
    ),
    "csv": Export(
        "CSV with every column",
        ".csv",
        "text/csv; charset=utf-8",
        partial(transcript_csv, columns=EVERYTHING),
    ),
}
"""Every format of a transcript by its name."""

RUN_EXPORTS: dict[str, Export[RunFile]] = {
    "json": Export("Run as JSON", ".run.json", "application/json", run_json),
}
"""Every format of a whole run by its name."""

EVENT_EXPORTS: dict[str, Export[Sequence[EventLine]]] = {
    "jsonl": Export("Events as JSON lines", ".events.jsonl", "application/x-ndjson", json_lines),
}
"""Every format of a run's events by its name."""

SIDE_EFFECTS: dict[str, Export[Sequence[SideEffectRow]]] = {
    "csv": Export("CSV of side effects", ".csv", "text/csv; charset=utf-8", side_effects_csv),
}
"""Every format of a ledger of side effects by its name."""
