"""A workflow as an indexed graph."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final, TypeVar

from debugger.errors import NotFoundError, NotStartableError
from debugger.protocol.workflow import EdgeConfig, NodeConfig, Workflow

Config = TypeVar("Config", NodeConfig, EdgeConfig)


class Graph:
    """A read-only view of a workflow, with every look-up prepared.

    Building never fails: of several nodes (or edges) with one id the first is the one found by id, and an
    edge that hangs in the air belongs to no node. `debugger.graph.checks` reports such faults. Questions
    about an id that no node has are answered with nothing, apart from `node`.

    Args:
        workflow: The document. It must not change afterwards.
    """

    def __init__(self, workflow: Workflow) -> None:
        """Index nodes and edges by id, and enabled edges by their source.

        Edges between two nodes are indexed by type, too, and those to a missing node apart.
        """
        self.workflow: Final = workflow
        self.nodes: Final[Mapping[str, NodeConfig]] = _by_id(workflow.node_configs)
        self.edges: Final[Mapping[str, EdgeConfig]] = _by_id(workflow.edge_configs)
        enabled = [edge for edge in workflow.edge_configs if not edge.disabled]
        joining = [
            edge
            for edge in enabled
            if edge.source_node_logical_id in self.nodes and edge.destination_node_logical_id in self.nodes
        ]
        self._leaving: Final = edges_by_source(joining)
        self._direct: Final = edges_by_source(edge for edge in joining if edge.type == "direct")
        self._conditional: Final = edges_by_source(edge for edge in joining if edge.type == "conditional")
        self._companion: Final = edges_by_source(edge for edge in joining if edge.type == "companion")
        self._dangling: Final = edges_by_source(
            edge for edge in enabled if edge.destination_node_logical_id not in self.nodes
        )

    def node(self, node_id: str) -> NodeConfig:
        """Return the node with this id.

        Raises:
            NotFoundError: No node has it.
        """
        found = self.nodes.get(node_id)
        if found is None:
            close = difflib.get_close_matches(node_id[:200], self.nodes, n=1)
            advice = (
                f"Did you mean {close[0]!r}?" if close else "Take an id from the workflow's 'node_configs'."
            )
            raise NotFoundError(f"The workflow has no node {node_id!r}.", advice=advice)
        return found

    def find_outgoing_edges(self, node_id: str) -> tuple[EdgeConfig, ...]:
        """Return the enabled edges from this node, in the document's order."""
        return self._leaving.get(node_id, ())

    def find_dangling_edges(self, node_id: str) -> tuple[EdgeConfig, ...]:
        """Return the enabled edges from this node to a missing one."""
        return self._dangling.get(node_id, ())

    def direct(self, node_id: str) -> tuple[EdgeConfig, ...]:
        """Return the direct edges from this node."""
        return self._direct.get(node_id, ())

    def conditional(self, node_id: str) -> tuple[EdgeConfig, ...]:
        """Return the conditional edges from this node."""
        return self._conditional.get(node_id, ())

    def companion(self, node_id: str) -> tuple[EdgeConfig, ...]:
        """Return the companion edges from this node."""
        return self._companion.get(node_id, ())

    def main_direct(self, node_id: str) -> EdgeConfig | None:
        """Return the direct edge that the thread itself follows.

        It is the one that is not flagged to fork a companion thread; on an only direct edge the flag counts
        for nothing.

        Source: ``platform.md#edge-selection``.
        """
        direct = self.direct(node_id)
        if len(direct) == 1:
            return direct[0]
        return next((edge for edge in direct if not edge.forks_companion), None)

    def direct_path(self, first: str, last: str | None) -> list[str]:
        """Return the nodes from one along main direct edges, to the other if these lead to it.

        Else the path ends where there is no such edge, or before a node that it already has. An unknown first
        id is returned alone.
        """
        path = {first: None}
        here = first
        while here != last and (edge := self.main_direct(here)):
            here = edge.destination_node_logical_id or ""
            if here in path:
                break
            path[here] = None
        return list(path)

    @cached_property
    def names(self) -> dict[str, str]:
        """Return the label of each node by id."""
        return {node_id: node.label for node_id, node in self.nodes.items()}

    @property
    def start_nodes(self) -> tuple[NodeConfig, ...]:
        """Return every enabled start node; one is right."""
        return tuple(node for node in self.nodes.values() if node.is_start and not node.disabled)

    @property
    def start(self) -> NodeConfig:
        """Return the first enabled start node.

        Raises:
            NotStartableError: There is none. The message is the platform's own
            (``platform.md#workflow-document``).
        """
        flagged = self.start_nodes
        if not flagged:
            raise NotStartableError("No start node found", advice="Set 'is_start' on one enabled node.")
        return flagged[0]

    @cached_property
    def global_nodes(self) -> tuple[NodeConfig, ...]:
        """Return the enabled global nodes, in the document's order."""
        return tuple(node for node in self.nodes.values() if node.is_global and not node.disabled)

    def reachable(self, node_id: str) -> frozenset[str]:
        """Return the ids of the nodes that a thread can reach.

        Counted are edges, transitions to global nodes, and the guardrail escalation. A
        disabled node is passed through along its main direct edge only.

        Source: ``platform.md#global-nodes`` and ``platform.md#guardrails``, U-1.
        """
        if node_id not in self.nodes:
            return frozenset()
        found, waiting = {node_id}, [node_id]
        while waiting:
            for next_id in self._next(waiting.pop(), anywhere_known=self._from_anywhere <= found):
                if next_id not in found:
                    found.add(next_id)
                    waiting.append(next_id)
        return frozenset(found)

    @cached_property
    def unreachable(self) -> tuple[NodeConfig, ...]:
        """Return the enabled nodes that no run reaches from the first start node.

        Without an enabled start node these are all enabled nodes.
        """
        arrived = self.reachable(self.start_nodes[0].logical_id) if self.start_nodes else frozenset()
        return tuple(
            node for node in self.nodes.values() if node.logical_id not in arrived and not node.disabled
        )

    def _next(self, node_id: str, *, anywhere_known: bool) -> set[str]:
        """Return the destinations of one step.

        Without the nodes reached from anywhere when those are known.
        """
        if self.nodes[node_id].disabled:
            edge = self.main_direct(node_id)
            return _destinations([edge] if edge else [])
        steps = _destinations(self.find_outgoing_edges(node_id))
        return steps if anywhere_known else steps | self._from_anywhere

    @cached_property
    def _from_anywhere(self) -> frozenset[str]:
        """Return the nodes reached from anywhere: enabled global ones and the escalation.

        The escalation counts where its number of guardrail nodes is set. An id that no node has is left out.
        """
        found = {node.logical_id for node in self.global_nodes}
        strikes = self.workflow.config.guardrail_strikes_config
        if strikes is not None and strikes.max_guardrail_nodes_before_escalation is not None:
            found.add(strikes.escalation_node_logical_id or "")
        return frozenset(found & self.nodes.keys())


def _by_id(configs: Iterable[Config]) -> Mapping[str, Config]:
    found: dict[str, Config] = {}
    for config in configs:
        found.setdefault(config.logical_id, config)
    return MappingProxyType(found)


def edges_by_source(edges: Iterable[EdgeConfig]) -> Mapping[str, tuple[EdgeConfig, ...]]:
    """Group edges by the id of their source, in the document's order.

    Those without a source are under an empty text.
    """
    groups: dict[str, list[EdgeConfig]] = {}
    for edge in edges:
        groups.setdefault(edge.source_node_logical_id or "", []).append(edge)
    return {node_id: tuple(group) for node_id, group in groups.items()}


def _destinations(edges: Iterable[EdgeConfig]) -> set[str]:
    return {
        edge.destination_node_logical_id for edge in edges if edge.destination_node_logical_id is not None
    }
