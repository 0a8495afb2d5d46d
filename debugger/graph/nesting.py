"""Nesting of nodes in super nodes, by which runs are routed.

What the expansion knows travels in the expanded document, as extra fields:

=============================  ==========================================================================
``super_node_origin``          on an inner node: the ids of the super nodes around it, outermost first
``super_node_exit_origin``     on an edge that leaves a super node: the super node's id
``super_node_scope``           in a global node's settings: only nodes inside this super node can go there
``super_node_entry``           in a global node's settings: it is the way into this super node
``super_node_reverse_edges``   on an inner node: the ways back out of global super nodes around it
=============================  ==========================================================================
"""

from __future__ import annotations

import re
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
    """An edge back out of a super node entered from anywhere."""

    super_node_id: str
    entered_node_id: str
    """The inner node by which one comes into it."""
    condition: ConditionConfig


def origin_of(node: NodeConfig) -> tuple[str, ...]:
    """Return the ids of the super nodes around a node, outermost first."""
    return tuple(_extra(node, ORIGIN) or ())


def exit_origin_of(edge: EdgeConfig | None) -> str | None:
    """Return the super node that an edge leaves, or ``None``."""
    found = _extra(edge, EXIT_ORIGIN) if edge is not None else None
    return found if isinstance(found, str) else None


def author_edge_id(edge: EdgeConfig) -> str:
    """Return an edge's id in the author's document.

    The expansion copies the edge to each node by which it leaves a super node.
    """
    if exit_origin_of(edge) is None:
        return edge.logical_id
    return edge.logical_id.removesuffix(f"@{edge.source_node_logical_id}")


def may_enter(node: NodeConfig, global_node: NodeConfig) -> bool:
    """Return whether super nodes allow the transition to a global node.

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
    """Return whether a node is inside the entered global super node."""
    entry = _extra(entered.global_node_config, ENTRY)
    return entry is not None and entry in origin_of(node)


def return_edges(node: NodeConfig) -> Iterator[ReturnEdge]:
    """Yield the edges back out of global super nodes around a node."""
    for written in _extra(node, REVERSE_EDGES) or ():
        condition = ConditionConfig.from_wire(written["condition"])
        yield ReturnEdge(written["super_node_logical_id"], written["entered_node_logical_id"], condition)


def _extra(model: WireModel | None, name: str) -> Any:
    extra: Mapping[str, Any] | None = model.model_extra if model is not None else None
    return extra.get(name) if extra else None


_CALLERS = re.compile(r"(dynamic|runtime)_variable:\s*([^\s{}|]+)")
"""A value that names a variable of the workflow around the super node."""


def as_reference(value: Any) -> Any:
    """Return ``dynamic_variable:NAME`` of a super node's field as the reference ``{{NAME}}``.

    The same holds for ``runtime_variable:NAME`` and ``[[NAME]]``. Other values stay.
    """
    found = _CALLERS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    opening, closing = ("{{", "}}") if found[1] == "dynamic" else ("[[", "]]")
    return f"{opening}{found[2]}{closing}"
