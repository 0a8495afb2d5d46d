"""Stepping: pauses of a run between two events.

The thread that executes a turn calls the controller with each event and waits while it is paused; another
thread lets it continue.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Literal

from debugger.engine.background_call import POLL_SECONDS
from debugger.expressions import Scope
from debugger.protocol.events import Event, NodeEvent
from debugger.protocol.turn_logs import TurnLog
from debugger.session.breakpoints import Breakpoints, Hit

StepKind = Literal["event", "node", "turn"]
"""How far one step goes: to the next event, to the next node that begins, to the end of the turn."""
_UNSTEPPED_COMMANDS = ("pause", "stop")
"""Commands that hold no message of the user; an armed step is not for them."""


@dataclass(frozen=True)
class PendingStep:
    """A step that was requested and has not paused the run."""

    kind: StepKind
    is_armed: bool = False
    """Whether it begins with the next turn of the user; background work passes until then."""
    log: TurnLog | None = field(default=None, compare=False)
    """The turn that is stepped, once that is known; a step of kind ``turn`` lasts until it has ended."""

    @property
    def awaits_turn(self) -> bool:
        """Return whether the next turn of the user is stepped."""
        return self.is_armed or self.kind != "turn" or self.log is None

    def begin(self, log: TurnLog) -> PendingStep:
        """Return the step as of an event of a turn."""
        if self.is_armed and (log.is_background or log.run_input.command in _UNSTEPPED_COMMANDS):
            return self
        return self if self.log is not None else replace(self, is_armed=False, log=log)


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
        self._step: PendingStep | None = None
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
    def pending(self) -> PendingStep | None:
        """Return the step that has not ended; ``None`` to run until something stops it."""
        return None if self.stop is not None else self._step

    @property
    def is_pausing(self) -> bool:
        """Return whether the next event pauses the run."""
        return self._pauses and self.stop is None

    def begin(self, *, is_in_a_row: bool = False) -> None:
        """Begin another turn; forget missed stops, a requested pause and a step that ended with the last.

        Args:
            is_in_a_row: Whether it follows another turn by itself: then a step to the end of that one pauses.
        """
        self.missed_stops = []
        self._pauses = False
        with self._changed:
            if self._step is not None and not self._step.awaits_turn and not is_in_a_row:
                self._step = None

    def step(self, kind: StepKind) -> None:
        """Continue for one step; one that the turn ends before pauses what follows."""
        log = self._stop.log if self._stop is not None and kind == "turn" else None
        self._go(PendingStep(kind, log=log))

    def arm(self, kind: StepKind) -> None:
        """Step the next turn of the user; background work is not paused for it."""
        with self._changed:
            self._step = PendingStep(kind, is_armed=True)

    def disarm(self) -> None:
        """Forget the step and the pause that have not come about."""
        with self._changed:
            self._step, self._pauses = None, False

    def inherit(self, other: StepController) -> None:
        """Arm what was armed in the session that this one replaces."""
        pending = other.pending
        if pending is not None and pending.awaits_turn:
            self.arm(pending.kind)

    def resume(self) -> None:
        """Go on until something else stops the run.

        A step that is armed for the user's next turn stays where background work was paused meanwhile.
        """
        is_paused = self._stop is not None
        self._go(self._step if is_paused and self._step is not None and self._step.is_armed else None)

    def run_to(self, node_id: str) -> None:
        """Continue until a node is about to run, in any turn."""
        self._go(None, target=node_id)

    def pause(self) -> None:
        """Pause at the next event of what is under way, or of background work."""
        self._pauses = True

    def allow(self, events: int) -> None:
        """Let a number of events pass, then pause again."""
        with self._changed:
            self._passing += events
            self._changed.notify_all()

    def _go(self, step: PendingStep | None, *, target: str = "") -> None:
        with self._changed:
            self._step, self._target = step, target
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
        """Report an event; log and pause as breakpoints, steps and requests say.

        Return when the run may continue.
        Where the backend cannot pause, the hit is added to `missed_stops` instead.

        Args:
            log: The turn, with the event in it.
            event: What has just happened.
            scope: Gives what the event's thread can see.
            cancelled: Ends the waiting.
            hold: Makes the block in which it waits, so that the time is left out of durations.
        """
        hits = self.breakpoints.match(event, scope)
        self.log_output += [
            LogLine(log.number, event.type, _name(event), hit.line) for hit in hits if hit.point.log
        ]
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
        """Return the stop at an event, or ``None``: of a breakpoint, a requested pause, the target or a step.

        A backend that cannot pause stops at breakpoints only.
        """
        position = len(log.events) - 1
        if self._stop is not None:  # an event that was let by
            return Stop(self._stop.reason, self._stop.text, log, position, self._stop.breakpoint_id)
        if hits:
            text = _reason(hits[0], self.breakpoints)
            return Stop("breakpoint", text, log, position, hits[0].point.id)
        if not self.can_pause:
            return None
        if self._pauses:
            return Stop("pause", "At your request.", log, position)
        if self._target and _begins(event) == self._target:
            return Stop("target", f"Before {_name(event)}.", log, position)
        text = self._text_of_step(log, event)
        return Stop("step", text, log, position) if text else None

    def _text_of_step(self, log: TurnLog, event: Event) -> str:
        """Return why the step ends with an event, as a sentence.

        Empty where it does not. An armed step may begin.
        """
        with self._changed:
            if self._step is None:
                return ""
            step = self._step = self._step.begin(log)
        if step.is_armed:
            return ""
        if step.kind == "event":
            return "After one event."
        if step.kind == "node":
            return f"Before {_name(event)}." if _begins(event) else ""
        if step.log is log:
            return ""
        what = "background work continues" if log.is_background else f"turn {log.number} starts"
        return f"The turn has ended; {what}."


def _begins(event: Event) -> str:
    """The node that begins with an event, by id."""
    if isinstance(event, NodeEvent) and event.type == "start_node_run":
        return event.origin_node_logical_id or ""
    return ""


def _name(event: Event) -> str:
    return event.node_label if isinstance(event, NodeEvent) else ""


def _reason(hit: Hit, breakpoints: Breakpoints) -> str:
    where = f"Breakpoint {breakpoints.describe_location(hit.point)}"
    count = "" if hit.count == 1 else f", {hit.count} hits"
    why = f", because its condition cannot be evaluated: {hit.problem}" if hit.problem else "."
    return f"{where}{count}{why}"
