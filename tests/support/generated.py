"""Workflows generated from a seed, with every feature of the format."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from tests.support.factories import direct, document, node, static, tool, when, worker
from tests.support.generated_nodes import NUMBERS, STRINGS, WORDS, Json, NodeMaker

SAYINGS = (
    "hello",
    "3 please",
    "a refund",
    "talk to a human",
    "cancel",
    "cancel",
    "what price",
    "the weather",
    "yes",
    "count",
    "look up",
)
ODD = ("", " \n", "\x00nul", "\u202egnp.exe", "👩🏽‍⚕️ 3", "Zürich a\u0308", "\ud800 half", "[[s0]] {{place}}")
COMMANDS = ("/pause", "/resume", "/stop")
"""What a user does instead of saying something."""


def seeds(few: int, more: int) -> list[Any]:
    """Return seeds for the parameters of a test: a few from 0, and those that are left to a campaign.

    ``CAMPAIGN_FIRST`` and ``CAMPAIGN_COUNT`` of the environment choose others for the campaign.
    """
    first = int(os.environ.get("CAMPAIGN_FIRST", few))
    count = int(os.environ.get("CAMPAIGN_COUNT", more))
    left = [pytest.param(seed, marks=pytest.mark.campaign) for seed in range(first, first + count)]
    return [*range(few), *left]


SEEDS = seeds(50, 150)


def generate(seed: int) -> tuple[Json, list[str]]:
    """Return a generated workflow and its user's messages.

    A message may be a command, as in `COMMANDS`.
    No condition in it compares a text with a number, which would fail the run as it does on the platform.
    """
    return _Maker(random.Random(seed)).make()


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.new = NodeMaker(chance)
        self.nodes: list[Json] = []
        self.edges: list[Json] = []

    def make(self) -> tuple[Json, list[str]]:
        chance = self.chance
        count = chance.randint(2, 9)
        self.nodes = [self.new.make(f"node{index}") for index in range(count)]
        self.nodes[0]["is_start"] = True
        self.nodes[0].pop("disabled", None)
        for index, made in enumerate(list(self.nodes)):
            self._leave(made, index, count)
        self._name_triggers()
        made = document(*self.nodes, *self.edges, defaults={"place": "Ulm", "d0": 2}, **self._settings())
        return made, [*self._there_and_back(), *(self._saying() for _ in range(4))][:4]

    def _there_and_back(self) -> list[str]:
        """Often, what leads into a global node and out of it again."""
        configs = [made["global_node_config"] for made in self.nodes if "global_node_config" in made]
        ways = [(config["condition"], config["reverse_conditional_edge"] or {}) for config in configs]
        conditions = [[way.get("condition_freeform") for way in pair] for pair in ways]
        conditions = [words for words in conditions if all(words)]
        return self.chance.choice(conditions) if conditions and self.chance.random() < 0.7 else []

    def _saying(self) -> str:
        style = self.chance.random()
        if style < 0.75:
            return self.chance.choice(SAYINGS)
        return self.chance.choice(ODD if style < 0.87 else COMMANDS)

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

    # Edges

    def _leave(self, made: Json, index: int, count: int) -> None:
        node_id, chance = made["logical_id"], self.chance
        waits = made["type"] == "say_llm" and made["wait_for_user_message"]
        style = chance.random() * (1 if waits else 0.7)
        if style < 0.35:
            self.edges.append(direct(node_id, self._somewhere(index, count)))
            for _ in range(chance.choice([0, 0, 1, 1, 2]) if made["type"] != "super_node" else 0):
                self._fork(node_id)
        elif style < 0.9:
            for _ in range(chance.randint(1, 3)):
                self._condition(node_id, self._somewhere(index, count), waits)
        if chance.random() < 0.2 and made["type"] == "say_llm":
            self._beside(node_id)
            if style >= 0.35:
                self._condition(node_id, self._somewhere(index, count), waits, "isPresent([[s1]])")

    def _somewhere(self, index: int, count: int) -> str:
        """Mostly further on, so that most runs come to an end."""
        further = index + 1 < count and self.chance.random() < 0.9
        return f"node{self.chance.randint(index + 1, count - 1) if further else self.chance.randrange(count)}"

    def _condition(self, source: str, destination: str, waits: bool, expression: str | None = None) -> None:
        chance = self.chance
        number = len(self.edges)
        line = {"static_messages": ["One moment, {{place}}."], "static_messages_selection_mode": "sequence"}
        condition: Json = {"static_messages_config": line} if chance.random() < 0.3 else {}
        if expression is None and chance.random() < 0.4:
            condition["args_schema"] = {"type": "object", "properties": {"s0": {"type": "string"}}}
            edge = when(source, destination, freeform=chance.choice(WORDS), condition=condition)
        else:
            edge = when(source, destination, expression or self._expression(2), condition=condition)
            if waits and chance.random() < 0.5:
                edge["evaluate_while_waiting_config"] = self._while_waiting()
        self.edges.append({**edge, "logical_id": f"edge{number}", "disabled": chance.random() < 0.05})

    def _while_waiting(self) -> Json:
        settings: Json = {"enabled": True, "max_transitions_per_wait": self.chance.randint(1, 3)}
        if self.chance.random() < 0.5:
            return {**settings, "trigger_mode": "on_node_completion"}
        pause = self.chance.choice([1, 3])
        mode = "on_every_background_tick"
        return {**settings, "trigger_mode": mode, "min_seconds_between_evaluations": pause}

    def _name_triggers(self) -> None:
        """Add edges that wait for a node.

        The node is one that does not wait itself, most of all in companions.
        """
        ids = [made["logical_id"] for made in self.nodes if not made.get("wait_for_user_message")]
        sides = [node_id for node_id in ids if node_id.startswith("side")] or ids
        for edge in self.edges:
            config = edge.get("evaluate_while_waiting_config")
            if config and config["trigger_mode"] == "on_node_completion":
                if sides:
                    config["trigger_node_logical_ids"] = self.chance.choices(sides, k=2)
                else:
                    pause = {"min_seconds_between_evaluations": 1}
                    config |= {"trigger_mode": "on_every_background_tick", **pause}

    def _fork(self, source: str) -> None:
        """Add a companion thread: a node that polls, and followers."""
        chance, name = self.chance, f"side{len(self.nodes)}"
        poll, end, last = (f"{name}_{each}" for each in ("poll", "end", "last"))
        code = "def poll():\n    return 1\n"
        pollers = (
            tool(poll, code, result_runtime_variable_name="n1"),
            worker(poll, {"n1": {"type": "integer"}}, wait_for_user_message=False, self_loop=False),
            node(poll, "no_op", output_runtime_variable_name="n1", delay_seconds=chance.choice([0, 6])),
        )
        after = (node(end, "no_op", disabled=True), static(end, "By the way: [[thread_0.n0]]."))
        self.nodes += [
            {**chance.choices(pollers, [1, 2, 2])[0], "self_loop_config": self.new.retry()},
            chance.choice([node(end, "no_op"), *after, node(end, "from_next_year")]),
            static(last, "[[n1]]"),
        ]
        flag = {"is_companion_thread": True, "thread_id": chance.choice([name, f"{name}-x", None])}
        over = chance.choice(["[[n1]] == 1", "[[n1]] == 2", "isPresent([[self_loop_outcome]])"])
        self.edges += [
            {**direct(source, poll, companion_thread_config=flag), "logical_id": f"edge_{name}"},
            when(poll, end, over),
            direct(end, last),
        ]
        if chance.random() < 0.3:
            self._beside(poll)

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
        side = f"side{chance.randint(2, len(self.nodes) + 1)}"
        simple = [
            f"{number} {chance.choice(['==', '!=', '<', '>='])} {chance.randint(0, 4)}",
            f"[[{chance.choice(STRINGS)}]] == '{chance.choice(WORDS)}'",
            f"isPresent([[{chance.choice(STRINGS)}]])",
            f"isAbsent({number})",
            f"isEmpty([[thread_0.{chance.choice(NUMBERS)}]])",
            f"isPresent([[thread_{side}.n1]])",
            f"[[thread_{side}.self_loop_outcome]] == 'expiry_time'",
            "{{d0}} == 2",
        ]
        return chance.choice(simple)
