from __future__ import annotations

from debugger.analysis.comparison.tables import lines
from tests.analysis.comparison.turns import hears, speaks, turn


def told(found):
    return [(line.verdict, line.turn, line.role) for line in found]


def test_what_both_say_is_one_line_and_words_that_differ_are_marked():
    a = [turn(1, "hi", hears("a", "hi"), speaks("a", "Would you like some tea today?"))]
    b = [turn(1, "hi", hears("a", "hi"), speaks("a", "Would you like some coffee today?"))]

    user, agent = lines(a, b)

    assert told([user, agent]) == [("same", 1, "user"), ("changed", 1, "agent")]
    assert [(piece.op, piece.text) for piece in agent.pieces if piece.op != "same"] == [
        ("removed", "tea"),
        ("added", "coffee"),
    ]


def test_texts_that_share_next_to_nothing_are_told_apart_as_a_whole():
    a, b = [turn(1, "The earlier one, please.")], [turn(1, "I was born in June.")]

    (line,) = lines(a, b)

    assert [(piece.op, piece.text) for piece in line.pieces] == [
        ("removed", "The earlier one, please."),
        ("added", "I was born in June."),
    ]


def test_replies_of_other_nodes_stand_beside_each_other():
    a, b = [turn(1, "hi", speaks("tea", "Tea?"))], [turn(1, "hi", speaks("bye", "Bye."))]

    assert told(lines(a, b)) == [("same", 1, "user"), ("changed", 1, "agent")]


def test_what_only_one_says_stands_alone():
    a = [turn(1, "hi", speaks("a", "One.")), turn(2, "on")]
    b = [turn(1, "hi", speaks("a", "One."), speaks("a", "Two."))]

    assert told(lines(a, b)) == [
        ("same", 1, "user"), ("same", 1, "agent"), ("only_b", 1, "agent"), ("only_a", 2, "user")
    ]  # fmt: skip


def test_turns_are_put_beside_each_other_as_a_shift_says():
    a, b = [turn(1, None), turn(2, "tea")], [turn(1, "tea")]

    assert told(lines(a, b, shift=1)) == [("same", 2, "user")]


def test_a_turn_with_very_many_lines_is_put_beside_the_other_in_order():
    many = [turn(1, None, *(speaks("a", f"Line {n}") for n in range(400)))]
    few = [turn(1, None, *(speaks("a", f"Line {n}") for n in range(2)))]

    found = lines(many, few)

    assert [line.verdict for line in found[:3]] == ["same", "same", "only_a"]
    assert len(found) == 400
