"""State of the run on view that its panels share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from debugger.session.run_input import RunInputModel
from debugger.session.session import DebugSession
from debugger.views import state


@dataclass
class CurrentRun:
    """The run on view."""

    session: DebugSession | None = None
    replaced: DebugSession | None = None
    """The run that was on view before a restart, until the new one has begun."""
    awaits_turn: bool = False
    """Whether a turn was started here whose end has not been taken in."""
    after_turns: Callable[[], None] | None = None
    """Called once when the turns that were started have ended."""


@dataclass
class Cursor:
    """The time cursor on the run on view."""

    event: int | None = None
    """The chosen event by its place in the run, from 0; ``None`` follows the run."""
    is_playing: bool = False
    """Whether the scrubber moves the cursor by itself."""
    seen_events: int = 0
    """Events that the run had when the cursor left its end; those since are new."""
    event_to_open: int | None = None
    """The event that a run was opened at, until the run is read."""
    turn_to_open: int | None = None
    """The turn that a run was opened at."""


@dataclass
class RunInputs:
    """Inputs that runs and turns are started with."""

    start: dict[tuple[str, int | None], RunInputModel] = field(default_factory=dict)
    """The last start input of each version of a workflow."""
    next: RunInputModel = field(default_factory=RunInputModel)
    """The input that goes with the next message."""


class Element(NamedTuple):
    """Node or edge of the graph on view."""

    kind: Literal["node", "edge"]
    id: str

    @classmethod
    def from_browser(cls, value: Any) -> Element | None:
        """Read the picture's value; ``None`` where no element is selected."""
        if not isinstance(value, dict) or value.get("kind") not in ("node", "edge"):
            return None
        return cls(value["kind"], str(value.get("id")))


@dataclass
class Selection:
    """The chosen node or edge; both are never chosen at once."""

    node: str | None = None
    """The node's id. The graph forgets it while the table is shown instead."""
    edge: str | None = None
    """The edge's id."""

    def choose(self, element: Element | None) -> None:
        """Choose a node or an edge, or nothing."""
        self.node = element.id if element and element.kind == "node" else None
        self.edge = element.id if element and element.kind == "edge" else None


def selection_state(_: DebugSession) -> Hashable:
    """Return what a pane shows that marks the selected element."""
    chosen = state.record(Selection)
    return chosen.node, chosen.edge


def chosen_element() -> Element | None:
    """Return the selected node or edge; ``None`` without one."""
    chosen = state.record(Selection)
    if chosen.node is not None:
        return Element("node", chosen.node)
    return None if chosen.edge is None else Element("edge", chosen.edge)


def sent_element(name: Literal["selected", "breakpoint"]) -> Element | None:
    """Return the element of a value that the graph component holds."""
    return Element.from_browser(state.sent_by_browser(state.GRAPH_KEY, name))
