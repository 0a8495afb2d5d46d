"""Turns and background work of a session: their list, and their execution on threads."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from debugger.analysis.event_fields import thread_id_of
from debugger.analysis.run_projection import MAX_OPEN_TURNS
from debugger.analysis.side_effects import ledgers, needs_recorded_ledger
from debugger.analysis.variables import scope_at
from debugger.backends.base import Ability, Backend, TurnProgress, TurnStream
from debugger.engine.background_call import POLL_SECONDS, BackgroundCall
from debugger.engine.inspection import RunInspector
from debugger.engine.mocks import MockSet
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.mocks.recording import CallRecorder
from debugger.errors import DebuggerError, OutcomeUnknownError, TurnInProgressError, UnexpectedError
from debugger.expressions import Scope
from debugger.graph import Graph
from debugger.protocol.events import Event
from debugger.protocol.runs import MAIN_THREAD, TurnInput, TurnResult, background_input
from debugger.protocol.turn_logs import TurnLog
from debugger.session.background import BackgroundScheduler
from debugger.session.breakpoints import Breakpoints
from debugger.session.human_input import HumanInput
from debugger.session.stepping import StepController
from debugger.telemetry.context import begin_turn, run_id
from debugger.telemetry.metrics import app_metrics

_log = logging.getLogger(__name__)

BUSY_SECONDS = 10.0
"""How long a turn waits for another one of the run, or for a step of its background work."""


class TurnList:
    """The logs of a run, in order.

    Each change makes another list, so that a reader's list never changes.
    """

    def __init__(self, logs: Sequence[TurnLog] = ()) -> None:
        self.logs = list(logs)
        """The logs so far; one whose turn is being executed is among the last, and grows."""
        self._lock = threading.Lock()
        self._counted: tuple[list[TurnLog], int] = ([], 0)
        """A list of logs, and the number of events of those that do not change any more."""

    @property
    def number(self) -> int:
        """The number of the last turn; 0 before the first."""
        return self.logs[-1].number if self.logs else 0

    @property
    def event_count(self) -> int:
        """The number of events so far."""
        logs = self.logs
        if self._counted[0] is not logs:
            self._counted = logs, sum(len(log.events) for log in logs[:-MAX_OPEN_TURNS])
        return self._counted[1] + sum(len(log.events) for log in logs[-MAX_OPEN_TURNS:])

    def new_turn(self, turn_input: TurnInput, after: TurnLog | None = None) -> TurnLog:
        """Append a turn to the list and return its log, empty so far.

        Args:
            turn_input: Its input.
            after: Background work that is being executed: its events come before the turn.
        """
        log = TurnLog(self.number + 1, turn_input)
        with self._lock:
            self.logs = [*self._with(after), log] if after else [*self.logs, log]
        return log

    def new_step(self) -> TurnLog:
        """Return the log of a background step, added with its first event."""
        return TurnLog(self.number, background_input(), is_background=True)

    def add(self, log: TurnLog, event: Event) -> None:
        """Add an event to a log, unless it is never recorded."""
        if event.is_persisted:
            with self._lock:
                self.logs = self._with(log)
                log.add(event)

    def remove(self, log: TurnLog) -> None:
        """Remove a log that did not end or has no events."""
        with self._lock:
            self.logs = [other for other in self.logs if other is not log]

    def replace(self, log: TurnLog, other: TurnLog) -> None:
        """Put another log in the place of one."""
        with self._lock:
            self.logs = [other if each is log else each for each in self.logs]

    def extend(self, logs: Sequence[TurnLog]) -> None:
        """Add logs from the record."""
        with self._lock:
            self.logs = [*self.logs, *logs]

    def _with(self, log: TurnLog) -> list[TurnLog]:
        # By identity and from the end: two logs may be equal, and the one that grows is among the last.
        is_there = any(log is other for other in reversed(self.logs))
        return self.logs if is_there else [*self.logs, log]


class SideEffectLog:
    """The side effects of turns whose events do not report them.

    Args:
        backend: Has the record.
        recorded: What the record says already, where the run is on record.
    """

    def __init__(self, backend: Backend, recorded: dict[str, list[Any]] | None = None) -> None:
        self.recorded = recorded or {}
        """See `debugger.analysis.side_effects.Ledgers`."""
        self.reads = 0
        """How often the record was read: what was made of it before is out of date."""
        self.error: DebuggerError | None = None
        """Why some of it could not be read."""
        self._backend = backend

    def update(self, run_id: str, log: TurnLog) -> None:
        """Read the side effects of a run where a turn of it has some that only the record has.

        A failure is left in `error`; what was read before stays.
        """
        if not needs_recorded_ledger(log):
            return
        try:
            self.recorded = ledgers(self._backend.run(run_id))
            self.error = None
            self.reads += 1
        except DebuggerError as error:
            self.error = error


class TurnWorker:
    """Executes one turn, or one step of background work, on a thread.

    It never touches a user interface: listeners put the events where a page reads them.

    Args:
        log: The turn.
        start: Starts it; called on the thread, since it may have to wait.
        on_event: Called on the thread with each event; the next one is pulled when it returns.
        on_end: Called on the thread with the run and the turn, once the turn has ended.
        inspector: The session's access to the turn's state.
    """

    def __init__(
        self,
        log: TurnLog,
        start: Callable[[TurnWorker], TurnStream],
        on_event: Callable[[TurnWorker, Event], None],
        on_end: Callable[[str, TurnLog], None],
        inspector: RunInspector,
    ) -> None:
        """Start the turn on a new thread at once."""
        self.log = log
        self.cancelled = threading.Event()
        """Set to end it early."""
        self.inspector = inspector
        self.run_id: str | None = None
        """Its run, as soon as that is known."""
        self.progress = TurnProgress()
        """What the backend does between sending and the end."""
        self.result: TurnResult | None = None
        """How it ended; ``None`` until then, and for good when it could not be executed."""
        self.error: DebuggerError | None = None
        """Why it could not be executed."""
        self._start = start
        self._on_event = on_event
        self._on_end = on_end
        self._started_at = time.monotonic()
        self._ended_at: float | None = None
        self._call = BackgroundCall(self._run, "turn")

    @property
    def busy(self) -> bool:
        """Return whether it is still being executed."""
        return self._call.busy

    @property
    def elapsed(self) -> float:
        """Return the seconds since it started, or that it took."""
        return (time.monotonic() if self._ended_at is None else self._ended_at) - self._started_at

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, and return whether it came in time (seconds)."""
        return self._call.wait(timeout)

    def _run(self) -> None:
        """Execute the turn in this thread; leave result or error in the attributes, never raise."""
        begin_turn()
        try:
            # Closed in any case: the error of a listener keeps the stream, and so the claim of the turn.
            with app_metrics().turn() as counted, closing(self._start(self)) as stream:
                self.run_id, self.progress = stream.run_id, stream.progress
                run_id.set(stream.run_id or "")
                for event in stream:
                    self._on_event(self, event)
                self.result = counted.result = stream.finish()
            self._on_end(self.result.run_id, self.log)
        except DebuggerError as error:
            self.error = error
        except Exception as error:  # a page must report something, whatever broke
            _log.exception("a turn failed")
            self.result = None
            reason = f"The turn failed unexpectedly ({type(error).__name__})."
            if self.progress.sent is not None:
                self.error = OutcomeUnknownError(reason, advice="Check whether the record holds it.")
            else:
                self.error = UnexpectedError(reason, advice="The log of the program says more.")
            self.error.__cause__ = error
        finally:
            self._ended_at = time.monotonic()


class TurnRunner:
    """Starts turns on threads and applies stepping and breakpoints.

    Args:
        backend: Executes the turns.
        workflow_id: The workflow.
        version_number: The version to start with.
        graph: The workflow as it is drawn, for breakpoints.
        background: The schedule of the run's background work.
        recorder: Answers the calls of all turns and steps from recorded ones.
    """

    def __init__(
        self,
        backend: Backend,
        workflow_id: str,
        version_number: int | None,
        graph: Graph,
        background: BackgroundScheduler,
        recorder: CallRecorder | None = None,
    ) -> None:
        self.breakpoints = Breakpoints(graph)
        self.stepping = StepController(self.breakpoints, can_pause=_can(backend, "pause_mid_turn"))
        self.mocks = MockSet()
        self.human_input = HumanInput()
        self.turns = TurnList()
        """The run's turns."""
        self.side_effects = SideEffectLog(backend)
        self.background = background
        self._backend = backend
        self._recorder = recorder
        self._graph = graph
        self._workflow_id = workflow_id
        self._version_number = version_number
        self._shows_state = _can(backend, "set_state")

    def start_turn(
        self,
        log: TurnLog,
        turn_input: TurnInput,
        run_id: str | None,
        *,
        after: TurnWorker | None,
        admit: Callable[[], None],
        is_in_a_row: bool = False,
        expects_number: bool = True,
    ) -> TurnWorker:
        """Start a turn of the user on a thread, and return its worker.

        While another turn of the run is executed, it is tried again for `BUSY_SECONDS`.

        Args:
            log: The turn.
            turn_input: Its input.
            run_id: The run; ``None`` starts a new one.
            after: Background work that has to end first.
            admit: Called each time another turn was in the way of this one, before it is tried again; it
                is not where this raises a `DebuggerError`.
            is_in_a_row: Whether it follows another turn by itself.
            expects_number: Whether the run's next turn must have the log's number.
        """
        self.stepping.begin(is_in_a_row=is_in_a_row)

        def start(worker: TurnWorker) -> TurnStream:
            """Return the stream of the turn once the run is free, or raise the error of the backend."""
            if after is not None:
                after.wait()
            deadline = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    return self._backend.execute(
                        self._workflow_id,
                        turn_input,
                        run_id=run_id,
                        expected_turn_number=log.number if expects_number else None,
                        version_number=self._version_number,
                        cancelled=worker.cancelled,
                        inspector=worker.inspector,
                    )
                except TurnInProgressError:
                    if worker.cancelled.wait(POLL_SECONDS) or time.monotonic() >= deadline:
                        raise
                    admit()

        return self._worker(log, start)

    def start_step(self, log: TurnLog, run_id: str) -> TurnWorker:
        """Start a step of background work on a thread, and return its worker."""

        def start(worker: TurnWorker) -> TurnStream:
            return self._backend.pump(
                self._workflow_id, run_id, cancelled=worker.cancelled, inspector=worker.inspector
            )

        return self._worker(log, start)

    def _worker(self, log: TurnLog, start: Callable[[TurnWorker], TurnStream]) -> TurnWorker:
        interceptor = Interceptor(self.mocks, self.human_input, recorder=self._recorder)
        inspector = RunInspector(interceptor)
        return TurnWorker(log, start, self._on_event, self.side_effects.update, inspector)

    def _on_event(self, worker: TurnWorker, event: Event) -> None:
        """Add an event to the turn, and hold the thread while stepping or a breakpoint pauses the run."""
        self.background.evaluations += event.type == "waiting_evaluation_boundary"
        self.turns.add(worker.log, event)
        self.stepping.on_event(
            worker.log,
            event,
            lambda: self._scope(worker, event),
            worker.cancelled,
            lambda: worker.inspector.hold("paused"),
        )

    def _scope(self, worker: TurnWorker, event: Event) -> Scope:
        """Return the variables that the thread of an event can see."""
        if self._shows_state:
            return worker.inspector.scope(thread_id_of(event) or MAIN_THREAD)
        return scope_at(self.turns.logs, event.thread_reference_id or MAIN_THREAD, self._graph.workflow)


def _can(backend: Backend, ability: Ability) -> bool:
    return backend.capabilities.reason_against(ability) is None
