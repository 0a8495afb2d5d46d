"""The routes that go on with a run: by a turn, or by its background work (``platform/wire.md`` section 2)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fastapi import APIRouter, Depends

from debugger.backends.base import TurnStream
from debugger.errors import NotFoundError, RunEndedError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject, is_id
from debugger.protocol.runs import ExecuteRequest, TurnInput
from debugger.server.body import JsonBody, read_fields, read_object, unusable
from debugger.server.parameters import AskedVersion, RunId, ServedBackend, TurnsUnderWay, WorkflowId
from debugger.server.reply import JsonReply
from debugger.server.running import RunningTurns
from debugger.server.secret_variables import without_secrets

router = APIRouter()


@router.post(urls.EXECUTE)
def execute(
    workflow_id: WorkflowId,
    body: JsonBody,
    backend: ServedBackend,
    running: TurnsUnderWay,
    version: AskedVersion = None,
) -> JsonReply:
    """Run one turn and answer when it is over. A turn under way is stopped by the command ``stop``."""
    turn_input, run_id = read_request(body)
    # A typed client sends 0 for "not set" too (wire.md 2.5); of a workflow that has no other version, 0 is
    # the active one anyway.
    wanted = version if version is not None else turn_input.version_number or None
    if turn_input.command == "stop" and run_id is not None:
        stopped = running.stop(run_id)
        if stopped is not None and stopped.is_completed:
            return JsonReply(stopped.to_wire())
    return _answered(
        running,
        run_id,
        lambda cancelled: backend.execute(
            workflow_id, turn_input, run_id=run_id, version_number=wanted, cancelled=cancelled
        ),
    )


@router.post(urls.PUMP, dependencies=[Depends(read_object)])
def pump_companions(
    workflow_id: WorkflowId, run_id: RunId, backend: ServedBackend, running: TurnsUnderWay
) -> JsonReply:
    """Advance a run's background work, and answer like a turn. Nothing that the body may hold is needed."""
    return _answered(
        running, run_id, lambda cancelled: backend.pump(workflow_id, run_id, cancelled=cancelled)
    )


def _answered(
    running: RunningTurns, run_id: str | None, begin: Callable[[threading.Event], TurnStream]
) -> JsonReply:
    """The answer once everything has happened; a run that is not there counts as an ended session."""
    try:
        with running.turn(run_id) as turn:
            turn.result = begin(turn.cancelled).finish()
    except NotFoundError as error:
        if run_id is None:
            raise
        raise RunEndedError(error.message) from error
    return JsonReply(turn.result.to_wire())


def read_request(body: JsonObject) -> tuple[TurnInput, str | None]:
    """The input of the turn, and the run to go on with.

    Raises:
        RequestValidationError: A field is missing or has a value that it cannot have.
    """
    request = read_fields(ExecuteRequest, body)
    if request.run_id is not None and not is_id(request.run_id):
        raise unusable("string_pattern_mismatch", "A run id is 24 lower-case hex digits", "run_id")
    return TurnInput.from_wire(without_secrets(body["run_input"])), request.run_id
