"""The routes of run records (``platform/wire.md`` 5.1, 5.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.run_search import RunSearch
from debugger.protocol.runs import Run, RunStatus
from debugger.server.paging import DEFAULT_SIZE, PageNumber, PageSize, page_envelope
from debugger.server.parameters import ID_PATTERN, RunId, ServedBackend
from debugger.server.reply import JsonReply

router = APIRouter()


@router.get(urls.RUNS)
def list_runs(
    backend: ServedBackend,
    workflow_id: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    status: RunStatus | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    search: Annotated[str, Query(max_length=1_000)] = "",
    source_workflow_run_id: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
) -> JsonReply:
    """One page of the runs, newest first, without their turns.

    A moment without a zone is in UTC.
    """
    wanted = RunSearch(
        since=_in_utc(start),
        until=_in_utc(end),
        text=search,
        source_workflow_run_id=source_workflow_run_id or "",
    )
    found = backend.runs(workflow_id=workflow_id, status=status, search=wanted, page=page, size=size)
    rows = [run_record(run) for run in found.rows]
    return JsonReply(page_envelope("workflow_runs", rows, page=page, size=size, total=found.total))


@router.get(urls.RUN)
def get_run(run_id: RunId, backend: ServedBackend) -> JsonReply:
    """One run with every finished turn."""
    return JsonReply({"workflow_run": run_record(backend.run(run_id)), "feedback_users": {}})


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def run_record(run: Run) -> JsonObject:
    """A run inside its record, which is where the API has its times."""
    inner = {key: value for key, value in run.to_wire().items() if key not in ("created_at", "updated_at")}
    return {
        "_id": run.workflow_run_id,
        "team_id": None,
        "created_by": None,
        "updated_by": None,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "workflow_run": inner,
    }
