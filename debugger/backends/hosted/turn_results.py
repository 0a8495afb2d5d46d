"""Results of turns from their events, and checks of server answers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from debugger.analysis.thread_positions import ThreadPositions, can_have_background_work, last_hint
from debugger.backends.base import TurnProgress
from debugger.errors import AnswerError, DebuggerError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, WorkflowErrorEvent, WorkflowReadyForInputEvent
from debugger.protocol.runs import TERMINAL_STATUSES, Run, RunStatus, SentTurn, Turn, TurnInput, TurnResult
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow


@dataclass(frozen=True)
class TurnCall:
    """A turn that is executed for a caller."""

    workflow_id: str
    sent: SentTurn
    version: int | None
    """The version that a new run begins with; ``None`` is the active one."""
    cancelled: threading.Event
    """Set to end it early."""
    progress: TurnProgress
    """Where its state is reported."""


MayContinue = Callable[[str, ThreadPositions, str], bool]
"""Return whether background work may follow in a run, by its id, thread positions and status."""

MAX_SEEN_EVENTS = 20_000


def result_from_events(
    run_id: str, status: RunStatus, turn_number: int, events: list[Event], may_continue: MayContinue
) -> TurnResult:
    """Return the result of a turn whose events are complete."""
    positions = ThreadPositions.after([TurnLog(turn_number, TurnInput(), events)])
    waits = status == "waiting_for_user_input"
    ready = (event for event in reversed(events) if isinstance(event, WorkflowReadyForInputEvent))
    active = next((event.active_companion_thread_ids for event in ready), positions.companions)
    companions = status == "running" or (waits and bool(active))
    failure = next((event for event in reversed(events) if isinstance(event, WorkflowErrorEvent)), None)
    return TurnResult(
        run_id=run_id,
        status=status,
        turn_number=turn_number,
        events=[event.to_wire() for event in events],
        is_waiting_for_input=waits,
        is_completed=status in TERMINAL_STATUSES,
        error=failure.error_message if failure else None,
        next_input_hint=last_hint(positions) if waits else None,
        has_active_companions=companions,
        has_background_work=companions or (waits and may_continue(run_id, positions, status)),
    )


def recorded_result(run: Run, turn_number: int, events: list[Event]) -> TurnResult:
    """Return the result of a turn as the record has it.

    Whether background work follows is not in a record: it may, and the next step finds out.
    """
    waits = run.status == "waiting_for_user_input"
    kinds = {event.type: event for event in events}
    hint, failure = kinds.get("busy_wait_for_user_message"), kinds.get("workflow_error")
    return TurnResult(
        run_id=run.workflow_run_id,
        status=run.status,
        turn_number=turn_number,
        events=[event.to_wire() for event in events],
        is_waiting_for_input=waits,
        is_completed=run.is_over,
        error=failure.error_message if isinstance(failure, WorkflowErrorEvent) else None,
        next_input_hint=hint.to_wire() if waits and hint is not None else None,
        has_background_work=waits or run.status == "running",
    )


def client_turn_id_of(events: Sequence[JsonObject]) -> str | None:
    """Return the client turn id in a turn's closing event, if any."""
    for event in reversed(events):
        pair = event.get("run_input_output_pair")
        if event.get("type") == "end_workflow_iteration" and isinstance(pair, dict):
            return Turn.from_wire({"run_input": pair.get("run_input") or {}}).client_turn_id
    return None


class AnswerCheck:
    """The check that an answer belongs to the turn that was sent.

    It remembers runs and events already seen.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, object] = OrderedDict()
        self._runs: dict[str, object] = {}

    def knows_run(self, run_id: str, sent: SentTurn) -> bool:
        """Return whether the run was started by another turn of this client."""
        return run_id in self._runs and self._runs[run_id] != _name(sent)

    def check_run(self, sent: SentTurn, run_id: object) -> str:
        """Return the run that an answer or an acknowledgement names.

        Raises:
            AnswerError: It is not the run that the turn was sent to, or no new one for a first turn.
        """
        if not isinstance(run_id, str) or not run_id:
            raise AnswerError("The answer to the turn names no run.")
        if sent.run_id is None and self.knows_run(run_id, sent):
            raise AnswerError(f"The answer to the first turn is of run {run_id}, which has started before.")
        if sent.run_id not in (None, run_id):
            raise AnswerError(f"The answer is of run {run_id}, but the turn was sent to run {sent.run_id}.")
        return run_id

    def check_number(self, sent: SentTurn, number: int | None) -> None:
        """Check the number of an answer's turn, where one is expected.

        Raises:
            AnswerError: It is not the number that was expected.
        """
        if None not in (number, sent.turn_number) and number != sent.turn_number:
            raise AnswerError(f"The answer is of turn {number}, but turn {sent.turn_number} was sent.")

    def check_event(self, event_id: str | None, sent: SentTurn | None = None) -> None:
        """Check that no other turn has had the event.

        A turn that is executed once may be answered twice.

        Raises:
            AnswerError: It came before.
        """
        if event_id and event_id in self._seen and (sent is None or self._seen[event_id] != _name(sent)):
            raise AnswerError(f"The event {event_id} came before.")

    def remember(self, run_id: str, event_ids: Iterable[str | None], sent: SentTurn | None = None) -> None:
        """Remember the run and the events of a turn that is over."""
        name = _name(sent) if sent is not None else None
        self._runs.setdefault(run_id, name)
        for event_id in event_ids:
            if event_id:
                self._seen[event_id] = name
        while len(self._seen) > MAX_SEEN_EVENTS:
            self._seen.popitem(last=False)


def _name(sent: SentTurn) -> object:
    """Return what identifies a turn: its client turn id, else its time."""
    return sent.turn_input.client_turn_id or sent.sent_at


_MAX_GRAPHS = 16


class BackgroundProbe:
    """The graphs that runs continue in; each run needs one request.

    Args:
        workflow: Returns the graph of a version, of the active one for ``None``.
        run: Returns a run's record.
    """

    def __init__(self, workflow: Callable[[str, int | None], Workflow], run: Callable[[str], Run]) -> None:
        self._workflow = workflow
        self._run = run
        self._graphs: OrderedDict[str, Workflow] = OrderedDict()

    def may_continue(
        self,
        run_id: str,
        positions: ThreadPositions,
        status: str,
        started_in: tuple[str, int | None] | None = None,
    ) -> bool:
        """Return whether background work may follow.

        It may where the graph cannot be read.

        Args:
            run_id: The run.
            positions: The positions of its threads.
            status: Its status.
            started_in: The workflow and version of a run that has just started.
        """
        try:
            return can_have_background_work(positions, self._graph(run_id, started_in), status)
        except DebuggerError:
            return True

    def _graph(self, run_id: str, started_in: tuple[str, int | None] | None) -> Workflow:
        if run_id not in self._graphs:
            if started_in is None:
                run = self._run(run_id)
                started_in = run.workflow_id, run.version_number
            self._graphs[run_id] = self._workflow(*started_in)
            if len(self._graphs) > _MAX_GRAPHS:
                self._graphs.popitem(last=False)
        return self._graphs[run_id]
