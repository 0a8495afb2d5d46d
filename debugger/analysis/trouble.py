"""The classification of trouble: what went wrong at an event, and whether it was injected.

`classify_trouble` is the one place that decides it. Each failure has one event, so that events are counted as
failures: the warning where our engine reports the failure by one, else the end of the node run, the message
with a tool's answer, or the error of the run.

    trouble = classify_trouble(event)
    if trouble is not None and trouble.is_failure:
        print(trouble.label, trouble.node)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from debugger.protocol.base import JsonObject
from debugger.protocol.event_values import EventValues, MessageValues, NodeOutputValues, TroubleMark
from debugger.protocol.events import TROUBLE, Event, TroubleKind

WARNING_KINDS: frozenset[TroubleKind] = frozenset({"configuration", "unknown"})
"""Kinds that are not called a failure; every other one is."""

Severity = Literal["failure", "warning"]
SEVERITIES: tuple[Severity, ...] = ("failure", "warning")

LABELS: dict[TroubleKind, str] = {
    "error": "Run error",
    "model": "Model failed",
    "schema": "Answer breaks its schema",
    "cut_reply": "Reply cut",
    "tool": "Tool failed",
    "http": "HTTP request failed",
    "connector": "Connector failed",
    "node": "Node failed",
    "timeout": "Node timed out",
    "loop_limit": "Loop limit reached",
    "configuration": "Configuration warning",
    "unknown": "Warning, cause unknown",
}

_KINDS: dict[str, TroubleKind] = {kind: kind for kind in LABELS}
_UNMARKED = TroubleMark()
_FAILED_STATUSES = frozenset({"blocked", "error", "failed", "rejected", "undelivered"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """The finding at one event."""

    kind: TroubleKind
    node: str | None = None
    """The logical id of the node, if the event tells it."""
    is_faulted: bool = False
    """True where a fault that the debugger's user has added caused it."""

    @property
    def is_failure(self) -> bool:
        """Return whether it is an error or a failed answer, and no mere warning."""
        return self.kind not in WARNING_KINDS

    @property
    def severity(self) -> Severity:
        """Return ``failure`` or ``warning``."""
        return "failure" if self.is_failure else "warning"

    @property
    def is_problem(self) -> bool:
        """Return whether lists of problems have it: all but warnings of the configuration."""
        return self.kind != "configuration"

    @property
    def label(self) -> str:
        """Return the kind in words."""
        return f"{LABELS[self.kind]} (injected)" if self.is_faulted else LABELS[self.kind]


def classify_trouble(event: Event) -> Trouble | None:
    """Return what went wrong at an event, ``None`` where nothing did.

    What the engine wrote (`TROUBLE`) holds; without it the event's own fields decide, as in records of the
    hosted API.
    """
    read = _READERS.get(event.type)
    return None if read is None else _read(event.to_wire(), read)


def _read(wire: JsonObject, read: Callable[[JsonObject], TroubleKind | None]) -> Trouble | None:
    """Return the trouble of an event, as it is marked, else as a function reads it; ``None`` for none.

    A mark that is null says that there is none.
    """
    if TROUBLE not in wire:
        marked, kind = _UNMARKED, read(wire)
    elif wire[TROUBLE] is None:
        return None
    else:
        marked = TroubleMark(wire[TROUBLE])
        kind = _KINDS.get(marked.kind) or read(wire)
    if kind is None:
        return None
    node = marked.node or EventValues(wire).origin_node_logical_id
    return Trouble(kind, node or None, marked.faulted)


_KIND_OF_NODE: dict[str, TroubleKind] = {
    "tool_node": "tool",
    "http_request": "http",
    "send_sms": "connector",
    "google_docs": "connector",
    "start_conversation": "connector",
}


def _of_run(wire: JsonObject) -> TroubleKind | None:
    output = NodeOutputValues(wire.get("run_output"))
    if output.success is not False:
        return None
    return "connector" if output.type.startswith("athena") else _KIND_OF_NODE.get(output.type, "node")


def _of_message(wire: JsonObject) -> TroubleKind | None:
    message = MessageValues(wire.get("message"))
    return "tool" if message.type == "tool" and message.status == "error" else None


def _of_status(name: str) -> Callable[[JsonObject], TroubleKind | None]:
    return lambda wire: "connector" if str(wire.get(name)).lower() in _FAILED_STATUSES else None


_READERS: dict[str, Callable[[JsonObject], TroubleKind | None]] = {
    "workflow_error": lambda wire: "error",
    "workflow_warning": lambda wire: "unknown",
    "node_expired": lambda wire: "timeout",
    "end_node_run": _of_run,
    "say_llm": _of_message,
    "worker_llm": _of_message,
    # The ends of these nodes do not say whether they failed.
    "start_conversation": _of_status("conversation_status"),
    "google_docs_create_document": _of_status("status"),
    "google_docs_get_document": _of_status("status"),
    "google_docs_update_document": _of_status("status"),
}
