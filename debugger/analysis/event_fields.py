"""Fields of events.

Node, thread, time and whatever else is read by name.

Fields are read by their wire name, not by the event's class: an event with one invalid value is read as a
bare `Event` (``platform.md#events``) and its other fields still count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from sys import intern
from typing import Any

from debugger.analysis.trouble import classify_trouble
from debugger.protocol.event_values import EventValues, TroubleMark
from debugger.protocol.events import TROUBLE, EndNodeRunEvent, Event, reference_id

_NODE_FIELDS = (
    "origin_node_logical_id",
    "source_node_logical_id",
    "last_node_logical_id",
    "parked_node_logical_id",
)
_NAME_FIELDS = ("origin_node_name", "source_node_name")
_THREAD_FIELDS = ("thread_id", "companion_thread_id")
YEAR_10000 = 253402300799
"""Seconds since the epoch; a later time is no date."""


class EventFields:
    """An event with the fields that every fold reads, computed once."""

    __slots__ = ("event", "node", "node_name", "thread", "thread_id", "time", "trouble", "type")

    def __init__(self, event: Event) -> None:
        """Read the fields of an event once; no error is raised for missing or odd values.

        Node, its name, thread id and thread are ``None`` where the event has none, `time` where it is no
        valid date, and `trouble` where nothing went wrong. The node of a transition is its source, that of a
        warning the one it names.
        """
        wire = event.to_wire()
        self.event = event
        # A run has few types and nodes: interned, each text is in memory once.
        self.type = intern(event.type)
        self.trouble = classify_trouble(event)
        self.time = time_of(event)
        node = _node(wire)
        self.node = intern(node) if node else None
        self.node_name = _first_text(wire, _NAME_FIELDS)
        self.thread_id = thread_id_of(event)
        self.thread = event.thread_reference_id or reference_id(self.thread_id)


def fields_of(events: Iterable[Event]) -> list[EventFields]:
    """Return the events with their fields, in the same order."""
    return [EventFields(event) for event in events]


def values_of(event: Event) -> EventValues:
    """Return a view of an event's values, whatever its class."""
    return EventValues(event.to_wire())


def text(event: Event, name: str) -> str | None:
    """Return a field's value if it is a text and not empty."""
    value = event.to_wire().get(name)
    return value if isinstance(value, str) and value else None


def node_of(event: Event) -> str | None:
    """Return the id of an event's node; of a transition, its source; of a warning, the node that it names."""
    return _node(event.to_wire())


def node_name_of(event: Event) -> str | None:
    """Return the name of an event's node, if the event has it."""
    return _first_text(event.to_wire(), _NAME_FIELDS)


def thread_id_of(event: Event) -> str | None:
    """Return the internal id of an event's thread: ``"0"`` or ``0_companion_<configured id>``."""
    thread_id = event.origin_thread_id
    return thread_id if thread_id is not None else _first_text(event.to_wire(), _THREAD_FIELDS)


def is_failed_run(event: Event) -> bool:
    """Return whether a node run ended without success or expired."""
    return event.type == "node_expired" or (isinstance(event, EndNodeRunEvent) and event.has_failed)


def time_of(event: Event) -> float | None:
    """Return an event's time in seconds since the epoch.

    ``None`` if it is not a valid date.
    """
    time = event.timestamp
    return time if 0 < time < YEAR_10000 else None


def elapsed_ms(start: float | None, end: float | None) -> float | None:
    """Return the milliseconds between two times in seconds, if both are known."""
    return None if start is None or end is None else round((end - start) * 1000, 3)


def iso_utc(time: float | None) -> str:
    """Return a time as ISO 8601 in UTC; empty without a valid date."""
    if time is None or not 0 < time < YEAR_10000:
        return ""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def _node(wire: Mapping[str, Any]) -> str | None:
    found = _first_text(wire, _NODE_FIELDS)
    if found is None and TROUBLE in wire:
        return TroubleMark(wire[TROUBLE]).node or None
    return found


def _first_text(wire: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """Return the first of some fields that is a text and not empty; ``None`` without one."""
    for name in names:
        value = wire.get(name)
        if value and isinstance(value, str):
            return value
    return None
