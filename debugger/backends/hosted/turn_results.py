"""Results of turns from their events, and checks of server answers."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from debugger.analysis.thread_positions import ThreadPositions, can_have_background_work, last_hint
from debugger.backends.base import TurnProgress
from debugger.errors import AnswerError, DebuggerError
from debugger.protocol.base import JsonObject
from debugger.protocol.event_values import EventValues
from debugger.protocol.events import (
    Event,
    UserMessagesEvent,
    WorkflowErrorEvent,
    WorkflowReadyForInputEvent,
    parse_event,
)
from debugger.protocol.messages import message_text
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
MAX_LAG = 60.0
"""Seconds of lag of a record that are waited for at most."""


def result_from_events(
    run_id: str, status: RunStatus, turn_number: int, events: list[Event], may_continue: MayContinue
) -> TurnResult:
    """Return the result of a turn whose events are complete.

    The last error event gives the error, and a hint is there only where the run waits. ``may_continue`` is
    asked only where the run waits and no companion is active.
    """
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


def names_turn(events: Sequence[JsonObject], sent: SentTurn) -> bool | None:
    """Return whether the events of an answer name the turn that was sent.

    They repeat its client turn id in the input of the closing event, or its message. ``None`` where they
    repeat neither, or where there is nothing to repeat.
    """
    for event in reversed(events):
        values = EventValues(event)
        if values.type != "end_workflow_iteration":
            continue
        name = Turn(run_input=values.run_input_output_pair.run_input).client_turn_id
        if name is not None and sent.turn_input.client_turn_id is not None:
            return name == sent.turn_input.client_turn_id
    said = said_texts([parse_event(event) for event in events if event.get("type") == "user_messages"])
    message = plain_text(sent.turn_input.message)
    if not message or not said:
        return None
    if message in said:
        return True
    parts = {plain_text(message_text(part)) for part in sent.turn_input.messages}
    return None if len(parts) > 1 and not parts.isdisjoint(said) else False


def said_texts(events: Iterable[Event]) -> set[str]:
    """Return the texts of the user in events: those of each, and all of them together; see `plain_text`.

    Empty texts are left out.
    """
    each = [
        "\n".join(message_text(message) for message in event.messages)
        for event in events
        if isinstance(event, UserMessagesEvent)
    ]
    return {plain_text(text) for text in [*each, "\n".join(each)]} - {""}


def plain_text(text: str) -> str:
    """Return a text to compare: servers may change its white space and the way its accents are written."""
    return " ".join(unicodedata.normalize("NFC", text).split())


_CLOSING: dict[RunStatus, frozenset[str]] = {
    "waiting_for_user_input": frozenset({"busy_wait_for_user_message", "workflow_ready_for_input"}),
    "paused": frozenset({"pause_thread", "pause_event"}),
    "completed": frozenset({"end_workflow"}),
    "failed": frozenset({"workflow_error"}),
}
"""The events of which a turn has one that leaves its run in a status; of the others none is known.

Source: ``platform.md#event-order``.
"""


def find_gap(result: TurnResult) -> str:
    """Return why the events of an answer are not all of its turn, or not in order, as a sentence.

    Empty where nothing is missing.
    """
    types = [EventValues(event).type for event in result.events]
    closing = _CLOSING.get(result.status, frozenset())
    if closing.isdisjoint(types) and closing and not (result.status == "failed" and result.error):
        return f"The answer says {result.status}, and none of its events does."
    events = list(map(EventValues, result.events))
    ids = [event.logical_id for event in events if event.logical_id]
    if len(ids) > len(set(ids)):
        return "An event of the answer is in it twice."
    last: dict[str, float] = {}
    for event in events:
        thread, at = event.origin_thread_id, event.timestamp
        if not thread or at is None:  # the workflow's own, of any thread
            continue
        if at < last.get(thread, at):
            return "The events of the answer are not in the order of their times."
        last[thread] = at
    return ""


class AnswerCheck:
    """The check that an answer belongs to the turn that was sent.

    It remembers runs and events already seen.
    """

    def __init__(self) -> None:
        """Begin without runs, events and lags."""
        self.longest_lag = 0.0
        """Seconds for which a record may lack what was answered, twice what was seen."""
        self._seen: OrderedDict[str, object] = OrderedDict()
        self._runs: dict[str, object] = {}
        self._lags: dict[str, float] = {}
        """Seconds since the answer at the last read, by run, where its record lacks an answered turn."""
        self._answered: dict[str, tuple[int, float]] = {}
        """The number of the last answered turn by run, and when it was answered on the monotonic clock."""

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

    def has_used(self, run_id: str | None) -> bool:
        """Return whether this client has had an answer of the run."""
        return run_id in self._runs

    def note_record(self, run_id: str, last: int) -> int:
        """Note the number of the last turn in a run's record, and return that of the last one answered.

        Without an answer it is 0. A record that lacks an answered turn is late; once it holds it,
        `longest_lag` is raised to twice the lag, `MAX_LAG` at most.
        """
        number, at = self._answered.get(run_id, (0, 0.0))
        if last < number:
            self._lags[run_id] = time.monotonic() - at
        elif run_id in self._lags:  # it was late, and has lost nothing
            self.longest_lag = max(self.longest_lag, min(2 * self._lags.pop(run_id), MAX_LAG))
        return number

    def remember(
        self,
        run_id: str,
        event_ids: Iterable[str | None],
        sent: SentTurn | None = None,
        number: int | None = None,
    ) -> None:
        """Remember the run, the events and the number of a turn that is over.

        Without a number the last one answered stays. The `MAX_SEEN_EVENTS` newest events are kept.
        """
        if number is not None:
            self._answered[run_id] = number, time.monotonic()
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
        """Return the graph of a run, read once and cached for the last `_MAX_GRAPHS` runs.

        Without ``started_in`` the run is read first. Raises DebuggerError where a read fails.
        """
        if run_id not in self._graphs:
            if started_in is None:
                run = self._run(run_id)
                started_in = run.workflow_id, run.version_number
            self._graphs[run_id] = self._workflow(*started_in)
            if len(self._graphs) > _MAX_GRAPHS:
                self._graphs.popitem(last=False)
        return self._graphs[run_id]
