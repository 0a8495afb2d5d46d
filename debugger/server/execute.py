"""Execution of turns and of background work over HTTP (``platform.md#execute``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Request

from debugger.backends.base import TurnStream
from debugger.errors import NotFoundError, RunEndedError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject, is_id, without_secret_variables
from debugger.protocol.runs import ExecuteRequest, TurnInput, TurnResult, requested_version
from debugger.server.audit import set_audit_target
from debugger.server.auth import principal_of
from debugger.server.body import AnyBody, body_error, json_body, validate
from debugger.server.dependencies import ExpectedTurn, RunId, VersionQuery, WorkflowId
from debugger.server.responses import RawJsonResponse
from debugger.server.run_records import RunAnswer, read_feedback, run_answer
from debugger.server.services import Services, services_of

router = APIRouter(tags=["turns"])

_EXAMPLE = {"run_input": {"command": "start", "miscellaneous": {"client_turn_id": "turn-1"}}}


@router.post(urls.EXECUTE, response_model=TurnResult, responses={400: {}, 409: {}, 429: {}, 500: {}})
async def execute(
    request: Request,
    workflow_id: WorkflowId,
    body: Annotated[JsonObject, json_body(ExecuteRequest, _EXAMPLE)],
    version: VersionQuery = None,
    expected_turn_number: ExpectedTurn = None,
) -> RawJsonResponse:
    """Execute a turn, and respond when it has finished.

    A turn is identified by its run, its number and ``run_input.miscellaneous.client_turn_id``: a request with
    an id that was sent before gets the response of the first one, and executes nothing. The command ``stop``
    cancels the turn that is being executed, whichever server executes it. 409 has a ``reason``: the run has
    newer turns than ``X-Expected-Turn-Number`` says (``stale_turn``), or another turn of the run is being
    executed (``turn_in_progress``): nothing was executed. With ``turn_not_stored`` the turn ran, made the
    ``calls`` that are listed, and is not on record: under its id it is not executed again, under a new id it
    makes its calls again.

    Raises:
        RequestValidationError: The body or an id in it is not valid.
        InputError: The input cannot be used.
        NotFoundError: There is no such workflow or version, without a run.
        RunEndedError: There is no such run, or it is over.
        ConflictError: Nothing was executed: the turn does not fit the run, or another one is being executed.
        TurnNotStoredError: The turn ran, and is not on record.
        RateLimitError: The limit of the workflow or of the key is reached.
    """

    def run(services: Services) -> RawJsonResponse:
        turn_input, run_id = read_request(body)
        result = _execute(services, workflow_id, turn_input, run_id, version, expected_turn_number)
        return _response(result.run_id, result.to_wire())

    return await _run_on_thread(request, body.get("run_input"), run)


@router.post(urls.RUNS, response_model=RunAnswer, responses={400: {}, 404: {}, 409: {}, 429: {}, 500: {}})
async def start_or_resume(
    request: Request,
    body: Annotated[JsonObject, json_body(TurnInput)],
    expected_turn_number: ExpectedTurn = None,
) -> RawJsonResponse:
    """Execute a turn in the older way.

    The body is a bare run input, and the response the run's record (``platform.md#execute-answer``).

    Raises:
        RequestValidationError: A field is not valid, or the id of the workflow is missing.
        InputError: The run input has a value that it cannot have.
        NotFoundError: There is no such workflow.
        RunEndedError: There is no such run, or it is over.
        ConflictError: The turn does not fit the state of the run, or another one is being executed.
        RateLimitError: The limit of the workflow or of the key is reached.
    """

    def run(services: Services) -> RawJsonResponse:
        """Execute the turn in the body, and return the run's record.

        Raises RequestValidationError when an id is malformed or the workflow's is missing; else as
        `_execute`.
        """
        turn_input = TurnInput.from_wire(without_secret_variables(body))
        if turn_input.workflow_id is None:
            raise body_error("missing", "Field required", "workflow_id")
        workflow_id = _checked(turn_input.workflow_id, "workflow_id")
        run_id = _checked_run(turn_input.workflow_run_id)
        result = _execute(services, workflow_id, turn_input, run_id, None, expected_turn_number)
        backend = services.backend
        record = run_answer(backend.run(result.run_id), read_feedback(backend, result.run_id))
        return _response(result.run_id, record)

    return await _run_on_thread(request, body, run)


@router.post(urls.PUMP, response_model=TurnResult, responses={400: {}, 409: {}, 500: {}})
async def pump_companions(
    request: Request, workflow_id: WorkflowId, run_id: RunId, body: AnyBody
) -> RawJsonResponse:
    """Advance the background work of a run.

    The response is that of a turn; the body is not used.

    Raises:
        RunEndedError: There is no such run or workflow, or the run is over.
        TurnInProgressError: A turn of the run, or another step, is being executed.
        InputError: The run is of another workflow.
        RateLimitError: Too many turns of the key are waiting.
    """

    def run(services: Services) -> RawJsonResponse:
        result = _finish(services, run_id, lambda: services.backend.pump(workflow_id, run_id))
        return RawJsonResponse(result.to_wire())

    return await _run_on_thread(request, None, run)


async def _run_on_thread(
    request: Request, turn_input: object, work: Callable[[Services], RawJsonResponse]
) -> RawJsonResponse:
    """Return the response of work that is called on a thread for turns.

    An input with the command ``stop`` uses the threads of stops. The run of the response is the target of the
    audit entry. Raises QueueFullError when too many turns of the key wait; errors of the work leave
    unchanged.
    """
    services = services_of(request.scope)
    is_stop = isinstance(turn_input, dict) and turn_input.get("command") == "stop"
    key_id = principal_of(request.scope).key_id
    response = await services.run_turn(key_id, lambda: work(services), is_stop=is_stop)
    set_audit_target(request.scope, response.run_id)
    return response


def _response(run_id: str, content: object) -> RawJsonResponse:
    response = RawJsonResponse(content)
    response.run_id = run_id
    return response


def read_request(body: JsonObject) -> tuple[TurnInput, str | None]:
    """Return the input of a turn, and the run to continue; ``None`` for a new one.

    Secret variables of the input are left out.

    Raises:
        RequestValidationError: A field is missing or has a value that it cannot have.
    """
    if isinstance(body.get("run_input"), dict):
        body = {**body, "run_input": without_secret_variables(body["run_input"])}
    request = validate(ExecuteRequest, body)
    request.run_input.with_wire(body["run_input"])  # `from_wire` would validate it again
    return request.run_input, _checked_run(request.run_id)


def _execute(
    services: Services,
    workflow_id: str,
    turn_input: TurnInput,
    run_id: str | None,
    version: int | None,
    expected_turn_number: int | None,
) -> TurnResult:
    """Execute a turn to its end, in a new run without a run id; return its result.

    Raises RunEndedError for an unknown run, NotFoundError for an unknown workflow or version of a new run,
    and RateLimitError when the workflow's limit on active runs is reached; else as `Backend.execute`.
    """
    execute: Callable[..., TurnStream] = services.begin_run if run_id is None else services.backend.execute
    return _finish(
        services,
        run_id,
        lambda: execute(
            workflow_id,
            turn_input,
            run_id=run_id,
            expected_turn_number=expected_turn_number,
            version_number=requested_version(version, turn_input),
        ),
    )


def _finish(services: Services, run_id: str | None, begin: Callable[[], TurnStream]) -> TurnResult:
    """Execute a turn to its end, and count it.

    A run that does not exist counts as an ended session: a NotFoundError is raised as a RunEndedError, unless
    the turn starts a run.
    """
    try:
        with services.metrics.turn() as turn:  # counts a run beyond the limit as a refused turn
            turn.result = begin().finish()
    except NotFoundError as error:
        if run_id is None:
            raise
        raise RunEndedError(error.message) from error
    return turn.result


def _checked_run(run_id: str | None) -> str | None:
    return run_id if run_id is None else _checked(run_id, "run_id")


def _checked(text: str, place: str) -> str:
    if not is_id(text):
        raise body_error("string_pattern_mismatch", "An id is 24 lower-case hex digits", place)
    return text
