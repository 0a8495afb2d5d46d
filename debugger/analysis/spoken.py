"""What was said in a run: the words of user and agent, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.facts import field, thread_id_of
from debugger.protocol.events import Event
from debugger.protocol.messages import Message, ai_message, message_kind, message_text
from debugger.protocol.runs import MAIN_THREAD, TurnInput, TurnLog

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
