"""The conversation of a run as the bubbles of a chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from debugger.analysis.event_fields import EventFields, field, fields_of, node_name_of, node_of, thread_id_of
from debugger.analysis.node_origins import label_of
from debugger.protocol.events import Event
from debugger.protocol.messages import Message, ai_message, message_kind, message_text
from debugger.protocol.runs import MAIN_THREAD, TurnInput
from debugger.protocol.turn_logs import TurnLog

_NOTES: dict[str, Literal["warning", "error"]] = {"workflow_error": "error", "workflow_warning": "warning"}

_MOST_WARNINGS = 2
"""In a row; of more of them only the number is shown at first."""


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class ChatMessage:
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


def chat_messages(turns: Sequence[TurnLog], names: Mapping[str, str] | None = None) -> list[ChatMessage]:
    """What the chat pane shows: the words of both sides, with warnings and errors as notes between them.

    Args:
        turns: The run's turns.
        names: The author's node names by id.
    """
    reader = ChatBuilder(names or {})
    for place, turn in enumerate(turns):
        reader.take(turn, place, fields_of(turn.events))
    return reader.bubbles


class ChatBuilder:
    """The bubbles so far, followed from turn to turn.

    Args:
        names: The author's node names by id.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.bubbles: list[ChatMessage] = []
        self._names = names
        self._count = 0
        self._speakers: dict[tuple[str, str | None], str] = {}

    def take(self, turn: TurnLog, place: int, events: Sequence[EventFields]) -> None:
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

    def copy(self) -> ChatBuilder:
        """Another one that stands here, to go on by itself."""
        other = ChatBuilder(self._names)
        other.bubbles, other._count = self.bubbles.copy(), self._count
        other._speakers = self._speakers  # what is known of a name stays true
        return other

    def _said(self, words: Spoken) -> ChatMessage:
        speaker = self._speaker(words.event) if words.event else ""
        return ChatMessage(
            words.role, words.text, speaker, words.turn_number, words.event_index, words.is_background
        )

    def _notes(self, turn: TurnLog, events: Sequence[EventFields]) -> Iterator[ChatMessage]:
        for index, facts in enumerate(events, start=self._count):
            role = _NOTES.get(facts.type)
            if role is not None:
                event = facts.event
                speaker = self._speaker(event)
                yield ChatMessage(role, event.summary, speaker, turn.number, index, turn.is_background)

    def _speaker(self, event: Event) -> str:
        node, name = node_of(event) or "", node_name_of(event)
        found = self._speakers.get((node, name))
        if found is None:
            found = self._speakers[node, name] = label_of(node, name or node, self._names)
        return found


def group_warnings(said: Iterable[ChatMessage]) -> list[list[ChatMessage]]:
    """The bubbles in groups of one; many warnings in a row are one group, so as not to drown the words."""
    groups = [list(group) for _, group in groupby(said, key=lambda bubble: bubble.role == "warning")]
    return [
        part for group in groups for part in ([group] if _is_many(group) else ([bubble] for bubble in group))
    ]


def _is_many(group: list[ChatMessage]) -> bool:
    return group[0].role == "warning" and len(group) > _MOST_WARNINGS


def _moment(bubble: ChatMessage) -> int:
    """Words that only the input holds come before the turn's events."""
    return -1 if bubble.event_index is None else bubble.event_index


_SPOKEN_TYPES = frozenset({"user_messages", "assistant_response"})


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class Spoken:
    """One message that someone said or heard."""

    role: Literal["user", "agent"]
    message: Message
    turn_number: int
    thread_id: str
    """Internal id."""
    event: Event | None = None
    """The event that tells of it; ``None`` for words that only the run input holds."""
    event_index: int | None = None
    """That event's place in the run, from 0."""
    place: int = 0
    """Which of the run's turns and pieces of background work it was said in, from 0."""
    is_background: bool = False
    """Whether it was said in background work."""

    @property
    def text(self) -> str:
        """The words."""
        return message_text(self.message)


def spoken(turns: Sequence[TurnLog]) -> Iterator[Spoken]:
    """Everything that was said.

    The first input's ``welcome_message`` comes first of all. What the user sent is told by the turn's
    ``user_messages`` events; where there are none, as in a turn that failed at once, by its input.
    """
    index = 0
    for place, turn in enumerate(turns):
        yield from spoken_in(turn, place, index)
        index += len(turn.events)


def spoken_in(turn: TurnLog, place: int, first: int) -> Iterator[Spoken]:
    """The same of one turn.

    Args:
        turn: The turn, or some background work.
        place: Its place among the run's turns, from 0.
        first: How many events the run has before it.
    """
    if place == 0:
        yield from _welcome(turn)
    if not any(event.type == "user_messages" for event in turn.events):
        yield from _sent(turn, place)
    for index, event in enumerate(turn.events, start=first):
        if event.type in _SPOKEN_TYPES:
            yield from _told(event, turn, place, index)


def _welcome(turn: TurnLog) -> Iterator[Spoken]:
    words = turn.run_input.welcome_message
    if words:
        yield Spoken("agent", ai_message(words, message_id="welcome_message"), turn.number, MAIN_THREAD)


def _sent(turn: TurnLog, place: int) -> Iterator[Spoken]:
    for thread_id, message in _inputs(turn.run_input):
        yield Spoken("user", message, turn.number, thread_id, place=place)


def _inputs(given: TurnInput) -> Iterator[tuple[str, Message]]:
    for thread_id, thread in given.thread_to_node_inputs.items():
        for node_input in thread.node_run_inputs:
            for message in _of_user(node_input.messages):
                yield thread_id, message


def _told(event: Event, turn: TurnLog, place: int, index: int) -> Iterator[Spoken]:
    thread_id = thread_id_of(event) or MAIN_THREAD
    if event.type == "assistant_response":
        words = message_text({"content": field(event, "content")})
        message = ai_message(words, message_id=event.logical_id)
        yield Spoken("agent", message, turn.number, thread_id, event, index, place, turn.is_background)
    else:
        told = field(event, "messages")
        for message in _of_user(told if isinstance(told, list) else ()):
            yield Spoken("user", message, turn.number, thread_id, event, index, place, turn.is_background)


def _of_user(messages: Iterable[Message]) -> Iterator[Message]:
    """The user's own: a message that names no sender is the user's. What is no message says nothing."""
    found = (message for message in messages if isinstance(message, dict))
    return (message for message in found if message_kind(message) in ("human", None))
