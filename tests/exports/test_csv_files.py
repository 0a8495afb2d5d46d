from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.analysis.comparison.comparison import compare
from debugger.analysis.side_effects import SideEffect
from debugger.exports.csv_files import (
    COMPARISON_COLUMNS,
    SEPARATORS,
    SIDE_EFFECT_COLUMNS,
    CsvOptions,
    comparison_csv,
    csv_bytes,
    remove_formula_guard,
    side_effects_csv,
    write_csv,
)
from tests.support.short_turns import at, speaks, turn

BOM = b"\xef\xbb\xbf"


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def saying(*texts: str) -> bytes:
    return csv_bytes(["text"], [[text] for text in texts])


def made(options: CsvOptions, *rows: list[object]) -> bytes:
    file = io.BytesIO()
    write_csv(file, ["a", "b"], rows, options)
    return file.getvalue()


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
    assert read(saying(text)) == [{"text": text}]


@pytest.mark.parametrize(
    "text",
    ['=HYPERLINK("http://x","y")', "+49 30 1234", "-1+1", "@SUM(A1)", "\tone", "\rone", "\none", "＝1"],
)
def test_csv_escapes_formulas(text):
    assert read(saying(text)) == [{"text": f"'{text}"}]


def test_formula_behind_a_semicolon_gets_an_apostrophe():
    assert read(saying("a;=1\t+2\n-3")) == [{"text": "a;'=1\t'+2\n'-3"}]


def test_formula_behind_an_unquoted_comma_gets_an_apostrophe():
    assert made(CsvOptions(False, ";"), ["x,=1", 2]) == b"a;b\r\nx,'=1;2\r\n"


@pytest.mark.parametrize("separator", SEPARATORS)
def test_guard_is_removed_for_each_separator(separator):
    text = "=late; +1, -1 point,@me"
    [row] = csv.reader(
        io.StringIO(made(CsvOptions(False, separator), [text, 1]).decode().partition("\n")[2]),
        delimiter=separator,
    )

    assert remove_formula_guard(row[0]) == text


def test_csv_keeps_formulas_inside_texts():
    assert read(saying("1=1")) == [{"text": "1=1"}]


def test_guard_can_be_switched_off():
    assert made(CsvOptions(False, is_guarded=False), ["=1+1", True]) == b"a,b\r\n=1+1,true\r\n"


@pytest.mark.parametrize(("separator", "line"), [(",", b"1,x\r\n"), (";", b"1;x\r\n"), ("\t", b"1\tx\r\n")])
def test_csv_separator_and_line_ends(separator, line):
    assert made(CsvOptions(False, separator), [1, "x"]).endswith(line)


def test_byte_order_mark_can_be_left_out():
    assert made(CsvOptions()).startswith(BOM)
    assert made(CsvOptions(has_bom=False)) == b"a,b\r\n"


def test_file_stays_open_after_writing():
    file = io.BytesIO()

    write_csv(file, ["a"], [], CsvOptions())

    assert not file.closed


CELLS = st.sampled_from(
    ["", "a", "0", " ", ",", ";", "\t", '"', "\r", "\n", "é", "=1", "🫖", None, 0, 1, -1.5, 1e30, 2.0]
)


@given(rows=st.lists(st.lists(CELLS | st.text(max_size=4), max_size=4), max_size=6))
@pytest.mark.parametrize("separator", SEPARATORS)
def test_lines_equal_those_of_csv_writer(separator, rows):
    expected = io.StringIO(newline="")
    csv.writer(expected, delimiter=separator).writerows([["a", "b"], *rows])

    found = made(CsvOptions(False, separator, is_guarded=False), *rows)

    controls = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"  # no terminal is commanded
    assert found.decode() == re.sub(controls, "\ufffd", expected.getvalue())


def test_numbers_truth_values_and_none():
    assert made(CsvOptions(False), [-12.5, None], [True, False]) == b"a,b\r\n-12.5,\r\ntrue,false\r\n"


def test_csv_escapes_lone_surrogates():
    assert read(saying("broken \ud83e end")) == [{"text": "broken \\ud83e end"}]


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
    (found,) = read_rows(side_effects_csv("run_1", [effect()]))

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
    rows = read_rows(side_effects_csv("run_1", [effect(), effect(turn_number=3)]))

    assert [(row["seq"], row["turn_number"]) for row in rows] == [("1", "2"), ("2", "3")]


def test_side_effects_csv_escapes_formulas():
    (found,) = read_rows(side_effects_csv("run_1", [effect(error="=1+1")]))

    assert found["error_message"] == "'=1+1"


def test_no_calls_give_the_header_alone():
    assert side_effects_csv("run_1", []) == UTF8_BOM + (",".join(SIDE_EFFECT_COLUMNS) + "\r\n").encode()


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


def test_comparison_csv_masks_secrets_of_urls():
    said = "https://ada:sesame@example.org/?token=abcdef"

    (row,) = rows(comparison_csv(compare([turn(1, said)], []), {}))

    assert row["a"].startswith("https://")
    assert "sesame" not in row["a"]
    assert "abcdef" not in row["a"]


CARD, MAIL = "4111 1111 1111 1111", "ada@example.org"


def test_comparison_csv_masks_texts_by_the_rules_of_exports():
    a = [turn(1, f"My card is {CARD}", speaks("desk", f"Write to {MAIL}"))]
    b = [turn(1, f"My card is {CARD}", speaks("desk", f"Call desk {CARD}"))]

    said, changed = rows(comparison_csv(compare(a, b), {"desk": CARD}))

    assert CARD not in said["a"] + said["b"] + changed["b"]
    assert said["a"].startswith("My card is [")
    assert MAIL not in changed["a"]
    assert changed["node_name"] == CARD
    assert changed["differing_values"] == "content"


def test_comparison_csv_keeps_names_of_the_workflow_in_texts():
    said = [turn(1, f"Room {CARD}")]

    (row,) = rows(comparison_csv(compare(said, said), {}, [f"Room {CARD}"]))

    assert row["a"] == f"Room {CARD}"


def test_side_effects_csv_masks_texts_and_requests_by_the_rules_of_exports():
    called = effect(
        target="POST https://api.example/?to=ada@example.org",
        error=f"{MAIL} is no card",
        node_name=CARD,
        request={"body": {"card": CARD, "password": "sesame", "count": 4}},
    )

    (found,) = read_rows(side_effects_csv("4111111111111111", [called]))

    assert MAIL not in found["target"] + found["error_message"]
    body = json.loads(found["request"])["body"]
    assert (body["count"], "sesame" in str(body), CARD in str(body)) == (4, False, False)
    assert (found["run_id"], found["node_name"]) == ("4111111111111111", CARD)
