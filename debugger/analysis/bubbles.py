"""The conversation of a run as the bubbles of a chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from debugger.analysis.event_facts import EventFacts, facts_of
from debugger.analysis.facts import node_name_of, node_of
from debugger.analysis.origins import label_of
from debugger.analysis.spoken import Spoken, spoken_in
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnLog

_NOTES: dict[str, Literal["warning", "error"]] = {"workflow_error": "error", "workflow_warning": "warning"}

_MOST_WARNINGS = 2
"""In a row; of more of them only the number is shown at first."""


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
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
        reader.take(turn, place, facts_of(turn.events))
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
        self._speakers: dict[tuple[str, str | None], str] = {}

    def take(self, turn: TurnLog, place: int, events: Sequence[EventFacts]) -> None:
        """Take in the next turn, or piece of background work.

        Args:
            turn: The turn.
            place: Its place among them, from 0.
            events: Its events.
        """
        said = [self._said(words) for words in spoken_in(turn, place, self._count)]
        notes = self._notes(turn, events)
        self.bubbles += sorted([*said, *notes], key=_moment)
        self._count += len(events)

    def copy(self) -> BubbleReader:
        """Another one that stands here, to go on by itself."""
        other = BubbleReader(self._names)
        other.bubbles, other._count = self.bubbles.copy(), self._count
        other._speakers = self._speakers  # what is known of a name stays true
        return other

    def _said(self, words: Spoken) -> Bubble:
        speaker = self._speaker(words.event) if words.event else ""
        return Bubble(
            words.role, words.text, speaker, words.turn_number, words.event_index, words.is_background
        )

    def _notes(self, turn: TurnLog, events: Sequence[EventFacts]) -> Iterator[Bubble]:
        for index, facts in enumerate(events, start=self._count):
            role = _NOTES.get(facts.type)
            if role is not None:
                event = facts.event
                speaker = self._speaker(event)
                yield Bubble(role, event.summary, speaker, turn.number, index, turn.is_background)

    def _speaker(self, event: Event) -> str:
        node, name = node_of(event) or "", node_name_of(event)
        found = self._speakers.get((node, name))
        if found is None:
            found = self._speakers[node, name] = label_of(node, name or node, self._names)
        return found


def folded(said: Iterable[Bubble]) -> list[list[Bubble]]:
    """The bubbles in groups of one; many warnings in a row are one group, so as not to drown the words."""
    groups = [list(group) for _, group in groupby(said, key=lambda bubble: bubble.role == "warning")]
    return [
        part for group in groups for part in ([group] if _is_many(group) else ([bubble] for bubble in group))
    ]


def _is_many(group: list[Bubble]) -> bool:
    return group[0].role == "warning" and len(group) > _MOST_WARNINGS


def _moment(bubble: Bubble) -> int:
    """Words that only the input holds come before the turn's events."""
    return -1 if bubble.event_index is None else bubble.event_index
