"""Where a node stands among super nodes; runs are routed by it.

What the expansion knows travels in the expanded document, as extra fields:

=============================  ==========================================================================
``super_node_origin``          on an inner node: the ids of the super nodes around it, outermost first
``super_node_exit_origin``     on an edge that leaves a super node: the super node's id
``super_node_scope``           in a global node's settings: only nodes inside this super node can hop there
``super_node_entry``           in a global node's settings: it is the way into this super node
``super_node_reverse_edges``   on an inner node: the ways back out of global super nodes around it
=============================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from debugger.protocol.base import WireModel
from debugger.protocol.workflow import ConditionConfig, EdgeConfig, NodeConfig

ORIGIN: Final = "super_node_origin"
EXIT_ORIGIN: Final = "super_node_exit_origin"
SCOPE: Final = "super_node_scope"
ENTRY: Final = "super_node_entry"
REVERSE_EDGES: Final = "super_node_reverse_edges"


@dataclass(frozen=True)
class ReturnEdge:
    """A way back out of a super node that was entered from anywhere."""

    super_node_id: str
    entered_node_id: str
    """The inner node by which one comes into it."""
    condition: ConditionConfig


def origin_of(node: NodeConfig) -> tuple[str, ...]:
    """The ids of the super nodes around a node, outermost first; none around one of the author's own."""
    return tuple(_extra(node, ORIGIN) or ())


def exit_origin_of(edge: EdgeConfig | None) -> str | None:
    """The super node that an edge leaves by, or ``None``."""
    found = _extra(edge, EXIT_ORIGIN) if edge is not None else None
    return found if isinstance(found, str) else None


def author_edge_id(edge: EdgeConfig) -> str:
    """The edge's id before it was copied to each node by which it leaves a super node."""
    if exit_origin_of(edge) is None:
        return edge.logical_id
    return edge.logical_id.removesuffix(f"@{edge.source_node_logical_id}")


def may_enter(node: NodeConfig, global_node: NodeConfig) -> bool:
    """Whether the hop from a node to a global node is allowed as far as super nodes go.

    A global node of an inner workflow is reachable from inside only, and a global super node, like any other
    global node, is not entered by itself.
    """
    settings = global_node.global_node_config
    scope, entry = _extra(settings, SCOPE), _extra(settings, ENTRY)
    if scope is None and entry is None:
        return True
    around = origin_of(node)
    return (scope is None or scope in around) and entry not in around


def is_inside(entered: NodeConfig, node: NodeConfig) -> bool:
    """Whether a node is inside the global super node that was entered by another."""
    entry = _extra(entered.global_node_config, ENTRY)
    return entry is not None and entry in origin_of(node)


def return_edges(node: NodeConfig) -> Iterator[ReturnEdge]:
    """The ways back that a node has because of the global super nodes around it."""
    for written in _extra(node, REVERSE_EDGES) or ():
        condition = ConditionConfig.from_wire(written["condition"])
        yield ReturnEdge(written["super_node_logical_id"], written["entered_node_logical_id"], condition)


def _extra(model: WireModel | None, name: str) -> Any:
    extra: Mapping[str, Any] | None = model.model_extra if model is not None else None
    return extra.get(name) if extra else None
