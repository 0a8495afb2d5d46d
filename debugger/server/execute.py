"""The route that runs one turn (``platform/wire.md`` section 2)."""

from __future__ import annotations

from fastapi import APIRouter

from debugger.errors import NotFoundError, RunEndedError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject, is_id
from debugger.protocol.runs import ExecuteRequest, TurnInput
from debugger.server.body import JsonBody, read_fields, unusable
from debugger.server.parameters import AskedVersion, ServedBackend, TurnsUnderWay, WorkflowId
from debugger.server.reply import JsonReply
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
    try:
        with running.turn(run_id) as turn:
            stream = backend.execute(
                workflow_id, turn_input, run_id=run_id, version_number=wanted, cancelled=turn.cancelled
            )
            turn.result = stream.finish()
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
