"""Exports of runs; a new format is a line in `EXPORTS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from debugger.exports.csv_files import EVERYTHING, QA_REVIEW, side_effects_csv, transcript_csv
from debugger.exports.json_files import json_lines, run_json

_CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True)
class Export:
    """One file format."""

    source: Literal["transcript", "run", "events", "side_effects"]
    """The argument of `render`: transcript rows, a run file, event lines, or rows of side effects."""
    label: str
    """The name for users."""
    extension: str
    """With its dot."""
    media_type: str
    render: Callable[[Any], bytes]
    """Return the whole file."""


EXPORTS: dict[str, Export] = {
    "csv_review": Export(
        "transcript", "CSV for QA review", ".csv", _CSV, partial(transcript_csv, columns=QA_REVIEW)
    ),
    "csv": Export(
        "transcript", "CSV with every column", ".csv", _CSV, partial(transcript_csv, columns=EVERYTHING)
    ),
    "json": Export("run", "Run as JSON", ".run.json", "application/json", run_json),
    "jsonl": Export("events", "Events as JSON lines", ".events.jsonl", "application/x-ndjson", json_lines),
    "side_effects_csv": Export("side_effects", "CSV of side effects", ".csv", _CSV, side_effects_csv),
}
"""Every format by name, in the order of the menu."""
