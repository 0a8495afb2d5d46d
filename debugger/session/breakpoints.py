"""Breakpoints and log points, and the events they match.

A breakpoint matches events and says so; it knows nothing of who stops, or of any page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Literal, NamedTuple, get_args

from debugger.engine.mocks.pins_and_faults import check_hits, is_wanted_hit
from debugger.errors import ConditionError, InputError
from debugger.expressions import Scope, parse, render
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import EVENT_TYPES, EdgeEvent, Event

BreakpointKind = Literal["before", "after", "edge", "event", "error"]

_NO_HOPS = frozenset({"self_loop_delay", "self_loop_exhausted", "waiting_condition_matched"})

FORMAT = 1
"""Of what `Breakpoints.to_json` writes."""


class Location(NamedTuple):
    """A place that a breakpoint can be set at."""

    kind: BreakpointKind
    target: str
    """The node's or edge's logical id, or the event type; nothing for ``error``."""


@dataclass
class LocationTracker:
    """Follows a run's events and returns the locations of each.

    Args:
        graph: The version that runs.
    """

    graph: Graph
    _ended: dict[str | None, str] = field(default_factory=dict)
    """The node that has just ended in each thread, until its state is reported."""
    _around: dict[str | None, list[str]] = field(default_factory=dict)
    """The super nodes around the node that each thread last began."""

    def of(self, event: Event) -> set[Location]:
        """Return the locations of an event.

        A node counts as over once its state is reported, since that is what its successors see. A super
        node is come to with the first of its inner nodes.
        """
        found = {Location("event", event.type)}
        if event.is_failure:
            found.add(Location("error", ""))
        wire = event.to_wire()
        if event.type == "start_node_run":
            around = list(wire.get("super_node_origin") or ())
            before = self._around.get(event.origin_thread_id, [])
            self._around[event.origin_thread_id] = around
            started = [wire.get("origin_node_logical_id"), *(one for one in around if one not in before)]
            found |= {Location("before", str(node_id)) for node_id in started}
        elif event.type == "end_node_run":
            self._ended[event.origin_thread_id] = str(wire.get("origin_node_logical_id"))
        elif event.type == "workflow_show_state":
            ended = self._ended.pop(wire.get("thread_id"), None)
            found |= {Location("after", ended)} if ended else set()
        elif isinstance(event, EdgeEvent) and event.type not in _NO_HOPS:
            found |= self._taken(event)
        return found

    def _taken(self, event: EdgeEvent) -> set[Location]:
        if event.edge_logical_id:
            return {Location("edge", event.edge_logical_id)}
        # A direct edge is reported without its id (``platform.md#edge-selection``).
        leaving = self.graph.leaving(event.source_node_logical_id or "")
        return {
            Location("edge", edge.logical_id)
            for edge in leaving
            if edge.destination_node_logical_id == event.destination_node_logical_id
            and event.type.startswith(str(edge.type))
        }


@dataclass(frozen=True)
class Breakpoint:
    """One place where a run is to stand still."""

    kind: BreakpointKind
    """Before or after a node runs, when an edge is taken, when an event of a type comes, when something goes
    wrong."""
    target: str = ""
    """The node's or edge's logical id, or the event type; nothing for ``error``."""
    condition: str = ""
    """In the workflow's own expression language; empty holds always."""
    hits: str = ""
    """At which of the times that it matches: ``5``, ``>=5``, ``%2``; empty is every time."""
    log: str = ""
    """A text with placeholders that is logged instead of a pause; empty makes it a breakpoint."""
    is_enabled: bool = True
    id: str = ""
    """Given by `Breakpoints.put`."""

    @property
    def location(self) -> Location:
        """Return the location."""
        return Location(self.kind, self.target)

    def named(self, graph: Graph) -> str:
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
    """A breakpoint that was met."""

    point: Breakpoint
    count: int
    """How often it has been met in this session, this time among them."""
    line: str = ""
    """What a log point leaves."""
    problem: str = ""
    """Why its condition could not be judged, upon which it counts as met."""


class Breakpoints:
    """The breakpoints of one session, and how often each was met.

    Args:
        graph: The version that runs.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._locations = LocationTracker(graph)
        self._points: dict[str, Breakpoint] = {}
        self._counts: dict[str, int] = {}
        self._number = 0

    @property
    def points(self) -> list[Breakpoint]:
        """All of them, oldest first."""
        return list(self._points.values())

    def count(self, breakpoint_id: str) -> int:
        """Return the number of times a breakpoint was hit."""
        return self._counts.get(breakpoint_id, 0)

    def name(self, point: Breakpoint) -> str:
        """Return the location of a breakpoint in words."""
        return point.named(self._graph)

    def doubt(self, point: Breakpoint) -> str | None:
        """Return why a breakpoint can never be hit here, else ``None``."""
        return _doubt(point, self._graph)

    def put(self, point: Breakpoint) -> Breakpoint:
        """Add a breakpoint, or replace the one with its id.

        Raises:
            InputError: Its hits or its condition cannot be read, or it names nothing.
        """
        _check(point)
        if not point.id:
            self._number += 1
            point = replace(point, id=f"b{self._number}")
        # Another dictionary each time: the thread that pulls a turn may be walking through this one.
        self._points = {**self._points, point.id: point}
        return point

    def remove(self, breakpoint_id: str) -> None:
        """Take one away, if it is there."""
        self._points = {key: point for key, point in self._points.items() if key != breakpoint_id}
        self._counts.pop(breakpoint_id, None)

    def toggle(self, kinds: Sequence[BreakpointKind], target: str) -> None:
        """Remove the breakpoints of a node or an edge, or set one."""
        there = [point for point in self.points if point.kind in kinds and point.target == target]
        for point in there:
            self.remove(point.id)
        if not there:
            self.put(Breakpoint(kinds[0], target))

    def match(self, event: Event, scope: Callable[[], Scope]) -> list[Hit]:
        """Return and count the breakpoints that an event hits.

        Args:
            event: What has just happened; all events of a run are to come by here, in order.
            scope: Returns the variables of the event's thread; called only where a condition or log needs it.
        """
        places = self._locations.of(event)
        points = self._points.values()
        hits = [self._hit(point, scope) for point in points if point.is_enabled and point.location in places]
        return [hit for hit in hits if hit is not None]

    def to_json(self) -> JsonObject:
        """The breakpoints as JSON, without their counts."""
        return {"format": FORMAT, "breakpoints": [asdict(point) for point in self.points]}

    def restore(self, data: JsonObject) -> None:
        """Have the breakpoints that `to_json` wrote instead of those that are here.

        Raises:
            InputError: They were written in a newer format, or are damaged.
        """
        if data.get("format") != FORMAT:
            raise InputError(f"Breakpoints of format {data.get('format')!r} cannot be read here.")
        known = {entry.name for entry in fields(Breakpoint)}
        self._points = {}
        for row in data.get("breakpoints", []):
            self.put(Breakpoint(**{key: value for key, value in row.items() if key in known and key != "id"}))

    def _hit(self, point: Breakpoint, scope: Callable[[], Scope]) -> Hit | None:
        problem = ""
        if point.condition:
            try:
                if not parse(point.condition).evaluate(scope()).value:
                    return None
            except ConditionError as error:
                problem = str(error)
        count = self._counts[point.id] = self.count(point.id) + 1
        if not is_wanted_hit(point.hits, count):
            return None
        return Hit(point, count, render(point.log, scope()).text if point.log else "", problem)


def _check(point: Breakpoint) -> None:
    if point.kind not in get_args(BreakpointKind):
        raise InputError(f"There is no breakpoint of the kind {point.kind!r}.")
    if point.kind != "error" and not point.target:
        raise InputError("The breakpoint names no place.", advice="Choose a node, an edge or an event type.")
    check_hits(point.hits)
    if point.condition:
        parse(point.condition)


def _doubt(point: Breakpoint, graph: Graph) -> str | None:
    if point.kind == "edge":
        edge = graph.edges.get(point.target)
        if edge is None:
            return "This version of the workflow has no such edge."
        return "The edge is disabled, so it is never taken." if edge.disabled else None
    if point.kind == "event":
        return None if point.target in EVENT_TYPES else "There is no such event type."
    if point.kind == "error":
        return None
    node = graph.nodes.get(point.target)
    if node is None:
        return "This version of the workflow has no such node."
    if node.disabled:
        return "The node is disabled, so it never runs."
    if point.kind == "after" and node.type == "super_node":
        return "Its inner nodes end one by one; set it on the edge that leaves the super node."
    return None


def _label(graph: Graph, node_id: str) -> str:
    node = graph.nodes.get(node_id)
    return node.label if node else node_id
