"""Usage of a turn: node runs, model calls and tool calls.

Source: ``platform.md#usage``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from debugger.engine.state import RunState
from debugger.protocol.base import JsonObject
from debugger.protocol.events import EVENT_TYPES, Event, ModelEvent, StartNodeRunEvent

_COUNTERS = ("calls", "calls_with_user_keys", "input_tokens", "output_tokens", "tokens", "milliseconds")
"""The totals of each model in the state, beside its names."""
_NAMES = ("response_model", "provider")
_NOTHING = dict.fromkeys(_COUNTERS, 0)

COUNTED = frozenset(
    kind for kind, event in EVENT_TYPES.items() if issubclass(event, StartNodeRunEvent | ModelEvent)
)
"""The types of the events that cost something."""


@dataclass
class UsageMeter:
    """The running totals of one turn, fed with its events.

    Those of the run are in its state; `run_usage` reports them.

    Discarded answers are counted as well (U-61): they were paid for.
    """

    state: RunState
    started: float
    _node_runs: int = field(default=0, init=False)
    _model_calls: dict[str, JsonObject] = field(default_factory=dict, init=False)
    _tool_calls: list[float] = field(default_factory=list, init=False)

    def add(self, event: Event) -> None:
        """Count one event, of one of the types `COUNTED`: a node run, or a model call.

        The chunks of one reply share a response id and count once, with the usage of the last; an event
        without one is no model call. A call is also added to the state's usage by model.
        """
        if isinstance(event, StartNodeRunEvent):
            self._node_runs += 1
        elif isinstance(event, ModelEvent):
            call_id = event.llm_usage_info.get("llm_response_id")
            if call_id is None:  # such an event also reports the result of a tool, which is no model call
                return
            # Chunks of one reply share an id and count once, with what the last one says.
            if call_id in self._model_calls:
                self._book(self._model_calls[call_id], -1)
            call = self._model_calls[call_id] = _counters(event.llm_usage_info)
            self._book(call, 1)

    def add_tool_call(self, milliseconds: float) -> None:
        """Count one call of a tool node (U-57)."""
        self._tool_calls.append(max(0.0, milliseconds))  # the clock may be set back

    def metrics(self, now: float) -> JsonObject:
        """Return ``iteration_metrics`` of the turn so far; number types as ``platform.md#events`` has them.

        Args:
            now: The current time in seconds, on the same clock as ``started``.
        """
        return {
            "e2e_latency_milliseconds": max(0, round((now - self.started) * 1000)),
            "nodes_executed_count": self._node_runs,
            "llm_call_count": len(self._model_calls),
            "tool_call_count": len(self._tool_calls),
            "llm_call_latency_stats": _stats([call["milliseconds"] for call in self._model_calls.values()]),
            "tool_call_latency_stats": _stats(self._tool_calls),
        }

    def _book(self, call: JsonObject, sign: int) -> None:
        """Add the counters of a call to the totals of its model, or subtract them if ``sign`` is -1."""
        key = f"{call['provider']} {call['response_model']}"
        total = self.state.usage_by_model.get(key)
        if total is None:
            total = self.state.usage_by_model[key] = {**call, **_NOTHING}
        for name in _COUNTERS:
            total[name] += sign * call[name]


def run_usage(state: RunState) -> tuple[JsonObject, JsonObject]:
    """Return ``llm_token_usage`` and ``llm_latency_stats`` of a run so far.

    Both have totals and a breakdown by models, ``None`` without any call. Script and built-in rules use no
    tokens; times are in milliseconds.
    """
    models = state.usage_by_model.values()
    tokens, times = _totals({name: sum(model[name] for model in models) for name in _COUNTERS})
    by_model = [({name: model[name] for name in _NAMES}, *_totals(model)) for model in models]
    return (
        {**tokens, "breakdown_by_models": [{**names, **used} for names, used, _ in by_model] or None},
        {**times, "breakdown_by_models": [{**names, **spent} for names, _, spent in by_model] or None},
    )


def _totals(model: JsonObject) -> tuple[JsonObject, JsonObject]:
    """Return the token counts and the times in milliseconds of a model's totals, as the wire names them."""
    # Runs that were stored before 2026-12 may have fractions of milliseconds.
    calls, spent = model["calls"], model["milliseconds"]
    tokens = {
        "total_input_tokens": model["input_tokens"],
        "total_output_tokens": model["output_tokens"],
        "total_tokens": model["tokens"],
        "call_count_with_user_keys": model["calls_with_user_keys"],
        "call_count_with_fallback_keys": 0,  # the engine has no keys of its own to fall back on
        "call_count": calls,
    }
    times = {
        "call_count": calls,
        "total_latency_milliseconds": round(spent),
        "average_latency_milliseconds": round(spent / calls, 3) if calls else 0.0,
    }
    return tokens, times


def _counters(usage: JsonObject) -> JsonObject:
    """Return the names and counters of one call from its ``LLMUsageInfo``; a missing number counts as 0."""
    prompt_tokens, completion_tokens = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    return {
        "response_model": usage.get("response_model"),
        "provider": usage.get("provider"),
        "calls": 1,
        "calls_with_user_keys": int(bool(usage.get("used_user_api_key"))),
        "input_tokens": prompt_tokens,
        "output_tokens": completion_tokens,
        "tokens": usage.get("total_tokens") or prompt_tokens + completion_tokens,
        "milliseconds": round(usage.get("response_latency_milliseconds") or 0),
    }


def _stats(values: Sequence[float]) -> JsonObject | None:
    """Return average, minimum, maximum and median of values in milliseconds; ``None`` without values."""
    if not values:
        return None
    return {
        "average_milliseconds": round(sum(values) / len(values), 3),
        "min_milliseconds": float(min(values)),
        "max_milliseconds": float(max(values)),
        "median_milliseconds": float(median(values)),
    }
