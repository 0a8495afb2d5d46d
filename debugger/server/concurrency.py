"""How many runs of a workflow may be under way at once (``platform/wire.md`` 4.1, 2.8)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from debugger.protocol import urls
from debugger.server.answers.workflows import ConcurrencyAnswer
from debugger.server.body import JsonBody, read_fields
from debugger.server.operations import described
from debugger.server.parameters import Admitting, ServedStore, WorkflowId
from debugger.server.reply import JsonReply

router = APIRouter()

_MOST = 1_000_000


class Limit(BaseModel):
    """The body of the route; a null lifts the limit."""

    max_concurrent_runs: Annotated[int, Field(ge=1, le=_MOST)] | None


@router.patch(urls.CONCURRENCY)
@described(ConcurrencyAnswer, takes=Limit)
def limit_runs(
    workflow_id: WorkflowId, body: JsonBody, store: ServedStore, admission: Admitting
) -> JsonReply:
    """Set the limit of a workflow, or lift it."""
    most = read_fields(Limit, body).max_concurrent_runs
    store.catalogue.note(workflow_id, max_concurrent_runs=most)
    admission.forget(workflow_id)
    message = "There is no limit." if most is None else f"Up to {most} runs may be under way at once."
    return JsonReply({"workflow_id": workflow_id, "max_concurrent_runs": most, "message": message})
