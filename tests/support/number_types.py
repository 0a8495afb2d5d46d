"""Number types of the wire as data, and their check.

Source: ``platform.md#events`` and ``platform.md#usage``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

INTEGERS = frozenset(
    {
        # Latencies
        "response_latency_milliseconds",
        "latency_milliseconds",
        "e2e_latency_milliseconds",
        "total_latency_milliseconds",
        # Tokens
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "total_input_tokens",
        "total_output_tokens",
        # Calls, nodes, attempts, retries, transitions
        "call_count",
        "call_count_with_user_keys",
        "call_count_with_fallback_keys",
        "llm_call_count",
        "tool_call_count",
        "nodes_executed_count",
        "attempts_completed",
        "attempt_number",
        "total_attempts",
        "retry_count",
        "edges_evaluated",
        "trigger_node_completion_count",
        "transitions_this_wait",
        "num_guardrail_nodes_entered",
        "removed_count",
        # Numbers and codes
        "iteration_number",
        "status_code",
        "http_status_code",
    }
)
"""Fields of events that are an integer or null."""

ANSWERS = frozenset(
    {
        "version_number",
        "checkpoint_source_turn_index",
        "turn_number",
        "turn_index",
        "turn_count",
        "page",
        "pages",
        "size",
        "total",
    }
)
"""Fields of records and answers that are an integer or null."""

FLOATS = frozenset(
    {
        "timestamp",
        "deadline_epoch",
        "delay_seconds",
        "average_latency_milliseconds",
        "average_milliseconds",
        "min_milliseconds",
        "max_milliseconds",
        "median_milliseconds",
    }
)
"""Fields that are a float or null."""

OWN = {
    # The ledger of calls outside, in ``iteration_end_state_miscellaneous.side_effects``.
    "at": float,
    "duration_milliseconds": float,
    # When a run was paused, from and until: seconds since the epoch.
    "paused_intervals": float,
}
"""Fields of our own, which the platform does not have, with their types."""

OPAQUE = frozenset(
    {
        "runtime_variables",
        "dynamic_variables",
        "workflow_runtime_variables",
        "args",
        "args_filled",
        "structured_output",
        "free_form_output",
        "tool_result",
        "response_body",
        "http_response",
        "response",
        "request",
        "deduplicated_list",
        "extracted_result",
        "initial_state",
        "edits",
        "workflow_config_fully_hydrated",
    }
)
"""Fields whose content is the author's or the user's; any number can be in it."""


def numbers_in(value: Any, key: str = "") -> Iterator[tuple[str, int | float]]:
    """Yield each number in JSON with the name of its field."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in OPAQUE:
                yield from numbers_in(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers_in(inner, key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, value


def wrong_numbers(value: Any) -> dict[str, str]:
    """Return numeric fields in JSON of unknown or other type."""
    return {
        name: f"{number!r}, wanted {wanted.__name__ if (wanted := type_of(name)) else 'an entry here'}"
        for name, number in numbers_in(value)
        if type(number) is not type_of(name)
    }


def type_of(name: str) -> type[int] | type[float] | None:
    """Return the type of a numeric field, or ``None``."""
    if name in INTEGERS or name in ANSWERS:
        return int
    return float if name in FLOATS else OWN.get(name)
