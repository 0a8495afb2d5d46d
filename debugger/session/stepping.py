"""Stepping: pauses of a run between two events.

The thread that executes a turn calls the controller with each event and waits while it is paused; another
thread lets it continue.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

from debugger.engine.background_call import POLL_SECONDS
from debugger.expressions import Scope
from debugger.protocol.events import Event, NodeEvent
from debugger.protocol.turn_logs import TurnLog
from debugger.session.breakpoints import Breakpoints, Hit

StepKind = Literal["event", "node", "turn"]
"""How far one step goes: to the next event, to the next node that begins, to the next turn."""


@dataclass(frozen=True)
class Stop:
    """The place and reason of a pause."""

    reason: Literal["step", "breakpoint", "pause", "target"]
    text: str
    """For people."""
    log: TurnLog
    """The turn, or background work, that is paused."""
    position: int
    """The last event that has happened, by its place in the log."""
    breakpoint_id: str = ""


@dataclass(frozen=True)
class LogLine:
    """A line logged by a log point."""

    turn_number: int
    event_type: str
    node_name: str
    text: str


class StepController:
    """The control over the thread that pulls a run's events.

    Args:
        breakpoints: The breakpoints at which it pauses.
        can_pause: Whether the backend can pause between two events; where it cannot, hits are noted.
    """

    def __init__(self, breakpoints: Breakpoints, *, can_pause: bool) -> None:
        self.breakpoints = breakpoints
        self.can_pause = can_pause
        self.log_output: list[LogLine] = []
        """What log points left, oldest first."""
        self.missed_stops: list[Stop] = []
        """The breakpoints that the last turn met where it could not be held."""
        self._mode: StepKind | None = None
        self._target = ""
        self._pauses = False
        self._passing = 0
        """Events still to pass before it pauses again."""
        self._stop: Stop | None = None
        self._changed = threading.Condition()

    @property
    def stop(self) -> Stop | None:
        """Return the current stop; ``None`` while nothing is paused."""
        return None if self._passing else self._stop

    @property
    def mode(self) -> StepKind | None:
        """Return the step mode; ``None`` to run until something stops it."""
        return self._mode

    def begin(self) -> None:
        """Another turn begins; what the last one met is forgotten."""
        self.missed_stops = []
        self._pauses = False

    def step(self, kind: StepKind) -> None:
        """Continue for one step; later turns stop after one step too."""
        self._go(kind)

    def resume(self) -> None:
        """Go on until something else stops the run."""
        self._go(None)

    def run_to(self, node_id: str) -> None:
        """Continue until a node is about to run, in any turn."""
        self._go(None, target=node_id)

    def pause(self) -> None:
        """Stand still at the next event of what is under way."""
        self._pauses = True

    def allow(self, events: int) -> None:
        """Let so many events come by, and stand still as before."""
        with self._changed:
            self._passing += events
            self._changed.notify_all()

    def _go(self, mode: StepKind | None, *, target: str = "") -> None:
        with self._changed:
            self._mode, self._target = mode, target
            self._pauses, self._stop = False, None
            self._changed.notify_all()

    def on_event(
        self,
        log: TurnLog,
        event: Event,
        scope: Callable[[], Scope],
        cancelled: threading.Event,
        hold: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Come by with an event; returns when the run may go on.

        Args:
            log: The turn, with the event in it.
            event: What has just happened.
            scope: Gives what the event's thread can see.
            cancelled: Ends the waiting.
            hold: Makes the block in which it waits, so that the time is left out of durations.
        """
        hits = self.breakpoints.match(event, scope)
        self.log_output += [_line(log, event, hit) for hit in hits if hit.point.log]
        stop = self._stop_at(log, event, [hit for hit in hits if not hit.point.log])
        if stop is None or not event.is_persisted:
            return
        if not self.can_pause:
            self.missed_stops.append(stop)
            return
        with hold(), self._changed:
            self._passing = max(0, self._passing - 1)
            self._stop = stop
            while self._stop is not None and not self._passing and not cancelled.is_set():
                self._changed.wait(POLL_SECONDS)
            if not self._passing:
                self._stop = None

    def _stop_at(self, log: TurnLog, event: Event, hits: list[Hit]) -> Stop | None:
        position = len(log.events) - 1
        if self._stop is not None:  # an event that was let by
            return Stop(self._stop.reason, self._stop.text, log, position, self._stop.breakpoint_id)
        if hits:
            text = _told(hits[0], self.breakpoints)
            return Stop("breakpoint", text, log, position, hits[0].point.id)
        if not self.can_pause:
            return None
        if self._pauses:
            return Stop("pause", "Paused.", log, position)
        if self._target and _begins(event) == self._target:
            return Stop("target", f"Before {_name(event)}.", log, position)
        if self._mode == "event":
            return Stop("step", "One event on.", log, position)
        if self._mode == "node" and _begins(event):
            return Stop("step", f"Before {_name(event)}.", log, position)
        if self._mode == "turn" and position == 0:
            return Stop("step", f"Turn {log.number} begins.", log, position)
        return None


def _begins(event: Event) -> str:
    """The node that begins with an event, by id."""
    if isinstance(event, NodeEvent) and event.type == "start_node_run":
        return event.origin_node_logical_id or ""
    return ""


def _name(event: Event) -> str:
    return event.node_label if isinstance(event, NodeEvent) else ""


def _told(hit: Hit, breakpoints: Breakpoints) -> str:
    where = f"Breakpoint {breakpoints.describe_location(hit.point)}"
    why = f", since its condition cannot be judged: {hit.problem}" if hit.problem else "."
    return f"{where}{_ordinal(hit.count)}{why}"


def _ordinal(count: int) -> str:
    return "" if count == 1 else f", met {count} times"


def _line(log: TurnLog, event: Event, hit: Hit) -> LogLine:
    return LogLine(log.number, event.type, _name(event), hit.line)
