"""Facts about each node type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Icon = Literal["talk", "model", "text", "outside", "message", "end", "several", "step", "none"]
"""The look of a node type in the graph: by what a node does, and ``none`` for one without a type."""


@dataclass(frozen=True)
class NodeFacts:
    """The facts about one node type."""

    caption: str
    """What a node does, for an audience."""
    icon: Icon
    flag_defaults: Mapping[str, bool] = field(default_factory=dict)
    """Of a type that calls a model: its defaults of ``self_loop`` and ``wait_for_user_message``.

    Source: ``platform.md#llm-nodes`` and ``platform.md#evaluation-nodes``.
    """
    is_conversation: bool = False
    """Whether its model answers the user, and may be offered global nodes."""
    call_class: Literal["", "talk", "read", "write", "contact"] = ""
    """The class of its calls to the outside; empty where it makes none, or where its settings decide."""
    result_field: str = ""
    """The field that names its result variable; empty where the name is fixed."""
    result_name: str = ""
    """The result variable, or its default name; empty where it has none, or where its tool names it."""


NODE_FACTS: dict[str, NodeFacts] = {
    "say_llm": NodeFacts(
        "talks",
        "talk",
        {"self_loop": True, "wait_for_user_message": True},
        is_conversation=True,
        call_class="talk",
    ),
    "worker_llm": NodeFacts(
        "understands",
        "model",
        {"self_loop": False, "wait_for_user_message": True},
        is_conversation=True,
        call_class="talk",
    ),
    "workflow_run_evaluator": NodeFacts(
        "step",
        "model",
        flag_defaults={"self_loop": False, "wait_for_user_message": False},
        call_class="talk",
    ),
    "say_static": NodeFacts("says", "text"),
    "tool_node": NodeFacts("looks up", "outside"),
    "http_request": NodeFacts(
        "looks up", "outside", result_field="result_runtime_variable_name", result_name="http_request_result"
    ),
    "no_op": NodeFacts(
        "step", "step", result_field="output_runtime_variable_name", result_name="no_op_result"
    ),
    "deduplicate": NodeFacts(
        "step", "step", result_field="output_runtime_variable_name", result_name="deduplicate_result"
    ),
    "field_extractor": NodeFacts(
        "understands",
        "step",
        result_field="output_runtime_variable_name",
        result_name="field_extractor_result",
    ),
    "workflow_run_fetch": NodeFacts(
        "step", "outside", result_field="result_runtime_variable_name", result_name="workflow_run_object"
    ),
    "send_sms": NodeFacts("sends a message", "message", result_name="send_sms_result"),
    "start_conversation": NodeFacts(
        "step", "message", call_class="contact", result_name="start_conversation_result"
    ),
    "end_conversation": NodeFacts("step", "end", result_name="processed_transcript"),
    "google_docs": NodeFacts("step", "outside", result_name="google_docs_result"),
    "athena_patients_search": NodeFacts("step", "outside", result_name="athena_result"),
    "athena_patients_create": NodeFacts("step", "outside", result_name="athena_result"),
    "athena_patients_update": NodeFacts("step", "outside", result_name="athena_result"),
    "athena_appointments_create": NodeFacts("step", "outside", result_name="athena_result"),
    "super_node": NodeFacts("several steps", "several"),
}
"""The types by name; a super node is expanded before the engine runs it."""

UNKNOWN_TYPE = NodeFacts("step", "step")
"""The facts about a type that is not in the table."""

MODEL_NODES = frozenset(name for name, facts in NODE_FACTS.items() if facts.flag_defaults)
"""The types that call a model."""
CONVERSATION_NODES = frozenset(name for name, facts in NODE_FACTS.items() if facts.is_conversation)
"""Those of them whose model answers the user."""
