"""One way out of a node, and the decision to take it (``platform/engine.md`` 3.1, 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.llm.schemas import readable_schema
from debugger.engine.responders.base import Choice
from debugger.graph.placement import author_edge_id
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import ConditionConfig, EdgeConfig, NodeConfig

Kind = Literal["direct", "conditional", "global", "reverse", "self_loop", "escalation"]


_NAMED_TYPES = {"direct": "direct", "reverse": "reverse_conditional", "escalation": "guardrail_escalation"}


@dataclass(frozen=True)
class Hop:
    """One way out of a node."""

    kind: Kind
    source: NodeConfig
    destination: NodeConfig
    edge: EdgeConfig | None = None
    """The author's edge; ``None`` for a hop to or from a global node, which needs none."""
    condition: ConditionConfig | None = None
    judged_apart: bool = False
    """Whether a model judges its condition in a call of its own instead of choosing it while it answers."""
    super_node_id: str | None = None
    """The super node that it leaves (``platform/engine.md`` 2.11)."""

    @property
    def key(self) -> str:
        """A name for it that no other way out of the same node has."""
        return self.edge.logical_id if self.edge else f"{self.kind}:{self.destination.logical_id}"

    @property
    def name(self) -> str | None:
        """The author's name for the edge."""
        return self.edge.name if self.edge else None

    @property
    def edge_id(self) -> str | None:
        """The author's id for the edge."""
        return author_edge_id(self.edge) if self.edge else None

    @property
    def expression(self) -> str:
        """The expression of its condition; empty where it has none."""
        return (self.condition.condition_expression if self.condition else None) or ""

    @property
    def is_conditional(self) -> bool:
        """Whether something had to hold for it."""
        return self.kind in ("conditional", "global", "reverse")

    @cached_property
    def ends(self) -> JsonObject:
        """Where it begins and where it ends, as its events tell it."""
        return {
            "source_node_logical_id": self.source.logical_id,
            "source_node_name": self.source.name,
            "destination_node_logical_id": self.destination.logical_id,
            "destination_node_name": self.destination.name,
        }

    @cached_property
    def memo(self) -> tuple[str, JsonObject]:
        """What the memo of it says, and what that is marked with (``platform/engine.md`` 6.2)."""
        edge_type = _NAMED_TYPES.get(self.kind, "conditional")
        named = self.edge is not None and self.kind != "direct"
        text = (
            f'[Internal-only memo]: System navigated from agent "{self.source.name}" to agent '
            f'"{self.destination.name}" via {edge_type.replace("_", " ")} edge.'
        )
        metadata = {
            "navigation_message": "true",
            "edge_type": edge_type,
            "source_node_id": self.source.logical_id,
            "source_node_name": self.source.name,
            "destination_node_id": self.destination.logical_id,
            "destination_node_name": self.destination.name,
            "edge_name": (self.name or "") if named else "",
            "edge_logical_id": (self.edge_id or "") if named else "",
        }
        return text, metadata


@dataclass(slots=True)
class Decision:
    """The hop that is taken, and why."""

    hop: Hop
    reason: str
    args: JsonObject
    chosen_by_model: bool = False


def choice_of(hop: Hop, context: NodeContext) -> Choice:
    """A hop as it is offered to a model."""
    condition = hop.condition or ConditionConfig()
    return Choice(
        edge_id=hop.key,
        condition=context.fill(condition.condition_freeform or ""),
        destination_node_logical_id=hop.destination.logical_id,
        destination_node_name=hop.destination.label,
        edge_name=hop.name,
        args_schema=condition.args_schema and readable_schema(condition.args_schema),
    )
