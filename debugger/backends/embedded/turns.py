"""Turns and background work, executed and recorded under a claim."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from debugger.backends.base import TurnStream
from debugger.backends.embedded.global_variables import GlobalValues
from debugger.backends.embedded.leases import HeldClaim, Leases
from debugger.backends.embedded.run_loader import (
    InterpreterCache,
    LoadedRun,
    StoredTurns,
    check_workflow,
    reject_missing_nodes,
    resume_run,
    run_ended,
)
from debugger.engine.background_call import POLL_SECONDS
from debugger.engine.environment import Environment
from debugger.engine.execution import ExecutionResult
from debugger.engine.inspection import RunInspector
from debugger.engine.outbound import Gateway
from debugger.engine.outbound.gateway import made_calls
from debugger.errors import (
    ConflictError,
    DebuggerError,
    InputError,
    NotFoundError,
    NotStartableError,
    RunEndedError,
    StoreDisconnectedError,
    StoreError,
    TurnInProgressError,
    TurnNotStoredError,
)
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.runs import (
    BACKGROUND,
    TERMINAL_STATUSES,
    TurnInput,
    TurnResult,
    background_input,
    requested_version,
)
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.store import MAX_CLIENT_TURN_ID, FinishedTurn, Store, TurnClaim, new_id
from debugger.telemetry import context, spans

_log = logging.getLogger(__name__)

_STOP_SECONDS = 60.0
"""How long the end of a turn that is being stopped is waited for."""

Segment = Generator[Event, None, ExecutionResult]
"""The events of a turn or of some background work, as the engine yields them."""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """A turn as its caller asks for it; see `Backend.execute`."""

    workflow_id: str
    turn_input: TurnInput
    run_id: str | None
    expected_turn_number: int | None
    version_number: int | None
    cancelled: threading.Event
    inspector: RunInspector | None
    is_limited: bool


class Turns:
    """Executes turns and background work.

    Args:
        store: Has the runs.
        interpreters: Of every version.
        global_values: What every new run begins with.
        leases: Claims what is executed.
        world: Clock and random values.
    """

    def __init__(
        self,
        store: Store,
        interpreters: InterpreterCache,
        global_values: GlobalValues,
        leases: Leases,
        world: Environment,
    ) -> None:
        """Keep what turns are executed with; nothing is claimed yet."""
        self.stored = StoredTurns(store, interpreters)
        self._store = store
        self._interpreters = interpreters
        self._global_values = global_values
        self._leases = leases
        self._world = world
        self._told: set[str] = set()
        """Claims of interrupted background work whose calls a client has been told."""

    def execute(self, request: TurnRequest) -> TurnStream:
        """Claim a turn and return the stream that executes it.

        Nothing is executed before the stream is read; the claim is held from now on, so that a stream that is
        not read must be closed. Where the request repeats a turn, the stream is that turn's. The command
        ``stop`` cancels a turn in progress and waits for its end. A claim whose owner has ended is
        interrupted, and the turn is claimed again.

        Raises:
            TurnInProgressError: Another turn of the run is being executed.
            TurnNotStoredError: The turn was sent before, made calls and is not on record.
            DebuggerError: The run, its version or the input cannot be used; see `EmbeddedBackend.execute`.
        """
        client_turn_id = request.turn_input.client_turn_id
        if client_turn_id is not None and len(client_turn_id) > MAX_CLIENT_TURN_ID:
            raise InputError(
                f"The client turn id has {len(client_turn_id)} characters.",
                advice=f"Use at most {MAX_CLIENT_TURN_ID}.",
            )
        while True:
            try:
                return self._begin(request)
            except (ConflictError, InputError, NotFoundError, NotStartableError) as error:
                earlier = self._earlier(request, error)
                if earlier is not None:
                    return earlier
                if not isinstance(error, _NotClaimedError | TurnInProgressError):
                    raise
                if request.turn_input.command == "stop" and request.run_id is not None:
                    return self._stop(request, request.run_id)
                if isinstance(error, TurnInProgressError):
                    raise
                self._check_free(request.run_id)

    def pump(
        self, workflow_id: str, run_id: str, cancelled: threading.Event, inspector: RunInspector | None
    ) -> TurnStream:
        """Claim a step of background work and return the stream that executes it.

        Nothing is executed before the stream is read. It is no turn: it takes no number, and no message.

        Raises:
            TurnNotStoredError: Interrupted background work made calls; it is raised once for each.
            ConflictError: The run is at a node that its version does not have any more.
            TurnInProgressError: A turn of the run, or another step, is being executed.
            DebuggerError: The run cannot be continued; see `resume_run`.
        """
        while True:
            opened = self._resume(workflow_id, run_id, None)
            if opened.has_unfinished:
                self._tell_of_background(run_id)
            reject_missing_nodes(opened)
            outbound = opened.interpreter.open_gateway()
            segment = opened.interpreter.pump(
                opened.state,
                past=partial(self._past, run_id),
                cancelled=cancelled,
                inspector=inspector,
                outbound=outbound,
            )
            try:
                return self._claimed(opened, segment, outbound, background_input(), cancelled, is_turn=False)
            except _NotClaimedError:
                self._check_free(run_id)

    def _begin(self, request: TurnRequest) -> TurnStream:
        """Load or create the run of a turn, check the input, and claim the turn's number.

        Raises:
            ConflictError: Another turn runs, or one with this client turn id was executed already.
            DebuggerError: The run, its version or the input cannot be used.
        """
        run_id, turn_input = request.run_id, request.turn_input
        if run_id is None:
            self._reject_repeated(turn_input.client_turn_id)
            version = self._store.resolve_version(
                request.workflow_id, requested_version(request.version_number, turn_input)
            )
            interpreter = self._interpreters.get_or_make(request.workflow_id, version.version_number)
            state = interpreter.begin(turn_input)
            self._global_values.supply(state, interpreter.workflow)
            opened = LoadedRun(
                new_id(),
                request.workflow_id,
                version.version_number,
                version.version_name,
                1,
                interpreter,
                state,
                "started",
                is_new=True,
                workflow_name=version.workflow_name or interpreter.workflow.name,
            )
        else:
            opened = self._resume(request.workflow_id, run_id, request.expected_turn_number)
            if opened.has_unfinished:
                self._reject_repeated(turn_input.client_turn_id)
            if turn_input.command != "stop":
                reject_missing_nodes(opened)
        outbound = opened.interpreter.open_gateway()
        segment = opened.interpreter.turn(
            opened.state,
            turn_input,
            past=tuple if run_id is None else partial(self._past, run_id),
            cancelled=request.cancelled,
            inspector=request.inspector,
            outbound=outbound,
        )
        return self._claimed(
            opened,
            segment,
            outbound,
            turn_input,
            request.cancelled,
            is_turn=True,
            is_limited=request.is_limited,
        )

    def _reject_repeated(self, client_turn_id: str | None) -> None:
        """Reject a turn that called something when it ran before, and that is not on record.

        Raises:
            TurnNotStoredError: It did.
        """
        turn = self._store.notes.find_unfinished(client_turn_id) if client_turn_id else None
        if turn is not None:
            raise turn_not_stored(turn.calls, turn.claim_id, _AGAIN)

    def _tell_of_background(self, run_id: str) -> None:
        """Reject background work once that made calls when it ran before: it would make them again.

        It has no id by which a client says that it is to be executed again, so that the second request does.

        Raises:
            TurnNotStoredError: It did, and no client has been told.
        """
        for turn in self._store.notes.read_unfinished_turns(run_id):
            is_background = TurnInput.from_wire(decode(turn.input_json)).miscellaneous.get(BACKGROUND) is True
            if is_background and turn.calls and turn.claim_id not in self._told:
                self._told.add(turn.claim_id)
                reason = "It was interrupted before its end."
                raise turn_not_stored(turn.calls, turn.claim_id, reason, is_turn=False)

    def _claimed(
        self,
        opened: LoadedRun,
        segment: Segment,
        outbound: Gateway,
        turn_input: TurnInput,
        cancelled: threading.Event,
        *,
        is_turn: bool,
        is_limited: bool = False,
    ) -> TurnStream:
        """Claim the number of a turn or background step, and return the stream that executes it.

        The claim is committed before the first event. It is released when the stream is exhausted or closed.

        Raises:
            _NotClaimedError: Another client has the number, or a turn of the run is executed.
        """
        wire = turn_input.to_wire()
        claim = TurnClaim(
            run_id=opened.run_id,
            turn_number=opened.pair_number,
            workflow_id=opened.workflow_id,
            version_number=opened.version_number,
            version_name=opened.version_name,
            workflow_name=opened.workflow_name,
            run_by=turn_input.run_by,
            begins_run=opened.is_new,
            run_status=opened.status if opened.is_new or not is_turn else "running",
            started_at=self._world.now(),
            owner=self._leases.owner,
            lease_seconds=self._leases.seconds,
            pair=encode({"run_input": wire}),
            client_turn_id=turn_input.client_turn_id,
            user_turn_number=opened.state.turn_number + 1 if is_turn else None,
            is_limited=is_limited,
        )
        try:
            held = self._leases.take(claim, cancelled, outbound.ledger)
        except ConflictError as error:
            raise _NotClaimedError(error.message, advice=error.advice) from error
        outbound.before_call = partial(self._leases.announce_call, held)
        context.run_id.set(opened.run_id)
        events = spans.steps(
            "turn",
            self._events(opened, segment, held),
            run_id=opened.run_id,
            workflow_id=opened.workflow_id,
            turn_number=opened.pair_number,
        )
        next(events)  # from here on the claim is released when the generator is closed
        return TurnStream(opened.run_id, events, turn_number=claim.user_turn_number)

    def _events(
        self, opened: LoadedRun, segment: Segment, held: HeldClaim
    ) -> Generator[Event, None, TurnResult]:
        """Relay the events of a segment, then store it and return its result.

        The claim is released on any error and where the generator is closed.

        Raises:
            TurnNotStoredError: The turn ran and cannot be stored, or its claim was taken away meanwhile:
                nothing more is executed.
        """
        try:
            yield cast(Event, None)  # received by `_claimed`
            while True:
                if held.is_lost or held.failure is not None:
                    raise _denial(held)
                try:
                    event = next(segment)
                except StopIteration as stop:
                    end = stop.value
                    break
                if held.is_lost or held.failure is not None:
                    raise _denial(held)
                held.events.append(event)
                yield event
            if held.is_lost or held.failure is not None:
                raise _denial(held)
            result = self._store_segment(opened, held, end)
        except BaseException as error:
            self._leases.release(held)
            if isinstance(error, Exception) and _is_denied(held, error):
                self._told.add(held.claim.claim_id)
                raise _explain_loss(held, error) from error
            raise
        self._leases.drop(held)
        _log.info("turn %s ended as %s", opened.pair_number, result.status)
        return result

    def _store_segment(self, opened: LoadedRun, held: HeldClaim, end: ExecutionResult) -> TurnResult:
        """Store a turn or background work, and return its result.

        Background work whose events are all left out of the record adds nothing to it, since it may come
        every second; which conditions were evaluated, and when, is stored in the run's state.

        Raises:
            ConflictError: The claim has lapsed; nothing is stored.
            NotFoundError: The run was deleted meanwhile.
        """
        is_turn, is_over = held.claim.user_turn_number is not None, end.status in TERMINAL_STATUSES
        persisted = [event.to_wire() for event in held.events if event.is_persisted]
        all_persisted = len(persisted) == len(held.events)
        events = persisted if all_persisted else [event.to_wire() for event in held.events]
        is_recorded = is_turn or is_over or bool(persisted)
        if is_recorded:
            # The event that holds the input/output pair is one of the last.
            has_pair = any(event["type"] == "end_workflow_iteration" for event in reversed(persisted))
            finished = FinishedTurn(
                run_id=opened.run_id,
                turn_number=opened.pair_number,
                claim_id=held.claim.claim_id,
                status=end.status,
                termination_source="execution_error" if end.status == "failed" else None,
                events_json=encode(persisted),
                pair_json=None if has_pair else encode(end.pair),
                checkpoint=opened.state.to_json(),
                token_usage_json=encode(end.token_usage),
                latency_stats_json=encode(end.latency_stats),
                finished_at=self._world.now(),
            )
            self._store.claims.finish(finished, clears_unfinished=opened.has_unfinished)
        else:
            self._store.claims.release(held.claim, checkpoint=opened.state.to_json() if events else None)
        return TurnResult(
            run_id=opened.run_id,
            status=end.status,
            turn_number=opened.state.turn_number,
            events=events,
            is_waiting_for_input=end.status == "waiting_for_user_input",
            is_completed=is_over,
            error=end.error,
            next_input_hint=end.hint,
            has_active_companions=end.has_active_companions,
            has_background_work=end.has_background_work,
            next_due=end.next_due,
            record_length=opened.pair_number if is_recorded else opened.pair_number - 1,
        )

    def _past(self, run_id: str) -> list[TurnLog]:
        return turn_logs(self._store.run(run_id))

    def _resume(self, workflow_id: str, run_id: str, expected_turn_number: int | None) -> LoadedRun:
        """Open a run after its last finished turn, see `resume_run`.

        A run that is unknown may be one whose first turn is in progress: a claim whose owner has ended is
        interrupted then, before the error is raised.

        Raises:
            NotFoundError: Nothing has the id.
            TurnInProgressError: The run has no finished turn, and its first one is being executed.
            RunEndedError: The run is over, or its first turn was interrupted.
            DebuggerError: See `resume_run`.
        """
        try:
            return resume_run(self._store, self._interpreters, workflow_id, run_id, expected_turn_number)
        except RunEndedError:
            raise
        except NotFoundError:
            self._check_free(run_id)  # its first turn may be in progress, or was interrupted
            raise

    def _check_free(self, run_id: str | None) -> None:
        """Interrupt a run's turn in progress if its owner has ended.

        Raises:
            TurnInProgressError: It has not, or the turn had called services: a user is told of that before
                another turn is executed.
            RunEndedError: The run has no finished turn, and its first one was interrupted.
        """
        if run_id is None:
            return
        position = self._store.claims.position(run_id)
        before = position.claimed
        if before is not None:
            self._leases.interrupt_expired(run_id)
            position = self._store.claims.position(run_id)
        if position.claimed is not None:
            raise TurnInProgressError(
                f"A turn of run {run_id} is being executed.", advice="Wait for it to end, or stop it."
            )
        if position.turn_count == 0 and position.status in TERMINAL_STATUSES:
            raise run_ended(run_id, position.status)
        if before is not None:
            journal = self._store.notes.read_unfinished_turns(run_id)
            if any(turn.calls for turn in journal if turn.claim_id == before.claim_id):
                raise TurnInProgressError(
                    f"A turn of run {run_id} was interrupted just now, after it had called services.",
                    advice="Send yours again.",
                )

    def _earlier(self, request: TurnRequest, error: DebuggerError) -> TurnStream | None:
        """Return the stream of the turn that a request repeats; ``None`` where it repeats none.

        A stop of a run that is stopped already repeats the run's last turn.

        Args:
            request: The request.
            error: Why it cannot be executed: where it was, its input may not fit any more.

        Raises:
            TurnNotStoredError: It ran and is not on record: the error would deny that.
            ConflictError: The client turn id names a turn of another run or workflow.
        """
        turn_input, run_id = request.turn_input, request.run_id
        found = self.stored.find_by_client_turn_id(turn_input.client_turn_id, request.workflow_id, run_id)
        if found is not None:
            # A first turn in progress may be interrupted, and is then executed in another run.
            is_open = run_id is None and found.is_in_progress
            number = None if is_open else found.user_turn_number
            repeated = TurnStream(found.run_id, self._repeated(request, lambda: repeated), turn_number=number)
            return repeated
        self._reject_repeated(turn_input.client_turn_id)
        is_stop = turn_input.command == "stop" and not isinstance(error, InputError)
        if is_stop and run_id is not None and self._is_stopped(run_id):
            return self._ended(run_id)
        return None

    def _ended(self, run_id: str) -> TurnStream:
        result = self.stored.result(run_id)
        return TurnStream(run_id, _replayed(result), turn_number=result.turn_number)

    def _stop(self, request: TurnRequest, run_id: str) -> TurnStream:
        """Cancel a run's turn in progress, wait for its end, and return the stream of its result.

        Where the turn ended by itself and the run goes on, the stop is executed as a turn of its own.

        Raises:
            InputError: The run is another workflow's.
            TurnInProgressError: The turn does not end within ``_STOP_SECONDS``, or the request is cancelled.
        """
        check_workflow(run_id, self._store.run(run_id).workflow_id, request.workflow_id)
        deadline = time.monotonic() + _STOP_SECONDS
        requested = ""
        while (claimed := (position := self._store.claims.position(run_id)).claimed) is not None:
            if not self._leases.interrupt_expired(run_id) and claimed.claim_id != requested:
                self._leases.request_stop(run_id)
                requested = claimed.claim_id
            if request.cancelled.wait(POLL_SECONDS) or time.monotonic() > deadline:
                raise TurnInProgressError(
                    f"A turn of run {run_id} is being stopped and has not ended yet.",
                    advice="Wait for it to end.",
                )
        if position.turn_count and position.status in TERMINAL_STATUSES:
            return self._ended(run_id)
        return self.execute(request)  # the turn has ended by itself, and the run goes on

    def _repeated(
        self, request: TurnRequest, own: Callable[[], TurnStream]
    ) -> Generator[Event, None, TurnResult]:
        """Wait for the end of a repeated turn, yield its events and return its result.

        Where it is not there any more, the request is executed.

        Args:
            request: The request.
            own: Returns the stream of this generator, which names the run and turn from the first event on.

        Raises:
            TurnInProgressError: The request is cancelled while the turn is being executed.
        """
        while True:
            found = self.stored.find_by_client_turn_id(
                request.turn_input.client_turn_id, request.workflow_id, request.run_id
            )
            if found is None:
                stream = self.execute(request)  # it was abandoned, or its process has ended
                for event in stream:
                    own().run_id, own().turn_number = stream.run_id, stream.turn_number
                    yield event
                return stream.finish()
            if not found.is_in_progress:
                own().run_id, own().turn_number = found.run_id, found.user_turn_number
                return (yield from _replayed(self.stored.result(found.run_id, found.turn_number)))
            if self._leases.interrupt_expired(found.run_id):
                continue
            if request.cancelled.wait(POLL_SECONDS):
                raise TurnInProgressError(
                    f"The turn was sent before and is being executed in run {found.run_id}.",
                    advice="Wait for it to end, or stop the run.",
                )

    def _is_stopped(self, run_id: str) -> bool:
        try:
            return self._store.checkpoint(run_id).status == "cancelled"
        except NotFoundError:
            return False


def _denial(held: HeldClaim) -> DebuggerError:
    """Return why a turn is not executed any further: the store's error, else that its claim has lapsed."""
    return held.failure or ConflictError(
        f"The turn of run {held.claim.run_id} was interrupted: its claim has lapsed.",
        advice="Load the run and continue from its last turn.",
    )


def _is_denied(held: HeldClaim, error: Exception) -> bool:
    """Return whether an error alone would deny what a turn has done.

    Background work that has called nothing is done again by itself.
    """
    if made_calls(held.ledger):
        return True
    return held.claim.user_turn_number is not None and isinstance(error, ConflictError | StoreError)


def _explain_loss(held: HeldClaim, error: Exception) -> TurnNotStoredError:
    """Return the error for a turn that is not stored, with its calls; the log gets the calls, too.

    An error that is no DebuggerError is logged with its traceback.
    """
    calls = made_calls(held.ledger)
    if isinstance(error, ConflictError):
        reason = "Its claim has lapsed: this process had not renewed it in time."
    elif isinstance(error, NotFoundError):
        reason = "The run was deleted meanwhile."
    elif isinstance(error, StoreDisconnectedError):
        reason = f"{error} Should the database have stored it nevertheless, the run shows it."
    elif isinstance(error, DebuggerError):
        reason = str(error)
    else:
        _log.error("a turn broke off", exc_info=error)
        reason = f"It broke off ({type(error).__name__}); the log of the program says more."
    told = turn_not_stored(
        calls, held.claim.claim_id, reason, is_turn=held.claim.user_turn_number is not None
    )
    _log.error("run %s: %s Its calls: %s", held.claim.run_id, told, encode(calls).decode())
    return told


_AGAIN = "It was sent again under the same client turn id, and was not executed again."


def turn_not_stored(
    calls: Sequence[JsonObject], claim_id: str, reason: str, *, is_turn: bool = True
) -> TurnNotStoredError:
    """Return the error for a turn, or background work, that ran and is not on record.

    With calls its advice says that they are made again if it is sent again.
    """
    count = f"{len(calls)} call{'' if len(calls) == 1 else 's'}" if calls else "no call"
    return TurnNotStoredError(
        f"{'The turn' if is_turn else 'Background work'} ran, made {count} and could not be stored.",
        calls=calls,
        claim_id=claim_id,
        advice=f"{reason} If it is sent again, it makes its calls again." if calls else reason,
    )


class _NotClaimedError(ConflictError):
    """The store has rejected a claim for a reason not known yet."""


def _replayed(result: TurnResult) -> Generator[Event, None, TurnResult]:
    yield from result.parsed_events()
    return result
