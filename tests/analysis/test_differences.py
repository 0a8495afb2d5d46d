from __future__ import annotations

import pytest

from debugger.analysis.differences import (
    Difference,
    Span,
    differences,
    is_identical_json,
    readable_diff,
    text_diff,
)


def test_what_came_went_and_changed_is_told_apart():
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


def test_a_value_of_another_kind_is_one_change():
    assert differences({"a": {"b": 1}}, {"a": "b"}) == [Difference("a", {"b": 1}, "b", "changed")]


def test_true_is_not_one_and_null_is_not_absent():
    assert differences({"a": 1, "b": None}, {"a": True}) == [
        Difference("a", 1, True, "changed"),
        Difference("b", None, None, "removed"),
    ]


def test_equal_objects_have_no_changes():
    assert differences({"a": [1, {"b": 2.0}]}, {"a": [1, {"b": 2}]}) == []


def test_objects_with_ids_belong_together_wherever_they_stand():
    before = [{"id": 7, "tea": "Assam"}, {"id": 8, "tea": "Mate"}, {"id": 9, "tea": "Oolong"}]
    after = [{"id": 6, "tea": "Sencha"}, {"id": 9, "tea": "Oolong"}, {"id": 7, "tea": "Darjeeling"}]

    assert differences(before, after, "teas") == [
        Difference("teas[id=7].tea", "Assam", "Darjeeling", "changed"),
        Difference("teas[id=8]", {"id": 8, "tea": "Mate"}, None, "removed"),
        Difference("teas[id=6]", None, {"id": 6, "tea": "Sencha"}, "added"),
        Difference("teas[order]", [7, 9], [9, 7], "changed"),
    ]


def test_an_id_that_two_objects_share_or_one_lacks_is_none():
    assert differences([{"id": 1, "a": 1}, {"id": 1}], [{"id": 1, "a": 2}, {"id": 1}]) == [
        Difference("[0].a", 1, 2, "changed")
    ]
    assert differences([{"id": 1}, "x"], [{"id": 2}, "x"]) == [Difference("[0].id", 1, 2, "changed")]


def test_what_is_put_in_front_of_a_list_leaves_the_rest_alone():
    assert differences(["b", "c"], ["a", "b", "c"], "xs") == [Difference("xs[0]", None, "a", "added")]
    assert differences([1, 2, 3], [2, 3], "xs") == [Difference("xs[0]", 1, None, "removed")]
    assert differences([0, 1], [0, True], "xs") == [Difference("xs[1]", 1, True, "changed")]


def test_any_two_values_can_be_told_apart():
    assert differences("a", "b") == [Difference("", "a", "b", "changed")]
    assert differences(None, None) == []
    assert differences({"a": 1}, {"a": 1, "b": 2}, "state") == [Difference("state.b", None, 2, "added")]


def test_what_is_nested_very_deep_is_compared_as_one_value():
    before, after = 1, 2
    for _ in range(400):
        before, after = {"a": before}, {"a": after}

    (found,) = differences(before, after)

    assert found.op == "changed"
    assert found.path.count("a") == 100


def test_each_operation_has_a_sign_of_its_own():
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
def test_values_are_surely_the_same_only_where_nothing_about_them_differs(before, after, expected):
    assert is_identical_json(before, after) is expected


def test_words_that_changed_stand_between_those_that_stayed():
    assert text_diff("You are booked for Tuesday, Ada.", "You are booked for Friday, Ada!") == [
        Span("You are booked for ", "same"),
        Span("Tuesday", "removed"),
        Span("Friday", "added"),
        Span(", Ada", "same"),
        Span(".", "removed"),
        Span("!", "added"),
    ]


def test_equal_texts_are_one_piece_and_an_empty_one_is_all_new():
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
    ],
)
def test_the_pieces_give_both_texts_again(before, after):
    pieces = text_diff(before, after)

    assert "".join(piece.text for piece in pieces if piece.op != "added") == before
    assert "".join(piece.text for piece in pieces if piece.op != "removed") == after


def told(a, b):
    return [(piece.op, piece.text) for piece in readable_diff(a, b)]


def test_words_that_differ_are_told_apart():
    assert told("Would you like tea today?", "Would you like coffee today?") == [
        ("same", "Would you like "), ("removed", "tea"), ("added", "coffee"), ("same", " today?")
    ]  # fmt: skip


def test_a_text_that_is_part_of_a_longer_one_is_found_in_it():
    assert told("Hello.", "Hello and a very long welcome to this line of ours.") == [
        ("same", "Hello"), ("added", " and a very long welcome to this line of ours"), ("same", ".")
    ]  # fmt: skip


def test_texts_with_a_few_small_words_in_common_are_told_apart_as_a_whole():
    a, b = "Good to know. It's about a sore knee.", "Please let me speak to a human."

    assert told(a, b) == [("removed", a), ("added", b)]


def test_an_empty_text_shares_all_that_it_has():
    assert told("", "Hello") == [("added", "Hello")]
    assert told("", "") == []
