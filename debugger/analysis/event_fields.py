"""The facts of one event: its node, its thread, its time.

They are read by the type's name and the field's name, not by the event's class: an event with one value that
its field cannot have is read as a bare `Event` (``platform/engine.md`` 8.2) and still tells the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from sys import intern
from typing import Any

from debugger.protocol.events import Event, reference_id

_NODE_FIELDS = (
    "origin_node_logical_id",
    "source_node_logical_id",
    "last_node_logical_id",
    "parked_node_logical_id",
)
_NAME_FIELDS = ("origin_node_name", "source_node_name")
_THREAD_FIELDS = ("thread_id", "companion_thread_id")
_YEAR_10000 = 253402300799


def field(event: Event, name: str) -> Any:
    """A field's value; ``None`` where the event has no such field."""
    # Not getattr: pydantic answers for a field that is not there a hundred times slower than a dictionary.
    value = event.__dict__.get(name)
    if value is None and event.__pydantic_extra__:
        return event.__pydantic_extra__.get(name)
    return value


def text(event: Event, name: str) -> str | None:
    """A field's value if it is a text that is not empty."""
    value = field(event, name)
    return value if isinstance(value, str) and value else None


def node_of(event: Event) -> str | None:
    """The id of the node that an event belongs to; of a hop, the node that it leaves."""
    return _first_text(event, _NODE_FIELDS)


def node_name_of(event: Event) -> str | None:
    """The name of the node that an event belongs to, where the event tells it."""
    return _first_text(event, _NAME_FIELDS)


def thread_id_of(event: Event) -> str | None:
    """The internal id of an event's thread: ``"0"``, or ``0_companion_<configured id>``."""
    if event.origin_thread_id is not None:
        return event.origin_thread_id
    return _first_text(event, _THREAD_FIELDS)


def thread_of(event: Event) -> str | None:
    """An event's thread as people know it: ``"0"``, or the configured id of a companion."""
    return event.thread_reference_id or reference_id(thread_id_of(event))


def is_failed_run(event: Event) -> bool:
    """Whether a node run ended without success or was cut off."""
    return event.type == "node_expired" or (event.type == "end_node_run" and event.is_failure)


def time_of(event: Event) -> float | None:
    """When an event happened, in seconds since the epoch; ``None`` where it bears no time of our calendar."""
    return event.timestamp if 0 < event.timestamp < _YEAR_10000 else None


def _first_text(event: Event, names: tuple[str, ...]) -> str | None:
    """The first of some fields that is a text and not empty; asked of every event, and more than once."""
    extra = event.__pydantic_extra__
    fields = {**event.__dict__, **extra} if extra else event.__dict__
    for name in names:
        value = fields.get(name)
        if value and isinstance(value, str):
            return value
    return None


def iso_utc(time: float | None) -> str:
    """A time as ISO 8601 in UTC; empty where there is none."""
    if time is None:
        return ""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EventFields:
    """An event with its facts, which `debugger.analysis.event_fields` tells of it."""

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


def fields_of(events: Iterable[Event]) -> list[EventFields]:
    """The events with their facts, in their order."""
    return [EventFields(event) for event in events]
