"""The conversation of a run as rows for a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, Self

from debugger.analysis.chat import Spoken, spoken
from debugger.analysis.differences import Difference
from debugger.analysis.event_fields import (
    field,
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
from debugger.analysis.transitions import EdgeIndex, Transition, condition_of, read_transitions
from debugger.analysis.variables import changes_by_turn
from debugger.protocol.events import Event, reference_id
from debugger.protocol.runs import MAIN_THREAD, Run
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

SCHEMA_VERSION = 1
"""Counts up when a column of `TranscriptRow` changes its meaning."""


@dataclass(frozen=True)
class RunFacts:
    """What every row says of the run."""

    run_id: str
    workflow_id: str = ""
    workflow_name: str = ""
    version_number: int | None = None
    engine: str = ""
    status: str = ""
    started_at: str = ""
    """ISO 8601, UTC; empty takes the time of the run's first event."""

    @classmethod
    def of(cls, run: Run, *, workflow_name: str, engine: str) -> Self:
        """The facts of a record.

        Args:
            run: The record.
            workflow_name: The workflow's display name, which a record does not hold.
            engine: What ran it, as people know it: ``Embedded engine``, ``Hosted API``.
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
    """One message. What is known only when a turn, or some background work, ends stands on its last row."""

    schema_version: int
    run_id: str
    turn_number: int
    """Of background work, that of the turn after which it was done."""
    seq: int
    """Counts the run's rows from 1."""
    role: Literal["user", "agent", "system"]
    """``system`` stands for a turn, or work, in which nobody spoke, yet something failed or changed."""
    text: str
    node_logical_id: str
    node_name: str
    """With the super nodes around it: ``Booking › Ask``."""
    node_type: str
    thread_id: str
    """As people know it: ``"0"``, or the configured id of a companion."""
    edge_taken: str
    """Of an agent's row, the last hop to the node that speaks: its edge's name, else id, else the kind."""
    edge_condition: str
    at_ms: float | None
    """Since the run's first event."""
    at: str
    """ISO 8601, UTC."""
    latency_ms: float | None
    """How long the model took."""
    is_waiting_for_input: bool
    next_input_hint_kind: str
    next_input_hint: str
    """The name of the node that waits."""
    changed_variables: str
    """JSON list of path, op, before and after: what the turn wrote; empty when nothing."""
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
    """Whether it came of background work, after the turn."""


def transcript(facts: RunFacts, turns: Sequence[TurnLog], workflow: Workflow | None) -> list[TranscriptRow]:
    """Every message of a run as a row.

    Args:
        facts: What every row says of the run.
        turns: The run's turns.
        workflow: The workflow that ran; without it node types and conditions stay empty.
    """
    table = _Table(facts, turns, workflow or Workflow())
    said: dict[int, list[Spoken]] = {}
    for words in spoken(turns):
        said.setdefault(words.place, []).append(words)
    for place, (turn, changed, ending) in enumerate(
        zip(turns, changes_by_turn(turns), _endings(turns, facts.status, table.names), strict=True)
    ):
        table.add_turn(turn, said.get(place, []), changed, ending)
    return table.rows


@dataclass(frozen=True)
class _Ending:
    """What is known of a turn when it ends."""

    hint: InputHint
    error_type: str
    error_message: str


_QUIET = _Ending(InputHint("none", "", ""), "", "")


class _Table:
    """The rows so far."""

    def __init__(self, facts: RunFacts, turns: Sequence[TurnLog], workflow: Workflow) -> None:
        self.rows: list[TranscriptRow] = []
        self._facts = facts
        self._nodes = {node.logical_id: node for node in workflow.node_configs}
        self.names = {node.logical_id: node.label for node in workflow.node_configs}
        self._edges = EdgeIndex(workflow.edge_configs, self._nodes)
        self._arrivals = _arrivals(turns, self._edges)
        times = (time_of(event) for turn in turns for event in turn.events)
        self._start = next((time for time in times if time is not None), None)

    def add_turn(self, turn: TurnLog, said: list[Spoken], changed: list[Difference], ending: _Ending) -> None:
        for words in said[:-1]:
            self._add(turn, words, "", _QUIET)
        told = _as_json(changed)
        if said or told or ending.error_type:
            self._add(turn, said[-1] if said else None, told, ending)

    def _add(self, turn: TurnLog, words: Spoken | None, changed: str, ending: _Ending) -> None:
        facts, event = self._facts, words.event if words else None
        node_id = node_of(event) if event else None
        node = self._nodes.get(node_id or "")
        edge, condition = self._way(words)
        self.rows.append(
            TranscriptRow(
                schema_version=SCHEMA_VERSION,
                run_id=facts.run_id,
                turn_number=turn.number,
                seq=len(self.rows) + 1,
                role=words.role if words else "system",
                text=words.text if words else ending.error_message,
                node_logical_id=node_id or "",
                node_name=label_of(
                    node_id or "",
                    (node_name_of(event) if event else None) or (node.name if node else None) or "",
                    self.names,
                ),
                node_type=(node.type if node else None) or "",
                thread_id=(reference_id(words.thread_id) if words else None) or MAIN_THREAD,
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

    def _way(self, words: Spoken | None) -> tuple[str, str]:
        """The edge to the node that speaks, and its condition."""
        index = words.event_index if words else None
        hop = self._arrivals.get(index) if index is not None else None
        if hop is None:
            return "", ""
        return hop.edge_name or hop.edge_id or hop.kind, condition_of(hop, self._edges, self._nodes)

    def _milliseconds(self, event: Event | None) -> float | None:
        time = time_of(event) if event else None
        return None if time is None or self._start is None else round((time - self._start) * 1000, 3)


def _arrivals(turns: Sequence[TurnLog], edges: EdgeIndex) -> dict[int, Transition]:
    """For each agent's message, by event index, the last hop of its thread to the node that speaks."""
    made = {hop.event_index: hop for hop in read_transitions(turns, edges)}
    last: dict[tuple[str | None, str | None], Transition] = {}
    found: dict[int, Transition] = {}
    for index, event in enumerate(event for turn in turns for event in turn.events):
        if hop := made.get(index):
            last[hop.thread_id, hop.destination] = hop
        elif event.type == "assistant_response" and (thread_id_of(event), node_of(event)) in last:
            found[index] = last[thread_id_of(event), node_of(event)]
    return found


def _endings(turns: Sequence[TurnLog], status: str, names: Mapping[str, str]) -> Iterator[_Ending]:
    standing = ThreadPositions()
    for place, turn in enumerate(turns, start=1):
        standing.follow(turn.events)
        waiting = standing.main.waiting
        kind, message = _error(turn.events)
        hint = input_hint(
            waiting.to_wire() if waiting else None,
            status if place == len(turns) else "running",
            names=names,
        )
        yield _Ending(hint, kind, message)


def _error(events: Sequence[Event]) -> tuple[str, str]:
    """Type and text of what ended the run in these events, else of the last node run that failed."""
    fatal = next((event for event in events if event.type == "workflow_error"), None)
    if fatal is not None:
        return "workflow_error", text(fatal, "error_message") or fatal.summary
    failed = next((event for event in reversed(events) if is_failed_run(event)), None)
    if failed is None:
        return "", ""
    if failed.type == "node_expired":
        return "node_expired", text(failed, "reason") or failed.summary
    reasons = FailureReasons()
    for event in events:
        reasons.learn(event)
    return "node_failure", reasons.of(failed) or failed.summary


def _latency(event: Event | None) -> float | None:
    usage = field(event, "llm_usage_info") if event else None
    value = usage.get("response_latency_milliseconds") if isinstance(usage, dict) else None
    return value if isinstance(value, int | float) else None


def _as_json(changed: Sequence[Difference]) -> str:
    if not changed:
        return ""
    return json.dumps([asdict(change) for change in changed], ensure_ascii=False, default=str)
