from __future__ import annotations

import pytest

from debugger.analysis.differences import Span
from debugger.views.panels.compare.differences import side_marks, status_chip, value_marks


def test_change_late_in_a_long_text_is_shown():
    lead = "word " * 1_000

    a, b = value_marks(f"{lead}old {lead}", f"{lead}new {lead}", "changed")

    assert ("old", "removed") in a
    assert ("new", "added") in b
    assert sum(len(text) for text, _ in (*a, *b)) < 4_000


@pytest.mark.parametrize(
    ("before", "after", "op", "marks"),
    [
        (None, 42, "added", ([("absent", "quiet")], [("42", "added")])),
        (None, None, "removed", ([("null", "removed")], [("absent", "quiet")])),
        ("42", 42, "changed", ([('"', "removed"), ("42", "same"), ('"', "removed")], [("42", "same")])),
        (True, True, "same", ([("true", "same")], [("true", "same")])),
    ],
)
def test_values_of_both_runs_are_told_apart(before, after, op, marks):
    assert value_marks(before, after, op) == marks


def test_marked_words_have_no_space_at_their_ends():
    pieces = [Span("a", "same"), Span(" tea ", "removed"), Span(" ", "added"), Span("b", "same")]

    assert side_marks(pieces, "removed") == [
        ("a", "same"),
        (" ", "same"),
        ("tea", "removed"),
        (" ", "same"),
        ("b", "same"),
    ]
    assert side_marks(pieces, "added") == [("a", "same"), (" ", "same"), ("b", "same")]


def test_changed_row_says_what_changed():
    assert status_chip("changed", "text: 1 → 2") == [("~ text: 1 → 2", "orange")]
    assert status_chip("changed") == [("~ changed", "orange")]
    assert status_chip("only_b", "Only in B") == [("+ only B", "blue")]
