"""The hops of a run: every time a thread went from one node to another, and by which edge."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from debugger.analysis.event_fields import EventFields, node_of, text
from debugger.analysis.node_origins import author_edge_id, author_node_id
from debugger.graph.graph import Graph
from debugger.protocol.events import Event
from debugger.protocol.turn_logs import TurnLog
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
"""Events that tell of a hop. ``waiting_condition_matched`` is none: a ``conditional_edge`` follows it."""


_EDGE_TYPES = {"direct_edge": "direct", "conditional_edge": "conditional"}


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class Transition:
    """One step from node to node."""

    number: int
    """Counts the run's hops from 1."""
    edge_id: str | None
    """``None`` where no edge of the workflow was followed: a self-loop, a global node, a forced move."""
    source: str | None
    destination: str | None
    """``None`` where the hop ended the run."""
    kind: str
    """The event's type."""
    reason: str
    turn_number: int
    event_index: int
    """The event that tells of it, counted over the run from 0."""
    thread_id: str | None
    """The internal id of the thread that hopped."""
    edge_name: str | None = None
    """As the event tells it, else as the workflow does."""


class EdgeIndex:
    """Finds the edge that an event tells of; direct hops may be recorded without its id (``wire.md`` 3.5).

    An edge that enters or leaves a super node is found for the inner node that an event names; hops inside of
    a super node follow no edge of the author's.

    Args:
        edges: The workflow's edges.
        nodes: The ids of the workflow's nodes.
    """

    def __init__(self, edges: Iterable[EdgeConfig], nodes: Container[str] = ()) -> None:
        self._nodes = nodes
        self._by_id: dict[str, EdgeConfig] = {}
        self._by_ends: dict[tuple[str | None, str | None], list[EdgeConfig]] = {}
        for edge in edges:
            self._by_id.setdefault(edge.logical_id, edge)
            ends = (edge.source_node_logical_id, edge.destination_node_logical_id)
            self._by_ends.setdefault(ends, []).append(edge)

    def by_id(self, edge_id: str | None) -> EdgeConfig | None:
        """The edge of that id, if the workflow has it."""
        own = author_edge_id(edge_id, self._by_id) if edge_id else None
        return self._by_id[own] if own else None

    def of(self, event: Event) -> EdgeConfig | None:
        """The edge that a hop followed: by its id, else by both its ends, its type and its name."""
        edge_id = text(event, "edge_logical_id")
        if edge_id is not None:
            return self.by_id(edge_id)
        if self.is_inside(event):
            return None
        ends = (self._own(node_of(event)), self._own(text(event, "destination_node_logical_id")))
        fitting = [edge for edge in self._by_ends.get(ends, ()) if _can_tell_of(event, edge)]
        name = text(event, "edge_name")
        return next((edge for edge in fitting if name and edge.name == name), fitting[0] if fitting else None)

    def is_inside(self, event: Event) -> bool:
        """Whether both ends of a hop are nodes inside of one super node of the author's."""
        source, destination = node_of(event), text(event, "destination_node_logical_id")
        own = self._own(source)
        return own is not None and own == self._own(destination) and own not in (source, destination)

    def _own(self, node_id: str | None) -> str | None:
        return author_node_id(node_id, self._nodes) if node_id else None


def read_transitions(turns: Sequence[TurnLog], edges: EdgeIndex) -> Iterator[Transition]:
    """Every hop of a run, in the order they happened."""
    number = first = 0
    for turn in turns:
        for index, event in enumerate(turn.events, start=first):
            if event.type in TRANSITION_TYPES:
                number += 1
                yield read_transition(EventFields(event), edges, number, turn.number, index)
        first += len(turn.events)


def read_transition(
    event: EventFields, edges: EdgeIndex, number: int, turn_number: int, index: int
) -> Transition:
    """The hop that an event tells of.

    Args:
        event: An event of one of `HOP_TYPES`.
        edges: The workflow's edges.
        number: Counts the run's hops from 1.
        turn_number: The turn that it is in.
        index: Its place in the run, from 0.
    """
    hop, edge = event.event, edges.of(event.event)
    return Transition(
        number,
        edge.logical_id if edge else text(hop, "edge_logical_id"),
        event.node,
        text(hop, "destination_node_logical_id"),
        event.type,
        text(hop, "reason") or "",
        turn_number,
        index,
        event.thread_id,
        text(hop, "edge_name") or (edge.name if edge else None),
    )


def condition_of(hop: Transition, edges: EdgeIndex, nodes: Mapping[str, NodeConfig]) -> str:
    """The condition that a hop went by; empty where it needed none.

    A hop into a global node, or back from it, went by a condition of that node (``engine.md`` 3.6).
    """
    edge = edges.by_id(hop.edge_id)
    if edge is not None:
        return condition_text(edge.condition)
    if hop.kind == "reverse_conditional_edge":
        return condition_text(_global_condition(nodes.get(hop.source or ""), reverse=True))
    if hop.kind == "conditional_edge":
        return condition_text(_global_condition(nodes.get(hop.destination or ""), reverse=False))
    return ""


def condition_text(condition: ConditionConfig | None) -> str:
    """What a condition says; empty where there is none."""
    return condition.text if condition else ""


def _can_tell_of(event: Event, edge: EdgeConfig) -> bool:
    """Whether an event of this type can be about an edge of that type."""
    if event.type == "companion_edge":
        return edge.type == "companion" or edge.forks_companion
    return _EDGE_TYPES.get(event.type) == edge.type


def _global_condition(node: NodeConfig | None, *, reverse: bool) -> ConditionConfig | None:
    settings = node.global_node_config if node else None
    if settings is None:
        return None
    return settings.reverse_conditional_edge if reverse else settings.condition


LATEST = 3
"""How many hops of each trail are told apart; of the earlier ones only the number is."""


@dataclass(slots=True)  # not frozen, for the reason that `TimelineRow` has
class PathCount:
    """One way that was gone, or one node that was come to, at least once."""

    first: Transition
    """The hop that did so first."""
    last: Transition
    count: int
    """How many did."""
    latest: tuple[int, ...]
    """The numbers of the last ones, in their order."""
    threads: frozenset[str]
    """The internal ids of the threads that did; an empty one where an event names none."""


@dataclass
class PathCounts:
    """The trails of some hops."""

    along: dict[str, PathCount] = field(default_factory=dict)
    """By the id of each way, see `way_of`, in the order in which they were first gone.

    What a node does with itself is no way: its visits are counted at the node.
    """
    to: dict[str, PathCount] = field(default_factory=dict)
    """By the id of each node that a hop ended at."""

    @classmethod
    def of(cls, hops: Iterable[Transition]) -> PathCounts:
        """The trails of hops, in their order."""
        trails = cls()
        for hop in hops:
            trails.take(hop)
        return trails

    def take(self, hop: Transition) -> None:
        """Take in the next hop."""
        if hop.edge_id or hop.source != hop.destination:
            _extend(self.along, path_id(hop), hop)
        if hop.destination:
            _extend(self.to, hop.destination, hop)

    def copy(self) -> PathCounts:
        """Other ones that stand here, to go on by themselves."""
        return PathCounts(self.along.copy(), self.to.copy())


def path_id(hop: Transition) -> str:
    """The id under which the way of a hop is drawn: that of its edge, or one made from its ends."""
    return hop.edge_id or f"{hop.source} > {hop.destination}"


def _extend(trails: dict[str, PathCount], key: str, hop: Transition) -> None:
    thread = hop.thread_id or ""
    known = trails.get(key)
    if known is None:
        trails[key] = PathCount(hop, hop, 1, (hop.number,), frozenset({thread}))
        return
    threads = known.threads if thread in known.threads else known.threads | {thread}
    latest = (*known.latest, hop.number)[-LATEST:]
    trails[key] = PathCount(known.first, hop, known.count + 1, latest, threads)


_OWN_WORDS = {
    "direct_edge": "This always comes next.",
    "self_loop_edge": "It goes on here.",
    "companion_edge": "This goes on in the background.",
    "guardrail_escalation_edge": "A safety rule was broken too often.",
    "force_transfer_to_node": "Somebody moved it there.",
    "reverse_conditional_edge": "Back to where it was.",
}


def transition_title(hop: Transition, names: Mapping[str, str]) -> str:
    """From where to where: ``Intent desk → Booking``."""
    source = names.get(hop.source or "", hop.source or "Start")
    if hop.destination is None:
        return f"{source} → the end"
    return f"{source} → {names.get(hop.destination, hop.destination)}"


def transition_reason(hop: Transition, graph: Graph) -> str:
    """Why, in a sentence: the condition as its author told it to a model, else the edge's name.

    A condition in the expression language is not read out: what it means is what the author named it.
    """
    written = _freeform(_condition(hop, graph))
    if written:
        return _sentence(written)
    if hop.edge_name:
        return _sentence(hop.edge_name)
    return _OWN_WORDS.get(hop.kind, "Its condition holds.")


def _condition(hop: Transition, graph: Graph) -> ConditionConfig | None:
    edge = graph.edges.get(hop.edge_id or "")
    if edge is not None:
        return edge.condition
    if hop.kind == "reverse_conditional_edge":
        left = graph.nodes.get(hop.source or "")
        settings = left.global_node_config if left else None
        return settings.reverse_conditional_edge if settings else None
    entered = graph.nodes.get(hop.destination or "")
    settings = entered.global_node_config if entered else None
    return settings.condition if settings and hop.kind == "conditional_edge" else None


def _freeform(condition: ConditionConfig | None) -> str:
    return (condition.condition_freeform or "").strip() if condition else ""


def _sentence(words: str) -> str:
    told = words[0].upper() + words[1:]
    return told if told.endswith((".", "!", "?", "…")) else f"{told}."
