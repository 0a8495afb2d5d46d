"""What a turn cost: node runs, model calls and tool calls, with their times (``platform/engine.md`` 13)."""

from __future__ import annotations

from statistics import median

from debugger.engine.state import RunState
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, ModelEvent, StartNodeRunEvent


class Accounts:
    """The running totals of one turn, fed with its events; those of the run are kept in its state."""

    def __init__(self, state: RunState, began: float) -> None:
        self._state = state
        self._began = began
        self._node_runs = 0
        self._model_calls: dict[str, float] = {}
        self._tool_calls: list[float] = []

    def add(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, StartNodeRunEvent):
            self._node_runs += 1
        elif isinstance(event, ModelEvent):
            usage = event.llm_usage_info
            # Chunks of one reply share an id and count once, with the last latency.
            call_id = str(usage.get("llm_response_id") or event.logical_id)
            latency = usage.get("response_latency_milliseconds") or 0.0
            self._state.model_calls += call_id not in self._model_calls
            self._state.model_milliseconds += latency - self._model_calls.get(call_id, 0.0)
            self._model_calls[call_id] = latency

    def add_tool_call(self, milliseconds: float) -> None:
        """Count one call of a tool node (U-57)."""
        self._tool_calls.append(milliseconds)

    def metrics(self, now: float) -> JsonObject:
        """``iteration_metrics``; times in milliseconds."""
        return {
            "e2e_latency_milliseconds": round((now - self._began) * 1000, 3),
            "nodes_executed_count": self._node_runs,
            "llm_call_count": len(self._model_calls),
            "tool_call_count": len(self._tool_calls),
            "llm_call_latency_stats": _stats(list(self._model_calls.values())),
            "tool_call_latency_stats": _stats(self._tool_calls),
        }

    def token_usage(self) -> JsonObject:
        """``llm_token_usage`` of the run so far; a stand-in uses no tokens."""
        return {
            "total_input_tokens": 0,
            "total_output_tokens": 0,
            "total_tokens": 0,
            "call_count_with_user_keys": 0,
            "call_count_with_fallback_keys": 0,
            "call_count": self._state.model_calls,
        }

    def latency_stats(self) -> JsonObject:
        """``llm_latency_stats`` of the run so far; times in milliseconds."""
        calls, spent = self._state.model_calls, self._state.model_milliseconds
        return {
            "call_count": calls,
            "total_latency_milliseconds": round(spent, 3),
            "average_latency_milliseconds": round(spent / calls, 3) if calls else 0.0,
        }


def _stats(values: list[float]) -> JsonObject | None:
    if not values:
        return None
    return {
        "average_milliseconds": round(sum(values) / len(values), 3),
        "min_milliseconds": min(values),
        "max_milliseconds": max(values),
        "median_milliseconds": median(values),
    }
