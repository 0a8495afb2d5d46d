"""What a run has made of its graph, as a table of the edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.event_fields import field, thread_id_of
from debugger.analysis.node_origins import origin_label
from debugger.analysis.position import Position
from debugger.analysis.transitions import PathCount, Transition, condition_text
from debugger.graph.graph import Graph
from debugger.protocol.events import COMPANION, Event, reference_id
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig


@dataclass(frozen=True)
class EdgeRow:
    """What happened along one edge."""

    id: str
    source: str
    """The name of the node that it leaves; empty where it leaves none."""
    destination: str
    name: str
    condition: str
    """``always`` of an edge without one."""
    status: str
    """``"taken"``, ``"next"``, ``"disabled"``, ``"not taken"``, ``"not in this version"``, or of a hop that
    needs no edge ``"taken without an edge"``."""
    taken: int
    last_turn: int | None


def edge_table(position: Position, graph: Graph) -> list[EdgeRow]:
    """The graph's edges in its order, then the ways that the run went without one of them."""
    names = {node.logical_id: node.label for node in graph.nodes.values()} | position.ghosts
    going = position.trails.along
    following = {edge.edge_id for edge in position.next_edges}
    rows = [
        _row(edge, names, going.get(edge.logical_id), edge.logical_id in following)
        for edge in graph.edges.values()
    ]
    for stray in unmapped_edges(position, graph):
        status = "not in this version" if stray.kind == "ghost" else "taken without an edge"
        ends = names.get(stray.source, stray.source), names.get(stray.destination, stray.destination)
        trail = going[stray.id]
        last = trail.last
        rows.append(EdgeRow(stray.id, *ends, stray.label, last.reason, status, trail.count, last.turn_number))
    return rows


def _row(edge: EdgeConfig, names: dict[str, str], trail: PathCount | None, is_next: bool) -> EdgeRow:
    source, destination = edge.source_node_logical_id or "", edge.destination_node_logical_id or ""
    return EdgeRow(
        id=edge.logical_id,
        source=names.get(source, source),
        destination=names.get(destination, destination),
        name=edge.name or "",
        condition=condition_text(edge.condition) or "always",
        status="taken" if trail else "next" if is_next else "disabled" if edge.disabled else "not taken",
        taken=trail.count if trail else 0,
        last_turn=trail.last.turn_number if trail else None,
    )


Kind = Literal["ghost", "hop"]

_EDGE_ONLY = frozenset({"direct_edge", "companion_edge"})
"""Hops that no run makes without an edge of its workflow."""


@dataclass(frozen=True)
class UnmappedEdge:
    """A way between two nodes that is drawn because the run went it."""

    id: str
    """The id of the edge that is gone; of a hop without an edge one made from its ends."""
    source: str
    destination: str
    label: str
    kind: Kind
    """``"ghost"``: an edge of the version that ran, gone from this one. ``"hop"``: a hop that needs no edge,
    as into a global node, back from it, or forced from outside."""


def unmapped_edges(position: Position, graph: Graph) -> list[UnmappedEdge]:
    """Each such way once, in the order in which the run first went it.

    What a node does with itself is no way: its visits are counted at the node.
    """
    strays = (_stray(way, trail.first, graph) for way, trail in position.trails.along.items())
    return [stray for stray in strays if stray is not None]


def _stray(way: str, hop: Transition, graph: Graph) -> UnmappedEdge | None:
    if hop.edge_id in graph.edges or hop.source is None or hop.destination is None:
        return None
    kind: Kind = "ghost" if hop.edge_id or _needs_an_edge(hop, graph) else "hop"
    words = hop.kind.removesuffix("_edge").replace("_", " ")
    label = hop.edge_name or ("global" if kind == "hop" and hop.kind == "conditional_edge" else words)
    return UnmappedEdge(way, hop.source, hop.destination, label, kind)


def _needs_an_edge(hop: Transition, graph: Graph) -> bool:
    if hop.kind in _EDGE_ONLY:
        return True
    target = graph.nodes.get(hop.destination or "")
    return hop.kind == "conditional_edge" and not (target and target.is_global)


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
    """``"waiting here"`` and its like, ``"companion labpoll here"``, ``"failed"``, ``"passed over"``,
    ``"visited"``, ``"next"``, ``"not reached"`` or ``"not in this version"``."""


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


def place_label(position: Position, node_id: str, names: Mapping[str, str]) -> str:
    """Where a thread stands: ``Greeting``, or inside of a super node ``Booking › Ask``.

    Args:
        position: Where the run stands.
        node_id: A current node out of it.
        names: The graph's node names by id.
    """
    name = names.get(node_id) or position.ghosts.get(node_id, node_id)
    return origin_label(position.inside[node_id], (node_id,), names) if node_id in position.inside else name


def _edge_words(hop: Transition | None) -> str:
    return "" if hop is None else hop.edge_name or hop.edge_id or hop.kind.replace("_", " ")


def _status_word(node: str, position: Position, following: set[str | None]) -> str:
    if node in position.ghosts:
        return "not in this version"
    here = [f"companion {name} here" for name, place in position.companions.items() if place == node]
    if node == position.current and position.state != "not_started":
        here = [f"{position.state} here", *here]
    if here:
        return ", ".join(here) + (f" (at {position.inside[node]})" if node in position.inside else "")
    if node in position.failed:
        return "failed"
    if node in position.passed:
        return "passed over"
    if node in position.first_visit:
        return "visited"
    return "next" if node in following else "not reached"


_OVER = frozenset({"ended", "failed", "cancelled", "looping"})
_SAYS_WHEN = frozenset({"self_loop_delay", "start_node_run", "end_thread"})


@dataclass(frozen=True)
class ThreadRow:
    """One thread."""

    id: str
    """The internal id."""
    name: str
    """``main``, or the id that people know a companion by."""
    status: str
    """Of the main thread how the run stands; of a companion ``"in the background"``, ``"ended"``, or
    ``"stopped"`` where the run ended before it."""
    node_id: str
    node: str
    """The node that it stands at, or stood at last."""
    next_due: float | None = None
    """When a companion goes on, in seconds since the epoch, where its record tells."""


def thread_names(position: Position) -> dict[str, str]:
    """What people call each thread, by internal id: the main thread first, then in the order they began."""
    ids = sorted(position.threads, key=lambda thread: COMPANION in thread)  # stable: the order stays
    return {thread: reference_id(thread) or thread if COMPANION in thread else "main" for thread in ids}


def thread_table(
    position: Position, names: Mapping[str, str], turns: Sequence[TurnLog] = ()
) -> list[ThreadRow]:
    """Every thread of a run.

    Args:
        position: Where the run stands.
        names: The graph's node names by id.
        turns: The run's turns; they tell when a companion goes on.
    """
    return [
        ThreadRow(
            id=thread,
            name=name,
            status=_status(thread, name, position),
            node_id=position.threads[thread],
            node=place_label(position, position.threads[thread], names),
            next_due=_next_due(thread, turns) if name in position.companions else None,
        )
        for thread, name in thread_names(position).items()
    ]


def _status(thread: str, name: str, position: Position) -> str:
    if COMPANION not in thread:
        return position.state.replace("_", " ")
    if name not in position.companions:
        return "ended"
    return "stopped" if position.state in _OVER else "in the background"


def _next_due(thread: str, turns: Sequence[TurnLog]) -> float | None:
    """When the wait between two attempts is over, if a thread is in one (``platform/engine.md`` 3.8)."""
    last = next((event for event in _backwards(turns, thread)), None)
    if last is None or last.type != "self_loop_delay" or not last.timestamp:
        return None
    delay = field(last, "delay_seconds")
    return last.timestamp + delay if isinstance(delay, int | float) else None


def _backwards(turns: Sequence[TurnLog], thread: str) -> Iterator[Event]:
    """The events of a thread that say whether it goes on, the latest first."""
    events: Iterable[Event] = (event for turn in reversed(turns) for event in reversed(turn.events))
    return (event for event in events if event.type in _SAYS_WHEN and thread_id_of(event) == thread)
