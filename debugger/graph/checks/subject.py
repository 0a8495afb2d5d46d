"""The workflow that the rules look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from debugger.graph.checks.problem import Problem
from debugger.graph.graph import Graph
from debugger.protocol.workflow import EdgeConfig, NodeConfig

LLM_FLAGS = {
    "say_llm": {"self_loop": True, "wait_for_user_message": True},
    "worker_llm": {"self_loop": False, "wait_for_user_message": True},
    "workflow_run_evaluator": {"self_loop": False, "wait_for_user_message": False},
}
"""The node types that call a model, with the defaults of two flags (``platform/engine.md`` 2.1, 2.10)."""


@dataclass(frozen=True)
class Subject:
    """What the rules look at."""

    graph: Graph
    known_node_types: frozenset[str] | None = None
    """The types that the engine runs; ``None`` when nobody can tell."""

    @property
    def nodes(self) -> list[NodeConfig]:
        """The enabled nodes. A disabled one is never run, so it may be as it likes."""
        return [node for node in self.graph.workflow.node_configs if not node.disabled]

    @property
    def edges(self) -> list[EdgeConfig]:
        """The enabled edges."""
        return [edge for edge in self.graph.workflow.edge_configs if not edge.disabled]


Check = Callable[[Subject], Iterable[Problem]]


def own_field(node: NodeConfig, name: str) -> Any:
    """A field of the node's own type as it was written; ``None`` where it is absent."""
    return (node.model_extra or {}).get(name)


def flag(node: NodeConfig, name: str) -> bool:
    """A flag of a node that calls a model, by default as its type has it; of other nodes it means nothing."""
    defaults = LLM_FLAGS.get(node.type or "")
    if defaults is None:
        return False
    value = own_field(node, name)
    return value if isinstance(value, bool) else defaults[name]
