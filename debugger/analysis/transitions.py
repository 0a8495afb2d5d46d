"""Transitions between nodes, with their edges, counts and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType

from debugger.analysis.event_fields import EventFields, node_of, text
from debugger.analysis.node_origins import author_edge_id, author_node_id, enclosing_ids
from debugger.graph.graph import Graph
from debugger.protocol.events import Event
from debugger.protocol.workflow import ConditionConfig, EdgeConfig, NodeConfig

TRANSITION_TYPES = frozenset(
    {
        "direct_edge",
        "self_loop_edge",
        "conditional_edge",
        "reverse_conditional_edge",
        "companion_edge",
        "guardrail_escalation_edge",
        "force_transfer_to_node",
    }
)
"""Types of events that are a transition; each ``waiting_condition_matched`` is followed by one."""

LEAVING_TYPES = TRANSITION_TYPES - {"companion_edge"}
"""Those by which a thread leaves its node: what a companion edge starts runs beside it."""

_NO_NODES: Mapping[str, NodeConfig] = MappingProxyType({})

MAX_LATEST = 3
"""Transitions of each path that are listed; earlier ones are only counted."""

_EDGE_TYPES = {"direct_edge": "direct", "conditional_edge": "conditional"}
_REASONS = {
    "direct_edge": "This always comes next.",
    "self_loop_edge": "It stays on this node.",
    "companion_edge": "This continues in the background.",
    "guardrail_escalation_edge": "Guardrail nodes were entered too often.",
    "force_transfer_to_node": "It was moved there manually.",
    "reverse_conditional_edge": "Back to where it was.",
}


@dataclass(slots=True)  # not frozen: see `TimelineRow`
class Transition:
    """One transition of a thread from node to node."""

    number: int
    """Counts the run's transitions from 1."""
    edge_id: str | None
    """``None`` if it followed no edge of the workflow: a self-loop, a global node, a forced transfer."""
    source: str | None
    destination: str | None
    """``None`` if it ended the run."""
    kind: str
    """The event's type."""
    reason: str
    turn_number: int
    event_index: int
    """The index of its event in the run."""
    thread_id: str | None
    """The internal id of its thread."""
    edge_name: str | None = None
    """Name in the event, else in the workflow."""


class EdgeIndex:
    """An index of edges by id and by ends.

    Direct edges may be recorded without their id (``platform.md#event-fields``).

    An edge that enters or leaves a super node is found for the inner node that an event names, whether or not
    that is one of the nodes. Transitions inside a super node follow no edge if its inner nodes are left out.

    Args:
        edges: The workflow's edges.
        nodes: The workflow's nodes by id.
    """

    def __init__(self, edges: Iterable[EdgeConfig], nodes: Mapping[str, NodeConfig] = _NO_NODES) -> None:
        """Index the edges; of equal ids the first counts."""
        self._nodes = nodes
        self._by_id: dict[str, EdgeConfig] = {}
        self._by_ends: dict[tuple[str | None, str | None], list[EdgeConfig]] = {}
        for edge in edges:
            self._by_id.setdefault(edge.logical_id, edge)
            ends = (edge.source_node_logical_id, edge.destination_node_logical_id)
            self._by_ends.setdefault(ends, []).append(edge)

    def by_id(self, edge_id: str | None) -> EdgeConfig | None:
        """Return the edge of that id, if the workflow has it."""
        own = author_edge_id(edge_id, self._by_id) if edge_id else None
        return self._by_id[own] if own else None

    def of(self, event: Event) -> EdgeConfig | None:
        """Return a transition's edge by its id, else by ends, type and name.

        ``None`` without one, as inside a super node and to a global node, or where the edge of the id has
        other ends.
        """
        edge_id, name = text(event, "edge_logical_id"), text(event, "edge_name")
        source, destination = node_of(event), text(event, "destination_node_logical_id")
        if edge_id is not None:
            edge = self.by_id(edge_id)
            return edge if edge and has_ends(edge, (source, destination), self._nodes) else None
        if self.is_inside(event):
            return None
        node = self._nodes.get(destination or "")
        if event.type == "conditional_edge" and not name and node is not None and node.is_global:
            return None  # a transition to a global node needs no edge
        sources, destinations = self._with_super_nodes(source), self._with_super_nodes(destination)
        edges = [
            edge
            for ends in product(sources, destinations)
            for edge in self._by_ends.get(ends, ())
            if _can_be_about(event, edge)
        ]
        # Of direct edges with the same ends the thread follows none that is disabled or forks a companion.
        edges.sort(key=lambda edge: (edge.disabled, event.type == "direct_edge" and edge.forks_companion))
        return next((edge for edge in edges if name and edge.name == name), edges[0] if edges else None)

    def is_inside(self, event: Event) -> bool:
        """Return whether both ends are inside one super node."""
        source, destination = node_of(event), text(event, "destination_node_logical_id")
        own = self._own(source)
        return own is not None and own == self._own(destination) and own not in (source, destination)

    def _with_super_nodes(self, node_id: str | None) -> list[str | None]:
        """Return the workflow's node, and the opened super nodes around it."""
        own = self._own(node_id)
        return [own, *(each for each in enclosing_ids(own) if each in self._nodes)] if own else [own]

    def _own(self, node_id: str | None) -> str | None:
        return author_node_id(node_id, self._nodes) if node_id else None


def read_transition(
    event: EventFields, edges: EdgeIndex, number: int, turn_number: int, index: int
) -> Transition:
    """Return the transition that an event records, whatever of it is known.

    Args:
        event: The event.
        edges: The workflow's edges.
        number: Counts the run's transitions.
        turn_number: The turn's.
        index: The event's index in the run.
    """
    wire, edge = event.event, edges.of(event.event)
    unknown_id = text(wire, "edge_logical_id") if edge is None else None
    return Transition(
        number,
        edge.logical_id if edge else None if edges.by_id(unknown_id) else unknown_id,
        event.node,
        text(wire, "destination_node_logical_id"),
        event.type,
        text(wire, "reason") or "",
        turn_number,
        index,
        event.thread_id,
        text(wire, "edge_name") or (edge.name if edge else None),
    )


def transition_condition(transition: Transition, edges: EdgeIndex, nodes: Mapping[str, NodeConfig]) -> str:
    """Return the condition of a transition; empty if it needed none."""
    edge = edges.by_id(transition.edge_id)
    return condition_text(_condition(transition, edge, nodes))


def condition_text(condition: ConditionConfig | None) -> str:
    """Return a condition as it is written; empty without one."""
    return condition.text if condition else ""


def transition_title(transition: Transition, names: Mapping[str, str]) -> str:
    """Return source and destination by name: ``Order → Booking``."""
    source = names.get(transition.source or "", transition.source or "Start")
    if transition.destination is None:
        return f"{source} → the end"
    return f"{source} → {names.get(transition.destination, transition.destination)}"


def transition_reason(transition: Transition, graph: Graph) -> str:
    """Return the reason of a transition in a sentence for users.

    It is the condition as its author wrote it for a model, else the edge's name. A condition in the
    expression language is not shown: its meaning is the name that the author gave it.
    """
    reason = author_reason(transition, graph)
    if not reason:
        return _REASONS.get(transition.kind, "Its condition holds.")
    sentence = reason[0].upper() + reason[1:]
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def author_reason(transition: Transition, graph: Graph) -> str:
    """Return the reason of a transition in its author's words; empty without any."""
    condition = _condition(transition, graph.edges.get(transition.edge_id or ""), graph.nodes)
    freeform = (condition.condition_freeform or "").strip() if condition else ""
    return freeform or transition.edge_name or ""


def _condition(
    transition: Transition, edge: EdgeConfig | None, nodes: Mapping[str, NodeConfig]
) -> ConditionConfig | None:
    """Return the condition of the edge, else of the global node (``platform.md#global-nodes``).

    ``None`` for a transition that needed none, or an unknown node.
    """
    if edge is not None:
        return edge.condition
    is_reverse = transition.kind == "reverse_conditional_edge"
    if not is_reverse and transition.kind != "conditional_edge":
        return None
    node = nodes.get((transition.source if is_reverse else transition.destination) or "")
    settings = node.global_node_config if node else None
    if settings is None:
        return None
    return settings.reverse_conditional_edge if is_reverse else settings.condition


def _can_be_about(event: Event, edge: EdgeConfig) -> bool:
    if event.type == "companion_edge":
        return edge.type == "companion" or edge.forks_companion
    return _EDGE_TYPES.get(event.type) == edge.type


@dataclass(slots=True)  # not frozen: see `TimelineRow`
class PathCount:
    """The transitions along one edge, or to one node; at least one."""

    first: Transition
    last: Transition
    count: int
    latest: tuple[int, ...]
    """The numbers of the last ones, at most `MAX_LATEST`, in order."""
    threads: frozenset[str]
    """The internal ids of their threads; an empty one for an event that names none."""


@dataclass
class PathCounts:
    """Counts of transitions by edge and by destination."""

    by_edge: dict[str, PathCount] = field(default_factory=dict)
    """By `path_id`, in the order in which they were first taken; a node's self-loop is no path."""
    by_node: dict[str, PathCount] = field(default_factory=dict)
    """By the id of the destination."""

    @classmethod
    def of(cls, transitions: Iterable[Transition]) -> PathCounts:
        """Return the counts of these transitions."""
        counts = cls()
        for transition in transitions:
            counts.add(transition)
        return counts

    def add(self, transition: Transition) -> None:
        """Count the next transition."""
        if transition.edge_id or transition.source != transition.destination:
            _count(self.by_edge, path_id(transition), transition)
        if transition.destination:
            _count(self.by_node, transition.destination, transition)

    def copy(self) -> PathCounts:
        """Return counts that can be continued independently."""
        return PathCounts(self.by_edge.copy(), self.by_node.copy())


def path_id(transition: Transition, graph: Graph | None = None) -> str:
    """Return the id of its edge, or one made of its ends.

    Args:
        transition: The transition.
        graph: A graph of another version, in which the edge may have other ends.
    """
    edge = graph.edges.get(transition.edge_id or "") if graph else None
    ends = transition.source, transition.destination
    is_own = edge is None or graph is None or has_ends(edge, ends, graph.nodes)
    return (is_own and transition.edge_id) or f"{transition.source} > {transition.destination}"


def has_ends(edge: EdgeConfig, ends: tuple[str | None, str | None], nodes: Mapping[str, NodeConfig]) -> bool:
    """Return whether an edge may have led from one node to the other; one of another version may not."""
    own = edge.source_node_logical_id, edge.destination_node_logical_id
    return all(_is_at(node_id, end, nodes) for node_id, end in zip(ends, own, strict=True))


def _is_at(node_id: str | None, end: str | None, nodes: Mapping[str, NodeConfig]) -> bool:
    if node_id is None or end is None or end not in nodes or node_id == end or node_id.startswith(f"{end}/"):
        return True
    return nodes[end].type == "super_node" and node_id not in nodes


def _count(counts: dict[str, PathCount], key: str, transition: Transition) -> None:
    """Count a transition under a key, in place."""
    thread = transition.thread_id or ""
    known = counts.get(key)
    if known is None:
        counts[key] = PathCount(transition, transition, 1, (transition.number,), frozenset({thread}))
        return
    threads = known.threads if thread in known.threads else known.threads | {thread}
    latest = (*known.latest, transition.number)[-MAX_LATEST:]
    counts[key] = PathCount(known.first, transition, known.count + 1, latest, threads)
