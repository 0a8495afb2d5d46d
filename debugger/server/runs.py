"""The routes of run records (``platform/wire.md`` 5.1, 5.2, 5.5)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from debugger.backends.base import Backend, Page
from debugger.errors import TurnInProgressError
from debugger.protocol import urls
from debugger.protocol.runs import Run, RunSearch, RunStatus
from debugger.server.answers.runs import EvaluationAnswer, RunAnswer, RunPage
from debugger.server.moments import Moment, in_utc
from debugger.server.operations import described
from debugger.server.paging import DEFAULT_SIZE, PageNumber, PageSize, page_envelope
from debugger.server.parameters import ID_PATTERN, Engine, RunId, ServedBackend
from debugger.server.records import read_remarks
from debugger.server.reply import JsonReply
from debugger.server.shapes.runs import run_answer, run_record

router = APIRouter()

_ALL = 1_000_000


@router.get(urls.RUNS)
@described(RunPage)
def list_runs(
    backend: ServedBackend,
    workflow_id: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    status: RunStatus | None = None,
    start: Moment = None,
    end: Moment = None,
    search: Annotated[str, Query(max_length=1_000)] = "",
    source_workflow_run_id: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    source_turn_index: Annotated[int | None, Query(ge=0)] = None,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
) -> JsonReply:
    """One page of the runs, newest first, without their turns.

    A moment without a zone is in UTC. The turn index means nothing without the run that it is of.
    """
    wanted = RunSearch(
        since=in_utc(start) if start else None,
        until=in_utc(end) if end else None,
        text=search,
        source_workflow_run_id=source_workflow_run_id or "",
    )
    if source_turn_index is None or source_workflow_run_id is None:
        found = backend.runs(workflow_id=workflow_id, status=status, search=wanted, page=page, size=size)
    else:
        all_of_run = backend.runs(workflow_id=workflow_id, status=status, search=wanted, size=_ALL).rows
        rows = [run for run in all_of_run if run.checkpoint_source_turn_index == source_turn_index]
        found = Page(rows[(page - 1) * size : page * size], len(rows))
    shown = [run_record(run) for run in found.rows]
    return JsonReply(page_envelope("workflow_runs", shown, page=page, size=size, total=found.total))


@router.get(urls.RUN)
@described(RunAnswer)
def get_run(run_id: RunId, backend: ServedBackend) -> JsonReply:
    """One run with every finished turn, and with what was said about it."""
    return JsonReply(run_answer(backend.run(run_id), read_remarks(backend, run_id)))


@router.delete(urls.RUN, status_code=204)
@described(statuses=(204,), refuses=(409,))
def delete_run(run_id: RunId, engine: Engine) -> Response:
    """Delete a run and what was said about it.

    Raises:
        NotFoundError: There is no such run.
        TurnInProgressError: A turn of it is being executed.
    """
    engine.revision(run_id)  # interrupts a turn whose owner has ended
    if engine.store.claims.position(run_id).claimed is not None:
        raise TurnInProgressError(
            f"A turn of run {run_id} is being executed, so the run cannot be deleted.",
            advice="Stop it first.",
        )
    engine.store.delete_run(run_id)
    return Response(status_code=204)


@router.get(urls.EVALUATION_RESULT)
@described(EvaluationAnswer)
def get_evaluation(run_id: RunId, backend: ServedBackend) -> JsonReply:
    """What an evaluation of a run found: nothing, since none is made here.

    The documentation and the platform's client name different fields (section 10, 16); the answer has both.
    """
    _known(backend, run_id)
    found = dict.fromkeys(("score", "passed", "details", "evaluated_at"))
    return JsonReply({"evaluation_workflow_run_id": None, "status": None, "evaluation_result": {}, **found})


def _known(backend: Backend, run_id: str) -> Run:
    return backend.record(run_id).run
