"""State of the run on view that its panels share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from debugger.session.run_input import RunInputModel
from debugger.session.session import DebugSession


@dataclass
class CurrentRun:
    """The run on view."""

    session: DebugSession | None = None
    replaced: DebugSession | None = None
    """The run that was on view before a restart, until the new one has begun."""
    awaits_turn: bool = False
    """Whether a turn was started here whose end has not been taken in."""
    at_rest: Callable[[], None] | None = None
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
