from __future__ import annotations

import csv
import io
import json

import pytest

from debugger.analysis.comparison.comparison import compare
from debugger.analysis.side_effects import SideEffect
from debugger.analysis.transcript import RunFacts, TranscriptRow, transcript
from debugger.errors import InputError
from debugger.exports import EXPORTS
from debugger.exports.csv_files import (
    COMPARISON_COLUMNS,
    EVERYTHING,
    QA_REVIEW,
    SideEffectRow,
    comparison_csv,
    side_effect_rows,
    side_effects_csv,
    transcript_csv,
)
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from tests.support.short_turns import at, speaks, turn

BOM = b"\xef\xbb\xbf"


def rows_saying(*texts: str) -> list[TranscriptRow]:
    events = [
        parse_event({"type": "assistant_response", "content": text, "timestamp": 1785200000.0})
        for text in texts
    ]
    return transcript(RunFacts("run1", workflow_name="Tea, 'shop'"), [TurnLog(1, TurnInput(), events)], None)


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        'He said "Assam", then left',
        "one\ntwo\r\nthree\rfour",
        "🫖 ☕ 👩‍👩‍👧",
        "שלום עולם, مرحبا",
        " spaces kept ",
        "it's",
        "semi;colon\tand tab",
        "x" * 100_000,
    ],
)
def test_csv_round_trips_texts(text):
    rows = rows_saying(text)

    found = read(transcript_csv(rows))

    assert [row["text"] for row in found] == [text]
    assert found[0]["workflow_name"] == "Tea, 'shop'"


@pytest.mark.parametrize(
    "text",
    ['=HYPERLINK("http://x","y")', "+49 30 1234", "-1+1", "@SUM(A1)", "\tone", "\rone", "\none", "＝1"],
)
def test_csv_escapes_formulas(text):
    (found,) = read(transcript_csv(rows_saying(text)))

    assert found["text"] == f"'{text}"


def test_formula_behind_a_semicolon_gets_an_apostrophe():
    (found,) = read(transcript_csv(rows_saying("a;=1\t+2\n-3")))

    assert found["text"] == "a;'=1\t'+2\n'-3"


def test_csv_keeps_formulas_inside_texts():
    (found,) = read(transcript_csv(rows_saying("1=1")))

    assert found["text"] == "1=1"


def test_a_negative_number_is_no_formula():
    (row,) = rows_saying("Hi")

    (found,) = read(transcript_csv([row._replace(at_ms=-12.5)]))

    assert found["at_ms"] == "-12.5"


def test_csv_line_endings_follow_rfc_4180():
    data = transcript_csv(rows_saying("one\ntwo"), columns=["seq", "text"])

    assert data == BOM + b'seq,text\r\n1,"one\ntwo"\r\n'


def test_csv_begins_with_a_bom():
    assert transcript_csv([]).startswith(BOM + b"schema_version,")


def test_without_rows_there_is_one_header():
    assert transcript_csv([], columns=QA_REVIEW) == BOM + (",".join(QA_REVIEW) + "\r\n").encode()


def test_csv_has_every_column_in_order():
    (found,) = read(transcript_csv(rows_saying("Hi")))

    assert tuple(found) == EVERYTHING == TranscriptRow._fields
    assert found["schema_version"] == "1"


def test_csv_review_columns_are_a_subset():
    (found,) = read(transcript_csv(rows_saying("Hi"), columns=QA_REVIEW))

    assert tuple(found) == QA_REVIEW
    assert set(QA_REVIEW) < set(EVERYTHING)
    assert found["text"] == "Hi"


def test_one_column_alone_is_possible():
    assert transcript_csv(rows_saying("Hi"), columns=["text"]) == BOM + b"text\r\nHi\r\n"


def test_csv_booleans_and_none():
    (found,) = read(transcript_csv(rows_saying("Hi")))

    assert found["is_waiting_for_input"] == "false"
    assert found["latency_ms"] == found["version_number"] == ""


def test_csv_escapes_lone_surrogates():
    (found,) = read(transcript_csv(rows_saying("broken \ud83e end")))

    assert found["text"] == "broken \\ud83e end"


@pytest.mark.parametrize("columns", [["text", "mood"], []])
def test_csv_rejects_unknown_columns(columns):
    with pytest.raises(InputError, match="Choose from schema_version, run_id"):
        transcript_csv([], columns=columns)


def test_csv_is_deterministic():
    assert transcript_csv(rows_saying("a", "b")) == transcript_csv(rows_saying("a", "b"))


@pytest.mark.parametrize("name", [name for name, export in EXPORTS.items() if export.source == "transcript"])
def test_transcript_exports_have_schema_version(name):
    export = EXPORTS[name]

    (found,) = read(export.render(rows_saying("Hi")))

    assert export.extension == ".csv"
    assert found["schema_version"] == "1"


def test_csv_marks_background_work():
    said = parse_event({"type": "assistant_response", "content": "Bye"})
    logs = [TurnLog(1, TurnInput(), [said]), TurnLog(1, TurnInput(), [said], is_background=True)]
    rows = transcript(RunFacts("run1"), logs, None)

    files = [read(transcript_csv(rows, columns=columns)) for columns in (EVERYTHING, QA_REVIEW)]

    for found in files:
        assert [(row["turn_number"], row["is_background"]) for row in found] == [
            ("1", "false"),
            ("1", "true"),
        ]


UTF8_BOM = b"\xef\xbb\xbf"


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


def read_rows(data):
    return list(csv.DictReader(io.StringIO(data.removeprefix(UTF8_BOM).decode())))


def test_side_effects_csv_has_id_and_name():
    rows = side_effect_rows("run_1", [effect()])

    (found,) = read_rows(side_effects_csv(rows))

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


def test_side_effects_csv_escapes_formulas():
    (found,) = read_rows(side_effects_csv(side_effect_rows("run_1", [effect(error="=1+1")])))

    assert found["error_message"] == "'=1+1"


def test_no_calls_give_the_header_alone():
    assert side_effects_csv([]) == UTF8_BOM + (",".join(SideEffectRow._fields) + "\r\n").encode()


def test_side_effects_export_renders():
    rows = side_effect_rows("run_1", [effect()])

    export = EXPORTS["side_effects_csv"]

    assert export.render(rows).startswith(UTF8_BOM + b"schema_version,run_id,")
    assert all(export.label and export.extension and export.media_type for export in EXPORTS.values())


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_comparison_csv_has_both_events():
    a = [turn(1, "hi", speaks("desk", "Hello"), at("tea"))]
    b = [turn(1, "hi", speaks("desk", "Hullo"))]

    same, changed, alone = rows(comparison_csv(compare(a, b), {"desk": "Front desk"}))

    assert (same["verdict"], same["type"], same["a"]) == ("same", "run_input", "hi")
    assert (changed["node_name"], changed["differing_values"]) == ("Front desk", "content")
    assert (changed["event_a"], changed["event_b"]) == ("0", "0")
    assert (alone["verdict"], alone["event_a"], alone["event_b"], alone["b"]) == ("only_a", "1", "", "")


def test_without_rows_there_is_the_header_alone():
    assert comparison_csv(compare([], []), {}).decode("utf-8-sig") == ",".join(COMPARISON_COLUMNS) + "\r\n"


def test_comparison_csv_escapes_formulas():
    (row,) = rows(comparison_csv(compare([turn(1, "=1+1")], []), {}))

    assert row["a"] == "'=1+1"
