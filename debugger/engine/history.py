"""The chat of a thread, read from the recorded events.

It is not in the state: the events have every message, and only a real model needs all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from debugger.protocol.events import (
    COMPANION,
    AssistantResponseEvent,
    CompanionEdgeEvent,
    EndThreadEvent,
    Event,
    UserMessagesEvent,
    WorkflowNavigationMessageEvent,
)
from debugger.protocol.initial_state import read_state
from debugger.protocol.messages import Message, ai_message
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog

SPOKEN = frozenset(
    {"user_messages", "assistant_response", "workflow_navigation_message", "companion_edge", "end_thread"}
)
"""The types of the events that the chat is read from; the log of the current turn must have them."""


@dataclass
class History:
    """The chat of a run's threads.

    Args:
        load_past: Gives the finished turns, oldest first; called once at most, and only for the chat.
        current: The turn under way.
    """

    load_past: Callable[[], Sequence[TurnLog]]
    current: TurnLog
    _past: Sequence[TurnLog] | None = field(default=None, init=False)

    @property
    def past(self) -> Sequence[TurnLog]:
        """Return the finished turns, oldest first."""
        if self._past is None:
            self._past = self.load_past()
        return self._past

    def without_later_messages(self) -> History:
        """Return the chat without later messages."""
        current = replace(self.current, events=list(self.current.events))
        return History(lambda: self.past, current)

    def of(self, thread_id: str) -> list[Message]:
        """Return a thread's messages, oldest first: initial chat, messages, navigation memos.

        The first access reads the past turns. A companion thread has heard what its parent had when it was
        forked (U-23).
        """
        turns = [*self.past, self.current]
        events = (event for turn in turns for event in turn.events)
        if COMPANION in thread_id:
            return _forked(_seeds(turns[0], MAIN_THREAD), events, thread_id)
        own = (event for event in events if event.origin_thread_id == thread_id)
        return [*_seeds(turns[0], thread_id), *(message for event in own for message in _spoken(event))]


def _seeds(first: TurnLog, thread_id: str) -> Iterator[Message]:
    """Yield the messages that a thread has before the first turn.

    They are the thread's chat in the initial state and, for the main thread, then the welcome message; often
    none.
    """
    run_input = first.run_input
    if run_input.initial_state is not None:
        thread = read_state(run_input.initial_state).threads.get(thread_id)
        yield from thread.chat_history if thread else ()
    if run_input.welcome_message and thread_id == MAIN_THREAD:
        yield ai_message(run_input.welcome_message, message_id="welcome_message")


def _forked(seeds: Iterable[Message], events: Iterable[Event], thread_id: str) -> list[Message]:
    """Return the chat of a companion thread: that of its parent up to the fork, then its own messages.

    A thread that was forked again after its end begins anew with the parent's chat of that time. It is empty
    where no event forks the thread.

    Args:
        seeds: The messages of the main thread before the first turn.
        events: The events of all turns in order.
        thread_id: The companion thread.
    """
    parent = thread_id.rsplit(COMPANION, 1)[0]
    of_parent, own, runs = list(seeds), list[Message](), False
    for event in events:
        if event.origin_thread_id == parent:
            of_parent += _spoken(event)
        elif event.origin_thread_id != thread_id:
            continue
        elif isinstance(event, CompanionEdgeEvent):
            # Once it runs, such an event reports a worker beside one of its nodes.
            own, runs = own if runs else list(of_parent), True
        elif isinstance(event, EndThreadEvent):
            runs = False
        else:
            own += _spoken(event)
    return own


def _spoken(event: Event) -> Iterator[Message]:
    """Yield the chat messages of an event: the user's, an answer, or a memo; none for another event."""
    if isinstance(event, UserMessagesEvent):
        yield from event.messages
    elif isinstance(event, AssistantResponseEvent):
        yield ai_message(event.words, message_id=event.logical_id)
    elif isinstance(event, WorkflowNavigationMessageEvent) and event.message:
        yield event.message
