"""Steps, turns and model calls of a run as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from debugger.analysis.chat import ChatMessage
from debugger.analysis.event_fields import time_of, values_of
from debugger.analysis.timeline import Pause, TimelineRow, paused_ms, pauses_of, shorten
from debugger.analysis.transitions import LEAVING_TYPES
from debugger.analysis.trouble import SEVERITIES, Severity
from debugger.protocol.event_values import UsageValues
from debugger.protocol.events import Event
from debugger.protocol.turn_logs import TurnLog

StepKind = Literal["node", "user", "wait", "note"]

MODEL_TYPES = frozenset({"worker_llm", "say_llm", "condition_evaluator_llm", "discarded_main_llm"})
"""Types of events that count as a model call (``platform.md#usage``)."""

_OWN_STEPS: dict[str, StepKind] = {"user_messages": "user", "busy_wait_for_user_message": "wait"}
"""Events that are a step of their own."""
_SUMMARY_TYPES = (
    "assistant_response",
    "http_request",
    "say_static",
    "say_llm",
    "worker_llm",
    "end_node_run",
)
"""Events whose summary becomes that of the node run, the preferred type first."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model, or of a mock in its place."""

    index: int
    """The index of its event in the run; for a reply in chunks the last one."""
    node_logical_id: str
    node_name: str
    thread: str | None
    model: str
    at_ms: float | None
    """When the answer arrived, since the run's first event."""
    since_turn_ms: float | None
    """The same since the turn's first event."""
    latency_ms: float | None
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


@dataclass(slots=True)  # not frozen: see `TimelineRow`
class Step:
    """One step of a run.

    A node run includes the transition that leaves the node.
    """

    index: int
    """Counts the run's steps from 0."""
    kind: StepKind
    """``note`` is a failure or a model call outside any node run."""
    turn_number: int
    place: int
    """The index of its turn among the run's turns and pieces of background work."""
    is_background: bool
    first: int
    """The index of its first event in the run."""
    last: int
    """The event that represents it: the end of the node run, else its last one."""
    node_logical_id: str | None
    node_name: str
    drawn_node: str | None
    thread: str | None
    at_ms: float | None
    """When it began, since the run's first event."""
    since_turn_ms: float | None
    time: float | None
    """Seconds since the epoch."""
    duration_ms: float | None
    """The duration of the node run."""
    summary: str
    trouble: Severity | None
    """``failure`` where something failed, else ``warning`` where something was warned of."""
    calls: tuple[ModelCall, ...]

    @property
    def tokens(self) -> int:
        """The tokens of all its model calls."""
        return sum(call.total_tokens for call in self.calls)


def steps_of_turn(turn: TurnLog, rows: Sequence[TimelineRow], first: int = 0) -> tuple[list[Step], list[int]]:
    """Return the steps of a turn, and for each of its events the number of its step in the run.

    The number is -1 in a turn without steps; events before the first step count for it.

    Args:
        turn: The turn, or piece of background work.
        rows: Its rows of the timeline.
        first: How many steps the run has before it.
    """
    groups: list[tuple[StepKind, list[TimelineRow], list[ModelCall]]] = []
    current: dict[str | None, int] = {}
    at_node: dict[tuple[str | None, str | None], int] = {}
    """The last step at each node of a thread: a worker beside it runs before a transition leaves it."""
    owners: list[int] = []
    for row in rows:
        kind = "node" if row.type == "start_node_run" else _OWN_STEPS.get(row.type)
        owner = current.get(row.thread, len(groups) - 1 if row.thread is None else -1)
        owner = at_node.get((row.thread, row.node_logical_id), owner) if row.node_logical_id else owner
        if kind is None and owner < 0 and (row.trouble is not None or row.type in MODEL_TYPES):
            kind = "note"
        if kind is not None:
            owner = current[row.thread] = at_node[row.thread, row.node_logical_id] = len(groups)
            groups.append((kind, [], []))
        if owner >= 0:
            groups[owner][1].append(row)
        owners.append(owner)
    for call in model_calls(rows, turn.events):
        owner = owners[call.index - rows[0].index]
        if owner >= 0:
            groups[owner][2].append(call)
    steps = [_step(index, *group) for index, group in enumerate(groups, start=first)]
    return steps, [first + max(owner, 0) if groups else -1 for owner in owners]


def _step(index: int, kind: StepKind, rows: Sequence[TimelineRow], calls: Sequence[ModelCall]) -> Step:
    """Return a step of some rows; its summary is that of the gravest trouble, if it has any.

    Args:
        index: Its number in the run.
        kind: Its kind.
        rows: Its rows, at least one.
        calls: Its model calls.
    """
    begin, end = rows[0], next((row for row in rows if row.type == "end_node_run"), None)
    troubled = [(row.trouble, row) for row in rows if row.trouble is not None]
    gravest = min(troubled, key=lambda each: SEVERITIES.index(each[0].severity), default=None)
    return Step(
        index,
        kind,
        begin.turn_number,
        begin.place,
        begin.is_background,
        begin.index,
        (end or (rows[-1] if kind == "node" else begin)).index,
        begin.node_logical_id,
        begin.node_name or begin.node_logical_id or "",
        begin.drawn_node,
        begin.thread,
        begin.at_ms,
        begin.since_turn_ms,
        begin.time,
        end.duration_ms if end else None,
        gravest[1].summary or begin.summary if gravest else _summary(kind, rows),
        gravest[0].severity if gravest else None,
        tuple(calls),
    )


def _summary(kind: StepKind, rows: Sequence[TimelineRow]) -> str:
    """Return the summary of a step's most telling event, for a node run with its destination."""
    if kind != "node":
        return rows[0].summary
    summaries = {row.type: row.summary for row in rows}
    summary = next((summaries[kind] for kind in _SUMMARY_TYPES if kind in summaries), rows[0].summary)
    transitions = [row.summary for row in rows if row.type in LEAVING_TYPES]
    destination = transitions[-1].partition(" → ")[2] if transitions else ""
    return shorten(f"{summary} → {destination}") if destination else summary


def model_calls(rows: Sequence[TimelineRow], events: Sequence[Event]) -> list[ModelCall]:
    """Return the model calls of one turn, in order.

    Chunks of one reply share an ``llm_response_id`` and count once, with the last latency. An event that
    reports the result of a tool is no call.

    Source: ``platform.md#usage``.

    Args:
        rows: The rows of the turn.
        events: As many events, one for each row.
    """
    calls: dict[str, ModelCall] = {}
    for row, event in zip(rows, events, strict=True):
        if row.type in MODEL_TYPES:
            values = values_of(event)
            response = values.llm_usage_info.llm_response_id
            if response or values.message.type != "tool":
                calls[response or f"event {row.index}"] = _call(row, values.llm_usage_info)
    return list(calls.values())


def _call(row: TimelineRow, usage: UsageValues) -> ModelCall:
    """Return the model call of a row; without a total its tokens are those read and written."""
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    return ModelCall(
        index=row.index,
        node_logical_id=row.node_logical_id or "",
        node_name=row.node_name or row.node_logical_id or "",
        thread=row.thread,
        model=usage.response_model,
        at_ms=row.at_ms,
        since_turn_ms=row.since_turn_ms,
        latency_ms=usage.response_latency_milliseconds,
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=usage.total_tokens or prompt + completion,
    )


@dataclass(slots=True)  # not frozen: see `TimelineRow`
class TurnRow:
    """One turn, or one piece of background work."""

    place: int
    """The index among both."""
    number: int
    is_background: bool
    first: int
    """The index of its first event in the run."""
    events: int
    steps: int
    user: str
    """The user's messages."""
    agent: str
    """The answers."""
    path: str
    """The nodes that ran, in order."""
    at_ms: float | None
    """When it began, since the run's first event."""
    time: float | None
    """Seconds since the epoch."""
    duration_ms: float | None
    """See `turn_duration`."""
    pauses: tuple[Pause, ...]
    calls: int
    """Model calls."""
    tokens: int
    failures: int
    warnings: int

    @property
    def last(self) -> int:
        """The event that represents it: its last one."""
        return self.first + max(self.events - 1, 0)


def turn_row(
    turn: TurnLog,
    place: int,
    first: int,
    rows: Sequence[TimelineRow],
    steps: Sequence[Step],
    messages: list[ChatMessage],
) -> TurnRow:
    """Return one turn as a row.

    Args:
        turn: The turn.
        place: Its index among turns and pieces of background work.
        first: The index of its first event in the run.
        rows: Its rows of the timeline.
        steps: Its steps.
        messages: Its messages.
    """
    pauses = tuple(pause for event in turn.events for pause in pauses_of(event))
    severities = Counter(row.trouble.severity for row in rows if row.trouble is not None)
    return TurnRow(
        place=place,
        number=turn.number,
        is_background=turn.is_background,
        first=first,
        events=len(rows),
        steps=len(steps),
        user=_texts(messages, "user"),
        agent=_texts(messages, "agent"),
        path=shorten(" → ".join(_path(steps))),
        at_ms=rows[0].at_ms if rows else None,
        time=rows[0].time if rows else None,
        duration_ms=turn_duration(turn),
        pauses=pauses,
        calls=sum(len(step.calls) for step in steps),
        tokens=sum(step.tokens for step in steps),
        failures=severities["failure"],
        warnings=severities["warning"],
    )


def _texts(messages: list[ChatMessage], role: str) -> str:
    return shorten(" / ".join(message.text for message in messages if message.role == role))


def _path(steps: Sequence[Step]) -> Iterator[str]:
    ran = ((step.node_logical_id, step.node_name) for step in steps if step.kind == "node")
    for (_, name), times in groupby(ran):
        count = len(list(times))
        yield f"{name} ×{count}" if count > 1 else name


def turn_duration(turn: TurnLog) -> float | None:
    """Return a turn's milliseconds without pauses; ``None`` without a time.

    They are from the turn's metrics (``platform.md#usage``), else from its first event to the last.
    """
    closing = next((event for event in reversed(turn.events) if event.type == "end_workflow_iteration"), None)
    latency = values_of(closing).iteration_metrics.e2e_latency_milliseconds if closing else None
    if latency is not None:
        return float(latency)
    times = [time for event in turn.events if (time := time_of(event)) is not None]
    if not times:
        return None
    began, ended = times[0], max(times)
    pauses = (pause for event in turn.events for pause in pauses_of(event))
    return round((ended - began) * 1000 - paused_ms(pauses, began, ended), 3)
