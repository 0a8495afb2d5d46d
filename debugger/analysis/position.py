"""The position of a run in its graph.

It has the current nodes, the path so far and the possible next edges.

It is derived from events alone, so it works for runs of every backend, also on a graph of another version:
nodes that the graph lacks are missing nodes. Events inside a super node count for the super node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from debugger.analysis.event_fields import EventFields, text, values_of
from debugger.analysis.fold import EventFold
from debugger.analysis.node_origins import author_edge_id, author_node_id
from debugger.analysis.thread_positions import ThreadPositions
from debugger.analysis.transitions import (
    TRANSITION_TYPES,
    EdgeIndex,
    PathCount,
    PathCounts,
    Transition,
    condition_text,
    read_transition,
)
from debugger.graph.candidates import CandidateEdges
from debugger.graph.graph import Graph
from debugger.graph.nesting import may_enter, origin_of
from debugger.protocol.events import COMPANION, reference_id
from debugger.protocol.runs import MAIN_THREAD, RunStatus
from debugger.protocol.turn_logs import TurnLog

RunState = Literal["not_started", "running", "paused", "waiting", "ended", "failed", "cancelled", "looping"]
NextEdgeKind = Literal["edge", "global", "reverse"]

STATES: dict[RunStatus, RunState] = {
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
"""States by status."""
_ARRIVALS = frozenset({"start_node_run", "busy_wait_for_user_message"})
_NODE_TYPES = _ARRIVALS | {"end_node_run"}
OVER = frozenset({"ended", "failed", "cancelled", "looping"})


@dataclass(frozen=True)
class NextEdge:
    """A possible next step from the current node."""

    edge_id: str | None
    """``None`` for the transition to a global node or back, which has no edge in the document."""
    destination: str | None
    condition: str
    label: str
    kind: NextEdgeKind = "edge"
    """``"global"``: into a global node. ``"reverse"``: from a global node back to its caller."""


@dataclass(frozen=True)
class Position:
    """The position of a run."""

    current: str | None = None
    """The node that the main thread waits at, or that it ran last."""
    state: RunState = "not_started"
    threads: dict[str, str] = field(default_factory=dict)
    """Each thread's current node, by internal thread id."""
    companions: dict[str, str] = field(default_factory=dict)
    """The current node of each companion thread that has not ended, by its configured id."""
    visits: dict[str, int] = field(default_factory=dict)
    """Node runs started, by node id; for a super node how often it was entered. A node that only waits is
    reached without a run."""
    first_visit: dict[str, int] = field(default_factory=dict)
    """The turn in which each node was first reached, in that order."""
    transitions: tuple[Transition, ...] = ()
    """Those between nodes of the graph; one inside a super node is none."""
    path_counts: PathCounts = field(default_factory=PathCounts)
    """The same, counted by edge and by destination."""
    next_edges: tuple[NextEdge, ...] = ()
    """Empty when the run is over; once an edge was taken, those to its destination alone."""
    failed: tuple[str, ...] = ()
    """The nodes whose last run failed."""
    skipped: tuple[str, ...] = ()
    """The nodes that a thread passed without running them, such as one of an unknown type."""
    unreached: tuple[str, ...] = ()
    """The graph's nodes that no thread has reached."""
    missing_nodes: dict[str, str] = field(default_factory=dict)
    """Name by id of the nodes that events name and the graph does not have."""
    inner_names: dict[str, str] = field(default_factory=dict)
    """By the id of each super node that a thread is in, the name of the inner node."""

    @property
    def entries(self) -> dict[str, int]:
        """The visits of each reached node, at least 1."""
        return {node: max(1, self.visits.get(node, 0)) for node in self.first_visit}


def position(turns: Sequence[TurnLog], graph: Graph, status: RunStatus | None = None) -> Position:
    """Return the position of a run after these turns.

    Args:
        turns: The run's turns, or the first of them; the last one may still be growing.
        graph: The workflow to place it on.
        status: The run's status; ``None`` reads the state from the events, as for a past position.
    """
    return PositionTracker(graph).catch_up(turns).position(status)


class PositionTracker(EventFold):
    """The position of a run, event by event.

    Args:
        graph: The workflow to place it on.
        running: The same with all super nodes expanded, for the next steps from a node inside one.
    """

    def __init__(self, graph: Graph, running: Graph | None = None) -> None:
        """Begin at no node, before the first event."""
        super().__init__()
        self.threads = ThreadPositions()
        self._graph = graph
        self._running = running
        self._edges = EdgeIndex(graph.edges.values(), graph.nodes)
        self._transitions: list[Transition] = []
        self._by_edge: dict[str, PathCount] = {}
        self._by_node: dict[str, PathCount] = {}
        self._callers: list[tuple[str | None, str | None]] = []
        """The global nodes that the main thread is in, innermost last, each with the node before it."""
        self._entered: dict[str | None, str] = {}
        """By thread, the node of the graph that it entered last."""
        self._visits: dict[str, int] = {}
        self._first_visit: dict[str, int] = {}
        self._failed: dict[str, None] = {}
        self._skipped: dict[str, None] = {}
        self._names: dict[str, str] = {}
        self._inner_names: dict[str, str] = {}
        self._own: dict[str, str] = {}

    def reset(self) -> None:
        """Return to the position before the first turn."""
        PositionTracker.__init__(self, self._graph, self._running)

    def fresh(self) -> PositionTracker:
        """Return the position before the first turn, on the same workflow."""
        return PositionTracker(self._graph, self._running)

    def apply(self, event: EventFields) -> None:
        """Apply the next event to transitions, skipped nodes, threads, names, visits and failures."""
        kind, node = event.type, event.node
        if kind in TRANSITION_TYPES:
            self._add_transition(event)
        if node and (kind in _ARRIVALS or kind == "end_thread"):
            self._skip(event, node)
        if kind in ThreadPositions.TYPES:
            self.threads.apply(event)
        if node:
            self._name(node, event.node_name)
            if kind in _NODE_TYPES:
                self._at_node(event, node)
        if kind in TRANSITION_TYPES:
            if self._leaves(event):
                self._entered.pop(event.thread_id, None)
            destination = text(event.event, "destination_node_logical_id")
            self._name(destination, text(event.event, "destination_node_name"))
        if event.trouble is not None and event.trouble.is_failure and (failed := node or self._current()):
            self._failed[failed] = None

    def position(self, status: RunStatus | None) -> Position:
        """Return the position now, as an independent object.

        Args:
            status: The run's status; ``None`` reads the state from the events.
        """
        own, current = self._own_node, self._current()
        companions = {
            reference_id(key) or key: node
            for key, thread in self.threads.companions.items()
            if (node := thread.node or thread.next_node)
        }
        place = own(current) if current else None
        state = STATES[status or self.threads.status]
        return Position(
            current=place,
            state=state,
            threads={key: own(thread.node) for key, thread in self.threads.threads.items() if thread.node},
            companions={name: own(node) for name, node in companions.items()},
            visits=self._visits.copy(),
            first_visit=self._first_visit.copy(),
            transitions=tuple(self._transitions),
            path_counts=PathCounts(self._by_edge, self._by_node).copy(),
            next_edges=() if state in OVER or place is None else self._ahead(place, current or place),
            skipped=tuple(node for node in self._skipped if node not in self._visits),
            failed=tuple(dict.fromkeys(map(own, self._failed))),
            unreached=tuple(node for node in self._graph.nodes if node not in self._first_visit),
            missing_nodes={node: name for node, name in self._names.items() if node not in self._graph.nodes},
            inner_names=self._names_inside([current, *companions.values()]),
        )

    def _current(self) -> str | None:
        """Return the main thread's node; after a failure also an unstarted one."""
        main = self.threads.main
        return (main.next_node or main.node) if self.threads.outcome == "failed" else main.node

    def _ahead(self, place: str, current: str) -> tuple[NextEdge, ...]:
        """Return the edges that a node can still be left by: all, or those to where the run has turned."""
        found, decided = self._next(place, current), self.threads.main.next_node
        if decided is None:
            return tuple(found)
        return tuple(edge for edge in found if edge.destination == self._own_node(decided))

    def _next(self, place: str, current: str) -> Iterator[NextEdge]:
        """Yield the edges that leave a node, then those to global nodes and back from the one it is in.

        Inside a super node they are those of the expanded workflow. Conditions that guardrails block are left
        out.

        Args:
            place: The node of the graph.
            current: The same, or the inner node of it.
        """
        graph, inner = self._graph, None
        walked, node_id = graph, place
        if self._running and (node := self._running.nodes.get(current)) and origin_of(node):
            walked, node_id, inner = self._running, current, node
        blocked = _blocked_destinations(walked, node_id)
        for edge in walked.find_outgoing_edges(node_id):
            if edge.type == "conditional" and edge.destination_node_logical_id in blocked:
                continue
            edge_id = author_edge_id(edge.logical_id, graph.edges)
            destination = self._own_node(edge.destination_node_logical_id or "")
            if edge_id is not None or destination != place:  # else it stays inside a closed super node
                yield NextEdge(edge_id, destination, condition_text(edge.condition), edge.label)
        for node in walked.global_nodes:
            settings, destination = node.global_node_config, self._own_node(node.logical_id)
            if settings is None or node.logical_id in blocked:
                continue
            if destination != place:
                if inner is None or may_enter(inner, node):
                    label = graph.nodes[destination].label if destination in graph.nodes else node.label
                    yield NextEdge(None, destination, condition_text(settings.condition), label, "global")
            elif inner is None and settings.reverse_conditional_edge:
                entered, caller = self._callers[-1] if self._callers else (None, None)
                if entered == place:
                    condition = condition_text(settings.reverse_conditional_edge)
                    yield NextEdge(None, caller, condition, "back", "reverse")

    def _add_transition(self, event: EventFields) -> None:
        """Record a transition, unless it is inside a super node."""
        number = len(self._transitions) + 1
        made = read_transition(event, self._edges, number, self.turn.number, self.event_count)
        source = self._own_node(made.source) if made.source else None
        destination = self._own_node(made.destination) if made.destination else None
        stays_inside = source is not None and source == destination and source != made.source
        if stays_inside and made.edge_id not in self._graph.edges:
            return
        if (source, destination) != (made.source, made.destination):
            made = replace(made, source=source, destination=destination)
        self._transitions.append(made)
        PathCounts(self._by_edge, self._by_node).add(made)
        if COMPANION not in (event.thread_id or ""):
            self._follow_callers(event, source, destination)

    def _follow_callers(self, event: EventFields, source: str | None, destination: str | None) -> None:
        """Enter or leave global nodes by a main thread's transition (U-24, ``platform.md#unknowns``)."""
        if event.type == "reverse_conditional_edge":
            del self._callers[-1:]
        elif event.type == "conditional_edge" and not text(event.event, "edge_logical_id"):
            self._callers.append((destination, source))
        elif event.type != "companion_edge" and destination != source:
            self._callers.clear()

    def _leaves(self, event: EventFields) -> bool:
        """Return whether a transition leaves its node, perhaps to enter it again."""
        exit_origin = text(event.event, "super_node_exit_origin")
        is_exit = exit_origin is not None and exit_origin == self._own_node(event.node or "")
        return is_exit or not self._edges.is_inside(event.event)

    def _at_node(self, event: EventFields, node: str) -> None:
        """Note a first visit, a visit or a failure that was made good, by an event at a node."""
        if event.type in _ARRIVALS:
            self._first_visit.setdefault(self._own_node(node), self.turn.number)
        if event.type == "start_node_run":
            own, thread = self._own_node(node), event.thread_id
            if own == node or self._entered.get(thread) != own:  # inside a super node only the first counts
                self._visits[own] = self._visits.get(own, 0) + 1
            self._entered[thread] = own
            self._failed.pop(node, None)
        elif event.type == "end_node_run" and _has_succeeded(event):
            self._failed.pop(node, None)  # a record may begin within the run

    def _skip(self, event: EventFields, node: str) -> None:
        """Note nodes that the thread passed on its way to where it arrives or ends, as skipped (U-1)."""
        thread = self.threads.threads.get(event.thread_id or MAIN_THREAD)
        first, is_end = thread.next_node if thread else None, event.type == "end_thread"
        place = self._own_node(node)
        if not is_end:
            self._skipped.pop(place, None)
        if first is None or (first == node and not is_end) or self._own_node(first) != first:
            return
        passed = self._graph.direct_path(first, place)
        if passed[-1] != place:  # as in another version of the workflow
            passed = [first]
        elif not is_end:
            passed.pop()
        for each in passed:
            self._skipped[each] = None
            self._first_visit.setdefault(each, self.turn.number)

    def _name(self, node: str | None, name: str | None) -> None:
        if node:
            names = self._names if self._own_node(node) == node else self._inner_names
            if name or node not in names:
                names[node] = name or node

    def _own_node(self, node: str) -> str:
        """Return the node of the graph for a node of the run."""
        own = self._own.get(node)
        if own is None:
            own = self._own[node] = author_node_id(node, self._graph.nodes)
        return own

    def _names_inside(self, places: Iterable[str | None]) -> dict[str, str]:
        """Return the first inner node's name for each super node."""
        names: dict[str, str] = {}
        for node in places:
            if node and self._own_node(node) != node:
                names.setdefault(self._own_node(node), self._inner_names.get(node, node))
        return names


def _blocked_destinations(graph: Graph, node_id: str) -> set[str | None]:
    """Return the nodes to which no condition leads from a node (``platform.md#guardrails``)."""
    node = graph.nodes.get(node_id)
    edges = CandidateEdges(graph).conditional(node, is_companion=False) if node else ()
    return {edge.destination for edge in edges if edge.blocked_reason == "blocked"}


def _has_succeeded(event: EventFields) -> bool:
    return values_of(event.event).run_output.success is True
