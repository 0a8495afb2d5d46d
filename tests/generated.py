"""Workflows that nobody wrote: a seed makes one, with everything that the format has."""

from __future__ import annotations

import random
from typing import Any

from tests.factories import direct, document, everywhere, node, say, static, tool, when, worker

Json = dict[str, Any]

TEXTS = ("Hello.", "It is {{place}}.", "You have [[n0]] left.", "[[s0]] it is.", "{{missing}} and [[gone]].")
WORDS = ("refund", "human", "cancel", "price", "weather")
SAYINGS = ("hello", "3 please", "a refund", "talk to a human", "cancel", "what price", "the weather", "yes")
NUMBERS = ("n0", "n1", "steps")
STRINGS = ("s0", "s1")


def generate(seed: int) -> tuple[Json, list[str]]:
    """A workflow that a run may go through in any way, and what a user says to it.

    No condition in it compares a text with a number, which would fail the run as it does on the platform.
    """
    return _Maker(random.Random(seed)).make()


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.nodes: list[Json] = []
        self.edges: list[Json] = []

    def make(self) -> tuple[Json, list[str]]:
        chance = self.chance
        count = chance.randint(2, 9)
        self.nodes = [self._node(f"node{index}") for index in range(count)]
        self.nodes[0]["is_start"] = True
        self.nodes[0].pop("disabled", None)
        for index, made in enumerate(list(self.nodes)):
            self._leave(made, index, count)
        settings = self._settings()
        made = document(*self.nodes, *self.edges, defaults={"place": "Ulm", "d0": 2}, **settings)
        return made, [chance.choice(SAYINGS) for _ in range(4)]

    def _settings(self) -> Json:
        chance = self.chance
        settings: Json = {
            "logical_id": "workflow_generated",
            "global_condition_evaluation_method": chance.choice(["tool_call", "independent_llm_evaluations"]),
            "miscellaneous": {
                "consecutive_conditional_edges_max_limit": chance.choice(["1", "3", "many"]),
                "no_hopping_between_guardrail_nodes": chance.choice(["true", "off"]),
            },
        }
        if chance.random() < 0.3:
            settings["guardrail_strikes_config"] = {
                "max_guardrail_nodes_before_escalation": chance.randint(1, 3),
                "escalation_node_logical_id": chance.choice(["node0", None, "nowhere"]),
                "escalation_message": chance.choice([None, "That is enough."]),
            }
        return settings

    # Nodes

    def _node(self, node_id: str) -> Json:
        chance = self.chance
        kinds = (
            [self._static] * 3
            + [self._say] * 8
            + [self._worker, self._no_op, self._tool, self._super] * 2
            + [self._transformation, self._connector, self._call, self._unknown]
        )
        made = chance.choice(kinds)(node_id)
        if chance.random() < 0.08:
            made["disabled"] = True
        if chance.random() < 0.1:
            made["is_guardrail_node"] = True
        if chance.random() < 0.2:
            made["global_node_config"] = everywhere(
                chance.choice(WORDS), back=chance.choice([None, "cancel"])
            )
        if chance.random() < 0.12 and made["type"] not in ("say_llm", "super_node"):
            made["self_loop_config"] = {
                "enabled": True,
                "max_retries": chance.randint(0, 3),
                "time_between_retries": chance.choice([0, 5]),
            }
        return made

    def _static(self, node_id: str) -> Json:
        texts = self.chance.choices(TEXTS, k=self.chance.randint(0, 3))
        return static(node_id, *texts, mode=self.chance.choice(["sequence", "random"]))

    def _say(self, node_id: str) -> Json:
        waits = self.chance.random() < 0.9
        loops = waits and self.chance.random() < 0.7
        return say(node_id, "Talk about {{place}}.", wait_for_user_message=waits, self_loop=loops)

    def _worker(self, node_id: str) -> Json:
        properties = {"s0": {"type": "string"}, "n0": {"type": "integer"}}
        return worker(node_id, properties, wait_for_user_message=self.chance.random() < 0.5)

    def _no_op(self, node_id: str) -> Json:
        return node(node_id, "no_op", simulate_failure=self.chance.random() < 0.2)

    def _tool(self, node_id: str) -> Json:
        name = self.chance.choice(NUMBERS)
        code = f"def count(n):\n    return {self.chance.randint(0, 5)}\n"
        return tool(node_id, code, {"n": "[[n0]]"}, result_runtime_variable_name=name)

    def _transformation(self, node_id: str) -> Json:
        kind = self.chance.choice(["deduplicate", "field_extractor"])
        return node(node_id, kind, input_runtime_variable_name="s0", dedup_key="a", keys_to_retain=["a"])

    def _call(self, node_id: str) -> Json:
        method = self.chance.choice(["GET", "POST"])
        return node(node_id, "http_request", url="https://example.invalid/{{place}}", method=method)

    def _connector(self, node_id: str) -> Json:
        sms = node(node_id, "send_sms", destination_phone_number="+4915112345678", message="[[s0]]")
        ended = node(node_id, "end_conversation")
        fetched = node(node_id, "workflow_run_fetch")
        return self.chance.choice([sms, ended, fetched])

    def _unknown(self, node_id: str) -> Json:
        return node(node_id, "from_next_year", colour="green")

    def _super(self, node_id: str) -> Json:
        inner = document(static("first", "Inside."), say("second"), direct("first", "second"))
        return node(node_id, "super_node", encapsulated_workflow_config=inner)

    # Edges

    def _leave(self, made: Json, index: int, count: int) -> None:
        node_id, chance = made["logical_id"], self.chance
        waits = made["type"] == "say_llm" and made["wait_for_user_message"]
        style = chance.random()
        if style < 0.3:
            self.edges.append(direct(node_id, self._somewhere(index, count)))
            if chance.random() < 0.25 and made["type"] != "super_node":
                self._fork(node_id)
        elif style < 0.9:
            for _ in range(chance.randint(1, 3)):
                self._condition(node_id, self._somewhere(index, count), waits)
        if chance.random() < 0.15 and made["type"] == "say_llm":
            self._beside(node_id)

    def _somewhere(self, index: int, count: int) -> str:
        """Mostly further on, so that most runs come to an end."""
        further = index + 1 < count and self.chance.random() < 0.8
        return f"node{self.chance.randint(index + 1, count - 1) if further else self.chance.randrange(count)}"

    def _condition(self, source: str, destination: str, waits: bool) -> None:
        chance = self.chance
        number = len(self.edges)
        line = {"static_messages": ["One moment, {{place}}."], "static_messages_selection_mode": "sequence"}
        condition = {"static_messages_config": line} if chance.random() < 0.3 else {}
        if chance.random() < 0.4:
            edge = when(source, destination, freeform=chance.choice(WORDS), condition=condition)
        else:
            edge = when(source, destination, self._expression(2), condition=condition)
            if waits and chance.random() < 0.4:
                edge["evaluate_while_waiting_config"] = self._while_waiting()
        self.edges.append({**edge, "logical_id": f"edge{number}", "disabled": chance.random() < 0.05})

    def _while_waiting(self) -> Json:
        return {
            "enabled": True,
            "trigger_mode": "on_every_background_tick",
            "min_seconds_between_evaluations": self.chance.choice([1, 3]),
            "max_transitions_per_wait": self.chance.randint(1, 3),
        }

    def _fork(self, source: str) -> None:
        """A companion thread with nodes of its own."""
        name = f"side{len(self.nodes)}"
        poll = tool(f"{name}_poll", "def poll():\n    return 1\n", result_runtime_variable_name="n1")
        retry = {"enabled": True, "max_retries": self.chance.randint(0, 2), "time_between_retries": 2}
        self.nodes += [{**poll, "self_loop_config": retry}, node(f"{name}_end", "no_op")]
        flag = {"is_companion_thread": True, "thread_id": name}
        self.edges += [
            {**direct(source, f"{name}_poll", companion_thread_config=flag), "logical_id": f"edge_{name}"},
            when(f"{name}_poll", f"{name}_end", self.chance.choice(["[[n1]] == 1", "[[n1]] == 2"])),
        ]

    def _beside(self, source: str) -> None:
        name = f"worker{len(self.nodes)}"
        self.nodes.append(worker(name, {"s1": {"type": "string"}}, wait_for_user_message=False))
        self.edges.append({**direct(source, name), "type": "companion"})

    def _expression(self, depth: int) -> str:
        chance = self.chance
        if depth and chance.random() < 0.4:
            joined = chance.choice([" AND ", " OR "])
            return f"({self._expression(depth - 1)}{joined}{self._expression(depth - 1)})"
        if depth and chance.random() < 0.15:
            return f"NOT {self._expression(depth - 1)}"
        number = f"[[{chance.choice(NUMBERS)}]]"
        simple = [
            f"{number} {chance.choice(['==', '!=', '<', '>='])} {chance.randint(0, 4)}",
            f"[[{chance.choice(STRINGS)}]] == '{chance.choice(WORDS)}'",
            f"isPresent([[{chance.choice(STRINGS)}]])",
            f"isAbsent({number})",
            f"isEmpty([[thread_0.{chance.choice(NUMBERS)}]])",
            "{{d0}} == 2",
        ]
        return chance.choice(simple)
