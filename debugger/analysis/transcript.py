"""The transcript of a run: rows for files, turns for reviewers.

It is read turn by turn, so that a long run is never in memory as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from debugger.analysis.chat import ChatBuilder, ChatMessage
from debugger.analysis.differences import Difference
from debugger.analysis.event_fields import (
    EventFields,
    elapsed_ms,
    fields_of,
    is_failed_run,
    iso_utc,
    node_name_of,
    node_of,
    text,
    time_of,
    values_of,
)
from debugger.analysis.node_origins import label_of
from debugger.analysis.paths import (
    BETWEEN,
    PathReader,
    PathStep,
    conditions_text,
    edges_text,
    path_text,
    verdicts_text,
)
from debugger.analysis.thread_positions import InputHint, ThreadPositions, input_hint, last_hint
from debugger.analysis.timeline import FailureReasons
from debugger.analysis.variables import VariableChanges
from debugger.expressions.values import shortened
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, reference_id
from debugger.protocol.runs import MAIN_THREAD, Run, RunStatus
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

SCHEMA_VERSION = 3
"""Counts up when a column of an export changes its meaning."""


class TranscriptRow(NamedTuple):
    """One message of a transcript."""

    seq: int
    """Counts the run's rows from 1."""
    role: Literal["user", "agent", "system"]
    """``system`` is a turn, or background work, without messages in which something failed or changed."""
    text: str
    node_logical_id: str
    node_name: str
    """With the super nodes around it: ``Booking › Ask``."""
    node_type: str
    thread_id: str
    """``"0"``, or the configured id of a companion."""
    edge_taken: str
    """For an agent's row the edges of its turn since the message before it, in words and in order."""
    edge_condition: str
    """The conditions of those edges."""
    edge_verdict: str
    """How they were decided."""
    path: str
    """The nodes and edges on the way to the message: ``Desk > book > Booking``."""
    path_after: str
    """The way after the message, to the end of the turn."""
    at_ms: float | None
    """Since the run's first event."""
    at: str
    """ISO 8601, UTC."""
    latency_ms: float | None
    """Latency of the model."""
    is_error: bool
    """True for a row of the system that tells the turn's error."""
    is_background: bool
    """True for a message of background work, after the turn."""


@dataclass(frozen=True)
class TranscriptTurn:
    """One turn, or piece of background work, with its rows."""

    rows: list[TranscriptRow]
    steps: list[PathStep]
    changes: list[Difference]
    variables: JsonObject
    """All that the run has set by then; only of its last turn."""
    hint: InputHint
    status: RunStatus
    """After the turn."""
    error_type: str
    """``workflow_error``, ``node_expired`` or ``node_failure``; empty without an error."""
    error_message: str
    failure: str
    """The first failed answer of the turn in one line, whether or not the run went on; empty without one."""


class TranscriptReader:
    """Reads the rows of a run turn by turn.

    Args:
        status: That of the run's record.
        workflow: The workflow that ran; without it node types and conditions stay empty.
    """

    def __init__(self, status: RunStatus, workflow: Workflow | None) -> None:
        """Begin before the first turn; without a workflow the graph is empty."""
        graph = Graph(workflow or Workflow())
        self._status = status
        self._graph = graph
        self._chat = ChatBuilder({})
        self._paths = PathReader(graph)
        self._positions = ThreadPositions()
        self._changes = VariableChanges()
        self._start: float | None = None
        self._row_count = 0

    def add_turn(
        self, turn: TurnLog, events: Sequence[EventFields] | None = None, *, is_last: bool = True
    ) -> TranscriptTurn:
        """Return the next turn of the run with its rows; turns must come one after the other.

        Args:
            turn: The turn, or piece of background work.
            events: Its events, if their fields have been read already.
            is_last: Whether the run has the status of its record after it.
        """
        events = fields_of(turn.events) if events is None else events
        if self._start is None:
            self._start = next((event.time for event in events if event.time is not None), None)
        self._chat.add_turn(turn, events)
        said = [message for message in self._chat.messages if message.message is not None]
        self._chat.messages.clear()
        steps = self._paths.add_turn(turn, events)
        changes = self._changes.add_turn(turn, events)
        self._positions.add_turn(turn, events)
        status = self._status if is_last else "running"
        hint = input_hint(last_hint(self._positions), status, names=self._graph.names)
        if not is_last and self._positions.status != "not_started":
            status = self._positions.status
        error = _error(turn.events, events)
        variables = self._changes.values() if is_last else {}
        failed = (event for event in events if event.trouble is not None and event.trouble.is_failure)
        failure = next((event.event.summary for event in failed), "")
        read = TranscriptTurn([], steps, changes, variables, hint, status, *error, failure)
        read.rows.extend(self._rows(turn, said, read))
        return read

    def _rows(self, turn: TurnLog, said: list[ChatMessage], read: TranscriptTurn) -> Iterator[TranscriptRow]:
        """Yield a row for each message, with the steps that led to it.

        The last row has the steps after it too. A turn without a message has a row if anything else happened.
        """
        steps, begun = read.steps, 0
        for message in said[:-1]:
            reached = _reached(steps, message, begun)
            yield self._row(turn, message, steps[begun:reached], [], read)
            begun = reached
        if said or read.changes or read.error_type or read.failure:
            last = said[-1] if said else None
            reached = _reached(steps, last, begun) if last else len(steps)
            yield self._row(turn, last, steps[begun:reached], steps[reached:], read)

    def _row(
        self,
        turn: TurnLog,
        message: ChatMessage | None,
        steps: Sequence[PathStep],
        steps_after: Sequence[PathStep],
        read: TranscriptTurn,
    ) -> TranscriptRow:
        """Return the row of a message, or with ``None`` of the system; count it.

        Args:
            turn: The turn.
            message: The message.
            steps: The transitions on the way to it.
            steps_after: Those after it.
            read: What was read of the turn, for its error.
        """
        event = message.event if message else None
        node_id = node_of(event) if event else None
        node = self._graph.nodes.get(node_id or "")
        time = time_of(event) if event else None
        self._row_count += 1
        return TranscriptRow(
            seq=self._row_count,
            role="system" if message is None else "user" if message.role == "user" else "agent",
            text=message.text if message else read.error_message or read.failure,
            node_logical_id=node_id or "",
            node_name=label_of(
                node_id or "",
                (node_name_of(event) if event else None) or (node.name if node else None) or "",
                self._graph.names,
            ),
            node_type=(node.type if node else None) or "",
            thread_id=(reference_id(message.thread_id) if message else None) or MAIN_THREAD,
            edge_taken=edges_text(steps),
            edge_condition=conditions_text(steps),
            edge_verdict=verdicts_text(steps),
            path=path_text(steps),
            path_after=path_text(steps_after),
            at_ms=elapsed_ms(self._start, time),
            at=iso_utc(time),
            latency_ms=values_of(event).llm_usage_info.response_latency_milliseconds if event else None,
            is_error=message is None and bool(read.error_type or read.failure),
            is_background=turn.is_background,
        )


def _reached(steps: Sequence[PathStep], message: ChatMessage, begun: int) -> int:
    """Return how many of the turn's transitions come before a message."""
    if message.event_index is None:
        return begun
    return sum(step.event_index < message.event_index for step in steps)


def _error(events: Sequence[Event], fields: Sequence[EventFields]) -> tuple[str, str]:
    """Return type and text of the run's error, else of the last node run that failed; empty without one."""
    fatal = next((event for event in events if event.type == "workflow_error"), None)
    if fatal is not None:
        return "workflow_error", text(fatal, "error_message") or fatal.summary
    failed = next((event for event in reversed(events) if is_failed_run(event)), None)
    if failed is None:
        return "", ""
    if failed.type == "node_expired":
        return "node_expired", text(failed, "reason") or failed.summary
    reasons = FailureReasons()
    for event in fields:
        reasons.apply(event)
    return "node_failure", reasons.of(failed) or failed.summary


_MAX_VALUE_CHARACTERS = 80
_MAX_TRANSITIONS = 12
"""Of a path that reviewers read; of a longer one both ends are shown."""


@dataclass(frozen=True)
class ReviewedTurn:
    """One turn of the user, with the background work after it."""

    number: int
    messages: tuple[TranscriptRow, ...]
    """The rows of the transcript; some only say that there was no message."""
    path: str
    """Nodes, and between them the edges taken: ``Intent desk > book > Booking intake``."""
    changes: tuple[str, ...]
    """Changed variables: ``name: "" → "Ada"``."""
    error: str


def reviewed_turns(run: Run, turns: Sequence[TurnLog], workflow: Workflow) -> list[ReviewedTurn]:
    """Return the turns of a run as reviewers read them, by number, each with the background work after it.

    Args:
        run: The record.
        turns: Its turns.
        workflow: The workflow that ran, or what the run is drawn with.
    """
    reader = TranscriptReader(run.status, workflow)
    parts: dict[int, list[TranscriptTurn]] = {}
    for place, turn in enumerate(turns, start=1):
        read = reader.add_turn(turn, is_last=place == len(turns))
        parts.setdefault(turn.number, []).append(read)
    return [_turn(number, of_turn) for number, of_turn in parts.items()]


def _turn(number: int, parts: Sequence[TranscriptTurn]) -> ReviewedTurn:
    """Return one turn of the user from its parts; an error that a row already tells is left out."""
    # A row of the system has the error as its text.
    hidden = [part for part in parts if all(row.role != "system" for row in part.rows)]
    return ReviewedTurn(
        number=number,
        messages=tuple(row for part in parts for row in part.rows),
        path=_path([step for part in parts for step in part.steps]),
        changes=tuple(_change(change) for part in parts for change in part.changes),
        error=" ".join(part.error_message for part in hidden if part.error_type),
    )


def _path(steps: Sequence[PathStep]) -> str:
    if len(steps) <= _MAX_TRANSITIONS:
        return path_text(steps)
    half = _MAX_TRANSITIONS // 2
    return BETWEEN.join([path_text(steps[:half]), "…", path_text(steps[-half:])])


def _change(change: Difference) -> str:
    """Return a changed variable in words, with the value before it unless it was added."""
    name = change.path.removeprefix("runtime.")
    if change.op == "removed":
        return f"{name}: {_value(change.before)} removed"
    before = "" if change.op == "added" else f"{_value(change.before)} → "
    return f"{name}: {before}{_value(change.after)}"


def _value(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=False, default=str), _MAX_VALUE_CHARACTERS)
