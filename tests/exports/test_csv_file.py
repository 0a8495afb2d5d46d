from __future__ import annotations

import csv
import io

import pytest

from debugger.analysis.transcript import RunFacts, TranscriptRow, transcript
from debugger.errors import InputError
from debugger.exports import EXPORTS
from debugger.exports.csv_files import EVERYTHING, QA_REVIEW, transcript_csv
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog

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
def test_every_text_is_read_back_as_it_was(text):
    rows = rows_saying(text)

    found = read(transcript_csv(rows))

    assert [row["text"] for row in found] == [text]
    assert found[0]["workflow_name"] == "Tea, 'shop'"


@pytest.mark.parametrize(
    "text",
    ['=HYPERLINK("http://x","y")', "+49 30 1234", "-1+1", "@SUM(A1)", "\tone", "\rone", "\none", "＝1"],
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    (found,) = read(transcript_csv(rows_saying(text)))

    assert found["text"] == f"'{text}"


def test_formula_behind_a_semicolon_gets_an_apostrophe():
    (found,) = read(transcript_csv(rows_saying("a;=1\t+2\n-3")))

    assert found["text"] == "a;'=1\t'+2\n'-3"


def test_a_formula_inside_a_text_is_left_alone():
    (found,) = read(transcript_csv(rows_saying("1=1")))

    assert found["text"] == "1=1"


def test_a_negative_number_is_no_formula():
    (row,) = rows_saying("Hi")

    (found,) = read(transcript_csv([row._replace(at_ms=-12.5)]))

    assert found["at_ms"] == "-12.5"


def test_lines_end_as_the_standard_says_and_breaks_stay_inside_quotes():
    data = transcript_csv(rows_saying("one\ntwo"), columns=["seq", "text"])

    assert data == BOM + b'seq,text\r\n1,"one\ntwo"\r\n'


def test_excel_is_told_that_it_is_utf_8():
    assert transcript_csv([]).startswith(BOM + b"schema_version,")


def test_without_rows_there_is_one_header():
    assert transcript_csv([], columns=QA_REVIEW) == BOM + (",".join(QA_REVIEW) + "\r\n").encode()


def test_everything_begins_with_the_schema_version_and_has_every_column_in_order():
    (found,) = read(transcript_csv(rows_saying("Hi")))

    assert tuple(found) == EVERYTHING == TranscriptRow._fields
    assert found["schema_version"] == "1"


def test_the_review_columns_are_a_part_of_everything():
    (found,) = read(transcript_csv(rows_saying("Hi"), columns=QA_REVIEW))

    assert tuple(found) == QA_REVIEW
    assert set(QA_REVIEW) < set(EVERYTHING)
    assert found["text"] == "Hi"


def test_one_column_alone_is_possible():
    assert transcript_csv(rows_saying("Hi"), columns=["text"]) == BOM + b"text\r\nHi\r\n"


def test_yes_and_no_are_written_in_lower_case_and_nothing_is_empty():
    (found,) = read(transcript_csv(rows_saying("Hi")))

    assert found["is_waiting_for_input"] == "false"
    assert found["latency_ms"] == found["version_number"] == ""


def test_half_of_a_character_does_not_spoil_the_file():
    (found,) = read(transcript_csv(rows_saying("broken \ud83e end")))

    assert found["text"] == "broken \\ud83e end"


@pytest.mark.parametrize("columns", [["text", "mood"], []])
def test_columns_that_cannot_be_written_are_refused_with_those_that_can(columns):
    with pytest.raises(InputError, match="Choose from schema_version, run_id"):
        transcript_csv([], columns=columns)


def test_the_same_rows_always_give_the_same_bytes():
    assert transcript_csv(rows_saying("a", "b")) == transcript_csv(rows_saying("a", "b"))


@pytest.mark.parametrize("name", list(EXPORTS))
def test_every_export_renders_a_file_that_begins_with_the_schema_version(name):
    export = EXPORTS[name]

    (found,) = read(export.render(rows_saying("Hi")))

    assert export.extension == ".csv"
    assert found["schema_version"] == "1"


def test_background_work_is_told_apart_in_both_files():
    said = parse_event({"type": "assistant_response", "content": "Bye"})
    logs = [TurnLog(1, TurnInput(), [said]), TurnLog(1, TurnInput(), [said], is_background=True)]
    rows = transcript(RunFacts("run1"), logs, None)

    files = [read(transcript_csv(rows, columns=columns)) for columns in (EVERYTHING, QA_REVIEW)]

    for found in files:
        assert [(row["turn_number"], row["is_background"]) for row in found] == [
            ("1", "false"),
            ("1", "true"),
        ]
