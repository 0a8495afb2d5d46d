"""One person debugging one run.

A session holds nothing that a reload may not lose: the backend keeps every finished turn, and
`DebugSession.open` rebuilds the rest from the record.
"""

from __future__ import annotations

import threading
from typing import Self

from debugger.backends.base import Backend, TurnStream
from debugger.errors import ConflictError, DebuggerError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import BusyWaitForUserMessageEvent
from debugger.protocol.runs import TERMINAL_STATUSES, RunStatus, TurnInput, TurnLog, TurnResult, turn_logs
from debugger.session.worker import Worker


class DebugSession:
    """One run, begun here or reopened, and what can be done with it.

    Commands return nothing and at once: a turn is pulled by a worker thread, and its events appear in
    `turns`. What a command could not do is told by `error` until the next command.

    Args:
        backend: Where the run goes.
        workflow_id: The workflow.
        version_number: The version to start with; ``None`` is the active one.

    Raises:
        DebuggerError: The backend cannot give the workflow.
    """

    def __init__(self, backend: Backend, workflow_id: str, version_number: int | None = None) -> None:
        self.backend = backend
        self.workflow_id = workflow_id
        self.version_number = version_number
        self.workflow = backend.workflow(workflow_id, version_number)
        self._run_id: str | None = None
        self._error: DebuggerError | None = None
        self._unsent = ""
        self._turns: list[TurnLog] = []
        self._status: RunStatus = "not_started"
        self._hint: JsonObject | None = None
        self._result: TurnResult | None = None
        self._worker: Worker | None = None
        self._cancelled = threading.Event()
        self._elapsed = 0.0
        self._lock = threading.RLock()

    @classmethod
    def open(cls, backend: Backend, run_id: str) -> Self:
        """Go on with a recorded run.

        Raises:
            NotFoundError: There is no such run.
            DebuggerError: The backend cannot give the run or its workflow.
        """
        run = backend.run(run_id)
        session = cls(backend, run.workflow_id, run.version_number)
        session._run_id = run_id
        session._status = run.status
        session._turns = turn_logs(run)
        session._hint = _last_hint(session._turns) if run.status == "waiting_for_user_input" else None
        return session

    @property
    def run_id(self) -> str | None:
        """The run; ``None`` until its first turn has ended."""
        self._settle()
        return self._run_id

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
        """The turns so far; while one is under way it is the last, and grows."""
        self._settle()
        return self._turns

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        self._settle()
        return self._worker is not None

    @property
    def status(self) -> RunStatus:
        """The run's status: ``not_started`` before the first turn, ``running`` while one is under way."""
        return "running" if self.busy else self._status

    @property
    def is_over(self) -> bool:
        """Whether the run takes no further turn."""
        return self.status in TERMINAL_STATUSES

    @property
    def result(self) -> TurnResult | None:
        """How the last turn that was run here ended."""
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
        return self._worker.elapsed if self._worker else self._elapsed

    def start(self, turn_input: TurnInput) -> None:
        """Begin the run with its first turn."""
        if self.run_id is not None or self.busy:
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
        self._run(TurnInput.saying(text, **base, command="data" if self.run_id else "start"))

    def stop(self) -> None:
        """End the run: after what it is doing, or at once when it waits."""
        with self._lock:
            if self.busy:
                self._cancelled.set()
            elif self.run_id is not None and not self.is_over:
                self._run(TurnInput.saying(None, command="stop"))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the turn under way to end; whether it did in time (seconds)."""
        worker = self._worker
        return worker is None or worker.wait(timeout)

    def _run(self, turn_input: TurnInput) -> None:
        with self._lock:
            # Two clicks are two threads: only one of them may begin a turn.
            if self.busy:
                self._refuse("A turn is under way already.", "Wait for it to end, or stop it.")
                return
            self._error, self._unsent = None, ""
            self._cancelled = cancelled = threading.Event()
            log = TurnLog(len(self._turns) + 1, turn_input)
            self._turns = [*self._turns, log]
            self._worker = Worker(lambda: self._begin(turn_input, cancelled), log.events.append)

    def _begin(self, turn_input: TurnInput, cancelled: threading.Event) -> TurnStream:
        return self.backend.execute(
            self.workflow_id,
            turn_input,
            run_id=self.run_id,
            version_number=self.version_number,
            cancelled=cancelled,
        )

    def _settle(self) -> None:
        """Take over the result of a turn that has ended since the last look."""
        with self._lock:
            worker = self._worker
            if worker is None or worker.busy:
                return
            self._worker = None
            self._elapsed = worker.elapsed
            if worker.result is None:
                # What did not come to an end is not on record: show what the run really is.
                self._error = worker.error
                self._unsent = self._turns[-1].message
                self._turns = self._turns[:-1]
                return
            self._result = worker.result
            self._run_id = worker.result.run_id
            self._status = worker.result.status
            self._hint = worker.result.next_input_hint
            if self._cancelled.is_set() and self._status not in TERMINAL_STATUSES:
                # The stop came when the turn had no node left to keep from running.
                self._run(TurnInput.saying(None, command="stop"))

    def _refuse(self, message: str, advice: str) -> None:
        self._error = ConflictError(message, advice=advice)


def _last_hint(turns: list[TurnLog]) -> JsonObject | None:
    events = turns[-1].events if turns else []
    waits = [event for event in events if isinstance(event, BusyWaitForUserMessageEvent)]
    return waits[-1].to_wire() if waits else None
