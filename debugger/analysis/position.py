"""The position of a run in its graph: where it stands, how it came there, where it can go.

It is derived from events alone, so a run of any backend can be followed, also on a graph of another version:
nodes that the graph lacks are told apart as ghosts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from debugger.analysis.facts import is_failed_run, node_name_of, node_of, text
from debugger.analysis.hops import HOP_TYPES, EdgeFinder, Hop, condition_words, hops
from debugger.analysis.standing import Standing
from debugger.graph.graph import Graph
from debugger.protocol.events import Event, reference_id
from debugger.protocol.runs import RunStatus, TurnLog

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
    """Node runs begun, by node id. A node that only parks has none and is reached nevertheless."""
    first_visit: dict[str, int] = field(default_factory=dict)
    """The turn in which each node was first reached, in that order."""
    hops: tuple[Hop, ...] = ()
    taken: dict[str, list[int]] = field(default_factory=dict)
    """The numbers of the hops along each edge, by edge id."""
    next_edges: tuple[NextEdge, ...] = ()
    """Empty when the run is over."""
    failed: tuple[str, ...] = ()
    """The nodes whose last run failed."""
    unreached: tuple[str, ...] = ()
    """The graph's nodes where no thread has been."""
    ghosts: dict[str, str] = field(default_factory=dict)
    """Name by id of the nodes that events tell of and the graph does not have."""


@dataclass(frozen=True)
class NodeRow:
    """What happened at one node."""

    name: str
    id: str
    type: str
    """Empty for a ghost and for a node that names no type."""
    visits: int
    first_turn: int | None
    entered_by: str
    """The edge of the last hop to it: its name, else its id, else the kind of hop."""
    status: str
    """``"waiting here"`` and its like, ``"companion labpoll here"``, ``"failed"``, ``"visited"``, ``"next"``,
    ``"not reached"`` or ``"not in this version"``."""


def position(turns: Sequence[TurnLog], graph: Graph, status: RunStatus | None = None) -> Position:
    """Where a run stands after these turns.

    Args:
        turns: The run's turns, or the first of them; the last one may still be growing.
        graph: The workflow to place it on.
        status: The run's status; ``None`` reads the state out of the events, as for a look at the past.
    """
    made = tuple(hops(turns, EdgeFinder(graph.edges.values())))
    trace = _Trace()
    for turn in turns:
        for event in turn.events:
            trace.take(event, turn.number)
    state = _STATES[status] if status else trace.state
    current = trace.current
    return Position(
        current=current,
        state=state,
        threads={key: thread.node for key, thread in trace.standing.threads.items() if thread.node},
        companions=_companions(trace.standing),
        visits=trace.visits,
        first_visit=trace.first_visit,
        hops=made,
        taken=_taken(made),
        next_edges=() if state in _OVER or current is None else tuple(_next(current, made, graph)),
        failed=tuple(trace.failed),
        unreached=tuple(node for node in graph.nodes if node not in trace.first_visit),
        ghosts={node: name for node, name in trace.names.items() if node not in graph.nodes},
    )


def node_table(position: Position, graph: Graph) -> list[NodeRow]:
    """The same facts as a table: the graph's nodes in its order, then the ghosts."""
    last_hops = {hop.destination: hop for hop in position.hops if hop.destination}
    following = {edge.destination for edge in position.next_edges if edge.way == "edge"}
    names = {node.logical_id: node.label for node in graph.nodes.values()} | position.ghosts
    return [
        NodeRow(
            name=name,
            id=node,
            type=(graph.nodes[node].type or "") if node in graph.nodes else "",
            visits=position.visits.get(node, 0),
            first_turn=position.first_visit.get(node),
            entered_by=_edge_words(last_hops.get(node)),
            status=_status_word(node, position, following),
        )
        for node, name in names.items()
    ]


class _Trace:
    """What is gathered along the way."""

    def __init__(self) -> None:
        self.standing = Standing()
        self.visits: dict[str, int] = {}
        self.first_visit: dict[str, int] = {}
        self.failed: dict[str, None] = {}
        self.names: dict[str, str] = {}

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

    def take(self, event: Event, turn_number: int) -> None:
        """Take in one event."""
        self.standing.take(event)
        node = node_of(event)
        if node:
            self._name(node, node_name_of(event))
            self._at_node(event, node, turn_number)
        if event.type in HOP_TYPES:
            self._name(text(event, "destination_node_logical_id"), text(event, "destination_node_name"))
        elif event.type == "workflow_error" and self.current:
            self.failed[self.current] = None

    def _at_node(self, event: Event, node: str, turn_number: int) -> None:
        if event.type in ("start_node_run", "busy_wait_for_user_message"):
            self.first_visit.setdefault(node, turn_number)
        if event.type == "start_node_run":
            self.visits[node] = self.visits.get(node, 0) + 1
        elif is_failed_run(event):
            self.failed[node] = None
        elif event.type == "end_node_run":
            self.failed.pop(node, None)

    def _name(self, node: str | None, name: str | None) -> None:
        if node:
            self.names[node] = name or self.names.get(node) or node


def _companions(standing: Standing) -> dict[str, str]:
    places = {key: thread.node or thread.ahead for key, thread in standing.companions.items()}
    return {reference_id(key) or key: node for key, node in places.items() if node}


def _taken(made: Iterable[Hop]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for hop in made:
        if hop.edge_id:
            found.setdefault(hop.edge_id, []).append(hop.number)
    return found


def _next(current: str, made: Sequence[Hop], graph: Graph) -> Iterator[NextEdge]:
    """The edges that leave a node, then the hops that global nodes make possible."""
    for edge in graph.leaving(current):
        yield NextEdge(
            edge.logical_id, edge.destination_node_logical_id, condition_words(edge.condition), edge.label
        )
    for node in graph.global_nodes:
        settings = node.global_node_config
        if settings and node.logical_id != current:
            yield NextEdge(None, node.logical_id, condition_words(settings.condition), node.label, "global")
        elif settings and settings.reverse_conditional_edge:
            caller = next(
                (hop.source for hop in reversed(made) if hop.destination == current != hop.source), None
            )
            yield NextEdge(
                None, caller, condition_words(settings.reverse_conditional_edge), "back", "reverse"
            )


def _edge_words(hop: Hop | None) -> str:
    return "" if hop is None else hop.edge_name or hop.edge_id or hop.kind.replace("_", " ")


def _status_word(node: str, position: Position, following: set[str | None]) -> str:
    if node in position.ghosts:
        return "not in this version"
    here = [f"companion {name} here" for name, place in position.companions.items() if place == node]
    if node == position.current and position.state != "not_started":
        here = [f"{position.state} here", *here]
    if here:
        return ", ".join(here)
    if node in position.failed:
        return "failed"
    if node in position.first_visit:
        return "visited"
    return "next" if node in following else "not reached"
