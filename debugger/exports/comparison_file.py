"""A comparison of two runs as CSV (RFC 4180), made to be opened in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from debugger.analysis.comparison.comparison import Comparison
from debugger.exports.csv_file import csv_bytes

SCHEMA_VERSION = 1
"""Counts up when a column changes its meaning."""

COLUMNS = (
    "schema_version",
    "row",
    "verdict",
    "turn",
    "node_logical_id",
    "node_name",
    "type",
    "event_a",
    "event_b",
    "a",
    "b",
    "differing_values",
)


def comparison_csv(found: Comparison, names: Mapping[str, str]) -> bytes:
    """The rows of a comparison in UTF-8.

    Args:
        found: The comparison.
        names: The author's node names by id.
    """
    return csv_bytes(COLUMNS, _rows(found, names))


def _rows(found: Comparison, names: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(found.rows, start=1):
        one, other = found.pair(row)
        item = found.either(row)
        yield (
            SCHEMA_VERSION,
            number,
            row.verdict,
            row.turn,
            item.node or "",
            names.get(item.node or "", ""),
            item.type,
            one.event_index if one else None,
            other.event_index if other else None,
            one.summary if one else "",
            other.summary if other else "",
            ", ".join(each.path for each in found.differences(row)) if row.verdict == "changed" else "",
        )
