"""The routes of workflows (``platform/wire.md`` 4.1 to 4.4)."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, field_validator

from debugger.protocol import urls
from debugger.protocol.workflow import Workflow, WorkflowSummary
from debugger.server.answers.workflows import WorkflowAnswer, WorkflowPage
from debugger.server.body import JsonBody, read_fields
from debugger.server.documents import NamedWorkflow, name_in, new_document
from debugger.server.moments import Moment, in_utc
from debugger.server.operations import described
from debugger.server.paging import DEFAULT_SIZE, PageNumber, PageSize, page_envelope
from debugger.server.parameters import BaseUrl, Engine, Person, ServedBackend, WorkflowId
from debugger.server.records import read_rows, read_workflow, sign
from debugger.server.reply import JsonReply

router = APIRouter()


class Labels(BaseModel):
    """What a workflow is called."""

    name: str = ""
    description: str | None = None

    @field_validator("name")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a workflow needs a name")
        return value


@router.get(urls.WORKFLOWS)
@described(WorkflowPage)
def list_workflows(
    backend: ServedBackend,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
    search: str = "",
    start: Moment = None,
    end: Moment = None,
) -> JsonReply:
    """One page of the workflows whose name contains a text and that were made between two moments."""
    found = [summary for summary in backend.workflows(search) if _is_between(summary, start, end)]
    rows = read_rows(backend, found[(page - 1) * size : page * size])
    return JsonReply(page_envelope("workflows", rows, page=page, size=size, total=len(found)))


@router.post(urls.WORKFLOWS)
@described(WorkflowAnswer, takes=Workflow | NamedWorkflow, statuses=(201,), refuses=(400,))
def create_workflow(body: JsonBody, backend: ServedBackend, person: Person, url: BaseUrl) -> JsonReply:
    """Keep a new workflow: a hydrated document, a document under ``config``, or none but a name.

    What the platform refuses to save is refused here too (``platform/wire.md`` 4.8). The app, which is to
    show what is wrong with a workflow, imports it without this route. Logical ids stay as they are
    (``platform/wire.md`` 9.2).
    """
    name = name_in(body)
    summary = backend.create_workflow(new_document(body), name=name)
    sign(backend, summary.id, person)
    return JsonReply(read_workflow(backend, summary.id, url), status_code=201)


@router.get(urls.WORKFLOW)
@described(WorkflowAnswer)
def get_workflow(
    workflow_id: WorkflowId, backend: ServedBackend, url: BaseUrl, fully_hydrate: bool = False
) -> JsonReply:
    """One workflow, with its active version's whole graph if asked for."""
    return JsonReply(read_workflow(backend, workflow_id, url, fully_hydrate=fully_hydrate))


@router.patch(urls.WORKFLOW)
@described(WorkflowAnswer, takes=Labels)
def update_workflow(
    workflow_id: WorkflowId, body: JsonBody, engine: Engine, person: Person, url: BaseUrl
) -> JsonReply:
    """Give a workflow another name or description; what is left out stays, and so does all without a body."""
    labels = read_fields(Labels, body).model_dump(include=body.keys() & Labels.model_fields.keys())
    if labels:
        engine.store.catalogue.rename_workflow(workflow_id, labels)
        engine.store.catalogue.note(workflow_id, updated_by=person)
        engine.renew(workflow_id)
    return JsonReply(read_workflow(engine, workflow_id, url))


@router.delete(urls.WORKFLOW, status_code=204)
@described(statuses=(204,))
def delete_workflow(workflow_id: WorkflowId, backend: ServedBackend) -> Response:
    """Forget a workflow and its versions."""
    backend.delete_workflow(workflow_id)
    return Response(status_code=204)


def _is_between(summary: WorkflowSummary, start: datetime | None, end: datetime | None) -> bool:
    if start is None and end is None:
        return True
    if summary.created_at is None:
        return False
    made = datetime.fromisoformat(summary.created_at)
    return (start is None or made >= in_utc(start)) and (end is None or made < in_utc(end))
