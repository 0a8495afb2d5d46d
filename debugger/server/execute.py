"""The routes that go on with a run: by a turn, or by its background work (``platform/wire.md`` section 2)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request

from debugger.backends.base import Backend, TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import NotFoundError, RunEndedError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject, is_id, set_wire
from debugger.protocol.runs import ExecuteRequest, TurnInput, TurnResult
from debugger.server.body import read_fields, read_object, unusable
from debugger.server.concurrency import Admission, admission_of
from debugger.server.parameters import AskedVersion, RunId, WorkflowId, served_backend, turns_under_way
from debugger.server.records import read_remarks
from debugger.server.reply import JsonReply
from debugger.server.running import RunningTurns
from debugger.server.secret_variables import without_secrets
from debugger.server.shapes.runs import run_answer
from debugger.server.turn_threads import MOST

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Desk:
    """What runs turns."""

    backend: Backend
    running: RunningTurns
    """The turns under way."""
    admission: Admission
    """Lets runs begin."""

    async def run(self, work: Callable[..., JsonReply], *args: Any) -> JsonReply:
        """Run a turn on a thread."""
        at_once = self.backend.store.turns_at_once if isinstance(self.backend, EmbeddedBackend) else MOST
        return await self.running.threads.run(at_once, work, self, *args)


async def desk_of(request: Request) -> Desk:
    """What runs the turn of a request.

    Asked for here and not as parameters of the routes: each would cost a tenth of a short turn.
    """
    return Desk(await served_backend(request), await turns_under_way(request), await admission_of(request))


@router.post(urls.EXECUTE)
async def execute(request: Request, workflow_id: WorkflowId, version: AskedVersion = None) -> JsonReply:
    """Run one turn and answer when it is over. A turn under way is stopped by the command ``stop``."""
    body = await read_object(request)
    return await (await desk_of(request)).run(_execute, workflow_id, body, version)


@router.post(urls.RUNS)
async def start_or_resume(request: Request) -> JsonReply:
    """The older way to run a turn: a bare run input, answered with the run's record (2.9)."""
    body = await read_object(request)
    return await (await desk_of(request)).run(_start_or_resume, body)


@router.post(urls.PUMP)
async def pump_companions(request: Request, workflow_id: WorkflowId, run_id: RunId) -> JsonReply:
    """Advance a run's background work, and answer like a turn. Nothing that the body may hold is needed."""
    await read_object(request)
    return await (await desk_of(request)).run(_pump, workflow_id, run_id)


def _execute(desk: Desk, workflow_id: str, body: JsonObject, version: int | None) -> JsonReply:
    turn_input, run_id = read_request(body)
    return JsonReply(run_turn(desk, workflow_id, turn_input, run_id, version).to_wire())


def _start_or_resume(desk: Desk, body: JsonObject) -> JsonReply:
    turn_input = TurnInput.from_wire(without_secrets(body))
    workflow_id, run_id = turn_input.workflow_id, turn_input.workflow_run_id
    if workflow_id is None:
        raise unusable("missing", "Field required", "workflow_id")
    result = run_turn(desk, _checked(workflow_id, "workflow_id"), turn_input, _run(run_id), None)
    return JsonReply(run_answer(desk.backend.run(result.run_id), read_remarks(desk.backend, result.run_id)))


def _pump(desk: Desk, workflow_id: str, run_id: str) -> JsonReply:
    result = _finished(
        desk.running, run_id, lambda cancelled: desk.backend.pump(workflow_id, run_id, cancelled=cancelled)
    )
    return JsonReply(result.to_wire())


def run_turn(
    desk: Desk, workflow_id: str, turn_input: TurnInput, run_id: str | None, version: int | None
) -> TurnResult:
    """Run one turn to its end, the first of a new run unless a run is named.

    Args:
        desk: Runs it.
        workflow_id: The workflow.
        turn_input: What the turn is given.
        run_id: The run to go on with; one that is not there counts as an ended session.
        version: The version that the caller names beside the input.
    """
    # A typed client sends 0 for "not set" too (wire.md 2.5); of a workflow that has no other version, 0 is
    # the active one anyway.
    wanted = version if version is not None else turn_input.version_number or None
    if turn_input.command == "stop" and run_id is not None:
        stopped = desk.running.stop(run_id)
        if stopped is not None and stopped.is_completed:
            return stopped
    with _admitted(desk, workflow_id) if run_id is None else nullcontext():
        return _finished(
            desk.running,
            run_id,
            lambda cancelled: desk.backend.execute(
                workflow_id, turn_input, run_id=run_id, version_number=wanted, cancelled=cancelled
            ),
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
    running: RunningTurns, run_id: str | None, begin: Callable[[threading.Event], TurnStream]
) -> TurnResult:
    """The result once everything has happened; a run that is not there counts as an ended session."""
    try:
        with running.turn(run_id) as turn:
            turn.result = begin(turn.cancelled).finish()
    except NotFoundError as error:
        if run_id is None:
            raise
        raise RunEndedError(error.message) from error
    return turn.result


def _admitted(desk: Desk, workflow_id: str) -> AbstractContextManager[None]:
    if isinstance(desk.backend, EmbeddedBackend):
        return desk.admission.of(desk.backend, workflow_id)
    return nullcontext()


def _run(run_id: str | None) -> str | None:
    return run_id if run_id is None else _checked(run_id, "run_id")


def _checked(text: str, place: str) -> str:
    if not is_id(text):
        raise unusable("string_pattern_mismatch", "An id is 24 lower-case hex digits", place)
    return text
