"""The routes that go on with a run: by a turn, or by its background work (``platform/wire.md`` section 2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from fastapi import APIRouter, Request

from debugger.backends.base import TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import NotFoundError, RunEndedError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject, is_id, set_wire
from debugger.protocol.runs import ExecuteRequest, TurnInput, TurnResult, requested_version
from debugger.server.access import caller_of
from debugger.server.answers.runs import RunAnswer
from debugger.server.audit import name_target
from debugger.server.body import JsonBody, read_fields, unusable
from debugger.server.metrics import Metrics
from debugger.server.operations import described
from debugger.server.parameters import AskedVersion, ExpectedTurn, RunId, WorkflowId
from debugger.server.records import read_remarks
from debugger.server.reply import JsonReply
from debugger.server.secret_variables import without_secrets
from debugger.server.services import Services, services_of
from debugger.server.shapes.runs import run_answer
from debugger.server.turn_limiter import QueueFullError

router = APIRouter()


@router.post(urls.EXECUTE)
@described(TurnResult, takes=ExecuteRequest, refuses=(400, 409, 429, 500))
async def execute(
    request: Request,
    workflow_id: WorkflowId,
    body: JsonBody,
    version: AskedVersion = None,
    expected_turn_number: ExpectedTurn = None,
) -> JsonReply:
    """Execute one turn and answer when it is over.

    A turn is identified by its run, its number and ``run_input.miscellaneous.client_turn_id``: a request with
    an id that was sent before gets the answer of the first one, and executes nothing. The command ``stop``
    cancels the turn that is being executed, whichever server executes it. 409 names its ``reason``: the run
    has newer turns than ``X-Expected-Turn-Number`` says, or another turn of the run is being executed.
    """
    reply = await _on_thread(
        request, body, lambda services: _execute(services, workflow_id, body, version, expected_turn_number)
    )
    name_target(request.scope, reply.run_id)
    return reply


@router.post(urls.RUNS)
@described(RunAnswer, takes=TurnInput, refuses=(400, 404, 409, 429, 500))
async def start_or_resume(
    request: Request, body: JsonBody, expected_turn_number: ExpectedTurn = None
) -> JsonReply:
    """The older way to run a turn: a bare run input, answered with the run's record (2.9)."""
    reply = await _on_thread(
        request, body, lambda services: _start_or_resume(services, body, expected_turn_number)
    )
    name_target(request.scope, reply.run_id)
    return reply


@router.post(urls.PUMP)
@described(TurnResult, takes=JsonObject, refuses=(400, 409, 500))
async def pump_companions(
    request: Request, body: JsonBody, workflow_id: WorkflowId, run_id: RunId
) -> JsonReply:
    """Advance a run's background work, and answer like a turn. Nothing that the body may hold is needed."""
    return await _on_thread(request, body, lambda services: _pump(services, workflow_id, run_id))


async def _on_thread(request: Request, body: JsonObject, work: Callable[[Services], JsonReply]) -> JsonReply:
    """Call a function that executes a turn on a thread for turns."""
    services = services_of(request.scope)
    try:
        return await services.turns.run(
            caller_of(request.scope).key_id, lambda: work(services), is_stop=_stops(body)
        )
    except QueueFullError:
        services.metrics.refuse_turn()
        raise


def _stops(body: JsonObject) -> bool:
    turn_input = body.get("run_input", body)
    return isinstance(turn_input, dict) and turn_input.get("command") == "stop"


def _execute(
    services: Services,
    workflow_id: str,
    body: JsonObject,
    version: int | None,
    expected_turn_number: int | None,
) -> JsonReply:
    turn_input, run_id = read_request(body)
    result = run_turn(services, workflow_id, turn_input, run_id, version, expected_turn_number)
    return _reply(result.run_id, result.to_wire())


def _start_or_resume(services: Services, body: JsonObject, expected_turn_number: int | None) -> JsonReply:
    turn_input = TurnInput.from_wire(without_secrets(body))
    workflow_id, run_id = turn_input.workflow_id, turn_input.workflow_run_id
    if workflow_id is None:
        raise unusable("missing", "Field required", "workflow_id")
    checked_id = _checked(workflow_id, "workflow_id")
    result = run_turn(services, checked_id, turn_input, _run(run_id), None, expected_turn_number)
    record = run_answer(services.backend.run(result.run_id), read_remarks(services.backend, result.run_id))
    return _reply(result.run_id, record)


def _reply(run_id: str, content: JsonObject) -> JsonReply:
    reply = JsonReply(content)
    reply.run_id = run_id
    return reply


def _pump(services: Services, workflow_id: str, run_id: str) -> JsonReply:
    result = _finished(
        services.metrics, run_id, lambda: services.backend.pump(workflow_id, run_id), nullcontext()
    )
    return JsonReply(result.to_wire())


def run_turn(
    services: Services,
    workflow_id: str,
    turn_input: TurnInput,
    run_id: str | None,
    version: int | None,
    expected_turn_number: int | None,
) -> TurnResult:
    """Execute one turn to its end, the first of a new run unless a run is named.

    Args:
        services: The services of the app.
        workflow_id: The workflow.
        turn_input: The input of the turn.
        run_id: The run to continue; one that is not there counts as an ended session.
        version: The version that the caller names beside the input.
        expected_turn_number: The number that the caller expects the turn to get; ``None`` accepts any.
    """
    # A typed client sends 0 for "not set" too (wire.md 2.5); of a workflow that has no other version, 0 is
    # the active one anyway.
    return _finished(
        services.metrics,
        run_id,
        lambda: services.backend.execute(
            workflow_id,
            turn_input,
            run_id=run_id,
            expected_turn_number=expected_turn_number,
            version_number=requested_version(version, turn_input),
        ),
        _admitted(services, workflow_id, turn_input) if run_id is None else nullcontext(),
    )


def read_request(body: JsonObject) -> tuple[TurnInput, str | None]:
    """The input of the turn, and the run to go on with.

    Raises:
        RequestValidationError: A field is missing or has a value that it cannot have.
    """
    if isinstance(body.get("run_input"), dict):
        body = {**body, "run_input": without_secrets(body["run_input"])}
    request = read_fields(ExecuteRequest, body)
    set_wire(request.run_input, body["run_input"])  # as `from_wire` does, which would look at it once more
    return request.run_input, _run(request.run_id)


def _finished(
    metrics: Metrics,
    run_id: str | None,
    begin: Callable[[], TurnStream],
    admitted: AbstractContextManager[None],
) -> TurnResult:
    """Return the result once everything has happened; a run that is not there counts as an ended session."""
    try:
        # In this order: a turn that is not admitted is counted as one that is refused.
        with metrics.turn() as turn:
            with admitted:
                stream = begin()
            turn.result = stream.finish()
    except NotFoundError as error:
        if run_id is None:
            raise
        raise RunEndedError(error.message) from error
    return turn.result


def _admitted(services: Services, workflow_id: str, turn_input: TurnInput) -> AbstractContextManager[None]:
    if isinstance(services.backend, EmbeddedBackend):
        return services.admission.of(services.backend, workflow_id, turn_input.client_turn_id)
    return nullcontext()


def _run(run_id: str | None) -> str | None:
    return run_id if run_id is None else _checked(run_id, "run_id")


def _checked(text: str, place: str) -> str:
    if not is_id(text):
        raise unusable("string_pattern_mismatch", "An id is 24 lower-case hex digits", place)
    return text
