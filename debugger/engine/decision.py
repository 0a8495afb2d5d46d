"""Transitions out of nodes, and the decision for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from debugger.graph.candidates import Kind
from debugger.graph.nesting import author_edge_id
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import ConditionConfig, EdgeConfig, NodeConfig

TransitionKind = Kind | Literal["escalation"]


@dataclass(frozen=True)
class Transition:
    """A possible step from a node to the next."""

    kind: TransitionKind
    source: NodeConfig
    destination: NodeConfig
    edge: EdgeConfig | None = None
    """The author's edge; ``None`` to or from a global node, which needs none."""
    condition: ConditionConfig | None = None
    needs_llm_judge: bool = False
    """Is true where a model judges the condition in a call of its own, and does not choose as it answers."""
    super_node_id: str | None = None
    """The super node that it leaves (``platform.md#super-nodes``)."""

    @property
    def key(self) -> str:
        """Return a name that is unique among the transitions of a node."""
        return self.edge.logical_id if self.edge else f"{self.kind}:{self.destination.logical_id}"

    @property
    def name(self) -> str | None:
        """Return the author's name for the edge."""
        return self.edge.name if self.edge else None

    @property
    def edge_id(self) -> str | None:
        """Return the author's id for the edge."""
        return author_edge_id(self.edge) if self.edge else None

    @property
    def expression(self) -> str:
        """Return the expression of its condition; empty where it has none."""
        return (self.condition.condition_expression if self.condition else None) or ""

    @property
    def is_conditional(self) -> bool:
        """Return whether a condition had to hold for it."""
        return self.kind in ("conditional", "global", "reverse")


def edge_ends(source: NodeConfig, destination: NodeConfig | None) -> dict[str, Any]:
    """Return id and name of the source and the destination as keyword arguments of an edge's event.

    Those of the destination are ``None`` where it is.
    """
    return {
        "source_node_logical_id": source.logical_id,
        "source_node_name": source.name,
        "destination_node_logical_id": destination.logical_id if destination else None,
        "destination_node_name": destination.name if destination else None,
    }


@dataclass(slots=True)
class Decision:
    """The selected transition, with its reason."""

    transition: Transition
    reason: str
    args: JsonObject
    chosen_by_model: bool = False
    message: str = ""
    """The line that a model wrote as it judged the transition."""
