"""What is set up around a run, as the graph shows it."""

from __future__ import annotations

from debugger.engine.mocks import Pin
from debugger.session.breakpoints import Breakpoint, Breakpoints, PlaceKind
from debugger.store import Role
from debugger.views.actions import command
from debugger.views.auth.permissions import requires
from debugger.views.components.graph.badges import Badges, Look, Mark
from debugger.views.panels import stepping_commands
from debugger.views.run_view import Reading
from debugger.views.selection import Element

_KINDS: dict[str, tuple[PlaceKind, ...]] = {"node": ("before", "after"), "edge": ("edge",)}
"""The breakpoints that the graph shows, by what they are drawn on."""


def graph_badges(now: Reading) -> Badges:
    """Breakpoints and pins on their nodes and edges; of several breakpoints on one, the first is shown."""
    points = now.session.breakpoints
    marks: dict[Element, Mark] = {}
    for point in points.points:
        if point.kind == "edge":
            marks.setdefault(Element("edge", point.target), _mark(point, points))
        elif point.kind in _KINDS["node"]:
            marks.setdefault(Element("node", point.target), _mark(point, points))
    pins = {
        one.target.name: f"Pinned: {one.summary}"
        for one in now.session.interventions.all
        if isinstance(one, Pin) and one.is_enabled and one.target.kind != "tool"
    }
    return Badges(marks, pins)


@command
@requires(Role.RUN)
def toggle_breakpoint(element: Element) -> None:
    """Set a breakpoint on a node or an edge, or take away what is set there."""
    stepping_commands.toggle_breakpoint(_KINDS[element.kind], element.id)


def _mark(point: Breakpoint, points: Breakpoints) -> Mark:
    doubt = points.doubt(point)
    told = [f"Breakpoint {points.name(point)}"]
    told += [f"if {point.condition}"] if point.condition else []
    told += [f"hits {point.hits}"] if point.hits else []
    told += [doubt] if doubt else [] if point.is_enabled else ["off"]
    return Mark(_look(point, doubt), ", ".join(told))


def _look(point: Breakpoint, doubt: str | None) -> Look:
    if doubt:
        return "hollow"
    if not point.is_enabled:
        return "disabled"
    return "log" if point.log else "verified"
