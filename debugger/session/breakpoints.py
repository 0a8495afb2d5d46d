"""Breakpoints and log points of a session.

`Breakpoints.match` reports the breakpoints that an event hits; `debugger.session.stepping` pauses the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace

from debugger.engine.mocks.pins_and_faults import check_hits, is_wanted_hit
from debugger.errors import ConditionError, DebuggerError, InputError, RunError
from debugger.expressions import Scope, parse, render
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.session.breakpoint_kinds import KINDS, BreakpointKind, MomentTracker

FORMAT = 1
"""The format version of `Breakpoints.to_json`."""


@dataclass(frozen=True)
class Breakpoint:
    """A place at which a run pauses, or logs a text."""

    kind: BreakpointKind
    target: str = ""
    """The node's or edge's logical id, or the event type; empty of a kind without a target."""
    condition: str = ""
    """In the workflow's own expression language; empty holds always."""
    hits: str = ""
    """The matches that count as hits: ``5``, ``>=5``, ``%2``; empty is every match."""
    log: str = ""
    """A text with placeholders that is logged instead of a pause; empty makes it a breakpoint."""
    is_enabled: bool = True
    id: str = ""
    """Set by `Breakpoints.put`."""

    def describe_location(self, graph: Graph) -> str:
        """Return the location in words."""
        return KINDS[self.kind].describe(graph, self.target)


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
        self._moments = MomentTracker(graph)
        self._points: dict[str, Breakpoint] = {}
        self._counts: dict[str, int] = {}
        self._number = 0

    def show_inner_nodes(self, graph: Graph) -> None:
        """Let breakpoints name nodes and edges inside super nodes.

        Args:
            graph: The version that runs, with what is inside its super nodes.
        """
        self._graph = self._moments.graph = graph

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
        return KINDS[point.kind].explain_unreachable(self._graph, point.target)

    def put(self, point: Breakpoint) -> Breakpoint:
        """Add a breakpoint, or replace the one with its id; return it with an id. Its count of matches stays.

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
        """Remove the breakpoints of a node or an edge, or set one where there is none.

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
        """Return the enabled breakpoints that an event hits, oldest first; count each whose condition holds.

        Args:
            event: The next event of the run; none may be left out.
            scope: Returns the variables of the event's thread; called only where a condition or log needs it.
        """
        moment = self._moments.follow(event)
        hits = [
            self._hit(point, scope)
            for point in self._points.values()
            if point.is_enabled and point.target in KINDS[point.kind].find_targets(moment)
        ]
        return [hit for hit in hits if hit is not None]

    def to_json(self) -> JsonObject:
        """Return the breakpoints as JSON, without their counts."""
        return {"format": FORMAT, "breakpoints": [asdict(point) for point in self.points]}

    def restore(self, data: JsonObject) -> None:
        """Replace the breakpoints by those that `to_json` wrote, with new ids; counts by id stay.

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
        """Return the hit of a breakpoint at its place, and count the match.

        ``None`` where condition or hits say no. An error in the condition counts as true; one in the text of
        a log leaves it as written. Both are reported.
        """
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
    """Return whether a condition holds, and its error; an empty one, or one with an error, holds."""
    if not condition:
        return True, ""
    try:
        return bool(parse(condition).evaluate(scope()).value), ""
    except ConditionError as error:
        return True, str(error)


def _check(point: Breakpoint) -> None:
    """Check that a breakpoint can be set.

    Raises:
        InputError: Its kind or its hits cannot be read, or it names no target.
        ExpressionError: Its condition does not parse.
    """
    if point.kind not in KINDS:
        raise InputError(
            f"There is no breakpoint of the kind {point.kind!r}.", advice=f"Use {', '.join(KINDS)}."
        )
    if KINDS[point.kind].choices is not None and not point.target:
        raise InputError("The breakpoint names no place.", advice="Choose a node, an edge or an event type.")
    check_hits(point.hits)
    if point.condition:
        parse(point.condition)
