"""How a turn ended that was heard event by event, or that the record of its run tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from debugger.analysis.hints import last_hint
from debugger.analysis.standing import Standing
from debugger.protocol.events import (
    EndWorkflowIterationEvent,
    Event,
    WorkflowErrorEvent,
    WorkflowReadyForInputEvent,
)
from debugger.protocol.runs import (
    TERMINAL_STATUSES,
    Run,
    RunStatus,
    TurnInput,
    TurnLog,
    TurnResult,
    turn_logs,
)

MayGoOn = Callable[[str, Standing, str], bool]
"""Whether a run may go on without its user, by its id, where its threads stand, and its status."""

_SAYS_STATUS: dict[str, RunStatus] = {
    "workflow_ready_for_input": "waiting_for_user_input",
    "end_workflow": "completed",
    "workflow_error": "failed",
}


@dataclass
class HeardTurn:
    """What was heard of one turn so far."""

    run_id: str | None
    """Known of a run that goes on; of a new one when the server has acknowledged it."""
    events: list[Event] = field(default_factory=list)
    is_begun: bool = False
    """Whether the server has taken the turn."""

    def begun(self, run_id: str | None) -> None:
        """The server has taken the turn, and tells its run."""
        self.is_begun = True
        self.run_id = run_id or self.run_id

    def add(self, event: Event) -> None:
        """An event has come."""
        self.is_begun = True
        self.events.append(event)

    @property
    def status(self) -> RunStatus | None:
        """The run's status, as soon as an event has told that the turn is over."""
        last = self.events[-1] if self.events else None
        if last is None:
            return None
        if last.type == "end_workflow_iteration" and any(
            event.type == "pause_thread" for event in self.events
        ):
            return "paused"
        return _SAYS_STATUS.get(last.type)

    @property
    def has_accounts(self) -> bool:
        """Whether the accounts of the turn have come: little follows, if anything."""
        return bool(self.events) and self.events[-1].type == "end_workflow_iteration"

    @property
    def turn_number(self) -> int | None:
        """The turn's number, where an event has told it."""
        told = (event for event in reversed(self.events) if isinstance(event, EndWorkflowIterationEvent))
        return next((event.iteration_number for event in told), None)

    def result(self, may_go_on: MayGoOn) -> TurnResult | None:
        """How the turn ended; ``None`` where the events do not tell all of it."""
        if self.run_id is None or self.status is None:
            return None
        number = self.turn_number
        if number is None:
            return None
        return _result(self.run_id, self.status, number, self.events, may_go_on)


def recorded_result(run: Run, heard: HeardTurn, may_go_on: MayGoOn) -> TurnResult | None:
    """How a turn ended that was not heard to its end; ``None`` while the record does not hold it.

    Args:
        run: The record.
        heard: What was heard of it; its events come first in the result.
        may_go_on: Tells whether the run may go on without its user.
    """
    log = _log_of(run, heard)
    if log is None:
        return None
    known = {event.logical_id for event in heard.events}
    events = [*heard.events, *(event for event in log.events if event.logical_id not in known)]
    return _result(run.workflow_run_id, run.status, log.number, events, may_go_on)


def _log_of(run: Run, heard: HeardTurn) -> TurnLog | None:
    """The turn on record that was heard: it has one of the events, or it ended the run."""
    logs = turn_logs(run)
    known = {event.logical_id for event in heard.events if event.logical_id}
    found = (log for log in reversed(logs) if any(event.logical_id in known for event in log.events))
    last = logs[-1] if logs and run.is_over else None
    return next(found, last)


def _result(
    run_id: str, status: RunStatus, turn_number: int, events: list[Event], may_go_on: MayGoOn
) -> TurnResult:
    standing = Standing.after([TurnLog(turn_number, TurnInput(), events)])
    waits = status == "waiting_for_user_input"
    companions = status == "running" or (waits and _has_companions(events, standing))
    failure = next((event for event in reversed(events) if isinstance(event, WorkflowErrorEvent)), None)
    return TurnResult(
        run_id=run_id,
        status=status,
        turn_number=turn_number,
        events=[event.to_wire() for event in events],
        is_waiting_for_input=waits,
        is_completed=status in TERMINAL_STATUSES,
        error=failure.error_message if failure else None,
        next_input_hint=last_hint(standing) if waits else None,
        has_active_companions=companions,
        has_background_work=companions or (waits and may_go_on(run_id, standing, status)),
    )


def _has_companions(events: list[Event], standing: Standing) -> bool:
    ready = (event for event in reversed(events) if isinstance(event, WorkflowReadyForInputEvent))
    told = next((event.active_companion_thread_ids for event in ready), None)
    return bool(standing.companions if told is None else told)
