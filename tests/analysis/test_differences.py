from __future__ import annotations

import random

import pytest

from debugger.analysis.differences import (
    Difference,
    Span,
    differences,
    is_identical_json,
    readable_diff,
    text_diff,
)


def test_differences_added_removed_and_changed():
    found = differences(
        {"tea": "Assam", "sugar": 1, "cup": "blue"}, {"tea": "Darjeeling", "cup": "blue", "milk": True}
    )

    assert found == [
        Difference("tea", "Assam", "Darjeeling", "changed"),
        Difference("sugar", 1, None, "removed"),
        Difference("milk", None, True, "added"),
    ]


def test_objects_and_lists_are_gone_into():
    before = {"order": {"teas": [{"name": "Assam"}, {"name": "Oolong"}], "paid": False}}
    after = {"order": {"teas": [{"name": "Assam"}, {"name": "Sencha"}, {"name": "Mate"}], "paid": False}}

    assert differences(before, after) == [
        Difference("order.teas[1].name", "Oolong", "Sencha", "changed"),
        Difference("order.teas[2]", None, {"name": "Mate"}, "added"),
    ]


def test_a_shorter_list_lost_its_last_values():
    assert differences({"xs": [1, 2]}, {"xs": [1]}) == [Difference("xs[1]", 2, None, "removed")]


def test_differences_of_another_type():
    assert differences({"a": {"b": 1}}, {"a": "b"}) == [Difference("a", {"b": 1}, "b", "changed")]


def test_differences_keep_types_and_nulls_apart():
    assert differences({"a": 1, "b": None}, {"a": True}) == [
        Difference("a", 1, True, "changed"),
        Difference("b", None, None, "removed"),
    ]


def test_equal_objects_have_no_changes():
    assert differences({"a": [1, {"b": 2.0}]}, {"a": [1, {"b": 2}]}) == []


def test_differences_match_list_items_by_id():
    before = [{"id": 7, "tea": "Assam"}, {"id": 8, "tea": "Mate"}, {"id": 9, "tea": "Oolong"}]
    after = [{"id": 6, "tea": "Sencha"}, {"id": 9, "tea": "Oolong"}, {"id": 7, "tea": "Darjeeling"}]

    assert differences(before, after, "teas") == [
        Difference("teas[id=7].tea", "Assam", "Darjeeling", "changed"),
        Difference("teas[id=8]", {"id": 8, "tea": "Mate"}, None, "removed"),
        Difference("teas[id=6]", None, {"id": 6, "tea": "Sencha"}, "added"),
        Difference("teas[order]", [7, 9], [9, 7], "changed"),
    ]


def test_differences_need_unique_ids():
    assert differences([{"id": 1, "a": 1}, {"id": 1}], [{"id": 1, "a": 2}, {"id": 1}]) == [
        Difference("[0].a", 1, 2, "changed")
    ]
    assert differences([{"id": 1}, "x"], [{"id": 2}, "x"]) == [Difference("[0].id", 1, 2, "changed")]


def test_differences_of_a_prepended_item():
    assert differences(["b", "c"], ["a", "b", "c"], "xs") == [Difference("xs[0]", None, "a", "added")]
    assert differences([1, 2, 3], [2, 3], "xs") == [Difference("xs[0]", 1, None, "removed")]
    assert differences([0, 1], [0, True], "xs") == [Difference("xs[1]", 1, True, "changed")]


def test_any_two_values_can_be_told_apart():
    assert differences("a", "b") == [Difference("", "a", "b", "changed")]
    assert differences(None, None) == []
    assert differences({"a": 1}, {"a": 1, "b": 2}, "state") == [Difference("state.b", None, 2, "added")]


def test_differences_limit_the_depth():
    before, after = 1, 2
    for _ in range(400):
        before, after = {"a": before}, {"a": after}

    (found,) = differences(before, after)

    assert found.op == "changed"
    assert found.path.count("a") == 100


def test_difference_sign_per_operation():
    found = differences({"a": 1, "b": 1}, {"b": 2, "c": 1})

    assert [each.sign for each in found] == ["−", "~", "+"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]}, True),
        ({"a": 2**70, "b": "\ud800"}, {"a": 2**70, "b": "\ud800"}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": [0]}, {"a": [False]}, False),
        ({"a": None}, {"a": float("nan")}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
    ],
)
def test_is_identical_json_is_exact(before, after, expected):
    assert is_identical_json(before, after) is expected


def test_text_diff_of_changed_words():
    assert text_diff("You are booked for Tuesday, Ada.", "You are booked for Friday, Ada!") == [
        Span("You are booked for ", "same"),
        Span("Tuesday", "removed"),
        Span("Friday", "added"),
        Span(", Ada", "same"),
        Span(".", "removed"),
        Span("!", "added"),
    ]


def test_text_diff_of_equal_and_empty_texts():
    assert text_diff("Hello there", "Hello there") == [Span("Hello there", "same")]
    assert text_diff("", "Hello") == [Span("Hello", "added")]
    assert text_diff("", "") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b c d", "b x d e"),
        ("tea  tea\n", "tea\n\ntea"),
        ("Zürich 👩🏽‍⚕️", "Zu\u0308rich"),
        ("x " * 9000, "y " * 9000),
        ("かか\u3099、か", "か\u3099か"),
        ("\u0301a", "a\u0301"),
    ],
)
def test_the_pieces_give_both_texts_again(before, after):
    pieces = text_diff(before, after)

    assert "".join(piece.text for piece in pieces if piece.op != "added") == before
    assert "".join(piece.text for piece in pieces if piece.op != "removed") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cafe\u0301", "cafe\u0300"),
        ("👨‍👩‍👧", "👨‍👩‍👦"),
        ("🇩🇪", "🇩🇰"),
        ("हूँ", "हैं"),
    ],
)
def test_signs_of_one_letter_stay_together(before, after):
    assert text_diff(f"So {before}.", f"So {after}.") == [
        Span("So ", "same"), Span(before, "removed"), Span(after, "added"), Span(".", "same")
    ]  # fmt: skip


def test_signs_of_texts_without_blanks_are_compared_one_by_one():
    assert told("我想订一杯茶，谢谢", "我想订一杯咖啡，谢谢") == [
        ("same", "我想订一杯"), ("removed", "茶"), ("added", "咖啡"), ("same", "，谢谢")
    ]  # fmt: skip


def test_as_many_words_as_possible_are_the_same():
    chance = random.Random(38)
    for _ in range(400):
        old, new = ([chance.choice("abc.") for _ in range(chance.randrange(9))] for _ in range(2))
        pieces = text_diff("\n".join(old), "\n".join(new))

        kept = "".join(piece.text for piece in pieces if piece.op == "same")
        assert len(kept) == most_shared("\n".join(old), "\n".join(new)), (old, new)


def most_shared(a, b):
    """Return the length of the longest text that both have with gaps."""
    lengths = [0] * (len(b) + 1)
    for one in a:
        before = lengths[:]
        for place, other in enumerate(b, 1):
            lengths[place] = before[place - 1] + 1 if one == other else max(before[place], lengths[place - 1])
    return lengths[-1]


def test_few_words_that_differ_in_very_long_texts_are_told_apart():
    begin, end = "cup " * 5_000, " pot" * 5_000

    assert text_diff(f"a {begin}tea{end} b", f"c {begin}mate{end} d") == [
        Span("a", "removed"), Span("c", "added"), Span(f" {begin}", "same"),
        Span("tea", "removed"), Span("mate", "added"), Span(f"{end} ", "same"),
        Span("b", "removed"), Span("d", "added"),
    ]  # fmt: skip


def told(a, b):
    return [(piece.op, piece.text) for piece in readable_diff(a, b)]


def test_words_that_differ_are_told_apart():
    assert told("Would you like tea today?", "Would you like coffee today?") == [
        ("same", "Would you like "), ("removed", "tea"), ("added", "coffee"), ("same", " today?")
    ]  # fmt: skip


def test_readable_diff_finds_contained_text():
    assert told("Hello.", "Hello and a very long welcome to this line of ours.") == [
        ("same", "Hello"), ("added", " and a very long welcome to this line of ours"), ("same", ".")
    ]  # fmt: skip


def test_readable_diff_of_unrelated_texts():
    a, b = "Good to know. It's about a sore knee.", "Please let me speak to a human."

    assert told(a, b) == [("removed", a), ("added", b)]


def test_readable_diff_of_an_empty_text():
    assert told("", "Hello") == [("added", "Hello")]
    assert told("", "") == []
