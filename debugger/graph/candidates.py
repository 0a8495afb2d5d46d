"""Candidate edges in evaluation order.

The engine takes the first that holds; the explanation of a decision shows all of them.

Source: ``platform.md#edge-selection``, ``platform.md#global-nodes`` and ``platform.md#guardrails``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from debugger.graph.checks.context import flag
from debugger.graph.graph import Graph, edges_by_source
from debugger.graph.nesting import author_edge_id, exit_origin_of, may_enter, return_edges
from debugger.protocol.workflow import ConditionConfig, EdgeConfig, NodeConfig, as_bool

Kind = Literal["direct", "fork", "conditional", "global", "reverse", "self_loop", "retry", "nothing"]
BlockedReason = Literal["disabled", "dangling", "blocked"]
Caller = tuple[str, str]
"""A global node, and the node that it was entered from."""


@dataclass(frozen=True)
class CandidateEdge:
    """A possible next step from a node.

    The last one ends the thread.
    """

    kind: Kind
    destination: str | None
    edge: EdgeConfig | None = None
    condition: ConditionConfig | None = None
    judged_apart: bool = False
    """Whether a model decides its condition in a separate call."""
    blocked_reason: BlockedReason | None = None
    """The reason why it is never taken, even if its condition holds."""
    super_node_id: str | None = None
    """The super node that it leaves (``platform.md#super-nodes``)."""

    @property
    def expression(self) -> str:
        """The expression of its condition; empty without one."""
        return (self.condition.condition_expression if self.condition else None) or ""

    @property
    def freeform(self) -> str:
        """The condition for a model; empty without one."""
        return (self.condition.condition_freeform if self.condition else None) or ""

    @property
    def edge_id(self) -> str | None:
        """The author's id for the edge."""
        return author_edge_id(self.edge) if self.edge else None


class CandidateEdges:
    """The candidate edges of each node of one workflow.

    Args:
        graph: The workflow that runs, as its author drew it or with its super nodes expanded.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._leaving = edges_by_source(graph.workflow.edge_configs)
        blocks = graph.workflow.config.miscellaneous.get("no_hopping_between_guardrail_nodes")
        self._blocks = as_bool(blocks, True)

    def find_candidates(
        self, node: NodeConfig, caller: Caller | None, *, is_companion: bool
    ) -> list[CandidateEdge]:
        """Return every candidate edge of a node.

        They are direct edges, its own conditions, global nodes, the way back, its loop, and the end. A node
        with a bounded retry is tried again if no other edge is taken; one that loops to itself waits for the
        user instead.

        Args:
            node: The thread's node.
            caller: The global node that the thread entered, and from where, if it did.
            is_companion: Whether the thread is a companion, which cannot enter global nodes.
        """
        back = self.find_return_edges(node, caller) if caller is not None else ()
        conditional = self.conditional(node, is_companion=is_companion)
        return [*self._direct(node), *conditional, *back, *self._otherwise(node)]

    def conditional(self, node: NodeConfig, *, is_companion: bool) -> Iterator[CandidateEdge]:
        """Yield a node's own conditional edges, then those to global nodes.

        Disabled, dangling and blocked edges are among them, with `CandidateEdge.blocked_reason`. A companion
        has no edges to global nodes; the node itself and global nodes that super nodes keep it from are left
        out.
        """
        for edge in self._leaving.get(node.logical_id, ()):
            if edge.type == "conditional":
                yield CandidateEdge(
                    "conditional",
                    edge.destination_node_logical_id,
                    edge,
                    edge.condition,
                    blocked_reason=self._blocked_reason(node, edge),
                    super_node_id=exit_origin_of(edge),
                )
        for other in self.graph.global_nodes if not is_companion else ():
            settings = other.global_node_config
            if settings is None or other.logical_id == node.logical_id or not may_enter(node, other):
                continue
            method = settings.global_condition_edge_evaluation_method
            if method == "workflow_default":
                method = self.graph.workflow.config.global_condition_evaluation_method
            is_apart, reason = method == "independent_llm_evaluations", self._blocked(node, other)
            yield CandidateEdge("global", other.logical_id, None, settings.condition, is_apart, reason)

    def find_return_edges(self, node: NodeConfig, caller: Caller) -> Iterator[CandidateEdge]:
        """Yield the edges back to the caller of a global node.

        At the entered node it is its own reverse edge, if it has one; else those by which super nodes around
        the node lead back out. Nothing is yielded where there are none.
        """
        entered, back = caller
        own = node.global_node_config.reverse_conditional_edge if node.global_node_config else None
        if own is not None and entered == node.logical_id:
            yield CandidateEdge("reverse", back, None, own)
            return
        for way in return_edges(node):
            if way.entered_node_id == entered:
                yield CandidateEdge("reverse", back, None, way.condition, super_node_id=way.super_node_id)

    def _otherwise(self, node: NodeConfig) -> Iterator[CandidateEdge]:
        """Yield what follows if no edge is taken: the node's loop or retry, and the end of the thread.

        After a bounded retry there is no end.
        """
        if flag(node, "self_loop"):
            yield CandidateEdge("self_loop", node.logical_id)
        elif node.self_loop_config is not None and node.self_loop_config.enabled:
            yield CandidateEdge("retry", node.logical_id)
            return
        yield CandidateEdge("nothing", None)

    def _direct(self, node: NodeConfig) -> Iterator[CandidateEdge]:
        """Yield the node's direct edges in the document's order, also those that are never taken.

        The main edge and disabled ones have the kind ``direct``, all others ``fork``.
        """
        main = self.graph.main_direct(node.logical_id)
        for edge in self._leaving.get(node.logical_id, ()):
            if edge.type == "direct":
                kind: Kind = "direct" if edge is main or edge.disabled else "fork"
                destination, reason = edge.destination_node_logical_id, self._blocked_reason(node, edge)
                yield CandidateEdge(kind, destination, edge, blocked_reason=reason)

    def _blocked_reason(self, node: NodeConfig, edge: EdgeConfig) -> BlockedReason | None:
        """Return why an edge is never taken; ``None`` where it may be.

        It is disabled, leads to no node, or is a condition between two guardrail nodes where the workflow
        forbids it.
        """
        if edge.disabled:
            return "disabled"
        destination = self.graph.nodes.get(edge.destination_node_logical_id or "")
        if destination is None:
            return "dangling"
        return self._blocked(node, destination) if edge.type == "conditional" else None

    def _blocked(self, node: NodeConfig, destination: NodeConfig) -> BlockedReason | None:
        """Return whether both are guardrail nodes, between which no condition leads."""
        both = node.is_guardrail_node and destination.is_guardrail_node
        return "blocked" if both and self._blocks and node.logical_id != destination.logical_id else None
