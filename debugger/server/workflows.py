"""The routes of workflows (``platform/wire.md`` 4.1 to 4.4)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from debugger.backends.base import Backend
from debugger.errors import WorkflowError
from debugger.graph.checks import refusals
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow, WorkflowSummary, unwrap_document
from debugger.server.body import JsonBody, unusable
from debugger.server.paging import DEFAULT_SIZE, PageNumber, PageSize, page_envelope
from debugger.server.parameters import ServedBackend, WorkflowId
from debugger.server.reply import JsonReply
from debugger.server.secret_variables import without_secrets

router = APIRouter()


@router.get(urls.WORKFLOWS)
def list_workflows(
    backend: ServedBackend, page: PageNumber = 1, size: PageSize = DEFAULT_SIZE, search: str = ""
) -> JsonReply:
    """One page of the workflows whose name contains a text."""
    found = backend.workflows(search)
    shown = found[(page - 1) * size : page * size]
    rows = [workflow_row(summary) for summary in shown]
    return JsonReply(page_envelope("workflows", rows, page=page, size=size, total=len(found)))


@router.post(urls.WORKFLOWS)
def create_workflow(body: JsonBody, backend: ServedBackend, request: Request) -> JsonReply:
    """Keep a new workflow: a hydrated document, a document under ``config``, or none but a name.

    What the platform refuses to save is refused here too (``platform/wire.md`` 4.8). The app, which is to
    show what is wrong with a workflow, imports it without this route.
    """
    name = _name_in(body)
    document = without_secrets(_document_in(body))
    _refuse_faulty(document)
    summary = backend.create_workflow(document, name=name)
    return JsonReply(workflow_answer(backend, summary.id, request), status_code=201)


@router.get(urls.WORKFLOW)
def get_workflow(
    workflow_id: WorkflowId, backend: ServedBackend, request: Request, fully_hydrate: bool = False
) -> JsonReply:
    """One workflow, with its active version's whole graph if asked for."""
    answer = hydrated_answer if fully_hydrate else workflow_answer
    return JsonReply(answer(backend, workflow_id, request))


@router.delete(urls.WORKFLOW, status_code=204)
def delete_workflow(workflow_id: WorkflowId, backend: ServedBackend) -> Response:
    """Forget a workflow and its versions."""
    backend.delete_workflow(workflow_id)
    return Response(status_code=204)


def workflow_row(summary: WorkflowSummary) -> JsonObject:
    """A workflow as lists show it."""
    return {
        "_id": summary.id,
        "team_id": None,
        "created_by": None,
        "updated_by": None,
        "created_at": summary.created_at,
        "updated_at": summary.updated_at,
        "active_version_number": summary.active_version_number,
        "max_concurrent_runs": None,
        "workflow_config": {"name": summary.name, "description": summary.description},
    }


def workflow_answer(backend: Backend, workflow_id: str, request: Request) -> JsonObject:
    """A workflow without its graph: its settings, and the ids of its nodes and edges."""
    row, graph = _row_and_graph(backend, workflow_id)
    settings = graph.to_wire().get("workflow_config") or {}
    row["workflow_config"] = {
        **settings,
        **row["workflow_config"],
        "nodes": [node.logical_id for node in graph.node_configs],
        "edges": [edge.logical_id for edge in graph.edge_configs],
    }
    return _answer(row, request)


def hydrated_answer(backend: Backend, workflow_id: str, request: Request) -> JsonObject:
    """A workflow with the whole graph of its active version, two levels deep (``platform/wire.md`` 4.3)."""
    row, graph = _row_and_graph(backend, workflow_id)
    row["workflow_config"] = graph.to_wire()
    return _answer(row, request)


def _row_and_graph(backend: Backend, workflow_id: str) -> tuple[JsonObject, Workflow]:
    return workflow_row(backend.workflow_summary(workflow_id)), backend.workflow(workflow_id)


def _answer(row: JsonObject, request: Request) -> JsonObject:
    path = urls.BASE_PATH + urls.EXECUTE.format(workflow_id=row["_id"])
    return {"workflow": row, "execution_url": str(request.base_url).rstrip("/") + path}


def _name_in(body: JsonObject) -> str | None:
    name = body.get("name")
    if name is not None and not isinstance(name, str):
        raise unusable("string_type", "Input should be a valid string", "name")
    return name


def _document_in(body: JsonObject) -> JsonObject:
    if _holds_graph(body):
        return body
    config = body.get("config")
    if config is None:
        config = {}
    if not isinstance(config, dict):
        raise unusable("dict_type", "Input should be a valid dictionary", "config")
    named = {key: body[key] for key in ("name", "description") if key in body}
    if _holds_graph(config):
        return {**config, **named}
    if not body.get("name"):
        raise unusable("missing", "Field required", "name")
    return {"workflow_config": {**config, **named}, "node_configs": [], "edge_configs": []}


def _refuse_faulty(document: JsonObject) -> None:
    problem = next(refusals(Workflow.from_document(document)), None)
    if problem is not None:
        raise WorkflowError(problem.message, category=problem.category)


def _holds_graph(data: JsonObject) -> bool:
    try:
        unwrap_document(data)
    except WorkflowError:
        return False
    return True
