"""What at a node cannot be run: refused by name, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.engine.nodes import NODE_TYPES
from debugger.errors import RunError
from debugger.graph import Graph
from debugger.protocol.workflow import EdgeConfig, NodeConfig

_NOT_HERE = "Run this workflow on the hosted API, or disable it."


def refuse_unrunnable(node: NodeConfig, graph: Graph) -> None:
    """Raise for the first thing at a node that the engine cannot do, or that leads nowhere.

    Raises:
        RunError: The node's type, a setting of it, or an edge that leaves it is not run here; the message
            names the node and the thing. Or an edge leads to a node that is not there (U-20).
    """
    for what in _unsupported(node, graph):
        raise RunError(f"Node {node.label!r} ({node.logical_id}) {what}", advice=_NOT_HERE)
    for edge in graph.workflow.edge_configs:
        if edge.source_node_logical_id == node.logical_id and _leads_nowhere(edge, graph):
            raise RunError(
                f"Node {node.label!r} has the edge {edge.logical_id!r}, which leads to "
                f"{edge.destination_node_logical_id!r}: there is no such node.",
                advice="Correct the edge's destination, or disable the edge.",
            )


def _unsupported(node: NodeConfig, graph: Graph) -> Iterator[str]:
    if node.type not in NODE_TYPES:
        known = ", ".join(sorted(NODE_TYPES))
        yield f"has type {node.type!r}, which the embedded engine does not run yet; it runs {known}."
    for edge in graph.leaving(node.logical_id):
        waiting = edge.evaluate_while_waiting_config
        if waiting is not None and waiting.enabled:
            yield f"has the edge {edge.logical_id!r} judged while waiting, which it does not run yet."


def _leads_nowhere(edge: EdgeConfig, graph: Graph) -> bool:
    return not edge.disabled and edge.destination_node_logical_id not in graph.nodes
