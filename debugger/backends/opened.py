"""A run as a turn or its background work finds it: begun just now, or read back from the store."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.backends.interpreters import Interpreters
from debugger.engine.interpreter import Interpreter
from debugger.engine.state import RunState
from debugger.errors import ConflictError, InputError, RunEndedError
from debugger.protocol.runs import TERMINAL_STATUSES, TurnInput
from debugger.store import Store


@dataclass(slots=True)
class OpenedRun:
    """A run that can be gone on with."""

    run_id: str
    workflow_id: str
    version_number: int
    version_name: str | None
    """Known of a run that begins."""
    pair_number: int
    """The number of the input/output pair that its record gets next, from 1."""
    interpreter: Interpreter
    state: RunState


def begin_run(
    store: Store,
    interpreters: Interpreters,
    workflow_id: str,
    turn_input: TurnInput,
    version_number: int | None,
    run_id: str,
) -> OpenedRun:
    """A new run, under an id that is not taken yet.

    Raises:
        NotFoundError: There is no such workflow or version.
        NotStartableError: The workflow has no start node.
        InputError: The input says where to begin, and that cannot be used.
    """
    number, name = store.starting_version(workflow_id, _wanted_version(turn_input, version_number))
    interpreter = interpreters.of(workflow_id, number)
    return OpenedRun(run_id, workflow_id, number, name, 1, interpreter, interpreter.begin(turn_input))


def resume_run(store: Store, interpreters: Interpreters, workflow_id: str, run_id: str) -> OpenedRun:
    """A run as it stands.

    Raises:
        NotFoundError: There is no such run.
        InputError: It is another workflow's.
        RunEndedError: It is over.
    """
    checkpoint = store.checkpoint(run_id)
    if checkpoint.workflow_id != workflow_id:
        raise InputError(
            f"Run {run_id} belongs to the workflow {checkpoint.workflow_id}, not to {workflow_id}.",
            advice="Send the turn to the run's own workflow.",
        )
    if checkpoint.status in TERMINAL_STATUSES:
        raise RunEndedError(
            f"Run {run_id} is over ({checkpoint.status}) and takes no further turn.",
            advice="Begin a new run.",
        )
    return OpenedRun(
        run_id,
        workflow_id,
        checkpoint.version_number,
        None,
        checkpoint.turn_number + 1,
        interpreters.of(workflow_id, checkpoint.version_number),
        RunState.from_json(checkpoint.checkpoint),
    )


def refuse_lost(opened: OpenedRun) -> None:
    """Refuse to go on with a run that stands where its version has no node any more.

    Raises:
        ConflictError: It does: somebody has given the version another graph.
    """
    nodes = opened.interpreter.graph.nodes
    lost = [thread.position for thread in opened.state.active_threads if thread.position not in nodes]
    if lost:
        raise ConflictError(
            f"Run {opened.run_id} stands at the node {lost[0]!r}, which its version does not have any more.",
            advice="Take the turn again in another run, or stop this one.",
        )


def _wanted_version(turn_input: TurnInput, version_number: int | None) -> int | None:
    """The version that a run is asked to begin with; ``None`` for the active one.

    The caller's; else a number other than 0 in the run input, since 0 may mean there that none was chosen.

    Source: ``platform/wire.md`` 2.5.
    """
    return version_number if version_number is not None else turn_input.version_number or None
