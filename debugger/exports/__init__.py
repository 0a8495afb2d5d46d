"""A run as a file. A new format is a file in this folder with a line in `EXPORTS`."""

from __future__ import annotations

from functools import partial

from debugger.exports.base import Export
from debugger.exports.csv_file import EVERYTHING, QA_REVIEW, transcript_csv

EXPORTS: dict[str, Export] = {
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
"""Every format by its name."""
