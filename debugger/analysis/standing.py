"""Where each thread of a run stands, followed from event to event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from debugger.analysis.event_facts import EventFacts
from debugger.analysis.facts import text
from debugger.analysis.hops import HOP_TYPES
from debugger.protocol.events import COMPANION, Event
from debugger.protocol.runs import MAIN_THREAD, TurnLog

_MOVES = frozenset({"user_messages", "start_node_run", "busy_wait_for_user_message", "end_thread"})
_END_TYPES = {"end_workflow": "ended", "workflow_error": "failed"}
CHANGING_TYPES = HOP_TYPES | _MOVES | _END_TYPES.keys()
"""The types of the events after which a thread, or the run, stands otherwise."""


@dataclass
class ThreadStanding:
    """One thread."""

    node: str | None = None
    """The node that it is parked at, or that it ran last."""
    ahead: str | None = None
    """The node that it has hopped to and not yet begun."""
    waiting: Event | None = None
    """The event that says that it waits for the user, while it does."""
    ended: bool = False


@dataclass
class Standing:
    """All threads, by internal id."""

    threads: dict[str, ThreadStanding] = field(default_factory=dict)
    outcome: str | None = None
    """``"ended"`` or ``"failed"`` once an event has said so."""

    @classmethod
    def after(cls, turns: Sequence[TurnLog]) -> Self:
        """Where the threads stand after these turns."""
        standing = cls()
        for turn in turns:
            standing.follow(turn.events)
        return standing

    def copy(self) -> Standing:
        """Another one that stands here, to go on by itself."""
        return Standing({key: replace(thread) for key, thread in self.threads.items()}, self.outcome)

    @property
    def main(self) -> ThreadStanding:
        """The thread that talks with the user."""
        own = (thread for key, thread in self.threads.items() if COMPANION not in key)
        return self.threads.get(MAIN_THREAD) or next(own, ThreadStanding())

    @property
    def companions(self) -> dict[str, ThreadStanding]:
        """The companion threads that have not ended, by internal id."""
        return {key: thread for key, thread in self.threads.items() if COMPANION in key and not thread.ended}

    def follow(self, events: Iterable[Event]) -> None:
        """Take in what happened next."""
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Take in one event."""
        if event.type in CHANGING_TYPES:
            self.change(EventFacts(event))

    def change(self, event: EventFacts) -> None:
        """Take in one event of the types that change something."""
        if event.type in HOP_TYPES:
            self._hop(event)
        elif event.type in _MOVES:
            self._move(self._thread(event), event)
        else:
            self.outcome = _END_TYPES[event.type]
            for thread in self.threads.values():
                thread.waiting = None

    def _thread(self, event: EventFacts) -> ThreadStanding:
        thread_id = event.thread_id or MAIN_THREAD
        found = self.threads.get(thread_id)
        if found is None:
            found = self.threads[thread_id] = ThreadStanding()
        return found

    def _hop(self, event: EventFacts) -> None:
        # A companion that is an edge of the same thread does not move that thread (engine.md 3.4).
        stays = event.type == "companion_edge" and COMPANION not in (event.thread_id or "")
        if not stays:
            thread = self._thread(event)
            thread.waiting = None
            thread.ahead = text(event.event, "destination_node_logical_id") or thread.ahead

    def _move(self, thread: ThreadStanding, event: EventFacts) -> None:
        if event.type == "user_messages":
            thread.node, thread.waiting = thread.node or event.node, None
            return
        if event.type == "end_thread":
            thread.ended, thread.waiting, thread.ahead = True, None, None
            thread.node = event.node or thread.node
            return
        thread.node, thread.ahead = event.node or thread.node, None
        thread.waiting = event.event if event.type == "busy_wait_for_user_message" else None
