"""The calls of models that a run's events tell of: how long each took, and how many tokens it used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from debugger.analysis.facts import field
from debugger.analysis.timeline import TimelineRow
from debugger.protocol.events import Event

MODEL_TYPES = frozenset({"worker_llm", "say_llm", "condition_evaluator_llm"})
"""The types that count as a call (``platform/engine.md`` 13)."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model, or of what stands in for one."""

    index: int
    """The event that tells of it, counted over the run from 0; of a reply in chunks the last one."""
    node_logical_id: str
    node_name: str
    thread: str | None
    model: str
    at_ms: float | None
    """When the answer was there, since the run's first event."""
    since_turn_ms: float | None
    """The same since the turn's first event."""
    latency_ms: float | None
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


def model_calls(rows: Sequence[TimelineRow], events: Sequence[Event]) -> list[ModelCall]:
    """The calls of one turn.

    Chunks of one reply share an ``llm_response_id`` and count once, with the last latency.

    Args:
        rows: The turn's rows of the timeline.
        events: The same events.

    Source: ``platform/engine.md`` 13.
    """
    found: dict[str, ModelCall] = {}
    for row, event in zip(rows, events, strict=True):
        if row.type in MODEL_TYPES:
            usage = field(event, "llm_usage_info")
            told = usage if isinstance(usage, dict) else {}
            found[str(told.get("llm_response_id") or f"event {row.index}")] = _call(row, told)
    return list(found.values())


def _call(row: TimelineRow, told: dict[str, object]) -> ModelCall:
    prompt, completion = _count(told.get("prompt_tokens")), _count(told.get("completion_tokens"))
    return ModelCall(
        index=row.index,
        node_logical_id=row.node_logical_id or "",
        node_name=row.node_name or row.node_logical_id or "",
        thread=row.thread,
        model=str(told.get("response_model") or ""),
        at_ms=row.at_ms,
        since_turn_ms=row.since_turn_ms,
        latency_ms=_number(told.get("response_latency_milliseconds")),
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=_count(told.get("total_tokens")) or prompt + completion,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(value: object) -> int:
    return int(_number(value) or 0)
