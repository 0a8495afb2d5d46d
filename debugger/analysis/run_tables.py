"""Tables of a run's nodes, edges, threads and unmapped edges."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.event_fields import thread_id_of, values_of
from debugger.analysis.node_origins import origin_label
from debugger.analysis.position import OVER, Position
from debugger.analysis.transitions import PathCount, Transition, condition_text, path_id
from debugger.graph.graph import Graph
from debugger.protocol.events import COMPANION, reference_id
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig

_EDGE_ONLY = frozenset({"direct_edge", "companion_edge"})
"""Transitions that no run makes without an edge of its workflow."""
_SCHEDULING_TYPES = frozenset({"self_loop_delay", "start_node_run", "end_thread"})


@dataclass(frozen=True)
class UnmappedEdge:
    """A path that the run took without an edge of the graph."""

    id: str
    """The id of the edge that is gone; for a transition without an edge one made of its ends."""
    source: str
    destination: str
    label: str
    kind: Literal["removed", "without_edge"]
    """``"removed"``: an edge of another version. ``"without_edge"``: a transition that needs no
    edge, such as one to a global node, back from it, or a forced transfer."""


def unmapped_edges(position: Position, graph: Graph) -> list[UnmappedEdge]:
    """Return each unmapped edge once, in the order of first use."""
    edges = (_unmapped_edge(count.first, graph) for count in position.path_counts.by_edge.values())
    return [edge for edge in edges if edge is not None]


def _unmapped_edge(taken: Transition, graph: Graph) -> UnmappedEdge | None:
    """Return what a transition took that the graph has no edge for.

    ``None`` where it has one, or where a transition lacks an end.
    """
    path = path_id(taken, graph)
    if path in graph.edges or taken.source is None or taken.destination is None:
        return None
    target = graph.nodes.get(taken.destination)
    is_to_global = target is not None and target.is_global
    needs_edge = taken.kind in _EDGE_ONLY or (taken.kind == "conditional_edge" and not is_to_global)
    is_removed = bool(taken.edge_id) or needs_edge
    kind_text = taken.kind.removesuffix("_edge").replace("_", " ")
    label = taken.edge_name or (
        "global" if not is_removed and taken.kind == "conditional_edge" else kind_text
    )
    return UnmappedEdge(
        path, taken.source, taken.destination, label, "removed" if is_removed else "without_edge"
    )


@dataclass(frozen=True)
class EdgeRow:
    """One edge with what the run did along it."""

    id: str
    source: str
    """The name of the source; empty without one."""
    destination: str
    name: str
    condition: str
    """``always`` for an edge without one."""
    status: str
    """``"taken"``, ``"next"``, ``"disabled"``, ``"not taken"``, ``"not in this version"``, or
    ``"taken without an edge"`` for a transition that needs none."""
    taken: int
    last_turn: int | None


def edge_table(position: Position, graph: Graph) -> list[EdgeRow]:
    """Return the graph's edges in its order, then the unmapped ones."""
    names = graph.names | position.missing_nodes
    counts = position.path_counts.by_edge
    next_ids = {edge.edge_id for edge in position.next_edges}
    rows = [
        _edge_row(edge, names, counts.get(edge.logical_id), edge.logical_id in next_ids)
        for edge in graph.edges.values()
    ]
    for edge in unmapped_edges(position, graph):
        status = "not in this version" if edge.kind == "removed" else "taken without an edge"
        ends = names.get(edge.source, edge.source), names.get(edge.destination, edge.destination)
        last, count = counts[edge.id].last, counts[edge.id].count
        rows.append(EdgeRow(edge.id, *ends, edge.label, last.reason, status, count, last.turn_number))
    return rows


def _edge_row(edge: EdgeConfig, names: dict[str, str], count: PathCount | None, is_next: bool) -> EdgeRow:
    """Return the row of an edge of the graph.

    Args:
        edge: The edge.
        names: The names of nodes by id.
        count: The run's transitions along it; ``None`` for none.
        is_next: Whether it is a possible next step.
    """
    source, destination = edge.source_node_logical_id or "", edge.destination_node_logical_id or ""
    return EdgeRow(
        id=edge.logical_id,
        source=names.get(source, source),
        destination=names.get(destination, destination),
        name=edge.name or "",
        condition=condition_text(edge.condition) or "always",
        status="taken" if count else "next" if is_next else "disabled" if edge.disabled else "not taken",
        taken=count.count if count else 0,
        last_turn=count.last.turn_number if count else None,
    )


NodeState = Literal["idle", "failed", "current", "missing", "visited", "next", "unreached"]
"""A node as it is drawn; ``"idle"`` before the run."""


def node_state(
    node: str, position: Position, *, here: Container[str], is_reached: bool, shows_next: bool = True
) -> NodeState:
    """Return the state in which a node is drawn.

    It is ``idle`` before the run, else the first that applies of failed, current, missing, visited and next,
    else ``unreached``.

    Args:
        node: Its id.
        position: The run's position.
        here: The ids of the nodes that threads are at.
        is_reached: Whether the path that is drawn came to the node.
        shows_next: Whether the next steps of the main thread are drawn.
    """
    if position.state == "not_started":
        return "idle"
    if node in position.failed:
        return "failed"
    if node in here:
        return "current"
    if node in position.missing_nodes:
        return "missing"
    if is_reached:
        return "visited"
    following = {edge.destination for edge in position.next_edges if edge.kind == "edge"}
    return "next" if shows_next and node in following else "unreached"


GROUP_STATES: tuple[NodeState, ...] = ("current", "failed", "visited", "next", "unreached")
"""States of an opened super node by rank: it is drawn as the first one that a node inside it has."""


@dataclass(frozen=True)
class NodeRow:
    """One node with what the run did at it."""

    name: str
    id: str
    type: str
    """Empty for a missing node and for a node without a type."""
    visits: int
    first_turn: int | None
    entered_by: str
    """The edge of the last transition to it: its name, else its id, else the kind of transition."""
    status: str
    """``"waiting here"`` and its like, ``"companion labpoll here"``, ``"failed"``, ``"skipped"``,
    ``"visited"``, ``"next"``, ``"not reached"`` or ``"not in this version"``."""


def node_table(position: Position, graph: Graph) -> list[NodeRow]:
    """Return the graph's nodes in its order, then the missing ones."""
    entered_by = {
        made.destination: made.edge_name or made.edge_id or made.kind.replace("_", " ")
        for made in position.transitions
    }
    next_nodes = {edge.destination for edge in position.next_edges if edge.kind == "edge"}
    names = graph.names | position.missing_nodes
    return [
        NodeRow(
            name=name,
            id=node,
            type=(graph.nodes[node].type or "") if node in graph.nodes else "",
            visits=position.visits.get(node, 0),
            first_turn=position.first_visit.get(node),
            entered_by=entered_by.get(node, ""),
            status=_node_status(node, position, next_nodes),
        )
        for node, name in names.items()
    ]


def place_label(position: Position, node_id: str, names: Mapping[str, str]) -> str:
    """Return the label of a thread's node: ``Greeting`` or ``Booking › Ask``."""
    if node_id in position.inner_names:
        return origin_label(position.inner_names[node_id], (node_id,), names)
    return names.get(node_id) or position.missing_nodes.get(node_id, node_id)


def _node_status(node: str, position: Position, next_nodes: set[str | None]) -> str:
    """Return the status of a node in words, see `NodeRow.status`; threads that are there go first."""
    if node in position.missing_nodes:
        return "not in this version"
    here = [f"companion {name} here" for name, place in position.companions.items() if place == node]
    if node == position.current and position.state != "not_started":
        here = [f"{position.state} here", *here]
    if here:
        inner = f" (at {position.inner_names[node]})" if node in position.inner_names else ""
        return ", ".join(here) + inner
    if node in position.failed:
        return "failed"
    if node in position.skipped:
        return "skipped"
    if node in position.first_visit:
        return "visited"
    return "next" if node in next_nodes else "not reached"


@dataclass(frozen=True)
class ThreadRow:
    """One thread of the run."""

    id: str
    """The internal id."""
    name: str
    """``main``, or the configured id of a companion."""
    status: str
    """The run's state for the main thread; for a companion ``"in the background"``, ``"ended"``, or
    ``"stopped"`` if the run ended before it."""
    node_id: str
    node: str
    """Label of its current node."""
    next_due: float | None = None
    """When a companion continues, in seconds since the epoch, if its record says so."""


def thread_names(position: Position) -> dict[str, str]:
    """Return each thread's name by internal id, the main thread first."""
    ids = sorted(position.threads, key=lambda thread: COMPANION in thread)  # stable: the order stays
    return {thread: reference_id(thread) or thread if COMPANION in thread else "main" for thread in ids}


def thread_table(
    position: Position, names: Mapping[str, str], turns: Sequence[TurnLog] = ()
) -> list[ThreadRow]:
    """Return every thread of a run that has a node, the main one first.

    Args:
        position: The run's position.
        names: The graph's node names by id.
        turns: The run's turns, for the times at which companions continue.
    """
    return [
        ThreadRow(
            id=thread,
            name=name,
            status=_thread_status(thread, name, position),
            node_id=position.threads[thread],
            node=place_label(position, position.threads[thread], names),
            next_due=_next_due(thread, turns) if name in position.companions else None,
        )
        for thread, name in thread_names(position).items()
    ]


def _thread_status(thread: str, name: str, position: Position) -> str:
    """Return the status of a thread in words: of the main thread that of the run.

    A companion that is not known at the position counts as ended.
    """
    if COMPANION not in thread:
        return position.state.replace("_", " ")
    if name not in position.companions:
        return "ended"
    return "stopped" if position.state in OVER else "in the background"


def _next_due(thread: str, turns: Sequence[TurnLog]) -> float | None:
    """Return the end of a thread's delay between attempts, in seconds since the epoch.

    ``None`` where its last scheduling event is no delay (``platform.md#guardrails``).
    """
    backwards = (event for turn in reversed(turns) for event in reversed(turn.events))
    scheduling = (event for event in backwards if event.type in _SCHEDULING_TYPES)
    last = next((event for event in scheduling if thread_id_of(event) == thread), None)
    if last is None or last.type != "self_loop_delay" or not last.timestamp:
        return None
    delay = values_of(last).delay_seconds
    return None if delay is None else last.timestamp + delay
