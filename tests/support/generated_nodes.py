"""Nodes of generated workflows: every type, with all its fields."""

from __future__ import annotations

import random
from typing import Any

from tests.support.factories import direct, document, everywhere, node, say, static, tool, when, worker

Json = dict[str, Any]

TEXTS = ("Hello.", "It is {{place}}.", "You have [[n0]] left.", "[[s0]] it is.", "{{missing}} and [[gone]].")
WORDS = ("refund", "human", "cancel", "price", "weather")
NUMBERS = ("n0", "n1", "steps")
STRINGS = ("s0", "s1")

SCRIPT = """
version: 1
workflow: workflow_generated
anywhere:
  - {when: count, call: {Counter: {n: 2}}}
  - {when: look up, call: [{Counter: {n: 3}}, {Books: {query: hours}}, {Api: {city: Ulm}}]}
"""
"""Script of the model that calls tools; the rules answer otherwise."""

TOOLS: tuple[Json, ...] = (
    {
        "type": "inline_python",
        "name": "Counter",
        "code": "def count(n):\n    if n > 2:\n        raise ValueError('too many')\n    return n + 1\n",
        "args_schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
        "result_runtime_variable_name": "counted",
        "static_messages_config": {"static_messages": ["One moment, {{place}}."]},
    },
    {"type": "knowledge_base", "name": "Books", "target_knowledge_base_ids": ["kb_1"]},
    {
        "type": "external_api",
        "name": "Api",
        "api_endpoint": "https://example.invalid/{city}",
        "args_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
    {"type": "inbuilt_function", "name": "math_add"},
)
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DOCUMENTS: tuple[Json, ...] = (
    {"type": "google_docs_create_document", "title": "Visit to {{place}}"},
    {"type": "google_docs_get_document", "document_id_or_url": "doc-1"},
    {
        "type": "google_docs_update_document",
        "document_id_or_url": "doc-1",
        "updates": {"type": "google_docs_update_with_text", "content": "[[s0]]"},
    },
)
_PATIENT = {"first_name": "Ann", "last_name": "Lee", "birthdate": "1980-12-31"}


class NodeMaker:
    """Makes nodes by chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def make(self, node_id: str) -> Json:
        """A node of any type, with flags that any node may have."""
        chance = self.chance
        kinds = (
            [self._static] * 3
            + [self._say] * 9
            + [self._worker, self._no_op, self._super] * 2
            + [self._tool, self._transformation, self._connector, self._connector, self._call, self._unknown]
        )
        made = chance.choice(kinds)(node_id)
        if chance.random() < 0.08:
            made["disabled"] = True
        if chance.random() < 0.1:
            made["is_guardrail_node"] = True
        if chance.random() < (0.4 if made["type"] == "say_llm" else 0.1):
            made["global_node_config"] = self._everywhere()
        if chance.random() < 0.15 and made["type"] != "super_node":
            made["self_loop_config"] = self.retry()
        return made

    def retry(self) -> Json:
        """A bounded retry, by number, by time or by both."""
        chance = self.chance
        bounds: Json = {"max_retries": chance.randint(0, 3), "time_between_retries": chance.choice([0, 2, 5])}
        if chance.random() < 0.4:
            bounds = {"expiry_time": chance.choice([1, 4]), "time_between_retries": chance.choice([1, 3])}
            bounds["max_retries"] = chance.choice([None, 2])
        return {"enabled": True, **bounds}

    def _everywhere(self) -> Json:
        chance = self.chance
        if chance.random() < 0.75:
            back = chance.choice([None, *WORDS])
            return everywhere(
                chance.choice(WORDS),
                back=back,
                judged=chance.choice(["workflow_default", "independent_llm_evaluations"]),
            )
        return {
            "is_global": True,
            "condition": {"condition_expression": "[[n0]] == 3"},
            "reverse_conditional_edge": {"condition_expression": "isPresent([[s0]])"},
        }

    def _static(self, node_id: str) -> Json:
        texts = self.chance.choices(TEXTS, k=self.chance.randint(0, 3))
        return static(node_id, *texts, mode=self.chance.choice(["sequence", "random"]))

    def _say(self, node_id: str) -> Json:
        chance = self.chance
        waits = chance.random() < 0.9
        loops = waits and chance.random() < 0.7
        made = say(node_id, "Talk about {{place}}.", wait_for_user_message=waits, self_loop=loops)
        if chance.random() < 0.4:
            made["tools_config"] = {"tools": list(TOOLS)}
            made["max_consecutive_tool_calls"] = chance.randint(1, 2)
        if chance.random() < 0.2:
            made["structured_output_schema"] = {"type": "object", "properties": {"s1": {"type": "string"}}}
        return made

    def _worker(self, node_id: str) -> Json:
        properties = {"s0": {"type": "string"}, "n0": {"type": "integer"}}
        return worker(node_id, properties, wait_for_user_message=self.chance.random() < 0.5)

    def _no_op(self, node_id: str) -> Json:
        chance = self.chance
        late = chance.choice([0, 0, 6])
        return node(node_id, "no_op", simulate_failure=chance.random() < 0.2, delay_seconds=late)

    def _tool(self, node_id: str) -> Json:
        chance = self.chance
        if chance.random() < 0.5:
            arguments = {"query": "{{place}}", "city": "[[s0]]"}
            return node(
                node_id, "tool_node", tool_config=dict(chance.choice(TOOLS[1:])), tool_arguments=arguments
            )
        code = f"def count(n):\n    return {chance.randint(0, 5)}\n"
        return tool(node_id, code, {"n": "[[n0]]"}, result_runtime_variable_name=chance.choice(NUMBERS))

    def _transformation(self, node_id: str) -> Json:
        kind = self.chance.choice(["deduplicate", "field_extractor"])
        return node(node_id, kind, input_runtime_variable_name="s0", dedup_key="a", keys_to_retain=["a"])

    def _call(self, node_id: str) -> Json:
        method = self.chance.choice(["GET", "POST"])
        return node(node_id, "http_request", url="https://example.invalid/{{place}}", method=method)

    def _connector(self, node_id: str) -> Json:
        number = "+4915112345678"
        chance = self.chance
        return chance.choice(
            [
                lambda: node(node_id, "send_sms", destination_phone_number=number, message="[[s0]]"),
                lambda: node(node_id, "end_conversation"),
                lambda: node(node_id, "workflow_run_fetch"),
                lambda: node(node_id, "workflow_run_evaluator", structured_output_schema=None),
                lambda: node(node_id, "google_docs", operate_document=dict(chance.choice(_DOCUMENTS))),
                lambda: node(
                    node_id,
                    "start_conversation",
                    is_voice_conversation=chance.random() < 0.8,
                    user_number=number,
                    assistant_id="a1",
                ),
                lambda: self._athena(node_id),
            ]
        )()

    def _athena(self, node_id: str) -> Json:
        kinds = ("patients_search", "patients_create", "patients_update", "appointments_create")
        hours = {"start": "09:00", "end": "17:00"}
        return node(
            node_id,
            f"athena_{self.chance.choice(kinds)}",
            full_name="Ann Lee",
            **_PATIENT,
            patient_id="77",
            practitioner_id="9",
            title="Check",
            start_time="2026-07-14T09:30",
            working_hours=dict.fromkeys(_WEEK, hours),
        )

    def _unknown(self, node_id: str) -> Json:
        return node(node_id, "from_next_year", colour="green")

    def _super(self, node_id: str) -> Json:
        """Return a super node with an interface.

        Some can be left by a condition from any of its nodes.
        """
        greeting = {
            "target_type": "node_config_field",
            "target_node_or_edge_logical_id": "first",
            "target_field_path": "static_messages_config.static_messages[0]",
        }
        seed = {"target_type": "runtime_variable", "target_variable_name": "n1"}
        interface = {
            "input_fields": [
                {"name": "greeting", "value_type": "string", "mappings": [greeting]},
                {"name": "seed", "required": False, "default_value": 2, "mappings": [seed]},
            ]
        }
        inner = document(
            static("first", "Inside."),
            say("second", self_loop=self.chance.random() < 0.5),
            static("third", "Done inside."),
            direct("first", "second"),
            when("second", "third", freeform="price"),
        )
        return node(
            node_id,
            "super_node",
            encapsulated_workflow_config=inner,
            super_node_interface=interface,
            field_values={"greeting": "In {{place}}."},
            reverse_edge_scope=self.chance.choice([None, "terminal_nodes"]),
        )
