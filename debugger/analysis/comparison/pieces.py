"""Two texts word by word, as far as that helps to read them."""

from __future__ import annotations

from debugger.analysis.text_difference import Piece, text_difference

_LEAST_SHARED = 0.5
"""Of the shorter text: below it the words that two texts share fell there by chance."""


def readable_pieces(a: str, b: str) -> list[Piece]:
    """What two texts share and do not share; told apart as a whole where they share too little."""
    found = text_difference(a, b)
    shared = sum(_weight(piece.text) for piece in found if piece.op == "same")
    if shared >= _LEAST_SHARED * min(_weight(a), _weight(b)):
        return found
    return [Piece(a, "removed"), Piece(b, "added")]


def _weight(text: str) -> int:
    """How many characters it has, spaces left out."""
    return len("".join(text.split()))
