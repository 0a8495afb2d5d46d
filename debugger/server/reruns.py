"""Re-runs of turns (``platform.md#re-runs``)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextlib import nullcontext
from dataclasses import asdict
from math import ceil
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import field_validator
from starlette.background import BackgroundTask
from typing_extensions import TypedDict

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.forks import Line, RerunEdits, RerunMode, RerunPlan, RerunTarget
from debugger.backends.forks.transcript import edited_lines
from debugger.errors import ConflictError, DebuggerError, RateLimitError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import MAIN_THREAD
from debugger.server import rerun_tokens
from debugger.server.audit import set_audit_target
from debugger.server.auth import principal_of
from debugger.server.body import json_body, validate
from debugger.server.dependencies import Engine, Person, RunId, TurnIndex
from debugger.server.responses import RawJsonResponse
from debugger.server.services import services_of
from debugger.store import RerunTicket

router = APIRouter(tags=["reruns"])

_log = logging.getLogger(__name__)

Token = Annotated[str, Path(max_length=200)]
TargetBody = Annotated[JsonObject, json_body(RerunTarget)]


class Rerun(RerunTarget):
    """The target of a re-run, and the user's message."""

    message: str | None = None

    @field_validator("message")
    @classmethod
    def _check_message(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("a message needs some words; leave it out to wait for one")
        return value


class RerunnableTurn(TypedDict):
    """A turn, and the number of its re-runs."""

    turn_index: int
    rerunnable: bool
    reason: str | None
    rerun_count: int


class RerunnableTurns(TypedDict):
    """The turns of a run."""

    workflow_run_id: str
    turns: list[RerunnableTurn]


class MatchedNode(TypedDict):
    """A node of the run, and its counterpart in the target."""

    source_node_logical_id: str
    target_node_logical_id: str
    matched_by: Literal["identity", "name", "explicit"]
    source_node_name: str | None
    target_node_name: str | None


class TransferCounts(TypedDict):
    """Numbers of what is transferred."""

    message_count: int
    variable_count: int


class Dropped(TypedDict):
    """Parts that are not transferred."""

    node_ids: list[str]
    variable_keys: list[str]
    state_keys: list[str]


class Preflight(TypedDict):
    """The expected result of a re-run."""

    rerunnable: bool
    reason: str | None
    resolved_mode: RerunMode | None
    is_resumable: bool
    not_resumable_reason: str | None
    entry_node_logical_id: str | None
    suggested_entry_nodes: list[str]
    node_matches: list[MatchedNode]
    unmapped_node_ids: list[str]
    unmapped_variable_keys: list[str]
    carries_over: TransferCounts
    dropped: Dropped
    warnings: list[str]


class PlannedRerun(TypedDict):
    """Source and target of a re-run."""

    source_workflow_run_id: str
    turn_index: int
    target_workflow_id: str
    target_version_number: int
    resolved_mode: RerunMode
    entry_node_logical_id: str | None
    warnings: list[str]


class RerunTokenAnswer(PlannedRerun):
    """A token for a re-run."""

    rerun_token: str
    expires_in_seconds: int
    restored_message_count: int


class TranscriptLine(TypedDict):
    """A line of the transcript."""

    index: int
    sender: str
    text: str
    editable: bool
    not_editable_reason: str | None


class RestoredThread(TypedDict):
    """A thread as it would be restored."""

    thread_id: str
    messages: list[TranscriptLine]
    runtime_variables: JsonObject


class RerunPreview(PlannedRerun):
    """The re-run of a token."""

    effective_mode: Literal["EXACT", "REMAPPED", "PORTABLE", "EDITED"]
    edited: bool
    removed_message_count: int
    resume_thread_id: str
    threads: list[RestoredThread]
    dynamic_variables: JsonObject
    expires_in_seconds: int | None


class StartedRerun(TypedDict):
    """A re-run that has started."""

    workflow_run_id: str
    status: str
    resolved_mode: RerunMode
    entry_node_logical_id: str | None
    warnings: list[str]


@router.get(urls.RERUNNABLE_TURNS, response_model=RerunnableTurns)
def list_turns(run_id: RunId, engine: Engine) -> RawJsonResponse:
    """List the turns of a run, with the number of their re-runs.

    Either all turns can be re-run or none, with the same reason. A run without turns has an empty list.

    Raises:
        NotFoundError: There is no such run.
    """
    reason = engine.forks.reason_against(run_id)
    counts = engine.store.forks.counts(run_id)
    turns: list[RerunnableTurn] = [
        {
            "turn_index": index,
            "rerunnable": reason is None,
            "reason": reason,
            "rerun_count": counts.get(index, 0),
        }
        for index in range(engine.forks.turn_count(run_id))
    ]
    return RawJsonResponse({"workflow_run_id": run_id, "turns": turns})


@router.post(urls.RERUN_PREFLIGHT, response_model=Preflight)
def preflight(run_id: RunId, turn_index: TurnIndex, body: TargetBody, engine: Engine) -> RawJsonResponse:
    """Return the expected result of a re-run, without doing anything.

    An impossible re-run has status 200, too: ``rerunnable`` or ``is_resumable`` is false, with the reason.

    Raises:
        RequestValidationError: The body is not valid.
        NotFoundError: There is no such run, turn, workflow or version.
        InputError: The target names nodes that are not there.
    """
    target = validate(RerunTarget, body)
    try:
        return RawJsonResponse(_preflight(engine.forks.plan(run_id, turn_index, target)))
    except ConflictError as error:
        return RawJsonResponse(_rejected_preflight(error.message))


@router.post(urls.RERUN_TOKENS, response_model=RerunTokenAnswer, responses={409: {}})
def mint_token(run_id: RunId, turn_index: TurnIndex, body: TargetBody, engine: Engine) -> RawJsonResponse:
    """Mint a token for a re-run.

    409 for an impossible one: the platform's status is not known.

    Raises:
        RequestValidationError: The body is not valid.
        NotFoundError: There is no such run, turn, workflow or version.
        InputError: The target names nodes that are not there.
        ConflictError: The re-run is not possible.
    """
    target = validate(RerunTarget, body)
    plan = engine.forks.plan(run_id, turn_index, target)
    answer: RerunTokenAnswer = {
        "rerun_token": rerun_tokens.mint(engine, plan, target),
        "expires_in_seconds": rerun_tokens.EXPIRES_AFTER_SECONDS,
        **_planned(plan),
        "restored_message_count": len(plan.lines),
    }
    return RawJsonResponse(answer)


@router.get(urls.RERUN_TOKEN, response_model=RerunPreview, responses={409: {}})
def preview(run_id: RunId, turn_index: TurnIndex, token: Token, engine: Engine) -> RawJsonResponse:
    """Return the re-run of a token.

    Raises:
        NotFoundError: The token has expired, was redeemed, or is not one of this turn; or the run does not
            exist any more.
        ConflictError: The workflow was changed since the token was minted.
    """
    return _preview(engine, rerun_tokens.find(engine, run_id, turn_index, token))


@router.patch(urls.RERUN_TOKEN, response_model=RerunPreview, responses={409: {}})
def amend(
    run_id: RunId,
    turn_index: TurnIndex,
    token: Token,
    body: Annotated[JsonObject, json_body(RerunEdits)],
    engine: Engine,
) -> RawJsonResponse:
    """Edit messages and variables before a re-run.

    Earlier edits under the same keys are replaced.

    Raises:
        RequestValidationError: The body is not valid.
        NotFoundError: The token has expired, was redeemed, or is not one of this turn.
        ConflictError: The workflow was changed since the token was minted.
        InputError: An edit cannot be made; nothing is stored.
    """
    ticket = rerun_tokens.find(engine, run_id, turn_index, token)
    merged = {**ticket.edits, **body}
    edits = validate(RerunEdits, merged)
    plan = rerun_tokens.plan_of(engine, ticket)
    edited_lines(plan.lines, edits)
    engine.forks.edit_variables(plan, edits)
    engine.store.rerun_tokens.amend(token, edits.model_dump(include=set(merged)))
    return _preview(engine, rerun_tokens.find(engine, run_id, turn_index, token))


@router.post(
    urls.RERUN,
    response_model=StartedRerun,
    status_code=202,
    responses={200: {"model": StartedRerun}, 400: {}, 409: {}, 429: {}, 500: {}},
)
async def rerun(
    request: Request,
    run_id: RunId,
    turn_index: TurnIndex,
    body: Annotated[JsonObject, json_body(Rerun, {"message": "On Tuesday, please."})],
    engine: Engine,
    person: Person,
    is_async: Annotated[bool, Query(alias="async")] = True,
) -> RawJsonResponse:
    """Re-run a turn in a new run.

    With a message the turn is replayed; without one it is restored and waits for one. The platform's response
    to ``async=false`` is not known; here it has status 200 and the state of the run after the turn.

    Raises:
        RequestValidationError: The body is not valid, or the message is blank.
        NotFoundError: There is no such run, turn, workflow or version.
        InputError: The target names nodes that are not there.
        ConflictError: The re-run is not possible.
        RateLimitError: The limit of the workflow or of the key is reached.
    """
    rerun_request = validate(Rerun, body)
    message = rerun_request.message
    services, key_id = services_of(request.scope), principal_of(request.scope).key_id
    loop = asyncio.get_running_loop()
    begun: asyncio.Future[tuple[str, RerunPlan]] = loop.create_future()

    def run_turn() -> str:
        """Start the run and take its turn on one thread: between the two the queue may be full.

        Returns the run's status after the turn, or without a message the restored one. `begun` gets the new
        id and the plan as soon as the run is there and its turn is claimed. Raises RateLimitError at the
        workflow's limit, after deleting a run whose turn was refused for it; else as `Forks.plan`,
        `Forks.begin` and `Backend.execute`.
        """
        plan = engine.forks.plan(run_id, turn_index, rerun_request, is_replay=message is not None)
        with services.metrics.turn() if message is not None else nullcontext() as turn:
            is_limited = services.run_limiter.prepare(engine, plan.workflow_id)
            new_id = engine.forks.begin(plan, RerunEdits(), person, is_limited=is_limited)
            if message is None or turn is None:
                loop.call_soon_threadsafe(begun.set_result, (new_id, plan))
                return plan.status
            turn_input = engine.forks.turn_input(plan, message, person)
            try:
                stream = engine.execute(plan.workflow_id, turn_input, run_id=new_id, is_limited=is_limited)
            except RateLimitError:
                # A run that has not started counts from its claim only: another one was faster.
                engine.store.delete_run(new_id, unless_busy=True)
                raise
            loop.call_soon_threadsafe(begun.set_result, (new_id, plan))
            turn.result = stream.finish()
        return turn.result.status

    turn = asyncio.ensure_future(services.run_turn(key_id, run_turn))
    await asyncio.wait((turn, begun), return_when=asyncio.FIRST_COMPLETED)
    if not begun.done():
        await turn  # it was refused
    new_id, plan = await begun
    set_audit_target(request.scope, new_id)
    if message is None or not is_async:
        return _started(new_id, plan, is_async, await turn)
    response = _started(new_id, plan, is_async, "started")
    response.background = BackgroundTask(_end_in_background, turn, new_id)
    return response


def _started(run_id: str, plan: RerunPlan, is_async: bool, status: str) -> RawJsonResponse:
    """Return the response for a started re-run.

    Status 202 and ``started`` where the client does not wait for the turn, else 200 and the run's status.
    """
    answer: StartedRerun = {
        "workflow_run_id": run_id,
        "status": "started" if is_async else status,
        "resolved_mode": plan.mode,
        "entry_node_logical_id": plan.entry_node_logical_id,
        "warnings": plan.warnings,
    }
    return RawJsonResponse(answer, status_code=202 if is_async else 200)


async def _end_in_background(turn: Awaitable[str], run_id: str) -> None:
    """Wait for a turn without a client; log its DebuggerError, and raise any other error."""
    try:
        await turn
    except DebuggerError as error:
        _log.warning("The re-run %s did not take its turn: %s", run_id, error)


def _preflight(plan: RerunPlan) -> Preflight:
    """Return a plan as the response of a preflight; one that is refused has its reasons."""
    matches: list[Any] = [asdict(match) for match in plan.matches]
    return {
        "rerunnable": plan.reason is None,
        "reason": plan.reason,
        "resolved_mode": plan.mode,
        "is_resumable": plan.not_resumable_reason is None,
        "not_resumable_reason": plan.not_resumable_reason,
        "entry_node_logical_id": plan.entry_node_logical_id,
        "suggested_entry_nodes": plan.suggested_entry_nodes,
        "node_matches": matches,
        "unmapped_node_ids": plan.unmapped_nodes,
        "unmapped_variable_keys": plan.dropped_variables,
        "carries_over": {"message_count": len(plan.lines), "variable_count": plan.variable_count},
        "dropped": {
            "node_ids": plan.unmapped_nodes,
            "variable_keys": plan.dropped_variables,
            "state_keys": plan.dropped_parts,
        },
        "warnings": plan.warnings,
    }


def _rejected_preflight(reason: str) -> Preflight:
    """Return the response of a preflight that has the reason against it, and nothing else."""
    return {
        "rerunnable": False,
        "reason": reason,
        "resolved_mode": None,
        "is_resumable": False,
        "not_resumable_reason": reason,
        "entry_node_logical_id": None,
        "suggested_entry_nodes": [],
        "node_matches": [],
        "unmapped_node_ids": [],
        "unmapped_variable_keys": [],
        "carries_over": {"message_count": 0, "variable_count": 0},
        "dropped": {"node_ids": [], "variable_keys": [], "state_keys": []},
        "warnings": [],
    }


def _preview(engine: EmbeddedBackend, ticket: RerunTicket) -> RawJsonResponse:
    """Return the re-run of a ticket with its edits, without the token.

    A line keeps the index that it had before any edit, since edits refer to it. Raises as
    `rerun_tokens.plan_of`, and InputError when an edit cannot be made.
    """
    plan, edits = rerun_tokens.plan_of(engine, ticket), RerunEdits.model_validate(ticket.edits)
    engine.forks.edit_variables(plan, edits)
    lines = edited_lines(plan.lines, edits)
    is_edited = not edits.is_empty
    answer: RerunPreview = {
        **_planned(plan),
        "effective_mode": "EDITED" if is_edited else plan.mode,
        "edited": is_edited,
        "removed_message_count": len(edits.message_deletes),
        "resume_thread_id": MAIN_THREAD,
        "threads": [
            {
                "thread_id": thread.thread_id,
                "messages": [_line(line) for line in lines if line.thread_id == thread.thread_id],
                "runtime_variables": thread.runtime_variables,
            }
            for thread in plan.state.threads.values()
        ],
        "dynamic_variables": plan.state.dynamic_variables,
        "expires_in_seconds": max(0, ceil(ticket.expires_at - time.time())),
    }
    return RawJsonResponse(answer)


def _planned(plan: RerunPlan) -> PlannedRerun:
    """Return the source and the target of a plan, its mode and its warnings."""
    return {
        "source_workflow_run_id": plan.run_id,
        "turn_index": plan.turn_index,
        "target_workflow_id": plan.workflow_id,
        "target_version_number": plan.version_number,
        "resolved_mode": plan.mode,
        "entry_node_logical_id": plan.entry_node_logical_id,
        "warnings": plan.warnings,
    }


def _line(line: Line) -> TranscriptLine:
    """Return a line of the transcript as responses have it; without a reason it is editable."""
    return {
        "index": line.index,
        "sender": line.sender,
        "text": line.text,
        "editable": line.reason is None,
        "not_editable_reason": line.reason,
    }
