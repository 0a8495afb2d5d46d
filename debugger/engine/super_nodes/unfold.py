"""A workflow in which some super nodes show what is inside them."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from debugger.engine.super_nodes.sources import Expansion
from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from debugger.graph.nesting import ENTRY
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow


class UnfoldedGraph(NamedTuple):
    """A graph in which opened super nodes are beside the nodes inside them."""

    graph: Graph
    groups: tuple[Group, ...]
    """The opened super nodes, an outer one before those inside it."""


def unfold(
    workflow: Workflow, expansion: Expansion, super_nodes: Container[str] | None = None
) -> UnfoldedGraph:
    """Return a workflow with what is inside its opened super nodes.

    Nodes and edges have the ids by which events name them. Edges of a super node stay as written.

    Args:
        workflow: The workflow as its author wrote it.
        expansion: What is inside its super nodes.
        super_nodes: The ids of the opened ones; one inside another counts only if that is opened, too.
            ``None`` opens all.
    """
    document = workflow.to_wire()
    nodes, edges = list(document["node_configs"]), list(document["edge_configs"])
    groups: list[Group] = []
    for super_node_id, inner in expansion.inner.items():
        if super_nodes is None or all(each in super_nodes for each in (*inner.around, super_node_id)):
            nodes += map(_as_drawn, inner.nodes)
            edges += inner.edges
            members = tuple(str(node["logical_id"]) for node in inner.nodes)
            groups.append(Group(super_node_id, inner.label, members, "super_node"))
    if not groups:
        return UnfoldedGraph(Graph(workflow), ())
    unfolded = Workflow.from_wire({**document, "node_configs": nodes, "edge_configs": edges})
    return UnfoldedGraph(Graph(unfolded), tuple(groups))


def _as_drawn(node: JsonObject) -> JsonObject:
    """Return a node without the settings of the global super node around it."""
    settings = node.get("global_node_config")
    return {**node, "global_node_config": None} if isinstance(settings, dict) and ENTRY in settings else node
