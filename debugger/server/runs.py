"""Records of runs, and their JSON schemas.

Source: ``platform.md#run-list``, ``platform.md#run-record`` and ``platform.md#feedback``.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from typing_extensions import TypedDict

from debugger.backends.base import Backend
from debugger.backends.base import Page as RunRows
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import TURN_NUMBERS_HEADER, Run, RunOutput, RunSearch, RunStatus, Turn, TurnInput
from debugger.server.dependencies import (
    DEFAULT_SIZE,
    Engine,
    PageNumber,
    PageSize,
    QueryDate,
    RunId,
    RunIdQuery,
    ServedBackend,
    in_utc,
)
from debugger.server.responses import Page, RawJsonResponse, page_envelope
from debugger.server.run_records import (
    RunAnswer,
    RunRecord,
    read_feedback,
    read_unfinished,
    run_answer,
    run_record,
)
from debugger.server.workflows import json_schema

router = APIRouter(tags=["runs"])

_ALL = 1_000_000
_MAX_SEARCHES = 25
"""Searches of a request, of two seconds each while runs are still to be indexed; clients wait a minute."""


class RunPage(Page):
    """A page of runs, without their turns."""

    workflow_runs: list[RunRecord]


class EvaluationAnswer(TypedDict):
    """The result of an evaluation."""

    evaluation_workflow_run_id: str | None
    status: str | None
    evaluation_result: JsonObject
    score: Any
    passed: Any
    details: Any
    evaluated_at: str | None


class RunSchemas(TypedDict):
    """The JSON schemas of a run and of its parts."""

    run_schema: JsonObject
    run_input_schema: JsonObject
    run_output_schema: JsonObject
    run_input_output_pair_schema: JsonObject


@router.get(urls.RUN_SCHEMA, response_model=RunSchemas)
def run_schema() -> RawJsonResponse:
    """Return the JSON schemas of a run and of its parts."""
    schemas: RunSchemas = {
        "run_schema": json_schema(Run),
        "run_input_schema": json_schema(TurnInput),
        "run_output_schema": json_schema(RunOutput),
        "run_input_output_pair_schema": json_schema(Turn),
    }
    return RawJsonResponse(schemas)


@router.get(urls.RUNS, response_model=RunPage)
def list_runs(
    backend: ServedBackend,
    workflow_id: RunIdQuery = None,
    status: RunStatus | None = None,
    start: QueryDate = None,
    end: QueryDate = None,
    search: Annotated[str, Query(max_length=1_000)] = "",
    source_workflow_run_id: RunIdQuery = None,
    source_turn_index: Annotated[int | None, Query(ge=0)] = None,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
) -> RawJsonResponse:
    """List runs, newest first, without their turns.

    A date without a zone is in UTC; the end is exclusive. The turn index has no effect without the run that
    it is of.
    """
    query = RunSearch(
        since=in_utc(start) if start else None,
        until=in_utc(end) if end else None,
        text=search,
        source_workflow_run_id=source_workflow_run_id or "",
    )
    if source_turn_index is None or source_workflow_run_id is None:
        found = _find(backend, workflow_id, status, query, page, size)
    else:
        reruns = _find(backend, workflow_id, status, query, 1, _ALL).rows
        rows = [run for run in reruns if run.checkpoint_source_turn_index == source_turn_index]
        found = RunRows(rows[(page - 1) * size : page * size], len(rows))
    records = [run_record(run) for run in found.rows]
    content = page_envelope("workflow_runs", records, page=page, size=size, total=found.total)
    return RawJsonResponse(content, headers=_headers(backend))


def _find(
    backend: Backend, workflow_id: str | None, status: str | None, search: RunSearch, page: int, size: int
) -> RunRows[Run]:
    """Return a page of runs, from all that can be indexed in the time of a request.

    The search is repeated while the backend has runs left to index, up to `_MAX_SEARCHES` times; the result
    is the last one.
    """
    for _ in range(_MAX_SEARCHES):
        found = backend.runs(workflow_id=workflow_id, status=status, search=search, page=page, size=size)
        if not found.unread:
            break
    return found


@router.get(urls.RUN, response_model=RunAnswer)
def get_run(run_id: RunId, backend: ServedBackend) -> RawJsonResponse:
    """Return a run with its turns and its feedback.

    On the embedded engine a turn that is being executed is the last one, with its events so far.

    Raises:
        NotFoundError: There is no such run.
    """
    unfinished = read_unfinished(backend, run_id)
    record = run_answer(backend.run(run_id), read_feedback(backend, run_id), unfinished)
    return RawJsonResponse(record, headers=_headers(backend))


def _headers(backend: Backend) -> dict[str, str]:
    """Return the headers by which a client may rely on what a record lacks."""
    numbers = {TURN_NUMBERS_HEADER: "checked"} if isinstance(backend, EmbeddedBackend) else {}
    return {"Cache-Control": "no-store", **numbers}


@router.delete(urls.RUN, status_code=204, responses={409: {}})
def delete_run(run_id: RunId, engine: Engine) -> Response:
    """Delete a run and its feedback.

    Raises:
        NotFoundError: There is no such run.
        TurnInProgressError: A turn of it is being executed.
    """
    engine.revision(run_id)  # interrupts a turn whose owner has ended
    engine.store.delete_run(run_id, unless_busy=True)
    return Response(status_code=204)


@router.get(urls.EVALUATION_RESULT, response_model=EvaluationAnswer)
def get_evaluation(run_id: RunId, backend: ServedBackend) -> RawJsonResponse:
    """Return an empty evaluation: this server makes none.

    The documentation and the platform's client name different fields; the response has both.

    Raises:
        NotFoundError: There is no such run.
    """
    backend.record(run_id)  # raises for an unknown run
    empty = dict.fromkeys(("score", "passed", "details", "evaluated_at"))
    return RawJsonResponse(
        {"evaluation_workflow_run_id": None, "status": None, "evaluation_result": {}, **empty}
    )
