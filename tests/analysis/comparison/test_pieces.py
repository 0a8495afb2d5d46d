from __future__ import annotations

from debugger.analysis.differences import readable_pieces


def told(a, b):
    return [(piece.op, piece.text) for piece in readable_pieces(a, b)]


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
