"""States, numbers and badges of a graph's nodes and edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from debugger.analysis.metrics import NodeTime, percent
from debugger.analysis.position import Position
from debugger.analysis.run_tables import GROUP_STATES, node_state, thread_names
from debugger.analysis.transitions import MAX_LATEST, PathCount, PathCounts
from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from debugger.graph.labels import shorten
from debugger.protocol.base import JsonObject
from debugger.protocol.events import COMPANION
from debugger.views.run_state import Element

Look = Literal["verified", "hollow", "disabled", "log"]


@dataclass(frozen=True)
class Mark:
    """A breakpoint as it is drawn."""

    look: Look
    """``"hollow"`` cannot be met here, ``"log"`` writes down and does not stop."""
    title: str
    """What it is, and why it looks as it does; read aloud with its node or edge."""


@dataclass(frozen=True)
class Badges:
    """Everything that is set on the graph."""

    breakpoints: Mapping[Element, Mark] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    """For each pinned node, by id, what is pinned there."""


NONE = Badges()


_LANES = 4
_SIGNS = "◆▲■●"
_LONGEST_CHIP = 28
"""Characters."""
_NOTES = {
    "running": "running",
    "waiting": "your turn",
    "paused": "paused",
    "ended": "ended here",
    "failed": "failed here",
    "cancelled": "stopped here",
    "looping": "looping",
}


def node_states(
    position: Position,
    graph: Graph,
    *,
    groups: Sequence[Group] = (),
    badges: Badges = NONE,
    thread: str | None = None,
    times: Mapping[str, NodeTime] | None = None,
) -> JsonObject:
    """Return the state of each node and edge.

    Args:
        position: Position of the run.
        graph: The workflow.
        groups: The opened super nodes and the companion threads in it.
        badges: The breakpoints and pins.
        thread: The internal id of the only thread whose path is shown; ``None`` shows that of all.
        times: The time spent at each node where that is to be shown.
    """
    seen = _Path(position, thread, [group.title for group in groups if group.kind == "thread"])
    nodes = {node: _node(node, position, seen, times) for node in [*graph.nodes, *position.missing_nodes]}
    edges: JsonObject = {edge: _edge(trail, seen) for edge, trail in seen.trails.by_edge.items()}
    for step in position.next_edges if seen.shows_main else ():
        if step.edge_id and step.edge_id not in edges:
            edges[step.edge_id] = {"state": "next", "order": ""}
    for group in reversed(groups):  # one inside another comes after it
        nodes[group.id] = _group(group, nodes, seen)
    _put_on(nodes, edges, badges)
    lanes = [{"lane": lane, "text": f"{sign} {name}"} for name, (lane, sign) in seen.signs.items()]
    return {
        "nodes": nodes,
        "edges": edges,
        "current": seen.current,
        "lanes": lanes,
        "next_steps": list(_next_steps(position, graph)) if seen.shows_main else [],
    }


class _Path:
    """The path of a run, or of one of its threads."""

    def __init__(self, position: Position, thread: str | None, companions: Sequence[str]) -> None:
        """Work out trails, lanes and current nodes of a run, or of the one thread that is given."""
        self.thread = thread
        self.shows_main = thread is None or COMPANION not in thread
        self.trails = (
            position.path_counts
            if thread is None
            else PathCounts.of(
                transition for transition in position.transitions if transition.thread_id == thread
            )
        )
        self._first_node = next(iter(position.first_visit), None) if self.shows_main else None
        threads = {key: name for key, name in thread_names(position).items() if COMPANION in key}
        self.signs = {
            name: (place % _LANES + 1, _SIGNS[place % _LANES])
            for place, name in enumerate(dict.fromkeys([*companions, *threads.values()]))
        }
        """The lane and the sign of each companion thread, by its configured id."""
        self.lanes = {key: (*self.signs[name], name) for key, name in threads.items()}
        self.companions = [
            (lane, sign, name, position.companions[name])
            for key, (lane, sign, name) in self.lanes.items()
            if name in position.companions and thread in (None, key)
        ]
        own = [position.current] if position.current and self.shows_main else []
        self.current = list(dict.fromkeys([*own, *(place for *_, place in self.companions)]))

    def arrivals(self, node: str) -> tuple[int, list[int]]:
        """Return how often a node was entered, and the last steps.

        The first step of a run is the node that it began at, and transition *n* makes step *n* + 1.
        """
        trail = self.trails.by_node.get(node)
        steps = [number + 1 for number in trail.latest] if trail else []
        count = trail.count if trail else 0
        return (count + 1, [1, *steps][-MAX_LATEST:]) if node == self._first_node else (count, steps)


def _node(
    node: str, position: Position, seen: _Path, times: Mapping[str, NodeTime] | None
) -> dict[str, object]:
    """Return what is drawn of a node: state, visits, last steps and notes.

    Chips, lane and share of the time are only in that of a node that has them.
    """
    count, steps = seen.arrivals(node)
    chips = list(_chips(node, position, seen))
    made: dict[str, object] = {
        "state": _node_state(node, position, seen),
        "visits": position.visits.get(node, 0) if seen.thread is None else count,
        **_numbers(count, steps),
        "note": _note(node, position, seen),
    }
    if made["state"] == "failed" and node in seen.current:
        made["here"] = True
    if chips:
        made["chips"] = chips
        if chips[0]["lane"]:
            made["lane"] = chips[0]["lane"]
    if times is not None and node in times:
        made |= {"share": percent(times[node].share), "heat": round(times[node].share, 3)}
    return made


def _group(group: Group, nodes: Mapping[str, dict[str, object]], seen: _Path) -> dict[str, object]:
    """Return what is drawn of a thread's group or of a super node.

    The latter has the first of `GROUP_STATES` that one of its nodes is in; ``idle`` where there is none.
    """
    if group.kind == "thread":
        lane, sign = seen.signs[group.title]
        return {"state": "thread", "lane": lane, "sign": sign}
    states = {nodes[member]["state"] for member in group.members}
    state = next((each for each in GROUP_STATES if each in states), "idle")
    return {"state": state, "visits": 0, "order": "", "note": ""}


def _edge(trail: PathCount, seen: _Path) -> dict[str, object]:
    """Return what is drawn of a taken edge; its lane where one companion alone has taken it."""
    made: dict[str, object] = {
        "state": "taken",
        **_numbers(trail.count, trail.latest),
        "taken": trail.count,
    }
    thread, *others = trail.threads
    if not others and thread in seen.lanes:  # the path of one companion alone
        made["lane"] = seen.lanes[thread][0]
    return made


def _node_state(node: str, position: Position, seen: _Path) -> str:
    is_reached = node in position.first_visit if seen.thread is None else bool(seen.arrivals(node)[0])
    return node_state(node, position, here=seen.current, is_reached=is_reached, shows_next=seen.shows_main)


def _note(node: str, position: Position, seen: _Path) -> str:
    """Return what happens at a node, for screen readers; empty where nothing does."""
    notes = [_NOTES.get(position.state, "")] if seen.shows_main and node == position.current else []
    notes += [f"companion {name}" for _, _, name, place in seen.companions if place == node]
    if not notes and node in position.failed:
        notes = ["failed"]
    if not notes and node in position.skipped:
        notes = ["skipped"]
    if notes and node in position.inner_names:
        notes.append(f"at {position.inner_names[node]}")
    return ", ".join(words for words in notes if words)


def _chips(node: str, position: Position, seen: _Path) -> Iterator[dict[str, object]]:
    """Yield lane and text of each thread that is at a node, the main thread first, as lane 0.

    The main thread has none before the run has started.
    """
    inside = f" · {position.inner_names[node]}" if node in position.inner_names else ""
    if seen.shows_main and node == position.current and position.state != "not_started":
        yield {"lane": 0, "text": shorten(_NOTES[position.state] + inside, _LONGEST_CHIP)}
        inside = ""
    for lane, sign, name, place in seen.companions:
        if place == node:
            yield {"lane": lane, "text": shorten(f"{sign} {name}{inside}", _LONGEST_CHIP)}


def _numbers(count: int, latest: Sequence[int]) -> dict[str, object]:
    order = {"order": ",".join(map(str, latest))}
    return {**order, "more": count - len(latest)} if count > len(latest) else {**order}


def _next_steps(position: Position, graph: Graph) -> Iterator[dict[str, str]]:
    """Yield the possible next steps.

    A destination that is not in the graph has its id as name, a missing one ``back``.
    """
    for step in position.next_edges:
        to_id = step.destination or ""
        yield {
            "edge": step.edge_id or "",
            "to_id": to_id,
            "to": graph.nodes[to_id].label if to_id in graph.nodes else to_id or "back",
            "label": step.label or step.kind,
            "condition": step.condition,
        }


def _put_on(nodes: dict[str, dict[str, object]], edges: JsonObject, badges: Badges) -> None:
    """Add breakpoints and pins to what is drawn; those of nodes that are not drawn are left out."""
    for element, breakpoint_ in badges.breakpoints.items():
        drawn = {"look": breakpoint_.look, "title": breakpoint_.title}
        if element.kind == "edge":
            edges.setdefault(element.id, {"state": "", "order": ""})["breakpoint"] = drawn
        elif element.id in nodes:
            nodes[element.id]["breakpoint"] = drawn
    for node, title in badges.pins.items():
        if node in nodes:
            nodes[node]["pin"] = title


@dataclass(frozen=True)
class Figure:
    """A number on one node or edge."""

    text: str
    """In the place of a node's type: ``412 of 500 · 82%``; or on an edge: ``51%``."""
    heat: float
    """The tint, from 0 to 1."""


def figures(
    nodes: Iterable[str], on_nodes: Mapping[str, Figure], on_edges: Mapping[str, Figure]
) -> JsonObject:
    """Return the marks of a graph that shows numbers.

    Args:
        nodes: The ids of all nodes that are drawn.
        on_nodes: By the id of the node; a node without one is drawn as not reached.
        on_edges: By the id of the edge.
    """
    blank = {"state": "unreached", "visits": 0, "order": "", "note": ""}
    drawn = {
        node: {"state": "common", "figure": figure.text, "heat": round(figure.heat, 3)}
        for node, figure in on_nodes.items()
    }
    return {
        "nodes": {node: {**blank, **drawn.get(node, {})} for node in nodes},
        "edges": {
            edge: {"state": "", "order": "", "figure": figure.text, "heat": round(figure.heat, 3)}
            for edge, figure in on_edges.items()
        },
        "current": [],
        "lanes": [],
        "next_steps": [],
    }
