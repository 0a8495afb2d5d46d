"""Rules about the ids of nodes and edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from debugger.graph.checks.naming import listed, quoted
from debugger.graph.checks.problem import Problem
from debugger.graph.checks.subject import Subject


def duplicate_node_id(subject: Subject) -> Iterator[Problem]:
    """A logical id names one node of the workflow.

    Source: V21 in ``platform/engine.md`` 12.
    """
    for logical_id, nodes in _same_id(subject.graph.workflow.node_configs).items():
        yield Problem(
            "error",
            "duplicate-node-id",
            f"{len(nodes)} nodes have the id {quoted(logical_id)}: {listed(node.label for node in nodes)}.",
            node_logical_id=logical_id,
            advice="Give each node an id of its own and point the edges at the right one.",
        )


def duplicate_edge_id(subject: Subject) -> Iterator[Problem]:
    """A logical id names one edge of the workflow.

    Source: V21 in ``platform/engine.md`` 12.
    """
    for logical_id, edges in _same_id(subject.graph.workflow.edge_configs).items():
        ends = (f"{edge.source_node_logical_id} → {edge.destination_node_logical_id}" for edge in edges)
        yield Problem(
            "error",
            "duplicate-edge-id",
            f"{len(edges)} edges have the id {quoted(logical_id)}: {listed(ends)}.",
            edge_logical_id=logical_id,
            advice="Give each edge an id of its own.",
        )


def _same_id(configs: Iterable[Any]) -> dict[str, list[Any]]:
    """The ids that more than one has, each with all who have it."""
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for config in configs:
        groups[config.logical_id].append(config)
    return {logical_id: group for logical_id, group in groups.items() if len(group) > 1}
