"""What was said in two runs, line beside line and word by word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Literal

from debugger.analysis.bubbles import Bubble, bubbles
from debugger.analysis.comparison.alignment import Verdict
from debugger.analysis.comparison.pieces import readable_pieces
from debugger.analysis.text_difference import Piece
from debugger.protocol.runs import TurnLog

_MOST_LINES = 300
"""Of one turn; more of them are put beside each other in their order, without looking which ones fit."""


@dataclass
class Line:
    """Something that was said, or noted, in one run or in both."""

    turn: int
    """The turn in run A, or the one that it would be there."""
    role: Literal["user", "agent", "warning", "error"]
    a: Bubble | None
    b: Bubble | None

    @property
    def verdict(self) -> Verdict:
        """Whether both say the same."""
        if self.a is None or self.b is None:
            return "only_b" if self.a is None else "only_a"
        return "same" if self.a.text == self.b.text else "changed"

    @cached_property
    def pieces(self) -> list[Piece]:
        """The words of both, where both say something."""
        return readable_pieces(self.a.text, self.b.text) if self.a and self.b else []


def lines(
    a: Sequence[TurnLog], b: Sequence[TurnLog], names: Mapping[str, str] | None = None, *, shift: int = 0
) -> list[Line]:
    """Both transcripts, turn by turn.

    Args:
        a: The turns of run A.
        b: The turns of run B.
        names: The author's node names by id.
        shift: How many turns of A came before the first of B.
    """
    of_a, of_b = _by_turn(bubbles(a, names), 0), _by_turn(bubbles(b, names), shift)
    turns = sorted({*of_a, *of_b})
    return [line for turn in turns for line in _lines(turn, of_a.get(turn, []), of_b.get(turn, []))]


def _by_turn(said: Sequence[Bubble], shift: int) -> dict[int, list[Bubble]]:
    found: dict[int, list[Bubble]] = {}
    for bubble in said:
        found.setdefault(bubble.turn_number + shift, []).append(bubble)
    return found


def _lines(turn: int, a: list[Bubble], b: list[Bubble]) -> Iterator[Line]:
    """One turn: what fits by role is a line, though other nodes may speak; the rest stands alone."""
    if max(len(a), len(b)) > _MOST_LINES:
        blocks = [(0, 0, min(len(a), len(b)))]
    else:
        roles_a, roles_b = [bubble.role for bubble in a], [bubble.role for bubble in b]
        matcher = SequenceMatcher(None, roles_a, roles_b, autojunk=False)
        blocks = [(block.a, block.b, block.size) for block in matcher.get_matching_blocks()]
    at = bt = 0
    for begin_a, begin_b, size in [*blocks, (len(a), len(b), 0)]:
        yield from (Line(turn, bubble.role, bubble, None) for bubble in a[at:begin_a])
        yield from (Line(turn, bubble.role, None, bubble) for bubble in b[bt:begin_b])
        at, bt = begin_a + size, begin_b + size
        pairs = zip(a[begin_a:at], b[begin_b:bt], strict=True)
        yield from (Line(turn, one.role, one, other) for one, other in pairs)
