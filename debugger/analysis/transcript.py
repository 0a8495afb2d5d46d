"""The transcript of a run: a row per message, for files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, Self

from debugger.analysis.chat import ChatMessage, spoken_messages
from debugger.analysis.differences import Difference
from debugger.analysis.event_fields import (
    field,
    fields_of,
    is_failed_run,
    iso_utc,
    node_name_of,
    node_of,
    text,
    thread_id_of,
    time_of,
)
from debugger.analysis.node_origins import label_of
from debugger.analysis.thread_positions import InputHint, ThreadPositions, input_hint
from debugger.analysis.timeline import FailureReasons
from debugger.analysis.transitions import EdgeIndex, Transition, read_transitions, transition_condition
from debugger.analysis.variables import changes_by_turn
from debugger.protocol.events import Event, reference_id
from debugger.protocol.runs import MAIN_THREAD, Run
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

SCHEMA_VERSION = 1
"""Counts up when a column of `TranscriptRow` changes its meaning."""


@dataclass(frozen=True)
class RunFacts:
    """Columns that every row of a run shares."""

    run_id: str
    workflow_id: str = ""
    workflow_name: str = ""
    version_number: int | None = None
    engine: str = ""
    status: str = ""
    started_at: str = ""
    """ISO 8601, UTC; empty means the time of the run's first event."""

    @classmethod
    def of(cls, run: Run, *, workflow_name: str, engine: str) -> Self:
        """Return the columns of a record.

        Args:
            run: The record.
            workflow_name: The workflow's display name, which a record does not hold.
            engine: The name of the engine that ran it: ``Embedded engine``, ``Hosted API``.
        """
        return cls(
            run_id=run.workflow_run_id,
            workflow_id=run.workflow_id,
            workflow_name=workflow_name,
            version_number=run.version_number,
            engine=engine,
            status=run.status,
            started_at=run.created_at or "",
        )


class TranscriptRow(NamedTuple):
    """One message of a transcript.

    Columns that are known only when its turn ends are on the turn's last row.
    """

    schema_version: int
    run_id: str
    turn_number: int
    """For background work, that of the turn before it."""
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
    """For an agent's row the last transition to its node: the edge's name, else id, else the kind."""
    edge_condition: str
    at_ms: float | None
    """Since the run's first event."""
    at: str
    """ISO 8601, UTC."""
    latency_ms: float | None
    """Latency of the model."""
    is_waiting_for_input: bool
    next_input_hint_kind: str
    next_input_hint: str
    """The label of the node that waits."""
    changed_variables: str
    """JSON list of path, op, before and after; empty without changes."""
    error_type: str
    """``workflow_error``, ``node_expired`` or ``node_failure``."""
    error_message: str
    workflow_id: str
    workflow_name: str
    version_number: int | None
    engine: str
    status: str
    started_at: str
    is_background: bool
    """True for a message of background work, after the turn."""


def transcript(facts: RunFacts, turns: Sequence[TurnLog], workflow: Workflow | None) -> list[TranscriptRow]:
    """Return every message of a run as a row.

    Args:
        facts: The columns that every row shares.
        turns: The run's turns.
        workflow: The workflow that ran; without it node types and conditions stay empty.
    """
    table = _Table(facts, turns, workflow or Workflow())
    said: dict[int, list[ChatMessage]] = {}
    for message in spoken_messages(turns):
        said.setdefault(message.turn_index, []).append(message)
    for index, (turn, changed, ending) in enumerate(
        zip(turns, changes_by_turn(turns), _endings(turns, facts.status, table.names), strict=True)
    ):
        table.add_turn(turn, said.get(index, []), changed, ending)
    return table.rows


@dataclass(frozen=True)
class _Ending:
    hint: InputHint
    error_type: str
    error_message: str


_QUIET = _Ending(InputHint("none", "", ""), "", "")


class _Table:
    def __init__(self, facts: RunFacts, turns: Sequence[TurnLog], workflow: Workflow) -> None:
        self.rows: list[TranscriptRow] = []
        self._facts = facts
        self._nodes = {node.logical_id: node for node in workflow.node_configs}
        self.names = {node.logical_id: node.label for node in workflow.node_configs}
        self._edges = EdgeIndex(workflow.edge_configs, self._nodes)
        self._arrivals = _arrivals(turns, self._edges)
        times = (time_of(event) for turn in turns for event in turn.events)
        self._start = next((time for time in times if time is not None), None)

    def add_turn(
        self, turn: TurnLog, said: list[ChatMessage], changed: list[Difference], ending: _Ending
    ) -> None:
        for message in said[:-1]:
            self._add(turn, message, "", _QUIET)
        changes = [asdict(change) for change in changed]
        changed_json = json.dumps(changes, ensure_ascii=False, default=str) if changes else ""
        if said or changed_json or ending.error_type:
            self._add(turn, said[-1] if said else None, changed_json, ending)

    def _add(self, turn: TurnLog, message: ChatMessage | None, changed: str, ending: _Ending) -> None:
        facts, event = self._facts, message.event if message else None
        node_id = node_of(event) if event else None
        node = self._nodes.get(node_id or "")
        edge, condition = self._edge(message)
        self.rows.append(
            TranscriptRow(
                schema_version=SCHEMA_VERSION,
                run_id=facts.run_id,
                turn_number=turn.number,
                seq=len(self.rows) + 1,
                role=_role(message),
                text=message.text if message else ending.error_message,
                node_logical_id=node_id or "",
                node_name=label_of(
                    node_id or "",
                    (node_name_of(event) if event else None) or (node.name if node else None) or "",
                    self.names,
                ),
                node_type=(node.type if node else None) or "",
                thread_id=(reference_id(message.thread_id) if message else None) or MAIN_THREAD,
                edge_taken=edge,
                edge_condition=condition,
                at_ms=self._milliseconds(event),
                at=iso_utc(time_of(event)) if event else "",
                latency_ms=_latency(event),
                is_waiting_for_input=ending.hint.kind == "message",
                next_input_hint_kind=ending.hint.kind,
                next_input_hint=ending.hint.who,
                changed_variables=changed,
                error_type=ending.error_type,
                error_message=ending.error_message,
                workflow_id=facts.workflow_id,
                workflow_name=facts.workflow_name,
                version_number=facts.version_number,
                engine=facts.engine,
                status=facts.status,
                started_at=facts.started_at or iso_utc(self._start),
                is_background=turn.is_background,
            )
        )

    def _edge(self, message: ChatMessage | None) -> tuple[str, str]:
        index = message.event_index if message else None
        taken = self._arrivals.get(index) if index is not None else None
        if taken is None:
            return "", ""
        condition = transition_condition(taken, self._edges, self._nodes)
        return taken.edge_name or taken.edge_id or taken.kind, condition

    def _milliseconds(self, event: Event | None) -> float | None:
        time = time_of(event) if event else None
        return None if time is None or self._start is None else round((time - self._start) * 1000, 3)


def _role(message: ChatMessage | None) -> Literal["user", "agent", "system"]:
    if message is None:
        return "system"
    return "user" if message.role == "user" else "agent"


def _arrivals(turns: Sequence[TurnLog], edges: EdgeIndex) -> dict[int, Transition]:
    """Return the last transition to the speaking node, by message index."""
    made = {taken.event_index: taken for taken in read_transitions(turns, edges)}
    last: dict[tuple[str | None, str | None], Transition] = {}
    found: dict[int, Transition] = {}
    for index, event in enumerate(event for turn in turns for event in turn.events):
        if taken := made.get(index):
            last[taken.thread_id, taken.destination] = taken
        elif event.type == "assistant_response" and (thread_id_of(event), node_of(event)) in last:
            found[index] = last[thread_id_of(event), node_of(event)]
    return found


def _endings(turns: Sequence[TurnLog], status: str, names: Mapping[str, str]) -> Iterator[_Ending]:
    positions = ThreadPositions()
    for number, turn in enumerate(turns, start=1):
        positions.add_turn(turn)
        waiting = positions.main.waiting
        kind, message = _error(turn.events)
        hint = input_hint(
            waiting.to_wire() if waiting else None,
            status if number == len(turns) else "running",
            names=names,
        )
        yield _Ending(hint, kind, message)


def _error(events: Sequence[Event]) -> tuple[str, str]:
    """Return type and text of the run's error, else the node's."""
    fatal = next((event for event in events if event.type == "workflow_error"), None)
    if fatal is not None:
        return "workflow_error", text(fatal, "error_message") or fatal.summary
    failed = next((event for event in reversed(events) if is_failed_run(event)), None)
    if failed is None:
        return "", ""
    if failed.type == "node_expired":
        return "node_expired", text(failed, "reason") or failed.summary
    reasons = FailureReasons()
    for event in fields_of(events):
        reasons.apply(event)
    return "node_failure", reasons.of(failed) or failed.summary


def _latency(event: Event | None) -> float | None:
    usage = field(event, "llm_usage_info") if event else None
    value = usage.get("response_latency_milliseconds") if isinstance(usage, dict) else None
    return value if isinstance(value, int | float) else None
