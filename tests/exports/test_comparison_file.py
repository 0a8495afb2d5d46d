from __future__ import annotations

import csv
import io

from debugger.analysis.comparison.comparison import compare
from debugger.exports.csv_files import COMPARISON_COLUMNS, comparison_csv
from tests.analysis.comparison.turns import at, speaks, turn


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_every_row_is_told_with_both_events_and_what_differs():
    a = [turn(1, "hi", speaks("desk", "Hello"), at("tea"))]
    b = [turn(1, "hi", speaks("desk", "Hullo"))]

    same, changed, alone = rows(comparison_csv(compare(a, b), {"desk": "Front desk"}))

    assert (same["verdict"], same["type"], same["a"]) == ("same", "run_input", "hi")
    assert (changed["node_name"], changed["differing_values"]) == ("Front desk", "content")
    assert (changed["event_a"], changed["event_b"]) == ("0", "0")
    assert (alone["verdict"], alone["event_a"], alone["event_b"], alone["b"]) == ("only_a", "1", "", "")


def test_without_rows_there_is_the_header_alone():
    assert comparison_csv(compare([], []), {}).decode("utf-8-sig") == ",".join(COMPARISON_COLUMNS) + "\r\n"


def test_what_a_spreadsheet_would_run_is_taken_as_text():
    (row,) = rows(comparison_csv(compare([turn(1, "=1+1")], []), {}))

    assert row["a"] == "'=1+1"
