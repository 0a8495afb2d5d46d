"""What at a node cannot be run as it is drawn: refused by name, never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.errors import RunError
from debugger.graph import Graph
from debugger.graph.checks import companions
from debugger.graph.checks.context import CheckContext, Problem
from debugger.protocol.workflow import NodeConfig

_RULES = (
    companions.several_direct_edges,
    companions.companion_waits,
    companions.companion_forks,
    companions.companion_shares_nodes,
    companions.companion_thread_id,
    companions.duplicate_thread_id,
)


def refuse_unrunnable(node: NodeConfig, graph: Graph) -> None:
    """Raise for the first thing at a node that leads nowhere, or that breaks a rule of companion threads.

    Raises:
        RunError: An edge leads to a node that is not there (U-20); or a companion thread that the node starts
            breaks one of the rules by which the platform refuses to save a workflow (V1 to V5).
    """
    for edge in graph.dangling(node.logical_id):
        raise RunError(
            f"Node {node.label!r} has the edge {edge.logical_id!r}, which leads to "
            f"{edge.destination_node_logical_id!r}: there is no such node.",
            advice="Correct the edge's destination, or disable the edge.",
        )
    if len(graph.direct(node.logical_id)) > 1:
        for problem in _broken_rules(node, graph):
            raise RunError(problem.message, advice=problem.advice)


def _broken_rules(node: NodeConfig, graph: Graph) -> Iterator[Problem]:
    edges = {edge.logical_id for edge in graph.direct(node.logical_id)}
    for rule in _RULES:
        for problem in rule(CheckContext(graph)):
            if problem.node_logical_id == node.logical_id or problem.edge_logical_id in edges:
                yield problem
