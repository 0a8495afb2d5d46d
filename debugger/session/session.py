"""One person debugging one run.

A session holds nothing that a reload may not lose: the backend keeps every finished turn, and
`DebugSession.open` rebuilds the rest from the record.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

from debugger.analysis.background import may_go_on
from debugger.analysis.hints import last_hint
from debugger.analysis.run_index import RunIndex
from debugger.backends.base import Backend
from debugger.engine.edits import VariableEdit
from debugger.errors import ConflictError, DebuggerError
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.runs import (
    TERMINAL_STATUSES,
    RunRecord,
    RunStatus,
    TurnInput,
    TurnLog,
    TurnResult,
)
from debugger.session.background import BackgroundPace
from debugger.session.drawn_version import DrawnVersion, drawn_version
from debugger.session.fast_forward import FastForward
from debugger.session.ledger import Ledger
from debugger.session.logbook import Logbook
from debugger.session.pending_edits import PendingEdits, Tier
from debugger.session.pulling import Pulling
from debugger.session.recent_runs import recent_runs
from debugger.session.reopening import ReadRun
from debugger.session.stepping import Stop
from debugger.session.worker import Worker
from debugger.store import UnfinishedTurn

_LOOK = 0.004
"""Seconds between two looks at whether something still moves."""


class DebugSession:
    """One run, begun here or reopened, and what can be done with it.

    Commands return nothing and at once: a turn is pulled by a worker thread, and its events appear in
    `turns`. What a command could not do is told by `error` until the next command.

    Background work goes on while somebody looks: whoever shows the session calls `go_on` again and again. A
    turn of the user goes first; it waits only for the step that is under way.

    Args:
        backend: Where the run goes.
        workflow_id: The workflow.
        version_number: The version to start with; ``None`` is the active one.
        drawn: The graph to show where it is known already, as of a recorded run.
        now: Gives the time in seconds since the epoch.

    Raises:
        DebuggerError: The backend cannot give the workflow.
    """

    def __init__(
        self,
        backend: Backend,
        workflow_id: str,
        version_number: int | None = None,
        *,
        drawn: DrawnVersion | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.backend = backend
        self.workflow_id = workflow_id
        self.version_number = version_number
        drawn = drawn or DrawnVersion(backend.workflow(workflow_id, version_number))
        self.workflow = drawn.workflow
        self.drawn_instead = drawn.instead
        """Why `workflow` is not the version that ran, for people; empty where it is."""
        self.index = RunIndex(Graph(self.workflow))
        """What the turns tell, worked out once for each that is over."""
        self._run_id: str | None = None
        self._error: DebuggerError | None = None
        self._unsent = ""
        self._unread: tuple[RunRecord, ReadRun] | None = None
        """Of a run that is being opened: its record, and what is read of it so far."""
        self._logbook = Logbook()
        self.ledger = Ledger(backend)
        self._status: RunStatus = "not_started"
        self._hint: JsonObject | None = None
        self._result: TurnResult | None = None
        self._turn: Worker | None = None
        self._step: Worker | None = None
        self._pace = BackgroundPace(now)
        self._pulling = Pulling(backend, workflow_id, version_number, self.index.graph, now)
        self.breakpoints = self._pulling.breakpoints
        self.gate = self._pulling.gate
        self.interventions = self._pulling.interventions
        """What is pinned and made to fail in turns that begin from now on."""
        self.desk = self._pulling.desk
        """Where a person answers for models."""
        self.cut_off: UnfinishedTurn | None = None
        """A turn that was begun before the run was opened, and of whose end nothing is known."""
        self._elapsed = 0.0
        self.forward: FastForward | None = None
        """What sends inputs one after the other, now or last."""
        self._lock = threading.RLock()

    @classmethod
    def open(cls, backend: Backend, run_id: str) -> Self:
        """Go on with a recorded run. Its background work stands still until it is told to go on.

        Raises:
            NotFoundError: There is no such run.
            DebuggerError: The backend cannot give the run.
        """
        session = cls.opening(backend, run_id)
        session.read()
        return session

    @classmethod
    def opening(cls, backend: Backend, run_id: str) -> Self:
        """The same, but for the run's turns: they are there once they are read, see `read`.

        Raises:
            NotFoundError: There is no such run.
            DebuggerError: The backend cannot give the run.
        """
        record = backend.record(run_id)
        run = record.run
        session = cls(backend, run.workflow_id, run.version_number, drawn=drawn_version(backend, run))
        session._run_id, session._status = run_id, run.status
        known = recent_runs.recall(backend, record, session.index.graph)
        session._unread = record, known or ReadRun(session.index)
        return session

    @property
    def unread(self) -> int:
        """How many turns of the run are still to be read; until then nothing can be done with it."""
        if self._unread is None:
            return 0
        record, known = self._unread
        return len(record.turns) - len(known.turns)

    def read(self, after_each: Callable[[], None] | None = None) -> None:
        """Read the turns of a run that is being opened.

        Args:
            after_each: Called after each turn.

        Raises:
            StoreError: What was kept of it was changed by something else.
        """
        with self._lock:
            if self._unread is None or self._run_id is None:
                return
            (record, found), run_id = self._unread, self._run_id
            with recent_runs.alone(run_id):
                found = recent_runs.recall(self.backend, record, self.index.graph) or found
                found.go_on(record.turns[len(found.turns) :], after_each)
                recent_runs.keep(self.backend, run_id, found)
            self.index = found.index
            self._logbook = Logbook(found.logs)
            self.ledger = Ledger(self.backend, found.ledger)
            standing = self.index.standing
            self._hint = last_hint(standing) if self._status == "waiting_for_user_input" else None
            self._pace.has_work = may_go_on(standing, self.workflow, self._status)
            self._pace.halt("This run was opened from its record.")
            if self.backend.notebook is not None:
                self.cut_off = next(iter(self.backend.notebook.unfinished(run_id)), None)
            self._unread = None

    @property
    def run_id(self) -> str | None:
        """The run; ``None`` until its first turn has ended."""
        self._settle()
        return self._run_id

    @property
    def begun_run_id(self) -> str | None:
        """The run, also while its first turn is under way where the backend tells it then."""
        return self.run_id or (self._turn.run_id if self._turn else None)

    @property
    def error(self) -> DebuggerError | None:
        """Why the last command could not be done; ``None`` when it was."""
        self._settle()
        return self._error

    @property
    def unsent(self) -> str:
        """What the user said in a turn that could not be run, so that it can be said again."""
        self._settle()
        return self._unsent

    @property
    def turns(self) -> list[TurnLog]:
        """The turns so far, and the background work between them; what is under way comes last."""
        self._settle()
        return self._logbook.logs

    @property
    def event_count(self) -> int:
        """How many events the turns so far have."""
        self._settle()
        return self._logbook.event_count

    @property
    def busy(self) -> bool:
        """Whether a turn is under way, or is about to be begun by what sends several."""
        self._settle()
        return self._turn is not None or self._is_forwarding

    @property
    def stop_point(self) -> Stop | None:
        """Where the run stands still between two events, and why; ``None`` where it does not."""
        self._settle()
        return self.gate.stop

    @property
    def pace(self) -> BackgroundPace:
        """How the run's background work goes on."""
        self._settle()
        return self._pace

    @property
    def is_stepping(self) -> bool:
        """Whether a step of background work is under way."""
        self._settle()
        return self._step is not None

    @property
    def status(self) -> RunStatus:
        """The run's status: ``not_started`` before the first turn, ``running`` while one is under way.

        A step of background work leaves it as it is until the step has ended.
        """
        return "running" if self.busy else self._status

    @property
    def is_over(self) -> bool:
        """Whether the run takes no further turn."""
        return self.status in TERMINAL_STATUSES

    @property
    def result(self) -> TurnResult | None:
        """How the last turn that was run here ended, or the last step of background work since."""
        self._settle()
        return self._result

    @property
    def hint(self) -> JsonObject | None:
        """The event that says who waits and for what, while the run waits."""
        return None if self.busy else self._hint

    @property
    def elapsed(self) -> float:
        """Seconds of the turn under way, or of the last one that was run here."""
        self._settle()
        return self._turn.elapsed if self._turn else self._elapsed

    def turn_of(self, index: int | None) -> int | None:
        """The number of the turn of an event, by its place in the run from 0.

        Of none, or one that is not there, the last turn; ``None`` before the first.
        """
        turns = self.turns
        last = turns[-1].number if turns else None
        if index is None:
            return last
        left = index
        for turn in turns:
            left -= len(turn.events)
            if left < 0:
                return turn.number
        return last

    def start(self, turn_input: TurnInput) -> None:
        """Begin the run with its first turn."""
        if self.turns or self.busy:
            self._refuse("This run has begun already.", "Restart to begin another one.")
            return
        self._run(turn_input)

    def send(self, text: str, turn_input: TurnInput | None = None) -> None:
        """Run a turn with a user message.

        Args:
            text: What the user says.
            turn_input: Whatever else the turn is given, as changed variables; its messages are replaced.
        """
        if self.is_over:
            self._refuse(f"The run is over ({self.status}).", "Restart to begin another one.")
            return
        base = turn_input.model_dump(exclude={"thread_to_node_inputs", "command"}) if turn_input else {}
        self._run(TurnInput.saying(text, **base, command="data" if self.turns else "start"))

    def fast_forward(self, forward: FastForward) -> None:
        """Let inputs be sent one after the other; the run is somebody's again when they are."""
        with self._lock:
            if self.busy:
                self._refuse("A turn is under way already.", "Wait for it to end, or stop it.")
                return
            self._error = None
            self.forward = forward
            forward.begin()

    def take(self, turn_input: TurnInput) -> TurnResult | None:
        """Run a turn and wait for its end, for `FastForward`; ``None`` where it could not be run."""
        with self._lock:
            self._run(turn_input, in_a_row=True)
            worker = self._turn
        if worker is None:
            return None
        worker.wait()
        self._settle()
        return worker.result

    def go_on(self) -> None:
        """Begin the next step of background work if one is due; call this again and again."""
        with self._lock:
            if self.pace.is_due and not self.busy and not self.is_stepping:
                self._begin_step()

    def advance(self) -> None:
        """Begin a step of background work now, whether or not the work goes on by itself."""
        with self._lock:
            if self.is_over or self.run_id is None:
                self._refuse("There is no background work to advance.", "Start a run first.")
            elif not self.busy and not self.is_stepping:
                self._error = None
                self._pace.resume()
                self._begin_step()

    def pending_edits(self) -> PendingEdits | None:
        """The variables as they can be edited where the run stands still; ``None`` where it does not."""
        worker = self._held()
        if worker is None:
            return None
        shown = worker.control.variables().items()
        return PendingEdits({Tier(scope, thread): values for (scope, thread), values in shown})

    def edit(self, edits: Sequence[VariableEdit]) -> None:
        """Change variables while the run stands still: what follows sees them."""
        with self._lock:
            worker = self._held()
            if worker is None:
                self._refuse(
                    "The run does not stand still.", "Pause it, or set a breakpoint, to edit variables."
                )
                return
            self._error = None
            try:
                self.gate.let_by(worker.control.edit(edits))
            except DebuggerError as error:
                self._error = error

    def stop(self) -> None:
        """End the run: after what it is doing, or at once when it waits."""
        with self._lock:
            if self.forward is not None:
                self.forward.stop()
            under_way = [worker for worker in (self._step, self._turn) if worker is not None and worker.busy]
            for worker in under_way:
                worker.cancelled.set()
            self.gate.resume()
            if not under_way and self.run_id is not None and not self.busy and not self.is_over:
                self._run(TurnInput.saying(None, command="stop"))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for what is under way to end; whether it did in time (seconds)."""
        worker = self._turn or self._step
        return worker is None or worker.wait(timeout)

    def wait_still(self, timeout: float) -> bool:
        """Wait until all has ended, stands still or waits for a person; whether in time (seconds)."""
        ends = time.monotonic() + timeout
        while (self.busy or self.is_stepping) and self.gate.stop is None and self.desk.pending is None:
            if time.monotonic() >= ends:
                return False
            worker = self._turn or self._step
            if worker is None:  # between two turns in a row
                time.sleep(_LOOK)
            else:
                worker.wait(_LOOK)
        return True

    def _held(self) -> Worker | None:
        """What stands still, and lets itself be changed."""
        stop = self.stop_point
        if stop is None or self.backend.capabilities.reason_against("set_state") is not None:
            return None
        return next((one for one in (self._step, self._turn) if one and one.log is stop.log), None)

    @property
    def _is_forwarding(self) -> bool:
        return self.forward is not None and self.forward.is_under_way

    def _run(self, turn_input: TurnInput, *, in_a_row: bool = False) -> None:
        with self._lock:
            # Two clicks are two threads: only one of them may begin a turn.
            if self._unread is not None:
                self._refuse("The run is still being read.", "Wait until its turns are there.")
                return
            if self.gate.stop is not None:
                self._refuse("The run stands still.", "Resume it, or stop it, before you go on.")
                return
            if self._turn is not None if in_a_row else self.busy:
                self._refuse("A turn is under way already.", "Wait for it to end, or stop it.")
                return
            if not in_a_row:  # else what a person was refused meanwhile would be gone before it is read
                self._error = None
            self._unsent = ""
            step = self._step
            self.cut_off = None
            log = self._logbook.new_turn(turn_input, after=step.log if step else None)
            self._turn = self._pulling.turn(
                log,
                turn_input,
                self._run_id,
                after=step,
                keep=self._keep,
                ledger=self.ledger,
                logbook=self._logbook,
            )

    def _begin_step(self) -> None:
        log, run_id = self._logbook.new_step(), self._run_id or ""
        self._step = self._pulling.step(
            log, run_id, keep=self._keep, ledger=self.ledger, logbook=self._logbook
        )

    def _keep(self, log: TurnLog, event: Event) -> None:
        self._pace.judged += event.type == "waiting_evaluation_boundary"
        self._logbook.add(log, event)

    def _settle(self) -> None:
        """Take over the results of what has ended since the last look."""
        with self._lock:
            if self._step is not None and not self._step.busy:
                step, self._step = self._step, None
                self._take_step(step)
            if self._turn is not None and not self._turn.busy:
                turn, self._turn = self._turn, None
                self._take_turn(turn)

    def _take_step(self, worker: Worker) -> None:
        self._pulling.journal.end()
        result = worker.result
        if result is None or not worker.log.events:
            self._logbook.forget(worker.log)
        if result is None:
            self._error = worker.error
            self._pace.halt("The last step could not be done.")
            return
        self._pace.take_step(result, is_quiet=not worker.log.events)
        self._take_result(worker, result)

    def _take_turn(self, worker: Worker) -> None:
        self._pulling.journal.end()
        self._elapsed = worker.elapsed
        if worker.result is None:
            # What did not come to an end is not on record: show what the run really is.
            self._logbook.forget(worker.log)
            self._unsent = worker.log.message
            was_stopped = worker.cancelled.is_set() and self._status in TERMINAL_STATUSES
            self._error = None if was_stopped else worker.error
            return
        self._run_id = worker.result.run_id
        self._pace.take_turn(worker.result)
        self._take_result(worker, worker.result)

    def _take_result(self, worker: Worker, result: TurnResult) -> None:
        self._result = result
        self._status = result.status
        waits = result.status == "waiting_for_user_input"
        self._hint = result.next_input_hint or (self._hint if waits else None)
        if worker.cancelled.is_set() and self._status not in TERMINAL_STATUSES and self._turn is None:
            # The stop came when there was no node left to keep from running.
            self._run(TurnInput.saying(None, command="stop"), in_a_row=True)

    def _refuse(self, message: str, advice: str) -> None:
        self._error = ConflictError(message, advice=advice)
