"""The conversation of a run as the bubbles of a chat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.facts import node_name_of, node_of
from debugger.analysis.spoken import spoken
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnLog


@dataclass(frozen=True)
class Bubble:
    """One entry of the chat pane."""

    role: Literal["user", "agent", "note"]
    text: str
    node_name: str
    """Who speaks or is spoken to; empty where no node is told."""
    turn_number: int
    event_index: int | None
    """The event in the run, from 0; ``None`` for words that only the run input holds."""
    is_background: bool = False
    """Whether it came of background work, after the turn."""


def bubbles(turns: Sequence[TurnLog]) -> list[Bubble]:
    """What the chat pane shows: the words of both sides, with warnings and errors as notes between them."""
    said = [
        Bubble(
            words.role,
            words.text,
            _speaker(words.event),
            words.turn_number,
            words.event_index,
            words.is_background,
        )
        for words in spoken(turns)
    ]
    return sorted([*said, *_notes(turns)], key=_moment)


def _speaker(event: Event | None) -> str:
    return (node_name_of(event) or node_of(event) or "") if event else ""


def _notes(turns: Sequence[TurnLog]) -> Iterator[Bubble]:
    events = ((turn, event) for turn in turns for event in turn.events)
    for index, (turn, event) in enumerate(events):
        if event.type in ("workflow_error", "workflow_warning"):
            yield Bubble("note", event.summary, _speaker(event), turn.number, index, turn.is_background)


def _moment(bubble: Bubble) -> tuple[int, int]:
    """Words that only the input holds come before the turn's events."""
    return bubble.turn_number, -1 if bubble.event_index is None else bubble.event_index
