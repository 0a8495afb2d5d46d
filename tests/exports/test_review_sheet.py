from __future__ import annotations

import pytest

from debugger.errors import InputError
from debugger.exports.csv_files import csv_bytes, remove_formula_guard
from debugger.exports.review_sheet import Problem, SheetComment, SheetTags, SheetVerdict, read_sheet
from debugger.protocol.notes import Target

RUN = "665f0c2b9a3e4d5f6a7b8c90"
OTHER = "665f0c2b9a3e4d5f6a7b8c91"


def sheet(*rows):
    """Read a sheet of these rows, the columns first."""
    return read_sheet(csv_bytes(rows[0], rows[1:]), "reviewed.csv")


def test_rows_name_what_their_verdict_is_on():
    found = sheet(
        ("run_id", "turn", "sequence", "verdict", "reviewer", "comment", "verdict_at"),
        (RUN, 2, 5, "fail", "Ada", " Too\r\nlong ", "2026-11-01T10:00:00.000Z"),
        (RUN, 2, "", "Pass ", "", "", ""),
        (RUN.upper(), "", "", "unsure", "  Ben  B. ", "", ""),
        (OTHER, 1, 1, "", "", "", ""),
    )

    assert found.verdicts == [
        SheetVerdict(2, RUN, Target.message(5), "fail", "Ada", "Too\nlong", "2026-11-01T10:00:00.000Z"),
        SheetVerdict(3, RUN, Target.turn(2), "pass", "", "", ""),
    ]
    assert found.run_verdicts == [SheetVerdict(4, RUN, Target(), "unsure", "Ben B.", "", "")]
    assert (found.row_count, found.problems, found.run_ids) == (4, [], {RUN})


def test_run_verdict_and_tags_are_read_per_row():
    found = sheet(
        ("run_id", "turn", "run_verdict", "run_reviewer", "run_comment", "tags"),
        (RUN, 1, "pass", "Ada", "Fine", "late  shift, smoke,,smoke"),
        (RUN, 2, "", "", "", ""),
    )

    assert found.run_verdicts == [SheetVerdict(2, RUN, Target(), "pass", "Ada", "Fine", "")]
    assert [(tags.row, tags.tags) for tags in found.tags] == [(2, ["late shift", "smoke"]), (3, [])]
    assert isinstance(found.tags[0], SheetTags)


def test_comment_without_verdict_is_read_by_itself():
    found = sheet(
        ("run_id", "sequence", "verdict", "reviewer", "comment", "run_comment"),
        (RUN, 3, "", "Ben", " Nice ", "Fine"),
    )

    assert found.comments == [
        SheetComment(2, RUN, Target(), "", "Fine"),
        SheetComment(2, RUN, Target.message(3), "Ben", "Nice"),
    ]
    assert (found.verdicts, found.run_verdicts, found.problems) == ([], [], [])


def test_other_columns_are_listed():
    found = sheet(("run_id", "text", "verdict", "My notes"), (RUN, "Hello", "pass", "x"))

    assert found.ignored == ["text", "my notes"]
    assert found.tags == []


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (("nonsense", 1, "pass", "", ""), "'nonsense' is not a run id: 24 hexadecimal digits."),
        (("", 1, "pass", "", ""), "'' is not a run id: 24 hexadecimal digits."),
        ((RUN, 1, "good", "", ""), "'good' is not a verdict: pass, fail or unsure."),
        ((RUN, "one", "pass", "", ""), "'one' is not a turn number."),
        ((RUN, 0, "pass", "", ""), "'0' is not a turn number."),
        ((RUN, 1, "pass", "x" * 5_001, ""), "The comment has 5001 characters."),
        ((RUN, 1, "", "x" * 5_001, ""), "The comment has 5001 characters."),
        ((RUN, 1, "pass", "", "x" * 51), "The tag 'xxxxxxxxxxxxxxxxxxxx'… has 51 characters, not 50."),
    ],
)
def test_bad_row_is_named_and_others_are_read(cells, sentence):
    found = sheet(
        ("run_id", "turn", "verdict", "comment", "tags"), cells, (OTHER, 1, "fail", "Clear", "smoke")
    )

    assert found.problems == [Problem(2, sentence)]
    assert [(verdict.row, verdict.value) for verdict in found.verdicts if verdict.run_id == OTHER] == [
        (3, "fail")
    ]


def test_column_that_is_there_twice_is_rejected():
    with pytest.raises(InputError, match="column 'verdict' twice"):
        sheet(("run_id", "verdict", "Verdict"), (RUN, "pass", "fail"))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+49 30 123",
        "-",
        "@cmd",
        " \u200b=x",
        '"=x',
        "fine",
        "a;=b",
        "a\n-b\r\n+c",
        "\t=x",
        "it's = 3",
        "'quoted'",
        "🫖\n=🫖",
        "＝wide",
    ],
)
def test_guard_of_our_csv_is_undone(text):
    rows = read_sheet(
        csv_bytes(("run_id", "verdict", "comment"), [(RUN, "pass", f"{text}")]), "a.csv"
    ).run_verdicts

    assert rows[0].comment == text.strip().replace("\r\n", "\n")


def test_unguarded_text_stays():
    assert remove_formula_guard("don't; 'a' = b") == "don't; 'a' = b"
