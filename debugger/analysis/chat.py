"""The conversation of a run as chat messages.

Both sides, with warnings and errors between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from debugger.analysis.event_fields import EventFields, values_of
from debugger.analysis.fold import EventFold
from debugger.analysis.node_origins import label_of
from debugger.protocol.events import Event
from debugger.protocol.messages import Message, ai_message, message_kind, message_text
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog

Role = Literal["user", "agent", "warning", "failure", "error"]
TECHNICAL_ROLES = frozenset({"warning", "failure"})
"""Notes that only an author reads."""

_NOTES = frozenset({"workflow_error", "workflow_warning"})
_MAX_WARNINGS = 2
"""Shown in a row; of more of them only the number is shown at first."""


@dataclass(slots=True)  # not frozen: see `TimelineRow`
class ChatMessage:
    """One message of user or agent, or a note between them."""

    role: Role
    """``"warning"``, ``"failure"`` (a failed answer) and ``"error"`` (of the run) are notes."""
    text: str
    node_name: str
    """The node that speaks or is spoken to, with the super nodes around it; empty if unknown."""
    turn_number: int
    event_index: int | None
    """The index of its event in the run; ``None`` for a message that only the run input has."""
    is_background: bool = False
    """True for a message of background work, after the turn."""
    thread_id: str = field(default=MAIN_THREAD, compare=False)
    """Internal id."""
    turn_index: int = field(default=0, compare=False)
    """The index of its turn among the run's turns and pieces of background work."""
    event: Event | None = field(default=None, compare=False)
    message: Message | None = field(default=None, compare=False)
    """``None`` for a note."""


def chat_messages(turns: Sequence[TurnLog], names: Mapping[str, str] | None = None) -> list[ChatMessage]:
    """Return the messages of both sides, with warnings and errors between them."""
    return ChatBuilder(names or {}).catch_up(turns).messages


def spoken_messages(turns: Sequence[TurnLog]) -> list[ChatMessage]:
    """Return the messages of both sides, without notes."""
    return [message for message in chat_messages(turns) if message.message is not None]


class ChatBuilder(EventFold):
    """The chat messages of a run, event by event.

    The first input's ``welcome_message`` comes first. What the user sent is read from the turn's
    ``user_messages`` events; without any, as in a turn that failed at once, from its input.
    """

    TYPES = frozenset({"user_messages", "assistant_response", *_NOTES})

    def __init__(self, names: Mapping[str, str]) -> None:
        """Begin without messages; names are those of the author's nodes, by id."""
        super().__init__()
        self.messages: list[ChatMessage] = []
        self._names = names
        self._labels: dict[tuple[str, str | None], str] = {}
        self._input_messages = slice(0, 0)
        """The messages that were taken from the turn's input."""

    def begin_turn(self, turn: TurnLog) -> None:
        """Add the messages of a turn's input, before the first turn also its welcome message.

        Those of the user stay until an event of the turn has messages of the user.
        """
        welcome = turn.run_input.welcome_message
        if self.turn_index == 0 and welcome:
            self._add("agent", ai_message(welcome, message_id="welcome_message"))
        first = len(self.messages)
        for thread_id, thread in turn.run_input.thread_to_node_inputs.items():
            for node_input in thread.node_run_inputs:
                for message in _of_user(node_input.messages):
                    self._add("user", message, thread_id=thread_id)
        self._input_messages = slice(first, len(self.messages))

    def apply(self, event: EventFields) -> None:
        """Add the message or note of an event of one of `TYPES`.

        The user's take the place of those of the input.
        """
        if event.type in _NOTES:
            role: Role = event.trouble.severity if event.trouble else "warning"
            self._add("error" if event.type == "workflow_error" else role, None, event)
            return
        thread_id = event.thread_id or MAIN_THREAD
        if event.type == "assistant_response":
            content = message_text({"content": values_of(event.event).content})
            self._add("agent", ai_message(content, message_id=event.event.logical_id), event, thread_id)
            return
        messages = list(_of_user(values_of(event.event).messages))
        if messages:
            del self.messages[self._input_messages]
            self._input_messages = slice(0, 0)
        for message in messages:
            self._add("user", message, event, thread_id)

    def _add(
        self,
        role: Role,
        message: Message | None,
        event: EventFields | None = None,
        thread_id: str = MAIN_THREAD,
    ) -> None:
        """Add a message, or a note of what an event says."""
        note = event.event.summary if event else ""
        self.messages.append(
            ChatMessage(
                role,
                note if message is None else message_text(message),
                self._label(event) if event else "",
                self.turn.number,
                self.event_count if event else None,
                self.turn.is_background and event is not None,
                thread_id,
                self.turn_index,
                event.event if event else None,
                message,
            )
        )

    def _label(self, event: EventFields) -> str:
        """Return what people call an event's node; it is worked out once for each id and name."""
        key = (event.node or "", event.node_name)
        label = self._labels.get(key)
        if label is None:
            label = self._labels[key] = label_of(key[0], key[1] or key[0], self._names)
        return label


def group_warnings(messages: Iterable[ChatMessage]) -> list[list[ChatMessage]]:
    """Return the messages in their order, in groups: more than two warnings, or failures, in a row are one.

    Any other message is a group of one.
    """
    groups: list[list[ChatMessage]] = []
    for role, group in groupby(messages, key=lambda message: message.role):
        row = list(group)
        folds = role in TECHNICAL_ROLES and len(row) > _MAX_WARNINGS
        groups += [row] if folds else [[message] for message in row]
    return groups


def _of_user(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield the user's messages and those without a sender."""
    return (message for message in messages if message_kind(message) in ("human", None))
