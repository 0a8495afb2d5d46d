"""A debug session: one client of one run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Self

from debugger.analysis.run_projection import RunProjection
from debugger.analysis.thread_positions import can_have_background_work, last_hint
from debugger.backends.base import Backend, FoundTurn, TurnProgress
from debugger.engine.run_input_check import ANYWHERE
from debugger.engine.variables import VariableEdit
from debugger.errors import (
    ConflictError,
    DebuggerError,
    NotExecutedError,
    NotFoundError,
    OutcomeUnknownError,
    RunEndedError,
    StaleTurnError,
    StoreError,
    TurnNotStoredError,
)
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.runs import (
    BACKGROUND,
    TERMINAL_STATUSES,
    Command,
    RunStatus,
    SentTurn,
    TurnInput,
    TurnResult,
)
from debugger.protocol.turn_logs import LazyRun, TurnLog
from debugger.replays.playback import Playback
from debugger.session.arrival import ARRIVED, Arrival
from debugger.session.background import BackgroundScheduler
from debugger.session.input_replay import InputReplay
from debugger.session.loading import DisplayedWorkflow, PartialRun, displayed_workflow, run_cache
from debugger.session.record_sync import (
    PendingTurn,
    RecordRead,
    RecordSync,
    TurnComparison,
    has_ended_other,
    logs_of,
)
from debugger.session.run_input import with_message
from debugger.session.runner import SideEffectLog, TurnList, TurnRunner, TurnWorker
from debugger.session.stepping import Stop
from debugger.session.variable_rows import PendingEdits, VariableScope
from debugger.store import UnfinishedTurn

_POLL_SECONDS = 0.004
_NO_STEPS = "Background work is played as it is recorded."
_PLAYED = (
    "This run is played with recorded answers and takes no input but the recorded one.",
    "Fork it from a turn to continue it with other input.",
)
"""Message and advice: to another input no answer is known."""


class DebugSession:
    """One run, started here or opened from its record, and its commands.

    Commands return nothing and at once: a turn is executed by a worker thread, and its events appear in
    `turns`. Why a command could not be executed is in `error` until the next command.

    Properties change nothing. What has finished is taken over by `poll`, which the page calls again and again
    while it shows the session, and which `wait` calls; `tick` also starts background work that is due.

    Args:
        backend: Executes the run.
        workflow_id: The workflow.
        version_number: The version to start with; ``None`` is the active one.
        drawn: The graph to show where it is known already, as of a recorded run.
        now: Returns the time in seconds since the epoch.
        playback: The recorded run that is played: its answers answer all calls, and its inputs are the only
            ones. Background work goes on as recorded, not by itself.

    Raises:
        DebuggerError: The backend cannot return the workflow.
    """

    def __init__(
        self,
        backend: Backend,
        workflow_id: str,
        version_number: int | None = None,
        *,
        drawn: DisplayedWorkflow | None = None,
        now: Callable[[], float] = time.time,
        playback: Playback | None = None,
    ) -> None:
        self.backend = backend
        self.playback = playback
        self.workflow_id = workflow_id
        self.version_number = version_number
        drawn = drawn or DisplayedWorkflow(backend.workflow(workflow_id, version_number))
        self.workflow = drawn.workflow
        self.substitute_reason = drawn.substitute_reason
        """Why `workflow` is not the version that ran; empty where it is."""
        self.index = RunProjection(Graph(self.workflow))
        """The projection of the turns, computed once for each finished turn."""
        self.background = BackgroundScheduler(now, _NO_STEPS if playback else "")
        """The schedule of the run's background work."""
        self.interrupted_turn: UnfinishedTurn | None = None
        """A turn that was started and is not on record: its process ended before it did, or could not store
        it."""
        self.input_replay: InputReplay | None = None
        """What sends inputs one after the other, now or last."""
        self.error: DebuggerError | None = None
        """Why the last command could not be executed; ``None`` when it was."""
        self.notice = ""
        """A sentence on the last turn that its events do not show; empty without one."""
        self.unsent_message = ""
        """The user's message of a turn that was not executed, so that it can be sent again."""
        self.arrival: Arrival | None = None
        """The last message, where its answer was lost and it has arrived; `notice` says so."""
        self.run_by = ""
        """The user who runs the next turns; empty where their inputs may name anyone."""
        self.run_id: str | None = None
        """The run; ``None`` until its first turn has ended."""
        self.result: TurnResult | None = None
        """How the last turn that was executed here ended, or the last step of background work since."""
        self._runner = TurnRunner(
            backend,
            workflow_id,
            version_number,
            self.index.graph,
            self.background,
            playback.recorder if playback else None,
        )
        self.breakpoints = self._runner.breakpoints
        self.stepping = self._runner.stepping
        self.mocks = self._runner.mocks
        """The mocks and faults of what runs from now on."""
        self.human_input = self._runner.human_input
        """Where the user answers for models."""
        self.sync = RecordSync(backend, workflow_id)
        """The comparison of the session with the record of its run."""
        self._unsent: SentTurn | None = None
        """The turn of `unsent_message` as it was sent."""
        self._unstored: TurnInput | None = None
        """The input of `interrupted_turn` where it was executed here."""
        self._seen_claims: set[str] = set()
        """Entries of the journal on which the user has decided."""
        self._unread: tuple[LazyRun, PartialRun] | None = None
        """Of a run that is being opened: its record, and what is read of it so far."""
        self._status: RunStatus = "not_started"
        self.is_deleted = False
        """Another client has deleted the run."""
        self._hint: JsonObject | None = None
        self._turn: TurnWorker | None = None
        self._step: TurnWorker | None = None
        self._elapsed = 0.0
        self._lock = threading.RLock()

    @classmethod
    def open(cls, backend: Backend, run_id: str, *, playback: Playback | None = None) -> Self:
        """Open a recorded run; its background work is halted.

        Args:
            backend: Has the run.
            run_id: The run.
            playback: What a session of the run plays already.

        Raises:
            NotFoundError: There is no such run.
            DebuggerError: The backend cannot return the run.
        """
        session = cls.open_lazily(backend, run_id, playback=playback)
        session.read()
        return session

    @classmethod
    def open_lazily(cls, backend: Backend, run_id: str, *, playback: Playback | None = None) -> Self:
        """Open a recorded run whose turns are loaded by `read`; until then no command is accepted.

        For the arguments see `open`.

        Raises:
            NotFoundError: There is no such run.
            DebuggerError: The backend cannot return the run.
        """
        record = backend.record(run_id)
        run = record.run
        drawn = displayed_workflow(backend, run)
        session = cls(backend, run.workflow_id, run.version_number, drawn=drawn, playback=playback)
        session.run_id, session._status = run_id, run.status
        known = run_cache.get(backend, record, session.index.graph)
        session._unread = record, known or PartialRun(session.index)
        return session

    @property
    def turns_to_load(self) -> int:
        """Return the number of turns to load before commands are accepted."""
        if self._unread is None:
            return 0
        record, known = self._unread
        return len(record.turns) - len(known.turns)

    def read(self, after_each: Callable[[], None] | None = None) -> None:
        """Read the turns of a run that is being opened, and halt its background work.

        Turns in the cache are not read again. Does nothing for a run that is not being opened.

        Args:
            after_each: Called after each turn that is read.

        Raises:
            StoreError: A stored turn was damaged.
        """
        with self._lock:
            if self._unread is None or self.run_id is None:
                return
            (record, found), run_id = self._unread, self.run_id
            with run_cache.lock(run_id):
                found = run_cache.get(self.backend, record, self.index.graph) or found
                found.read_turns(record.turns[len(found.turns) :], after_each)
                run_cache.put(self.backend, run_id, found)
            self.index = found.index
            self._runner.turns = TurnList(found.logs)
            self._runner.side_effects = SideEffectLog(self.backend, found.ledger)
            self.sync.known_length = len(record.turns)
            self.sync.reset()
            positions = self.index.thread_positions
            self._hint = last_hint(positions) if self._status == "waiting_for_user_input" else None
            self.background.has_work = can_have_background_work(positions, self.workflow, self._status)
            self.background.halt("This run was opened from its record.")
            self.interrupted_turn = self._read_journal(run_id)
            self._unread = None

    @property
    def started_run_id(self) -> str | None:
        """Return the run id, as soon as it is known."""
        return self.run_id or (self._turn.run_id if self._turn else None)

    @property
    def ledger(self) -> SideEffectLog:
        """The run's calls to external services."""
        return self._runner.side_effects

    @property
    def turns(self) -> list[TurnLog]:
        """Return the turns so far with background work, the running one last."""
        return self._runner.turns.logs

    @property
    def event_count(self) -> int:
        """Return the number of events so far."""
        return self._runner.turns.event_count

    @property
    def busy(self) -> bool:
        """Return whether a turn is executed, not yet collected, or queued."""
        return self._turn is not None or self._is_forwarding

    @property
    def is_executing(self) -> bool:
        """Return whether a worker executes a turn, or inputs are replayed."""
        return (self._turn is not None and self._turn.busy) or self._is_forwarding

    @property
    def is_unsettled(self) -> bool:
        """Return whether a turn is executed or not yet collected, or its outcome is unknown."""
        return self.busy or self.pending is not None

    @property
    def progress(self) -> TurnProgress | None:
        """Return the backend's progress in the current turn, if there is one."""
        return self._turn.progress if self._turn else None

    @property
    def pending(self) -> PendingTurn | None:
        """Return the turn of unknown outcome, which blocks others until decided."""
        return self.sync.pending

    @property
    def unstored_turn(self) -> UnfinishedTurn | None:
        """Return the turn that is not on record and that blocks others until decided.

        It ran here, or it had called something.
        """
        turn = self.interrupted_turn
        return turn if turn is not None and (turn.calls or self._unstored is not None) else None

    @property
    def ran_unstored(self) -> bool:
        """Return whether the turn that is not on record was executed here."""
        return self._unstored is not None

    @property
    def stop_point(self) -> Stop | None:
        """Return the stop between two events; ``None`` unless paused."""
        return self.stepping.stop

    @property
    def paused_event(self) -> int | None:
        """Return the place in the run, from 0, of the event that paused it; ``None`` unless paused."""
        stop = self.stop_point
        if stop is None:
            return None
        first = self.event_count
        for turn in reversed(self.turns):
            first -= len(turn.events)
            if turn is stop.log:
                return first + stop.position
        return None

    @property
    def is_stepping(self) -> bool:
        """Return whether a step of background work is being executed."""
        return self._step is not None

    @property
    def status(self) -> RunStatus:
        """Return the run's status; ``running`` while a turn is executed.

        A step of background work leaves it as it is until the step has ended.
        """
        return "running" if self.busy else self._status

    @property
    def is_over(self) -> bool:
        """Return whether the run takes no further turn."""
        return self.is_deleted or self.status in TERMINAL_STATUSES

    @property
    def hint(self) -> JsonObject | None:
        """The event that says what is waited for, while the run waits."""
        return None if self.busy else self._hint

    @property
    def waits_at(self) -> str:
        """Return the id of the node where the run waits for the user; empty where that is not known."""
        node = str((self.hint or {}).get("origin_node_logical_id") or "")
        return node if node in self.index.graph.nodes else ANYWHERE

    @property
    def elapsed(self) -> float:
        """Return the seconds of the current turn, or of the last one."""
        return self._turn.elapsed if self._turn else self._elapsed

    def turn_of(self, index: int | None) -> int | None:
        """Return the number of the turn of an event, which is named by its place in the run from 0.

        For ``None``, or a place behind the last event, the last turn; ``None`` before the first turn.
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

    # Commands

    def start(self, turn_input: TurnInput) -> None:
        """Start the run with its first turn; a refusal is left in `error`."""
        if self.turns or self.busy:
            self._reject("This run has started already.", "Restart to start another one.")
            return
        self._run(turn_input)

    def send(self, text: str, turn_input: TurnInput | None = None) -> None:
        """Execute a turn with a user message; the message of a refused one is kept in `unsent_message`.

        A refusal, as of a run that has ended, is left in `error`.

        Args:
            text: The message; it is added to those that the input holds.
            turn_input: The rest of the turn's input. Its command is used where it names one.
        """
        if self.is_over:
            reason = "deleted by another client" if self.is_deleted else self.status
            self._reject(f"The run has ended ({reason}).", "Restart to start another one.")
            self.unsent_message = text
            return
        command: Command = "data" if self.turns else "start"
        if turn_input is None:
            turn_input = TurnInput.with_message(text, command=command)
        else:
            wire = with_message(turn_input.to_wire(), text)
            if "command" not in turn_input.model_fields_set:
                wire["command"] = command
            turn_input = TurnInput.from_wire(wire)
        if not self._run(turn_input):
            self.unsent_message = text

    def send_command(self, command: Command) -> None:
        """Execute a turn with a command and no message, such as ``pause``."""
        if self.run_id is None or self.is_over:
            self._reject("There is no run that takes a command.", "Start a run first.")
            return
        self._run(TurnInput.with_message(None, command=command))

    def replay_inputs(self, forward: InputReplay) -> None:
        """Send recorded inputs one by one; meanwhile other commands are rejected.

        While a turn is executed, or the user has to decide on one that is not on record, `error` says so
        instead.
        """
        with self._lock:
            if self.busy:
                self._reject("A turn is being executed already.", "Wait for it to end, or stop it.")
                return
            if self._has_unseen_turn():
                return
            self.error = None
            self.input_replay = forward
            forward.begin()

    def run_turn(self, turn_input: TurnInput) -> TurnResult | None:
        """Execute a turn and wait for its end, for `InputReplay`; return how it ended.

        ``None`` where it was refused or failed; `error` says why.
        """
        with self._lock:
            self._run(turn_input, in_a_row=True)
            worker = self._turn
        if worker is None:
            return None
        worker.wait()
        self.poll()
        return worker.result

    def run_step(self) -> TurnResult | None:
        """Execute a step of background work and wait for its end, for `InputReplay`; return how it ended.

        ``None`` where it failed.
        """
        with self._lock:
            self._start_step()
            worker = self._step
        assert worker is not None
        worker.wait()
        self.poll()
        return worker.result

    def tick(self) -> None:
        """Collect finished results; start background work that is due unless a turn is open or undecided."""
        self.poll()
        with self._lock:
            is_free = not self.busy and not self.is_stepping and self.pending is None
            if self.background.is_due and is_free and not self._has_unseen_turn():
                self._start_step()

    def advance(self) -> None:
        """Start a step of background work now, due or not; leave a refusal in `error`.

        Nothing happens while a turn or a step is executed.
        """
        with self._lock:
            if self.is_over or self.run_id is None:
                self._reject("There is no background work to advance.", "Start a run first.")
            elif self.playback is not None:
                self._reject(*_PLAYED)
            elif not self.busy and not self.is_stepping and not self._has_unseen_turn():
                self.error = None
                self.background.resume()
                self._start_step()

    def pending_edits(self) -> PendingEdits | None:
        """Return the variables to edit while paused, else ``None``."""
        worker = self._paused_worker()
        if worker is None:
            return None
        shown = worker.inspector.variables().items()
        return PendingEdits({VariableScope(scope, thread): values for (scope, thread), values in shown})

    def edit(self, edits: Sequence[VariableEdit]) -> None:
        """Change variables while paused.

        The nodes that follow see them. A refusal or failure is left in `error`.
        """
        with self._lock:
            worker = self._paused_worker()
            if worker is None:
                self._reject("The run is not paused.", "Pause it, or set a breakpoint, to edit variables.")
                return
            self.error = None
            try:
                self.stepping.allow(worker.inspector.edit(edits))
            except DebuggerError as error:
                self.error = error

    def stop(self) -> None:
        """Stop the run: cancel what is executed after the current node, or else send the command ``stop``.

        A replay of inputs sends no further one, and a pause ends. Nothing else happens in a run that is over.
        """
        with self._lock:
            if self.input_replay is not None:
                self.input_replay.stop()
            executing = [worker for worker in (self._step, self._turn) if worker is not None and worker.busy]
            for worker in executing:
                worker.cancelled.set()
            self.stepping.resume()
            if not executing and self.run_id is not None and not self.busy and not self.is_over:
                self._run(TurnInput.with_message(None, command="stop"))

    def follow(self, follows: bool) -> None:
        """Load turns of other clients as they come, or only on demand."""
        self.sync.follows = follows
        if follows:
            self.check_now()

    def load_newer(self) -> None:
        """Load the turns that other clients have added."""
        with self._lock:
            if self.run_id is not None and not self.busy and not self.is_stepping:
                self.sync.load(self.run_id)

    def check_now(self) -> None:
        """Read the record now, for new turns or the pending one."""
        with self._lock:
            if not self.busy and not self.is_stepping:
                self.sync.start(self.run_id, self._runner.turns.number, at_once=True)

    def send_again(self) -> None:
        """Send the turn of unknown outcome again, which may execute it twice."""
        with self._lock:
            pending = self._take_pending()
            if pending is not None:
                self._unsent = replace(pending.sent, run_id=self.run_id)
                self._run(pending.log.run_input)

    def discard_pending(self) -> None:
        """Discard the turn of unknown outcome.

        Should it be on record, it is loaded as any other.
        """
        with self._lock:
            if self._take_pending() is not None:
                self.error = None

    def send_unstored_again(self) -> None:
        """Execute the turn that is not on record again under a new id, which makes its calls again.

        Its entry in the journal is deleted. Nothing happens without such a turn, or while another is
        executed.
        """
        with self._lock:
            turn = self.unstored_turn
            if turn is None or self.busy:
                return
            turn_input = self._unstored or TurnInput.from_wire(decode(turn.input_json))
            self.discard_unstored()
            if turn_input.miscellaneous.get(BACKGROUND):
                self.advance()
            elif not self._run(turn_input.with_client_turn_id(None)):
                self.unsent_message = turn_input.message

    def discard_unstored(self) -> None:
        """Continue without the turn that was not stored; delete its entry in the journal, if any."""
        with self._lock:
            turn, self.interrupted_turn, self._unstored = self.interrupted_turn, None, None
            if isinstance(self.error, TurnNotStoredError):
                self.error = None
            if turn is not None and turn.claim_id:
                self._forget(turn.claim_id)

    # What has finished

    def poll(self) -> None:
        """Collect finished turns, steps and reads of the record; start the next read when it is due.

        Marks the run as deleted where its record is gone.
        """
        with self._lock:
            if self._step is not None and not self._step.busy:
                step, self._step = self._step, None
                self._collect_step(step)
            if self._turn is not None and not self._turn.busy:
                turn, self._turn = self._turn, None
                self._collect_turn(turn)
            if self._turn is not None or self._step is not None or self._is_forwarding:
                return
            read = self.sync.collect()
            if read is not None:
                self._collect_read(read)
            elif isinstance(self.sync.error, NotFoundError) and self.pending is None:
                self.is_deleted = True
            if (
                self._unread is None
                and not self.is_deleted
                and self.backend.capabilities.reason_against("run_turns") is None
            ):
                self.sync.start(self.run_id, self._runner.turns.number)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the current work, and return whether in time (seconds)."""
        worker = self._turn or self._step
        in_time = worker is None or worker.wait(timeout)
        self.poll()
        return in_time

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until idle, paused or prompting; return whether in time (seconds).

        Polls meanwhile, so that results are collected.
        """
        ends = time.monotonic() + timeout
        self.poll()
        while self.busy or self.is_stepping or self.sync.is_loading:
            if self.stepping.stop is not None or self.human_input.pending is not None:
                break
            if time.monotonic() >= ends:
                return False
            worker = self._turn or self._step
            if worker is None:  # between two turns in a row, or the record is read
                time.sleep(_POLL_SECONDS)
            else:
                worker.wait(_POLL_SECONDS)
            self.poll()
        return True

    def wait_for_record(self, timeout: float) -> bool:
        """Wait until the record is read; return whether in time (seconds)."""
        in_time = self.sync.wait(timeout)
        self.poll()
        return in_time

    def _paused_worker(self) -> TurnWorker | None:
        """Return the worker that is paused and lets its variables be changed."""
        stop = self.stepping.stop
        if stop is None or self.backend.capabilities.reason_against("set_state") is not None:
            return None
        return next((one for one in (self._step, self._turn) if one and one.log is stop.log), None)

    @property
    def _is_forwarding(self) -> bool:
        return self.input_replay is not None and self.input_replay.is_running

    def _run(self, turn_input: TurnInput, *, in_a_row: bool = False) -> bool:
        """Start a turn in a thread, unless another is running or must be settled first.

        A refusal is left in `error`; notice and unsent message of the turn before are cleared.

        Args:
            turn_input: Its input.
            in_a_row: It follows another turn by itself, as recorded inputs and the stop of a turn do.

        Returns:
            Whether the turn was started.
        """
        with self._lock:
            # Two clicks are two threads: only one of them may start a turn.
            self.poll()
            if self._unread is not None:
                self._reject("The run is still being read.", "Wait until its turns are there.")
                return False
            if self.pending is not None and turn_input.command != "stop":
                self._reject(
                    "It is not known whether the last message was executed.",
                    "Check now, send it again or discard it first.",
                )
                return False
            if self.playback is not None and not in_a_row and turn_input.command != "stop":
                self._reject(*_PLAYED)
                return False
            if not in_a_row and turn_input.command != "stop" and self._has_unseen_turn():
                return False
            if self.stepping.stop is not None:
                self._reject("The run is paused.", "Continue it, or stop it, first.")
                return False
            if self._turn is not None if in_a_row else self.busy:
                self._reject("A turn is being executed already.", "Wait for it to end, or stop it.")
                return False
            if not in_a_row:  # else a rejection of a command of the user would not be seen
                self.error = None
            self.notice, self.arrival = "", None
            self.unsent_message = ""
            step = self._step
            if self.unstored_turn is None:
                self.interrupted_turn = None
            turn_input = self._named(turn_input)
            if self.run_by:
                turn_input = TurnInput.from_wire({**turn_input.to_wire(), "run_by": self.run_by})
            log = self._runner.turns.new_turn(turn_input, after=step.log if step else None)
            self._turn = self._runner.start_turn(
                log,
                turn_input,
                self.run_id,
                after=step,
                admit=self._check_journal if turn_input.command != "stop" else lambda: None,
                is_in_a_row=in_a_row,
                # A turn of unknown outcome may have taken the number before.
                expects_number=self.pending is None,
            )
            return True

    def _named(self, turn_input: TurnInput) -> TurnInput:
        """Return the input with a client turn id: a new one, or that of the unsent turn that it repeats.

        A turn that is sent again after it did not arrive keeps its id, whatever turns came in between, so
        that it cannot be executed twice should it arrive late after all. The unsent turn is forgotten.
        """
        unsent, self._unsent = self._unsent, None
        is_same = (
            unsent is not None
            and unsent.run_id == self.run_id
            and unsent.turn_input.message == turn_input.message
            and unsent.turn_input.command == turn_input.command
        )
        return turn_input.with_client_turn_id(
            unsent.turn_input.client_turn_id if unsent and is_same else None
        )

    def _has_unseen_turn(self) -> bool:
        """Return whether the user has to decide on a turn that is not on record; if so, say that in `error`.

        Reads the journal where no such turn is known yet.
        """
        if self.unstored_turn is None and self.run_id is not None:
            self.interrupted_turn = self._read_journal(self.run_id)
        turn = self.unstored_turn
        if turn is not None and not isinstance(self.error, TurnNotStoredError):
            self.error = TurnNotStoredError(
                "A turn of this run has called services and is not on record.",
                calls=turn.calls,
                claim_id=turn.claim_id,
                advice="Send it again or discard it first.",
            )
        return turn is not None

    def _check_journal(self) -> None:
        """Check that the turn that was in the way of another one was not interrupted after calls.

        Raises:
            ConflictError: It was, and the user has to decide on it first.
        """
        turn = self._read_journal(self.run_id) if self.run_id is not None else None
        if turn is not None and turn.calls:
            raise ConflictError(
                "The turn before was interrupted after it had called services; this one was not executed.",
                advice="Send that turn again or discard it first.",
            )

    def _read_journal(self, run_id: str) -> UnfinishedTurn | None:
        """Return an interrupted turn that the user has not seen, one with calls first.

        Turns whose process has ended are interrupted first, and entries that were seen are deleted.
        ``None`` also where the journal cannot be read.
        """
        if self.backend.notes is None:
            return None
        try:
            self.backend.revision(run_id)  # enters a turn whose process has ended since
            turns = self.backend.notes.read_unfinished_turns(run_id)
        except (NotFoundError, StoreError):
            return None  # the turn itself ends in the error
        for turn in turns:
            if turn.claim_id in self._seen_claims:  # it was entered once the store could be written again
                self._forget(turn.claim_id)
        unseen = [turn for turn in turns if turn.claim_id not in self._seen_claims]
        return next((turn for turn in unseen if turn.calls), next(iter(unseen), None))

    def _forget(self, claim_id: str) -> None:
        """Delete an entry of the journal, now or, where the store cannot be written, at the next look."""
        self._seen_claims.add(claim_id)
        if self.backend.notes is not None:
            with suppress(StoreError):
                self.backend.notes.forget_unfinished(claim_id)

    def _keep_unstored(self, log: TurnLog, error: TurnNotStoredError, run_id: str | None) -> None:
        """Keep a turn that ran and is not on record as `interrupted_turn` until the user has decided on it.

        It is removed from the turns, its error goes to `error`, and the record is read.
        """
        self.error, self._unstored = error, log.run_input
        self._runner.turns.remove(log)
        self.interrupted_turn = UnfinishedTurn(
            run_id=run_id or self.run_id or "",
            workflow_id=self.workflow_id,
            version_number=self.version_number or 0,
            began_at=time.time(),
            input_json=encode(log.run_input.to_wire()),
            events_json=encode([event.to_wire() for event in log.events]),
            claim_id=error.claim_id,
            calls_json=encode(list(error.calls)),
        )
        if self.run_id is not None:
            self.sync.load(self.run_id)

    def _start_step(self) -> None:
        self._step = self._runner.start_step(self._runner.turns.new_step(), self.run_id or "")

    def _collect_step(self, worker: TurnWorker) -> None:
        """Take over a finished step of background work, and schedule the next one.

        A failure delays it or halts the work; one that ended the run reads the record. A step without events
        leaves no log.
        """
        result = worker.result
        if worker.log.events or (result is not None and result.is_completed):
            self.sync.invalidate()
        if result is None or not worker.log.events:
            self._runner.turns.remove(worker.log)
        if result is None:
            assert worker.error is not None
            if isinstance(worker.error, RunEndedError) and self.run_id is not None:
                # Where the record says that it still waits, each step would be refused again.
                self.background.halt("The run takes no further step.")
                if not self.sync.is_loading:
                    self.sync.load(self.run_id)  # another client has ended it: the record says how
                return
            if isinstance(worker.error, TurnNotStoredError):
                self.background.halt("The last step called something and is not on record.")
                self._keep_unstored(worker.log, worker.error, worker.run_id)
                self.sync.known_length = None
                return
            if not self.background.on_failure(worker.error):
                self.error = worker.error
            if worker.log.events:  # the step was executed, and its events are in the record
                self.sync.known_length = None
            self.sync.reset()
            return
        self.background.on_step(result, is_quiet=not worker.log.events)
        if worker.log.events or result.is_completed:
            self._count_pair(result)
        self._collect_result(worker, result)

    def _collect_turn(self, worker: TurnWorker) -> None:
        """Take over a finished turn: its result, or the run's record in its place where that was read.

        A failure goes to `_collect_failure`.
        """
        self._elapsed = worker.elapsed
        self.sync.reset()
        self.sync.invalidate()
        if worker.result is None:
            assert worker.error is not None
            self._collect_failure(worker, worker.error)
            return
        self.run_id = worker.result.run_id
        self.background.on_turn(worker.result)
        record, found = worker.progress.record, worker.progress.found
        ends_other = has_ended_other(worker.log)
        if not ends_other:
            self.sync.note_answer(worker.log.number)
        if record is None and not ends_other:
            self._count_pair(worker.result)
            self.sync.confirm_later(worker.log)
        self._collect_result(worker, worker.result)
        if self.pending is not None:
            self.sync.known_length = None  # whether the record has the turn before is not known
        if ends_other and record is None:
            self._runner.turns.remove(worker.log)  # the record has the other one
            self.sync.load(self.run_id)
        if record is not None:
            self._runner.turns.remove(worker.log)  # the record has it
            self._show(record)
            if not worker.cancelled.is_set():
                self._settle(found, worker.log.message)
            self._keep_events(worker.log, worker.result.turn_number)

    def _collect_failure(self, worker: TurnWorker, error: DebuggerError) -> None:
        """Take over a failed turn: keep its message for the user, and decide what must be read or settled.

        Its error goes to `error`; with an unknown outcome the turn stays as the pending one.
        """
        if isinstance(error, TurnNotStoredError):
            self._keep_unstored(worker.log, error, worker.run_id)
            return
        self.error = error
        sent, record = worker.progress.sent, worker.progress.record
        if isinstance(error, OutcomeUnknownError) and sent is not None:
            self.sync.pending = PendingTurn(sent, worker.log, error, self.run_id)
            return
        self._runner.turns.remove(worker.log)
        self.unsent_message, self._unsent = worker.log.message, sent
        run_id = worker.run_id or self.run_id
        # The turn broke off, perhaps after calls, or the one in its way did.
        if run_id is not None and (worker.log.events or isinstance(error, ConflictError)):
            self.interrupted_turn = self._read_journal(run_id)
        if worker.cancelled.is_set():
            self.error = None if self._status in TERMINAL_STATUSES else error
        if self.run_id is None:
            return
        if record is not None:
            self._show(record)
        elif (
            worker.log.events
            or isinstance(error, StaleTurnError | NotFoundError)
            or worker.cancelled.is_set()
        ):
            self.sync.load(self.run_id)

    def _collect_result(self, worker: TurnWorker, result: TurnResult) -> None:
        """Take over result, status and hint of a turn or a step.

        Send the stop that came too late for its nodes.
        """
        self.result = result
        self._status = result.status
        waits = result.status == "waiting_for_user_input"
        self._hint = result.next_input_hint or (self._hint if waits else None)
        if worker.cancelled.is_set() and self._status not in TERMINAL_STATUSES and self._turn is None:
            # The stop came when there was no node left to keep from being executed.
            self._run(TurnInput.with_message(None, command="stop"), in_a_row=True)

    def _count_pair(self, result: TurnResult) -> None:
        """Count one more pair in the record; where others were added too, its length becomes unknown."""
        known = self.sync.known_length
        if known is not None:
            is_next = result.record_length in (None, known + 1)
            self.sync.known_length = known + 1 if is_next else None

    def _settle(self, found: FoundTurn | None, message: str) -> None:
        """Tell the user that a message has arrived although its answer was lost."""
        if found is not None and found.outcome in ARRIVED:
            self.arrival = Arrival.of(found, message)
            self.notice = self.arrival.sentence

    def _keep_events(self, log: TurnLog, number: int) -> None:
        """Show a turn as it was answered, with a notice, where the record has only some of its events."""
        shown = next((turn for turn in self.turns if turn.number == number and not turn.is_background), None)
        if shown is not None:
            comparison = TurnComparison(log, shown)
            if comparison.is_partial:  # else they are not of this turn
                self._runner.turns.replace(shown, log)
                self.notice = f"{self.notice} {comparison.difference}".strip()

    def _take_comparisons(self, comparisons: Sequence[TurnComparison]) -> None:
        """Show turns as the record has them; say in `notice` where it lacks events of their answers."""
        for comparison in comparisons:
            self.sync.unconfirmed.remove(comparison.shown)
            if comparison.shown.message != comparison.recorded.message:
                continue  # the turn of another client, or its text as the server keeps it
            if comparison.missing:
                self.notice = f"{self.notice} {comparison.difference}".strip()
            elif comparison.completes:
                self._runner.turns.replace(comparison.shown, comparison.recorded)

    def _collect_read(self, read: RecordRead) -> None:
        """Take over what was read of the record: a revision, the pending turn's outcome, or turns.

        Turns of other clients are only counted unless they are followed or were asked for.
        """
        self._take_comparisons(read.comparisons)
        if read.revision is not None:
            self.sync.revision = read.revision
        if read.purpose == "pending":
            self._collect_pending(read)
        elif read.record is not None:
            is_own = self._find_unsent(read.record) is not None
            is_shown = read.purpose == "load" or self.sync.follows or not read.newer_turns or is_own
            self.sync.newer_turns = 0 if is_shown else read.newer_turns
            if is_shown:
                self._show(read.record)
        elif read.revision is not None and read.revision.status in TERMINAL_STATUSES and not self.is_over:
            self._load(None)  # it was ended without another turn

    def _collect_pending(self, read: RecordRead) -> None:
        """Take over the search for a turn of unknown outcome: show it, or offer its message again.

        One that is still unknown stays pending; one that was not stored is kept for the user's decision.
        """
        pending, found = self.sync.pending, read.found
        if pending is None or found is None:
            return
        if found.outcome in ARRIVED and found.run_id is not None:
            self.sync.pending, self.error = None, None
            self._runner.turns.remove(pending.log)
            self.run_id = found.run_id
            self._settle(found, pending.message)
            self._load(found.record)
        elif found.outcome == "unstored":
            self.sync.pending = None
            error = TurnNotStoredError(
                "The message was executed, and its server could not store the turn.",
                calls=found.calls,
                advice="Send it again, which makes its calls again, or discard it.",
            )
            self._keep_unstored(pending.log, error, found.run_id)
        elif found.outcome == "unknown":
            pending.finding = found.doubt
        else:
            self.sync.pending = None
            self._runner.turns.remove(pending.log)
            # A first turn may know a run that has not got it: it is sent to a new one.
            self.unsent_message, self._unsent = pending.message, replace(pending.sent, run_id=self.run_id)
            self.error = NotExecutedError(
                "The message is not on record, so it was not executed.", advice="Send it again."
            )
            self._load(found.record)

    def _load(self, record: LazyRun | None) -> None:
        """Show the run's record, which is read first where it is missing."""
        if record is not None and record.run.workflow_run_id == self.run_id:
            self._show(record)
        elif self.run_id is not None:
            self.sync.load(self.run_id)

    def _take_pending(self) -> PendingTurn | None:
        """Return the turn of unknown outcome, which is removed and pending no more; ``None`` without one."""
        pending, self.sync.pending = self.sync.pending, None
        if pending is not None:
            self._runner.turns.remove(pending.log)
            self.sync.known_length = None if pending.log.events else self.sync.known_length
            self.sync.reset()
        return pending

    def _show(self, record: LazyRun) -> None:
        """Show a run as its record has it, with its status; leave an error in `error`.

        Only what is new is read where the session shows the beginning of the record. A record that lacks a
        turn answered a moment ago changes nothing.
        """
        start, turns = self.sync.known_length, self._runner.turns
        if start is None or start > len(record.turns):
            start, turns = 0, TurnList()
        try:
            logs, effects = logs_of(record, start, turns.number)
        except DebuggerError as error:
            self.error = error
            return
        if self.sync.is_late(logs[-1].number if logs else turns.number):
            return
        turns.extend(self._without_loss(logs))
        self._runner.turns = turns
        self._runner.side_effects.recorded = {**self._runner.side_effects.recorded, **effects}
        self._runner.side_effects.reads += 1
        self.sync.known_length, self.sync.newer_turns = len(record.turns), 0
        # While the store cannot be written, its record says that the turn that is not stored still runs.
        if self._unstored is None or record.run.status != "running":
            self._status = record.run.status
        found = self._find_unsent(record)
        if found is not None:
            self._settle(found, self.unsent_message)
            self._unsent, self.unsent_message, self.error = None, "", None
        positions = self.index.read(turns.logs).position.threads
        self._hint = last_hint(positions) if self._status == "waiting_for_user_input" else None
        self.background.has_work = can_have_background_work(positions, self.workflow, self._status)

    def _without_loss(self, logs: list[TurnLog]) -> list[TurnLog]:
        """Return recorded turns, each as it was answered here where the record lacks events of the answer."""
        answered = {
            log.number: log for log in self.turns if isinstance(log.events, list) and not log.is_background
        }
        return [
            answered[log.number]
            if not log.is_background
            and log.number in answered
            and log.message == answered[log.number].message
            and TurnComparison(answered[log.number], log).is_partial
            else log
            for log in logs
        ]

    def _find_unsent(self, record: LazyRun) -> FoundTurn | None:
        """Return the turn of a message that was not executed, where the record has it after all.

        Else ``None``.
        ``None``, too, where the record cannot be searched.
        """
        unsent = self._unsent
        if unsent is None or not self.unsent_message or unsent.turn_input.message != self.unsent_message:
            return None  # none, or one that was rejected since
        try:
            sent = replace(unsent, run_id=record.run.workflow_run_id)
            found = self.backend.find_turn(self.workflow_id, sent, record)
        except DebuggerError:
            return None
        return found if found.outcome in ARRIVED else None

    def _reject(self, message: str, advice: str) -> None:
        self.error = ConflictError(message, advice=advice)
