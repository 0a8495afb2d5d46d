"""The conversation of a run as the bubbles of a chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from debugger.analysis.facts import node_name_of, node_of
from debugger.analysis.origins import label_of
from debugger.analysis.spoken import spoken
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
    known = names or {}
    said = [
        Bubble(
            words.role,
            words.text,
            _speaker(words.event, known),
            words.turn_number,
            words.event_index,
            words.is_background,
        )
        for words in spoken(turns)
    ]
    return sorted([*said, *_notes(turns, known)], key=_moment)


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


def _notes(turns: Sequence[TurnLog], names: Mapping[str, str]) -> Iterator[Bubble]:
    events = ((turn, event) for turn in turns for event in turn.events)
    for index, (turn, event) in enumerate(events):
        if event.type in ("workflow_error", "workflow_warning"):
            role: Literal["warning", "error"] = "error" if event.type == "workflow_error" else "warning"
            yield Bubble(role, event.summary, _speaker(event, names), turn.number, index, turn.is_background)


def _moment(bubble: Bubble) -> tuple[int, int]:
    """Words that only the input holds come before the turn's events."""
    return bubble.turn_number, -1 if bubble.event_index is None else bubble.event_index
