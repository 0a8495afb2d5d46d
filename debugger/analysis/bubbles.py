"""The conversation of a run as the bubbles of a chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from debugger.analysis.facts import node_name_of, node_of
from debugger.analysis.origins import label_of
from debugger.analysis.spoken import Spoken, spoken_in
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnLog

_MOST_WARNINGS = 2
"""In a row; of more of them only the number is shown at first."""


@dataclass(frozen=True)
class Bubble:
    """One entry of the chat pane."""

    role: Literal["user", "agent", "warning", "error"]
    """The last two are notes between the words."""
    text: str
    node_name: str
    """Who speaks or is spoken to, with the super nodes around it; empty where no node is told."""
    turn_number: int
    event_index: int | None
    """The event in the run, from 0; ``None`` for words that only the run input holds."""
    is_background: bool = False
    """Whether it came of background work, after the turn."""


def bubbles(turns: Sequence[TurnLog], names: Mapping[str, str] | None = None) -> list[Bubble]:
    """What the chat pane shows: the words of both sides, with warnings and errors as notes between them.

    Args:
        turns: The run's turns.
        names: The author's node names by id.
    """
    reader = BubbleReader(names or {})
    for place, turn in enumerate(turns):
        reader.take(turn, place)
    return reader.bubbles


class BubbleReader:
    """The bubbles so far, followed from turn to turn.

    Args:
        names: The author's node names by id.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.bubbles: list[Bubble] = []
        self._names = names
        self._count = 0

    def take(self, turn: TurnLog, place: int) -> None:
        """Take in the next turn, or piece of background work, and its place among them from 0."""
        said = [_said(words, self._names) for words in spoken_in(turn, place, self._count)]
        self.bubbles += sorted([*said, *_notes(turn, self._count, self._names)], key=_moment)
        self._count += len(turn.events)

    def copy(self) -> BubbleReader:
        """Another one that stands here, to go on by itself."""
        other = BubbleReader(self._names)
        other.bubbles, other._count = self.bubbles.copy(), self._count
        return other


def _said(words: Spoken, names: Mapping[str, str]) -> Bubble:
    speaker = _speaker(words.event, names)
    return Bubble(words.role, words.text, speaker, words.turn_number, words.event_index, words.is_background)


def folded(said: Iterable[Bubble]) -> list[list[Bubble]]:
    """The bubbles in groups of one; many warnings in a row are one group, so as not to drown the words."""
    groups = [list(group) for _, group in groupby(said, key=lambda bubble: bubble.role == "warning")]
    return [
        part for group in groups for part in ([group] if _is_many(group) else ([bubble] for bubble in group))
    ]


def _is_many(group: list[Bubble]) -> bool:
    return group[0].role == "warning" and len(group) > _MOST_WARNINGS


def _speaker(event: Event | None, names: Mapping[str, str]) -> str:
    node = (node_of(event) or "") if event else ""
    return label_of(node, node_name_of(event) or node, names) if event else ""


def _notes(turn: TurnLog, first: int, names: Mapping[str, str]) -> Iterator[Bubble]:
    for index, event in enumerate(turn.events, start=first):
        if event.type in ("workflow_error", "workflow_warning"):
            role: Literal["warning", "error"] = "error" if event.type == "workflow_error" else "warning"
            yield Bubble(role, event.summary, _speaker(event, names), turn.number, index, turn.is_background)


def _moment(bubble: Bubble) -> int:
    """Words that only the input holds come before the turn's events."""
    return -1 if bubble.event_index is None else bubble.event_index
