"""Breakpoints and log points of a session.

`Breakpoints.match` reports the breakpoints that an event hits; `debugger.session.stepping` pauses the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Literal, NamedTuple, get_args

from debugger.analysis.event_fields import text
from debugger.analysis.node_origins import super_nodes_around
from debugger.engine.mocks.pins_and_faults import check_hits, is_wanted_hit
from debugger.errors import ConditionError, DebuggerError, InputError, RunError
from debugger.expressions import Scope, parse, render
from debugger.graph import Graph
from debugger.graph.nesting import origin_of
from debugger.protocol.base import JsonObject
from debugger.protocol.events import EVENT_TYPES, EdgeEvent, Event

FORMAT = 1
"""The format version of `Breakpoints.to_json`."""


BreakpointKind = Literal["before", "after", "edge", "event", "error"]
"""Before or after a node runs, when an edge is taken, when an event of a type comes, when something fails."""

_NO_TRANSITIONS = frozenset({"self_loop_delay", "self_loop_exhausted", "waiting_condition_matched"})


class Location(NamedTuple):
    """A place at which a breakpoint can be set."""

    kind: BreakpointKind
    target: str
    """The node's or edge's logical id, or the event type; nothing for ``error``."""


@dataclass
class LocationTracker:
    """The positions of the threads, from which the locations of events follow.

    Args:
        graph: The version that runs, with or without what is inside its super nodes.
    """

    graph: Graph
    _ended: dict[str | None, str] = field(default_factory=dict)
    """The node that has just ended in each thread, until its state is reported."""
    _around: dict[str | None, list[str]] = field(default_factory=dict)
    """The super nodes around the node that each thread last began."""

    def find(self, event: Event) -> set[Location]:
        """Return the locations of an event.

        A node has ended once its state is reported, because its successors see that state. A super node
        begins with the first of its inner nodes.

        Args:
            event: The next event of the run; none may be left out.
        """
        found = {Location("event", event.type)}
        if event.is_failure:
            found.add(Location("error", ""))
        wire = event.to_wire()
        if event.type == "start_node_run":
            origin = wire.get("super_node_origin")
            around = origin if isinstance(origin, list) else []
            before = self._around.get(event.origin_thread_id, [])
            self._around[event.origin_thread_id] = around
            started = [wire.get("origin_node_logical_id"), *(one for one in around if one not in before)]
            found |= {Location("before", str(node_id)) for node_id in started}
        elif event.type == "end_node_run":
            self._ended[event.origin_thread_id] = str(wire.get("origin_node_logical_id"))
        elif event.type == "workflow_show_state":
            ended = self._ended.pop(text(event, "thread_id"), None)
            found |= {Location("after", ended)} if ended else set()
        elif isinstance(event, EdgeEvent) and event.type not in _NO_TRANSITIONS:
            found |= self._find_edges(event)
            around = self._around.get(event.origin_thread_id, [])
            if (left := wire.get("super_node_exit_origin")) in around:  # it may begin again
                self._around[event.origin_thread_id] = around[: around.index(left)]
        return found

    def _find_edges(self, event: EdgeEvent) -> set[Location]:
        if event.edge_logical_id:
            return {Location("edge", event.edge_logical_id)}
        destination = self.graph.nodes.get(event.destination_node_logical_id or "")
        is_to_global = destination is not None and destination.is_global
        if event.type == "conditional_edge" and is_to_global and not event.edge_name:
            return set()  # a transition to a global node follows no edge
        # A direct edge is reported without its id, and with the nodes inside the super nodes at its ends
        # (``platform.md#edge-selection``).
        sources = self._with_super_nodes(event.source_node_logical_id)
        destinations = self._with_super_nodes(event.destination_node_logical_id)
        stays_in = set(sources[1:]) & set(destinations[1:])
        return {
            Location("edge", edge.logical_id)
            for source in sources
            if source not in stays_in
            for edge in self.graph.find_outgoing_edges(source)
            if edge.destination_node_logical_id in destinations
            and edge.destination_node_logical_id not in stays_in
            and event.type.startswith(str(edge.type))
        }

    def _with_super_nodes(self, node_id: str | None) -> tuple[str, ...]:
        if node_id is None:
            return ()
        node = self.graph.nodes.get(node_id)
        around = origin_of(node) if node is not None else super_nodes_around(node_id, self.graph.nodes)
        return (node_id, *around)


@dataclass(frozen=True)
class Breakpoint:
    """A place at which a run pauses, or logs a text."""

    kind: BreakpointKind
    target: str = ""
    """The node's or edge's logical id, or the event type; nothing for ``error``."""
    condition: str = ""
    """In the workflow's own expression language; empty holds always."""
    hits: str = ""
    """The matches that count as hits: ``5``, ``>=5``, ``%2``; empty is every match."""
    log: str = ""
    """A text with placeholders that is logged instead of a pause; empty makes it a breakpoint."""
    is_enabled: bool = True
    id: str = ""
    """Set by `Breakpoints.put`."""

    @property
    def location(self) -> Location:
        """Return the location."""
        return Location(self.kind, self.target)

    def describe_location(self, graph: Graph) -> str:
        """Return the location in words."""
        if self.kind == "error":
            return "on any error"
        if self.kind == "event":
            return f"on {self.target}"
        if self.kind != "edge":
            return f"{self.kind} {_label(graph, self.target)}"
        edge = graph.edges.get(self.target)
        if edge is None:
            return f"on edge {self.target}"
        ends = (edge.source_node_logical_id, edge.destination_node_logical_id)
        return f"on {' → '.join(_label(graph, end or '') for end in ends)}"


@dataclass(frozen=True)
class Hit:
    """A breakpoint that an event has hit."""

    point: Breakpoint
    count: int
    """The number of matches in this session, including this one."""
    line: str = ""
    """The text of a log point."""
    problem: str = ""
    """The error in its condition, which then counts as true, or in the text of a log point."""


class Breakpoints:
    """The breakpoints of one session with their numbers of matches.

    Args:
        graph: The version that runs.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._locations = LocationTracker(graph)
        self._points: dict[str, Breakpoint] = {}
        self._counts: dict[str, int] = {}
        self._number = 0

    def show_inner_nodes(self, graph: Graph) -> None:
        """Let breakpoints name nodes and edges inside super nodes.

        Args:
            graph: The version that runs, with what is inside its super nodes.
        """
        self._graph = self._locations.graph = graph

    @property
    def points(self) -> list[Breakpoint]:
        """Return the breakpoints, oldest first."""
        return list(self._points.values())

    def count(self, breakpoint_id: str) -> int:
        """Return the matches of a breakpoint, also those that ``hits`` skips."""
        return self._counts.get(breakpoint_id, 0)

    def describe_location(self, point: Breakpoint) -> str:
        """Return the location of a breakpoint in words."""
        return point.describe_location(self._graph)

    def explain_unreachable(self, point: Breakpoint) -> str | None:
        """Return why a breakpoint can never be hit here, else ``None``."""
        if point.kind == "edge":
            edge = self._graph.edges.get(point.target)
            if edge is None:
                return "This version of the workflow has no such edge."
            return "The edge is disabled, so it is never taken." if edge.disabled else None
        if point.kind == "event":
            return None if point.target in EVENT_TYPES else "There is no such event type."
        if point.kind == "error":
            return None
        node = self._graph.nodes.get(point.target)
        if node is None:
            return "This version of the workflow has no such node."
        if node.disabled:
            return "The node is disabled, so it never runs."
        if point.kind == "after" and node.type == "super_node":
            return "Its inner nodes end one by one; set it on the edge that leaves the super node."
        return None

    def put(self, point: Breakpoint) -> Breakpoint:
        """Add a breakpoint, or replace the one with its id.

        Raises:
            InputError: Its kind or its hits cannot be read, or it names nothing.
            ExpressionError: Its condition does not parse.
        """
        _check(point)
        point = self._with_id(point)
        # Another dictionary each time: the thread that pulls a turn may be walking through this one.
        self._points = {**self._points, point.id: point}
        return point

    def remove(self, breakpoint_id: str) -> None:
        """Remove a breakpoint, if it is there."""
        self._points = {key: point for key, point in self._points.items() if key != breakpoint_id}
        self._counts.pop(breakpoint_id, None)

    def toggle(self, kinds: Sequence[BreakpointKind], target: str) -> None:
        """Remove the breakpoints of a node or an edge, or set one.

        Args:
            kinds: The kinds to remove; a new one is of the first.
            target: The node's or edge's logical id.
        """
        there = [point for point in self.points if point.kind in kinds and point.target == target]
        for point in there:
            self.remove(point.id)
        if not there:
            self.put(Breakpoint(kinds[0], target))

    def match(self, event: Event, scope: Callable[[], Scope]) -> list[Hit]:
        """Return and count the breakpoints that an event hits.

        Args:
            event: The next event of the run; none may be left out.
            scope: Returns the variables of the event's thread; called only where a condition or log needs it.
        """
        locations = self._locations.find(event)
        points = self._points.values()
        hits = [
            self._hit(point, scope) for point in points if point.is_enabled and point.location in locations
        ]
        return [hit for hit in hits if hit is not None]

    def to_json(self) -> JsonObject:
        """Return the breakpoints as JSON, without their counts."""
        return {"format": FORMAT, "breakpoints": [asdict(point) for point in self.points]}

    def restore(self, data: JsonObject) -> None:
        """Replace the breakpoints by those that `to_json` wrote.

        Raises:
            InputError: They were written in a newer format, or are damaged. Nothing was replaced.
        """
        if data.get("format") != FORMAT:
            raise InputError(
                f"Breakpoints of format {data.get('format')!r} cannot be read here.",
                advice=f"This version reads format {FORMAT}; set them again, or update the program.",
            )
        known = {entry.name for entry in fields(Breakpoint)} - {"id"}
        try:
            points = [
                Breakpoint(**{key: row[key] for key in known & row.keys()}) for row in data["breakpoints"]
            ]
            for point in points:
                _check(point)
        except (AttributeError, DebuggerError, KeyError, TypeError) as error:
            raise InputError(
                f"The stored breakpoints are damaged: {error}.", advice="Set them again."
            ) from error
        self._points = {point.id: point for point in map(self._with_id, points)}

    def _with_id(self, point: Breakpoint) -> Breakpoint:
        if point.id:
            return point
        self._number += 1
        return replace(point, id=f"b{self._number}")

    def _hit(self, point: Breakpoint, scope: Callable[[], Scope]) -> Hit | None:
        holds, problem = _judge(point.condition, scope)
        if not holds:
            return None
        count = self._counts[point.id] = self.count(point.id) + 1
        if not is_wanted_hit(point.hits, count):
            return None
        line = ""
        if point.log:
            try:
                line = render(point.log, scope()).text
            except RunError as error:  # a text that costs too much must not end the turn
                line, problem = point.log, str(error)
        return Hit(point, count, line, problem)


def _judge(condition: str, scope: Callable[[], Scope]) -> tuple[bool, str]:
    """Return whether a condition holds, and its error; with an error it holds."""
    if not condition:
        return True, ""
    try:
        return bool(parse(condition).evaluate(scope()).value), ""
    except ConditionError as error:
        return True, str(error)


def _check(point: Breakpoint) -> None:
    if point.kind not in get_args(BreakpointKind):
        kinds = ", ".join(get_args(BreakpointKind))
        raise InputError(f"There is no breakpoint of the kind {point.kind!r}.", advice=f"Use {kinds}.")
    if point.kind != "error" and not point.target:
        raise InputError("The breakpoint names no place.", advice="Choose a node, an edge or an event type.")
    check_hits(point.hits)
    if point.condition:
        parse(point.condition)


def _label(graph: Graph, node_id: str) -> str:
    node = graph.nodes.get(node_id)
    names = [graph.nodes[each].label for each in origin_of(node) if each in graph.nodes] if node else []
    return " › ".join([*names, node.label]) if node else node_id
