"""The position of a run in its graph: where it stands, how it came there, where it can go.

It is derived from events alone, so a run of any backend can be followed, also on a graph of another version:
nodes that the graph lacks are told apart as ghosts. What happens inside a super node happens at the node that
stands for it in the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Literal

from debugger.analysis.event_fields import EventFields, fields_of, is_failed_run, text
from debugger.analysis.node_origins import author_node_id
from debugger.analysis.thread_positions import CHANGING_TYPES, ThreadPositions
from debugger.analysis.transitions import (
    TRANSITION_TYPES,
    EdgeIndex,
    PathCounts,
    Transition,
    condition_text,
    read_transition,
)
from debugger.graph.graph import Graph
from debugger.protocol.events import reference_id
from debugger.protocol.runs import MAIN_THREAD, RunStatus
from debugger.protocol.turn_logs import TurnLog

RunState = Literal["not_started", "running", "paused", "waiting", "ended", "failed", "cancelled", "looping"]
Way = Literal["edge", "global", "reverse"]

_STATES: dict[RunStatus, RunState] = {
    "not_started": "not_started",
    "pending": "running",
    "started": "running",
    "running": "running",
    "paused": "paused",
    "waiting_for_user_input": "waiting",
    "completed": "ended",
    "failed": "failed",
    "cancelled": "cancelled",
    "aborted_looping_risk": "looping",
}
_ARRIVALS = frozenset({"start_node_run", "busy_wait_for_user_message"})
_NODE_TYPES = _ARRIVALS | {"end_node_run", "node_expired"}
"""What tells of a node more than its name."""
_OVER = frozenset({"ended", "failed", "cancelled", "looping"})


@dataclass(frozen=True)
class NextEdge:
    """One way on from the current node."""

    edge_id: str | None
    """``None`` for the hops that a global node makes possible without an edge in the document."""
    destination: str | None
    condition: str
    label: str
    way: Way = "edge"
    """``"global"``: into a global node. ``"reverse"``: from a global node back to its caller."""


@dataclass(frozen=True)
class Position:
    """Where a run stands."""

    current: str | None = None
    """The node that the main thread is parked at, or that it ran last."""
    state: RunState = "not_started"
    threads: dict[str, str] = field(default_factory=dict)
    """Each thread's current node, by internal thread id."""
    companions: dict[str, str] = field(default_factory=dict)
    """The current node of each companion thread that has not ended, by the id that people know it by."""
    visits: dict[str, int] = field(default_factory=dict)
    """Node runs begun, by node id; of a super node how often it was entered. A node that only parks has none
    and is reached nevertheless."""
    first_visit: dict[str, int] = field(default_factory=dict)
    """The turn in which each node was first reached, in that order."""
    hops: tuple[Transition, ...] = ()
    """Those between nodes of the graph: a hop inside of a super node is none."""
    trails: PathCounts = field(default_factory=PathCounts)
    """The same by the ways that they went and the nodes that they came to."""
    next_edges: tuple[NextEdge, ...] = ()
    """Empty when the run is over."""
    failed: tuple[str, ...] = ()
    """The nodes whose last run failed."""
    passed: tuple[str, ...] = ()
    """The nodes that a thread went through without a run of them, as one of a type that is not known."""
    unreached: tuple[str, ...] = ()
    """The graph's nodes where no thread has been."""
    ghosts: dict[str, str] = field(default_factory=dict)
    """Name by id of the nodes that events tell of and the graph does not have."""
    inside: dict[str, str] = field(default_factory=dict)
    """By the id of each super node where a thread stands, the name of the inner node that it stands at."""


def position(turns: Sequence[TurnLog], graph: Graph, status: RunStatus | None = None) -> Position:
    """Where a run stands after these turns.

    Args:
        turns: The run's turns, or the first of them; the last one may still be growing.
        graph: The workflow to place it on.
        status: The run's status; ``None`` reads the state out of the events, as for a look at the past.
    """
    reader = PositionTracker(graph)
    for turn in turns:
        reader.take(turn, fields_of(turn.events))
    return reader.position(status)


class PositionTracker:
    """Where a run stands, followed from turn to turn.

    Args:
        graph: The workflow to place it on.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._edges = EdgeIndex(graph.edges.values(), graph.nodes)
        self._trace = _Trace(graph)
        self._hops: list[Transition] = []
        self._trails = PathCounts()
        self._event_count = 0

    @property
    def standing(self) -> ThreadPositions:
        """Where each thread stands."""
        return self._trace.standing

    def take(self, turn: TurnLog, events: Sequence[EventFields]) -> None:
        """Take in the next turn, or piece of background work, and its events."""
        for index, event in enumerate(events, start=self._event_count):
            if event.type in TRANSITION_TYPES:
                self._take_hop(read_transition(event, self._edges, len(self._hops) + 1, turn.number, index))
            self._trace.take(event, turn.number)
        self._event_count += len(events)

    def copy(self) -> PositionTracker:
        """Another one that stands here, to go on by itself."""
        other = copy(self)
        other._trace, other._hops = self._trace.copy(), self._hops.copy()
        other._trails = self._trails.copy()
        return other

    def position(self, status: RunStatus | None) -> Position:
        """Where the run stands now. What was given out does not change when more is taken in."""
        return _position(self._trace, tuple(self._hops), self._trails.copy(), self._graph, status)

    def _take_hop(self, hop: Transition) -> None:
        """Count a hop from node to node of the graph; one inside of a super node is none."""
        own = self._trace.own
        source = own(hop.source) if hop.source else None
        destination = own(hop.destination) if hop.destination else None
        stays_inside = source is not None and source == destination and source != hop.source
        if stays_inside and hop.edge_id not in self._graph.edges:
            return
        if (source, destination) != (hop.source, hop.destination):
            hop = replace(hop, source=source, destination=destination)
        self._hops.append(hop)
        self._trails.take(hop)


def _position(
    trace: _Trace, made: tuple[Transition, ...], trails: PathCounts, graph: Graph, status: RunStatus | None
) -> Position:
    state = _STATES[status] if status else trace.state
    own = trace.own
    current = own(trace.current) if trace.current else None
    companions = _companions(trace.standing)
    return Position(
        current=current,
        state=state,
        threads={key: own(thread.node) for key, thread in trace.standing.threads.items() if thread.node},
        companions={name: own(node) for name, node in companions.items()},
        visits=trace.visits.copy(),
        first_visit=trace.first_visit.copy(),
        hops=made,
        trails=trails,
        next_edges=() if state in _OVER or current is None else tuple(_next(current, made, graph)),
        passed=tuple(node for node in trace.passed if node not in trace.visits),
        failed=tuple(dict.fromkeys(map(own, trace.failed))),
        unreached=tuple(node for node in graph.nodes if node not in trace.first_visit),
        ghosts={node: name for node, name in trace.names.items() if node not in graph.nodes},
        inside=trace.inside([trace.current, *companions.values()]),
    )


class _Trace:
    """What is gathered along the way."""

    def __init__(self, graph: Graph) -> None:
        self._nodes = graph.nodes
        self._edges = EdgeIndex((), graph.nodes)
        self._entered: dict[str | None, str] = {}
        self._inner_names: dict[str, str] = {}
        self.standing = ThreadPositions()
        self.visits: dict[str, int] = {}
        self.first_visit: dict[str, int] = {}
        self.failed: dict[str, None] = {}
        self.passed: dict[str, None] = {}
        self.names: dict[str, str] = {}
        self._own: dict[str, str] = {}

    def copy(self) -> _Trace:
        """Another one that stands here, to go on by itself."""
        other = copy(self)
        other._entered, other._inner_names = self._entered.copy(), self._inner_names.copy()
        other.standing, other.visits = self.standing.copy(), self.visits.copy()
        other.first_visit, other.failed = self.first_visit.copy(), self.failed.copy()
        other.passed, other.names = self.passed.copy(), self.names.copy()
        return other

    @property
    def state(self) -> RunState:
        """What the events alone say."""
        if self.standing.outcome:
            return "ended" if self.standing.outcome == "ended" else "failed"
        if self.standing.main.waiting:
            return "waiting"
        return "running" if self.standing.threads else "not_started"

    @property
    def current(self) -> str | None:
        """The node that the run stands at; of a failed run also one that it had only just hopped to."""
        main = self.standing.main
        return (main.ahead or main.node) if self.standing.outcome == "failed" else main.node

    def take(self, event: EventFields, turn_number: int) -> None:
        """Take in one event."""
        kind, node = event.type, event.node
        if node and kind in _ARRIVALS:
            self._pass_over(event, node, turn_number)
        if kind in CHANGING_TYPES:
            self.standing.change(event)
        if node:
            self._name(node, event.node_name)
            if kind in _NODE_TYPES:
                self._at_node(event, node, turn_number)
        if kind in TRANSITION_TYPES:
            self._leave(event)
        elif kind == "workflow_error" and self.current:
            self.failed[self.current] = None

    def _leave(self, event: EventFields) -> None:
        hop = event.event
        if not self._edges.is_inside(hop):
            self._entered.pop(event.thread_id, None)
        self._name(text(hop, "destination_node_logical_id"), text(hop, "destination_node_name"))

    def _at_node(self, event: EventFields, node: str, turn_number: int) -> None:
        if event.type in _ARRIVALS:
            self.first_visit.setdefault(self.own(node), turn_number)
        if event.type == "start_node_run":
            self._visit(event, node)
        elif is_failed_run(event.event):
            self.failed[node] = None
        elif event.type == "end_node_run":
            self.failed.pop(node, None)

    def _pass_over(self, event: EventFields, node: str, turn_number: int) -> None:
        """Take note of the node that a thread had hopped to if it is another one that it arrives at."""
        thread = self.standing.threads.get(event.thread_id or MAIN_THREAD)
        ahead = thread.ahead if thread else None
        self.passed.pop(self.own(node), None)
        if ahead and ahead != node and self.own(ahead) == ahead:
            self.passed[ahead] = None
            self.first_visit.setdefault(ahead, turn_number)

    def _visit(self, event: EventFields, node: str) -> None:
        """Count a node run; of those inside a super node only the first after it was entered."""
        own, thread = self.own(node), event.thread_id
        if own == node or self._entered.get(thread) != own:
            self.visits[own] = self.visits.get(own, 0) + 1
        self._entered[thread] = own

    def _name(self, node: str | None, name: str | None) -> None:
        if node:
            names = self.names if self.own(node) == node else self._inner_names
            if name or node not in names:
                names[node] = name or node

    def own(self, node: str) -> str:
        """The node of the graph that a node of the run belongs to."""
        found = self._own.get(node)
        if found is None:
            found = self._own[node] = author_node_id(node, self._nodes)
        return found

    def inside(self, places: Iterable[str | None]) -> dict[str, str]:
        """The inner node's name for each of these places that is inside of a super node; the first wins."""
        found: dict[str, str] = {}
        for node in places:
            if node and self.own(node) != node:
                found.setdefault(self.own(node), self._inner_names.get(node, node))
        return found


def _companions(standing: ThreadPositions) -> dict[str, str]:
    places = {key: thread.node or thread.ahead for key, thread in standing.companions.items()}
    return {reference_id(key) or key: node for key, node in places.items() if node}


def _next(current: str, made: Sequence[Transition], graph: Graph) -> Iterator[NextEdge]:
    """The edges that leave a node, then the hops that global nodes make possible."""
    for edge in graph.leaving(current):
        yield NextEdge(
            edge.logical_id, edge.destination_node_logical_id, condition_text(edge.condition), edge.label
        )
    for node in graph.global_nodes:
        settings = node.global_node_config
        if settings and node.logical_id != current:
            yield NextEdge(None, node.logical_id, condition_text(settings.condition), node.label, "global")
        elif settings and settings.reverse_conditional_edge:
            caller = next(
                (hop.source for hop in reversed(made) if hop.destination == current != hop.source), None
            )
            yield NextEdge(None, caller, condition_text(settings.reverse_conditional_edge), "back", "reverse")
