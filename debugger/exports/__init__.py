"""A run as a file. A new format is a file in this folder with a line in `EXPORTS`."""

from __future__ import annotations

from functools import partial

from debugger.analysis.transcript import TranscriptRow
from debugger.exports.base import Export
from debugger.exports.csv_file import EVERYTHING, QA_REVIEW, transcript_csv
from debugger.exports.side_effects_file import SideEffectRow, side_effects_csv

EXPORTS: dict[str, Export[TranscriptRow]] = {
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

SIDE_EFFECTS: dict[str, Export[SideEffectRow]] = {
    "csv": Export("CSV of side effects", ".csv", "text/csv; charset=utf-8", side_effects_csv),
}
"""Every format of a ledger of side effects by its name."""
