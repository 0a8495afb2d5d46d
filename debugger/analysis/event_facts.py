"""What all readers of a run ask of an event, worked out once for each."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern

from debugger.analysis.facts import node_name_of, node_of, thread_id_of, time_of
from debugger.protocol.events import Event, reference_id


class EventFacts:
    """An event with its facts, which `debugger.analysis.facts` tells of it."""

    __slots__ = ("event", "is_failure", "node", "node_name", "thread", "thread_id", "time", "type")

    def __init__(self, event: Event) -> None:
        self.event = event
        # A run has few types and nodes; what is read of it shall hold each of these words once.
        self.type = intern(event.type)
        self.is_failure = event.is_failure
        self.time = time_of(event)
        node = node_of(event)
        self.node = intern(node) if node else None
        self.node_name = node_name_of(event)
        self.thread_id = thread_id_of(event)
        self.thread = event.thread_reference_id or reference_id(self.thread_id)


def facts_of(events: Iterable[Event]) -> list[EventFacts]:
    """The events with their facts, in their order."""
    return [EventFacts(event) for event in events]
