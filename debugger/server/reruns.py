"""The routes of re-runs (``platform/wire.md`` section 7)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import field_validator
from starlette.background import BackgroundTask

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.forks import RerunEdits, RerunPlan, RerunTarget
from debugger.backends.forks.transcript import edited_lines
from debugger.errors import ConflictError, DebuggerError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import TurnInput
from debugger.server import rerun_tickets
from debugger.server.access import caller_of
from debugger.server.answers.reruns import (
    Preflight,
    RerunnableTurns,
    RerunPreview,
    RerunTokenAnswer,
    StartedRerun,
)
from debugger.server.body import JsonBody, read_fields
from debugger.server.metrics import Metrics
from debugger.server.operations import described
from debugger.server.parameters import Admitting, Counting, Engine, Person, RunId, TurnIndex
from debugger.server.reply import JsonReply
from debugger.server.services import services_of
from debugger.server.shapes.reruns import (
    preflight_shape,
    preview_shape,
    refused_preflight,
    started_shape,
    token_shape,
)
from debugger.server.turn_limiter import Result
from debugger.store import RerunTicket

logger = logging.getLogger(__name__)

router = APIRouter()

Token = Annotated[str, Path(max_length=200)]


class Rerun(RerunTarget):
    """Where a re-run goes, and what is said in it."""

    message: str | None = None

    @field_validator("message")
    @classmethod
    def _some_words(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("a message needs some words; leave it out to wait for one")
        return value


@router.get(urls.RERUNNABLE_TURNS)
@described(RerunnableTurns)
def list_turns(run_id: RunId, engine: Engine) -> JsonReply:
    """Which turns of a run can be taken again, and how often each was."""
    reason = engine.forks.reason_against(run_id)
    counts = engine.store.reruns.counts(run_id)
    turns = [
        {
            "turn_index": index,
            "rerunnable": reason is None,
            "reason": reason,
            "rerun_count": counts.get(index, 0),
        }
        for index in range(engine.forks.turn_count(run_id))
    ]
    return JsonReply({"workflow_run_id": run_id, "turns": turns})


@router.post(urls.RERUN_PREFLIGHT)
@described(Preflight, takes=RerunTarget)
def preflight(run_id: RunId, turn_index: TurnIndex, body: JsonBody, engine: Engine) -> JsonReply:
    """What would come of a re-run; nothing is done."""
    target = read_fields(RerunTarget, body)
    try:
        return JsonReply(preflight_shape(engine.forks.plan(run_id, turn_index, target)))
    except ConflictError as error:
        return JsonReply(refused_preflight(error.message))


@router.post(urls.RERUN_TOKENS)
@described(RerunTokenAnswer, takes=RerunTarget, refuses=(409,))
def mint_token(run_id: RunId, turn_index: TurnIndex, body: JsonBody, engine: Engine) -> JsonReply:
    """A token for a re-run. An impossible one is refused with 409: the platform's status is not known."""
    target = read_fields(RerunTarget, body)
    plan = engine.forks.plan(run_id, turn_index, target)
    token = rerun_tickets.mint(engine, plan, target)
    return JsonReply(token_shape(token, plan, rerun_tickets.EXPIRES_AFTER))


@router.get(urls.RERUN_TOKEN)
@described(RerunPreview, refuses=(409,))
def preview(run_id: RunId, turn_index: TurnIndex, token: Token, engine: Engine) -> JsonReply:
    """What a token stands for."""
    return _preview(engine, rerun_tickets.find(engine, run_id, turn_index, token))


@router.patch(urls.RERUN_TOKEN)
@described(RerunPreview, takes=RerunEdits, refuses=(409,))
def amend(run_id: RunId, turn_index: TurnIndex, token: Token, body: JsonBody, engine: Engine) -> JsonReply:
    """Edit words and variables before a re-run; what was sent before under the same keys is replaced."""
    ticket = rerun_tickets.find(engine, run_id, turn_index, token)
    changed = {**ticket.edits, **body}
    edits = read_fields(RerunEdits, changed)
    plan = rerun_tickets.plan_of(engine, ticket)
    edited_lines(plan.lines, edits)
    engine.forks.edit_variables(plan, edits)
    engine.store.rerun_tokens.amend(token, edits.model_dump(include=set(changed)))
    return _preview(engine, rerun_tickets.find(engine, run_id, turn_index, token))


@router.post(urls.RERUN)
@described(StartedRerun, takes=Rerun, statuses=(202, 200), refuses=(400, 409, 429, 500))
async def rerun(
    request: Request,
    run_id: RunId,
    turn_index: TurnIndex,
    body: JsonBody,
    engine: Engine,
    person: Person,
    metrics: Counting,
    admission: Admitting,
    is_async: Annotated[bool, Query(alias="async")] = True,
) -> JsonReply:
    """Re-run a turn in a new run: replay it with a message, or without one restore it and wait for the user.

    The answer to ``async=false`` is not known; here it is the same, with 200 and with how the run stands once
    the turn is over.
    """
    wanted = read_fields(Rerun, body)
    turns = services_of(request.scope).turns

    def on_thread(work: Callable[[], Result]) -> Awaitable[Result]:
        return turns.run(caller_of(request.scope).key_id, work)

    def begin() -> tuple[str, RerunPlan, TurnInput | None]:
        plan = engine.forks.plan(run_id, turn_index, wanted, is_replay=wanted.message is not None)
        with admission.of(engine, plan.workflow_id):
            new_id = engine.forks.begin(plan, RerunEdits(), person)
        given = engine.forks.turn_input(plan, wanted.message, person) if wanted.message is not None else None
        return new_id, plan, given

    new_id, plan, given = await on_thread(begin)
    if given is None:
        return _started(new_id, plan, is_async, plan.status)
    take_turn = partial(_take_turn, engine, metrics, plan, new_id, given)
    if not is_async:
        return _started(new_id, plan, is_async, await on_thread(take_turn))
    reply = _started(new_id, plan, is_async, "started")
    reply.background = BackgroundTask(_unwatched, partial(on_thread, take_turn), new_id)
    return reply


def _started(run_id: str, plan: RerunPlan, is_async: bool, status: str) -> JsonReply:
    told = "started" if is_async else status
    return JsonReply(started_shape(run_id, plan, told), status_code=202 if is_async else 200)


def _take_turn(
    engine: EmbeddedBackend, metrics: Metrics, plan: RerunPlan, run_id: str, given: TurnInput
) -> str:
    with metrics.turn() as turn:
        turn.result = engine.execute(plan.workflow_id, given, run_id=run_id).finish()
    return turn.result.status


async def _unwatched(take_turn: Callable[[], Awaitable[str]], run_id: str) -> None:
    """Execute a turn whose result nobody waits for; an error is logged, and the run stays where it was."""
    try:
        await take_turn()
    except DebuggerError as error:
        logger.warning("The re-run %s did not take its turn: %s", run_id, error)


def _preview(engine: EmbeddedBackend, ticket: RerunTicket) -> JsonReply:
    plan, edits = rerun_tickets.plan_of(engine, ticket), rerun_tickets.edits_of(ticket)
    engine.forks.edit_variables(plan, edits)
    shown: JsonObject = preview_shape(plan, edits, rerun_tickets.seconds_left(ticket))
    return JsonReply(shown)
