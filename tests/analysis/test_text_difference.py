from __future__ import annotations

import pytest

from debugger.analysis.differences import Piece, text_difference


def test_words_that_changed_stand_between_those_that_stayed():
    assert text_difference("You are booked for Tuesday, Ada.", "You are booked for Friday, Ada!") == [
        Piece("You are booked for ", "same"),
        Piece("Tuesday", "removed"),
        Piece("Friday", "added"),
        Piece(", Ada", "same"),
        Piece(".", "removed"),
        Piece("!", "added"),
    ]


def test_equal_texts_are_one_piece_and_an_empty_one_is_all_new():
    assert text_difference("Hello there", "Hello there") == [Piece("Hello there", "same")]
    assert text_difference("", "Hello") == [Piece("Hello", "added")]
    assert text_difference("", "") == []


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
    pieces = text_difference(before, after)

    assert "".join(piece.text for piece in pieces if piece.op != "added") == before
    assert "".join(piece.text for piece in pieces if piece.op != "removed") == after
