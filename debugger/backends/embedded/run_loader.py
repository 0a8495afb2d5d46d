"""Runs loaded for a turn or for background work, and their interpreters."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from debugger.backends.embedded.python_consents import PythonPermits
from debugger.engine.interpreter import Interpreter
from debugger.engine.state import RunState
from debugger.errors import ConflictError, InputError, RunEndedError, StaleTurnError
from debugger.protocol.runs import TERMINAL_STATUSES, RunStatus
from debugger.store import Store

_MAX_INTERPRETERS = 32


class InterpreterCache:
    """Interpreters of the versions that were executed last, made on first use.

    Args:
        make: Makes the interpreter of a workflow's version; returns it with the ids of the stored
            workflows that are in it as super nodes.
        permits: The consents to run a version's Python without a sandbox, looked at each time.
    """

    def __init__(
        self, make: Callable[[str, int], tuple[Interpreter, frozenset[str]]], permits: PythonPermits
    ) -> None:
        self._make = make
        self._permits = permits
        self._made: OrderedDict[tuple[str, int], tuple[Interpreter, frozenset[str]]] = OrderedDict()
        self._lock = threading.Lock()

    def get_or_make(self, workflow_id: str, version_number: int) -> Interpreter:
        """Return the interpreter of a version, made if there is none yet."""
        key = (workflow_id, version_number)
        with self._lock:
            made = self._made.get(key)
            if made is not None:
                self._made.move_to_end(key)
        if made is None:
            made = self._make(workflow_id, version_number)
            with self._lock:
                self._made[key] = made
                while len(self._made) > _MAX_INTERPRETERS:
                    self._made.popitem(last=False)
        if self._permits.are_used:
            return self._permits.permit(workflow_id, version_number, made[0])
        return made[0]

    def forget(self, workflow_id: str) -> None:
        """Drop a workflow's interpreters, and those of workflows that contain it."""
        with self._lock:
            for key in [key for key, made in self._made.items() if workflow_id in (key[0], *made[1])]:
                del self._made[key]


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
    lost = [thread.position for thread in opened.state.active_threads if thread.position not in nodes]
    if lost:
        raise ConflictError(
            f"Run {opened.run_id} is at the node {lost[0]!r}, which its version does not have any more.",
            advice="Run the turn again in another run, or stop this one.",
        )


def run_ended(run_id: str, status: RunStatus) -> RunEndedError:
    """Return the error for a turn of a run that has ended."""
    return RunEndedError(
        f"Run {run_id} has ended ({status}) and takes no further turn.", advice="Start a new run."
    )


def _stale_turn(run_id: str, expected: int, last: int) -> StaleTurnError:
    if expected > last:
        message = f"Run {run_id} has {last} turns, and this client expects its next turn to be {expected}."
    elif expected == last:
        message = f"Run {run_id} has turn {last} that this client has not seen."
    else:
        message = f"Run {run_id} has turns {expected} to {last} that this client has not seen."
    return StaleTurnError(message, turn_number=last, advice="Load the run and decide whether to send again.")
