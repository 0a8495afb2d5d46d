"""The events whose answers came from something in the place of a service or model.

Our engine names it in `ANSWERED_BY`: a fault, a pin, a person, a recording, a recorded answer or a
simulation. Events that were recorded before have other signs of it.
"""

from __future__ import annotations

from debugger.protocol.base import JsonObject
from debugger.protocol.event_values import EventValues

ANSWERED_BY = "answered_by"
"""The private key that lists what answered instead, for each call before the event."""
_FAULT = "fault"
"""Sources of answers, and the beginning of a fault's id."""
_MODEL_TYPES = frozenset(
    {"worker_llm", "say_llm", "condition_evaluator_llm", "discarded_main_llm", "assistant_response"}
)
_MODELS = frozenset({"pinned", "person", "recorded"})
"""Names that usage of the provider ``embedded`` has for what answers in a model's place."""


def is_mocked(event: JsonObject) -> bool:
    """Return whether a call that led to an event was answered by something in its place.

    That is so, too, for the end of a simulated node run and a message of a mocked model.
    """
    if ANSWERED_BY in event or event.get("intervened"):
        return True
    values = EventValues(event)
    if values.type == "end_node_run":
        return values.run_output.simulated
    return values.type in _MODEL_TYPES and _is_message_mocked(values)


def is_fault_at(event: JsonObject) -> bool:
    """Return whether a fault of the debugger's user was applied before an event; it may only delay."""
    values = EventValues(event)
    return _FAULT in values.answered_by or any(str(each).startswith(_FAULT) for each in values.intervened)


def _is_message_mocked(event: EventValues) -> bool:
    usage = event.llm_usage_info
    if usage.provider == "embedded" and usage.response_model in _MODELS:
        return True
    return event.message.response_metadata.simulated
