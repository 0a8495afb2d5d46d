from __future__ import annotations

import csv
import io
import json

from debugger.analysis.side_effects import SideEffect
from debugger.exports import SIDE_EFFECTS
from debugger.exports.csv_files import SideEffectRow, side_effect_rows, side_effects_csv

BOM = b"\xef\xbb\xbf"


def effect(**fields):
    blank = SideEffect(
        turn_number=2,
        is_background=True,
        time="2026-01-02T03:04:05.000Z",
        node_logical_id="booking/save",
        node_name="Booking › Save",
        kind="http",
        call_class="write",
        target="POST https://api.example/",
        how="blocked",
        success=False,
        status_code=None,
        error="It was not called.",
        duration_milliseconds=0.5,
        request={"body": {"name": "Ann"}},
    )
    return blank._replace(**fields)


def read(data):
    return list(csv.DictReader(io.StringIO(data.removeprefix(BOM).decode())))


def test_a_call_becomes_a_row_with_its_raw_id_and_its_readable_name():
    rows = side_effect_rows("run_1", [effect()])

    (found,) = read(side_effects_csv(rows))

    assert json.loads(found.pop("request")) == {"body": {"name": "Ann"}}
    assert found == {
        "schema_version": "1",
        "run_id": "run_1",
        "seq": "1",
        "turn_number": "2",
        "is_background": "true",
        "at": "2026-01-02T03:04:05.000Z",
        "node_logical_id": "booking/save",
        "node_name": "Booking › Save",
        "kind": "http",
        "call_class": "write",
        "target": "POST https://api.example/",
        "how": "blocked",
        "outcome": "not made",
        "status_code": "",
        "duration_ms": "0.5",
        "error_message": "It was not called.",
    }


def test_the_rows_are_counted_over_the_run():
    rows = side_effect_rows("run_1", [effect(), effect(turn_number=3)])

    assert [(row.seq, row.turn_number) for row in rows] == [(1, 2), (2, 3)]


def test_what_a_spreadsheet_would_run_is_made_harmless():
    (found,) = read(side_effects_csv(side_effect_rows("run_1", [effect(error="=1+1")])))

    assert found["error_message"] == "'=1+1"


def test_no_calls_give_the_header_alone():
    assert side_effects_csv([]) == BOM + (",".join(SideEffectRow._fields) + "\r\n").encode()


def test_every_format_of_the_ledger_can_be_rendered():
    rows = side_effect_rows("run_1", [effect()])

    files = {name: export.render(rows) for name, export in SIDE_EFFECTS.items()}

    assert files["csv"].startswith(BOM + b"schema_version,run_id,")
    assert all(export.label and export.extension and export.media_type for export in SIDE_EFFECTS.values())
