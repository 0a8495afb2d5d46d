"""Runs read from the store: continued, or searched for a sent turn; and their interpreters."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from debugger.backends.base import FoundTurn
from debugger.backends.embedded.python_consents import PythonPermits
from debugger.engine.background_work import NOTHING_AHEAD, pending_work
from debugger.engine.fork_state import places
from debugger.engine.interpreter import Interpreter
from debugger.engine.state import RunState
from debugger.errors import ConflictError, InputError, NotFoundError, RunEndedError, StaleTurnError
from debugger.protocol.runs import (
    TERMINAL_STATUSES,
    RunSearch,
    RunStatus,
    SentTurn,
    Turn,
    TurnInput,
    TurnResult,
)
from debugger.protocol.turn_logs import number_turns
from debugger.store import ClientTurn, Store

_MAX_INTERPRETERS = 32
FRESH_SECONDS = 1.0
"""Seconds for which an interpreter is used before changes by other processes are looked for again."""


@dataclass(slots=True)
class _Made:
    """A cached interpreter."""

    interpreter: Interpreter
    changed_at: Mapping[str, float]
    """When the workflows in it had been changed, by id, before it was made."""
    looked_at: float
    """When that was last compared, on the monotonic clock."""


class InterpreterCache:
    """Interpreters of the versions that were executed last, made on first use.

    Args:
        make: Makes the interpreter of a workflow's version; returns it with the ids of the stored
            workflows that are in it as super nodes.
        permits: The consents to run a version's Python without a sandbox, looked at each time.
        changed_at: Returns when workflows were last changed, by another process perhaps.
    """

    def __init__(
        self,
        make: Callable[[str, int], tuple[Interpreter, frozenset[str]]],
        permits: PythonPermits,
        changed_at: Callable[[Collection[str]], Mapping[str, float]],
    ) -> None:
        """Begin without interpreters; none is made yet."""
        self._make = make
        self._permits = permits
        self._changed_at = changed_at
        self._made: OrderedDict[tuple[str, int], _Made] = OrderedDict()
        self._changes = 0
        """Calls of `forget`: an interpreter that is made meanwhile may be outdated."""
        self._lock = threading.Lock()

    def get_or_make(self, workflow_id: str, version_number: int) -> Interpreter:
        """Return the interpreter of a version, made if there is none or if a workflow in it has changed.

        The ``_MAX_INTERPRETERS`` used last are kept. With a consent that counts, it may run the version's
        Python.
        """
        key = (workflow_id, version_number)
        with self._lock:
            made, changes = self._made.get(key), self._changes
            if made is not None:
                self._made.move_to_end(key)
        if made is None or self._is_outdated(made):
            made = self._new(workflow_id, version_number)
            with self._lock:
                self._made.pop(key, None)
                if self._changes == changes:
                    self._made[key] = made
                while len(self._made) > _MAX_INTERPRETERS:
                    self._made.popitem(last=False)
        if self._permits.are_used:
            return self._permits.permit(workflow_id, version_number, made.interpreter)
        return made.interpreter

    def forget(self, workflow_id: str) -> None:
        """Drop a workflow's interpreters, and those of workflows that contain it.

        One that is being made meanwhile is not kept.
        """
        with self._lock:
            self._changes += 1
            for key in [key for key, made in self._made.items() if workflow_id in made.changed_at]:
                del self._made[key]

    def _new(self, workflow_id: str, version_number: int) -> _Made:
        """Make an interpreter, with the times at which its workflows had been changed.

        It is made twice where the version has nested workflows, so that a change meanwhile is noticed.
        """
        changed_at, looked_at = self._changed_at({workflow_id}), time.monotonic()
        interpreter, inner = self._make(workflow_id, version_number)
        if inner:  # known only now: a change between its reading and this one would not be noticed
            changed_at = self._changed_at({workflow_id, *inner})
            interpreter, _ = self._make(workflow_id, version_number)
        return _Made(interpreter, changed_at, looked_at)

    def _is_outdated(self, made: _Made) -> bool:
        """Return whether a workflow in an interpreter has been changed since it was made.

        It is compared again after `FRESH_SECONDS` only; until then the answer is no.
        """
        now = time.monotonic()
        if now - made.looked_at <= FRESH_SECONDS:
            return False
        made.looked_at = now
        return self._changed_at(made.changed_at) != made.changed_at


@dataclass(slots=True)
class LoadedRun:
    """A run that can be continued."""

    run_id: str
    workflow_id: str
    version_number: int
    version_name: str | None
    """Known of a new run."""
    pair_number: int
    """The number of the input/output pair that its record gets next, from 1."""
    interpreter: Interpreter
    state: RunState
    status: RunStatus
    is_new: bool = False
    """It has no row in the store yet."""
    workflow_name: str | None = None
    """The name of the workflow, known of a new run."""
    has_unfinished: bool = False
    """It has an interrupted turn."""


def resume_run(
    store: Store,
    interpreters: InterpreterCache,
    workflow_id: str,
    run_id: str,
    expected_turn_number: int | None = None,
) -> LoadedRun:
    """Open a run after its last finished turn.

    Raises:
        NotFoundError: There is no such run, or it has no finished turn.
        InputError: It is another workflow's.
        StaleTurnError: Its next turn has another number than the caller expects.
        RunEndedError: It is over.
    """
    checkpoint = store.checkpoint(run_id)
    check_workflow(run_id, checkpoint.workflow_id, workflow_id)
    state = RunState.from_json(checkpoint.checkpoint)
    if expected_turn_number not in (None, state.turn_number + 1):
        raise _stale_turn(run_id, expected_turn_number or 0, state.turn_number)
    if checkpoint.status in TERMINAL_STATUSES:
        raise run_ended(run_id, checkpoint.status)
    return LoadedRun(
        run_id,
        workflow_id,
        checkpoint.version_number,
        None,
        checkpoint.turn_number + 1,
        interpreters.get_or_make(workflow_id, checkpoint.version_number),
        state,
        checkpoint.status,
        has_unfinished=bool(checkpoint.has_unfinished),
    )


def check_workflow(run_id: str, own_id: str, workflow_id: str) -> None:
    """Reject a turn that is sent to another workflow than the run's.

    Raises:
        InputError: It is.
    """
    if own_id != workflow_id:
        raise InputError(
            f"Run {run_id} belongs to the workflow {own_id}, not to {workflow_id}.",
            advice="Send the turn to the run's own workflow.",
        )


def reject_missing_nodes(opened: LoadedRun) -> None:
    """Reject a run at a node that its version no longer has.

    Raises:
        ConflictError: The version has another graph.
    """
    nodes = opened.interpreter.graph.nodes
    threads = opened.state.active_threads
    lost = [node_id for thread in threads for node_id in places(thread) if node_id not in nodes]
    if lost:
        raise ConflictError(
            f"Run {opened.run_id} is at the node {lost[0]!r} or returns to it, and its version does not have "
            "it any more.",
            advice="Run the turn again in another run, or stop this one.",
        )


def run_ended(run_id: str, status: RunStatus) -> RunEndedError:
    """Return the error for a turn of a run that has ended."""
    return RunEndedError(
        f"Run {run_id} has ended ({status}) and takes no further turn.", advice="Start a new run."
    )


def _stale_turn(run_id: str, expected: int, last: int) -> StaleTurnError:
    """Return the error for a turn whose expected number is not the one after the run's last turn.

    Args:
        run_id: The run.
        expected: The number that the client expects its next turn to get.
        last: The number of the run's last turn.
    """
    if expected > last:
        turns = "1 turn" if last == 1 else f"{last} turns"
        message = f"Run {run_id} has {turns}, and this client expects its next turn to be {expected}."
    elif expected == last:
        message = f"Run {run_id} has turn {last} that this client has not seen."
    else:
        message = f"Run {run_id} has turns {expected} to {last} that this client has not seen."
    return StaleTurnError(message, turn_number=last, advice="Load the run and decide whether to send again.")


_MAX_CANDIDATES = 20
"""Runs among which a first turn without a client turn id is searched."""
_CLOCK_SECONDS = 1.0
"""How much earlier than the turn was sent its run may have been created, by clocks that differ."""


class StoredTurns:
    """Reads results of stored turns."""

    def __init__(self, store: Store, interpreters: InterpreterCache) -> None:
        self._store = store
        self._interpreters = interpreters

    def result(self, run_id: str, pair_number: int | None = None) -> TurnResult:
        """Return the result of a stored turn, without events no record has.

        It has an error only where the run failed, and a hint only where it waits for input. It tells of no
        background work where the version or its node is not there any more.

        Args:
            run_id: The run.
            pair_number: The number of the pair in the record; the last one by default.

        Raises:
            NotFoundError: There is no such run or pair.
        """
        checkpoint = self._store.checkpoint(run_id, pair_number)
        events = self._store.pair(run_id, checkpoint.turn_number).run_output.events
        state, status = RunState.from_json(checkpoint.checkpoint), checkpoint.status
        outlook = NOTHING_AHEAD
        if status in ("waiting_for_user_input", "running"):
            with suppress(NotFoundError):  # the version or its node is not there any more
                number = checkpoint.version_number
                interpreter = self._interpreters.get_or_make(checkpoint.workflow_id, number)
                outlook = pending_work(interpreter.routes, state)
        errors = [event.get("error_message") for event in events if event.get("type") == "workflow_error"]
        is_waiting = status == "waiting_for_user_input"
        return TurnResult(
            run_id=run_id,
            status=status,
            turn_number=state.turn_number,
            events=events,
            is_waiting_for_input=is_waiting,
            is_completed=status in TERMINAL_STATUSES,
            error=errors[-1] if errors and status == "failed" else None,
            next_input_hint=state.hint if is_waiting else None,
            has_active_companions=outlook.companions,
            has_background_work=outlook.work,
            next_due=outlook.next_due,
            record_length=checkpoint.turn_number,
        )

    def find_by_client_turn_id(
        self, client_turn_id: str | None, workflow_id: str, run_id: str | None
    ) -> ClientTurn | None:
        """Return the turn that has a client turn id already; ``None`` where no turn has it.

        Args:
            client_turn_id: The id; ``None`` finds nothing.
            workflow_id: The workflow that the turn is sent to.
            run_id: The run that it is sent to; ``None`` of a first turn.

        Raises:
            ConflictError: The id was sent before, with another workflow or run.
        """
        found = self._store.claims.find(client_turn_id) if client_turn_id else None
        if found is None:
            return None
        fits = found.run_id == run_id if run_id is not None else found.turn_number == 1
        if not fits or found.workflow_id != workflow_id:
            raise ConflictError(
                f"The client turn id {client_turn_id!r} names turn {found.turn_number} of run {found.run_id} "
                "already.",
                advice="Give every turn an id of its own.",
            )
        return found

    def search(self, workflow_id: str, sent: SentTurn) -> FoundTurn:
        """Search a turn by client turn id, else by number and text.

        See `Backend.find_turn`.

        Raises:
            ConflictError: The id was sent before, with another workflow or run.
            NotFoundError: There is no such run.
        """
        client_turn_id, run_id = sent.turn_input.client_turn_id, sent.run_id
        named = self.find_by_client_turn_id(client_turn_id, workflow_id, run_id)
        if named is not None:
            found = self._found(named.run_id, named.turn_number, is_in_progress=named.is_in_progress)
        elif run_id is None:
            found = FoundTurn("absent") if client_turn_id else self._first_by_text(workflow_id, sent)
        else:
            found = FoundTurn("absent", run_id=run_id) if client_turn_id else self._by_number(run_id, sent)
        if found.run_id is None:
            return found
        last = 0
        if self._store.claims.position(found.run_id).turn_count:
            last = RunState.from_json(self._store.checkpoint(found.run_id).checkpoint).turn_number
        newer = last - (sent.turn_number or 1) + (found.state != "finished")
        return replace(found, newer_turns=max(newer, 0))

    def _by_number(self, run_id: str, sent: SentTurn) -> FoundTurn:
        """Return the turn with the number and text of a sent one, finished or running; else absent.

        Turns of the user alone are compared; without an expected number none fits. Raises NotFoundError where
        there is no such run.
        """
        pairs = self._store.run(run_id).input_output_pairs
        for place, (pair, log) in enumerate(number_turns(pairs), start=1):
            is_turn = log is not None and not log.is_background and log.number == sent.turn_number
            if is_turn and _text(pair) == sent.turn_input.message:
                return self._found(run_id, place, is_in_progress=pair.is_in_progress)
        return FoundTurn("absent", run_id=run_id)

    def _first_by_text(self, workflow_id: str, sent: SentTurn) -> FoundTurn:
        """Return the first turn with a sent text among runs created since it was sent, forks left out.

        It is absent where none fits, and ambiguous where several do. Only the ``_MAX_CANDIDATES`` newest runs
        of the workflow are searched.
        """
        since = RunSearch(since=datetime.fromtimestamp(sent.sent_at - _CLOCK_SECONDS, UTC))
        rows = self._store.runs(workflow_id, size=_MAX_CANDIDATES, search=since).rows
        runs = [self._store.run(row.workflow_run_id) for row in rows]
        fitting = [
            run
            for run in runs
            if not run.source_workflow_run_id
            and run.input_output_pairs
            and _text(run.input_output_pairs[0]) == sent.turn_input.message
        ]
        if len(fitting) != 1:
            return FoundTurn("ambiguous" if fitting else "absent")
        [run] = fitting
        is_in_progress = run.input_output_pairs[0].is_in_progress
        return self._found(run.workflow_run_id, 1, is_in_progress=is_in_progress)

    def _found(self, run_id: str, pair_number: int, *, is_in_progress: bool) -> FoundTurn:
        if is_in_progress:
            return FoundTurn("running", run_id=run_id)
        return FoundTurn("finished", self.result(run_id, pair_number), run_id)


def _text(pair: Turn) -> str:
    return TurnInput.from_record(pair.run_input).message
