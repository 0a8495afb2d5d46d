"""Records, favorites, limits, variables and schemas of workflows.

Source: ``platform.md#workflow-routes`` and ``platform.md#create-workflow``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.expressions import placeholders
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import SYSTEM_NAMES, GlobalNodeConfig, Workflow, WorkflowSummary
from debugger.server.audit import set_audit_target
from debugger.server.body import AnyBody, json_body, validate
from debugger.server.dependencies import (
    DEFAULT_SIZE,
    BaseUrl,
    Engine,
    PageNumber,
    PageSize,
    Person,
    QueryDate,
    ServedBackend,
    ServedStore,
    WorkflowId,
    in_utc,
)
from debugger.server.responses import Message, Page, RawJsonResponse, page_envelope
from debugger.server.services import services_of
from debugger.server.workflow_bodies import NamedWorkflow, name_in, new_document
from debugger.store import NOTHING_KNOWN

router = APIRouter(tags=["workflows"])

_MAX_LIMIT = 1_000_000
_FOREIGN_FIELDS = {"encapsulated_workflow_config", "super_node_interface", "default_dynamic_variables"}
"""Fields with texts of another workflow, or with values."""


class WorkflowPatch(BaseModel):
    """New labels of a workflow."""

    name: str = ""
    description: str | None = None

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a workflow needs a name")
        return value


class Limit(BaseModel):
    """The limit of a workflow on its active runs; null lifts it."""

    max_concurrent_runs: Annotated[int, Field(ge=1, le=_MAX_LIMIT)] | None


class WorkflowRecord(TypedDict):
    """A workflow; ``workflow_config`` has its settings, or the whole graph if requested."""

    _id: str
    team_id: str | None
    created_by: str | None
    updated_by: str | None
    created_at: str | None
    updated_at: str | None
    active_version_number: int | None
    max_concurrent_runs: int | None
    workflow_config: JsonObject


class WorkflowAnswer(TypedDict):
    """A workflow, and the URL that executes it."""

    workflow: WorkflowRecord
    execution_url: str


class WorkflowPage(Page):
    """A page of workflows."""

    workflows: list[WorkflowRecord]


class ConcurrencyAnswer(Message):
    """The limit of a workflow on its active runs."""

    workflow_id: str
    max_concurrent_runs: int | None


class VariableUse(TypedDict):
    """A dynamic variable, and the nodes and edges that use it."""

    default_value: Any
    has_default: bool
    is_system: bool
    node_logical_ids: list[str]
    edge_logical_ids: list[str]


class VariableUses(TypedDict):
    """The dynamic variables of a workflow by name."""

    dynamic_variables: dict[str, VariableUse]


@router.get(urls.WORKFLOWS, response_model=WorkflowPage)
def list_workflows(
    backend: ServedBackend,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
    search: str = "",
    start: QueryDate = None,
    end: QueryDate = None,
) -> RawJsonResponse:
    """List workflows by name and by date of creation, newest first.

    A date without a zone is in UTC; the end is exclusive. With a date, workflows of unknown creation are left
    out.
    """
    found = [summary for summary in backend.workflows(search) if _is_between(summary, start, end)]
    rows = workflow_records(backend, found[(page - 1) * size : page * size])
    return RawJsonResponse(page_envelope("workflows", rows, page=page, size=size, total=len(found)))


@router.post(urls.WORKFLOWS, response_model=WorkflowAnswer, status_code=201, responses={400: {}})
def create_workflow(
    request: Request,
    body: Annotated[JsonObject, json_body(Workflow | NamedWorkflow)],
    backend: ServedBackend,
    person: Person,
    url: BaseUrl,
) -> RawJsonResponse:
    """Create a workflow.

    The body is a document with nodes and edges, has one under ``config``, or only a name. A document that the
    platform does not save is rejected (``platform.md#validation``). Logical ids stay as they are
    (``platform.md#server-checklist``).

    Raises:
        RequestValidationError: There is neither a graph nor a name, or the name is no text.
        WorkflowError: It breaks a rule of saving.
        InputError: A node or an edge in it lacks a required field.
    """
    name = name_in(body)
    summary = backend.create_workflow(new_document(body), name=name)
    set_author(backend, summary.id, person)
    set_audit_target(request.scope, summary.id)
    return RawJsonResponse(workflow_answer(backend, summary.id, url), status_code=201)


@router.get(urls.WORKFLOW_SCHEMA, response_model=JsonObject)
def workflow_schema() -> RawJsonResponse:
    """Return the JSON schema of a workflow document."""
    return RawJsonResponse(json_schema(Workflow))


@router.get(urls.GLOBAL_NODE_SCHEMA, response_model=JsonObject)
def global_node_schema() -> RawJsonResponse:
    """Return the JSON schema of the settings of a global node."""
    return RawJsonResponse(json_schema(GlobalNodeConfig))


@router.get(urls.DYNAMIC_VARIABLES, response_model=VariableUses)
def list_dynamic_variables(workflow_id: WorkflowId, backend: ServedBackend) -> RawJsonResponse:
    """List the dynamic variables of the active version.

    The platform's response is known to be an object, and no more.

    Raises:
        NotFoundError: There is no such workflow.
    """
    return RawJsonResponse({"dynamic_variables": _variable_uses(backend.workflow(workflow_id))})


@router.get(urls.WORKFLOW, response_model=WorkflowAnswer)
def get_workflow(
    workflow_id: WorkflowId, backend: ServedBackend, url: BaseUrl, fully_hydrate: bool = False
) -> RawJsonResponse:
    """Return a workflow, with its whole graph if requested.

    Without that it has its settings, and the ids of its nodes and edges.

    Raises:
        NotFoundError: There is no such workflow.
    """
    return RawJsonResponse(workflow_answer(backend, workflow_id, url, fully_hydrate=fully_hydrate))


@router.patch(urls.WORKFLOW, response_model=WorkflowAnswer)
def update_workflow(
    workflow_id: WorkflowId,
    body: Annotated[JsonObject, json_body(WorkflowPatch, {"name": "Appointments"})],
    engine: Engine,
    person: Person,
    url: BaseUrl,
) -> RawJsonResponse:
    """Change the name or the description of a workflow; a field that is left out stays.

    The documents of all its versions get the labels, too. Without a field nothing changes.

    Raises:
        RequestValidationError: The name is blank, or a field is no text.
        NotFoundError: There is no such workflow.
    """
    labels = validate(WorkflowPatch, body).model_dump(include=body.keys() & WorkflowPatch.model_fields.keys())
    if labels:
        engine.store.catalogue.rename_workflow(workflow_id, labels)
        engine.store.catalogue.note(workflow_id, updated_by=person)
        engine.renew(workflow_id)
    return RawJsonResponse(workflow_answer(engine, workflow_id, url))


@router.delete(urls.WORKFLOW, status_code=204)
def delete_workflow(workflow_id: WorkflowId, backend: ServedBackend) -> Response:
    """Delete a workflow and its versions; its runs stay.

    Raises:
        NotFoundError: There is no such workflow.
    """
    backend.delete_workflow(workflow_id)
    return Response(status_code=204)


@router.patch(urls.CONCURRENCY, response_model=ConcurrencyAnswer)
def limit_runs(
    request: Request,
    workflow_id: WorkflowId,
    body: Annotated[JsonObject, json_body(Limit, {"max_concurrent_runs": 20})],
    store: ServedStore,
) -> RawJsonResponse:
    """Set or lift the limit of a workflow on its active runs.

    Raises:
        RequestValidationError: The limit is missing, or is neither null nor a number in the permitted range.
        NotFoundError: There is no such workflow.
    """
    limit = validate(Limit, body).max_concurrent_runs
    store.catalogue.note(workflow_id, max_concurrent_runs=limit)
    services_of(request.scope).run_limiter.forget(workflow_id)
    message = "There is no limit." if limit is None else f"Up to {limit} runs may be under way at once."
    return RawJsonResponse({"workflow_id": workflow_id, "max_concurrent_runs": limit, "message": message})


@router.post(urls.FAVORITE, response_model=Message)
def add_favorite(
    workflow_id: WorkflowId, body: AnyBody, store: ServedStore, person: Person
) -> RawJsonResponse:
    """Add a workflow to the favorites of the user, where it may be already.

    Raises:
        NotFoundError: There is no such workflow.
    """
    store.catalogue.set_favorite(workflow_id, person, is_favorite=True)
    return RawJsonResponse({"message": "The workflow is a favorite."})


@router.delete(urls.FAVORITE, response_model=Message)
def remove_favorite(workflow_id: WorkflowId, store: ServedStore, person: Person) -> RawJsonResponse:
    """Remove a workflow from the favorites of the user, if it is one.

    Raises:
        NotFoundError: There is no such workflow.
    """
    store.catalogue.set_favorite(workflow_id, person, is_favorite=False)
    return RawJsonResponse({"message": "The workflow is not a favorite."})


def workflow_records(backend: Backend, summaries: Sequence[WorkflowSummary]) -> list[WorkflowRecord]:
    """Return the records of workflows, without their graphs, in the order given.

    Authors and limits are null on a backend that is not embedded, and where they are not known.
    """
    facts = {}
    if isinstance(backend, EmbeddedBackend):
        facts = backend.store.catalogue.facts([summary.id for summary in summaries])
    return [
        {
            "_id": summary.id,
            "team_id": None,
            "created_by": facts.get(summary.id, NOTHING_KNOWN).created_by,
            "updated_by": facts.get(summary.id, NOTHING_KNOWN).updated_by,
            "created_at": summary.created_at,
            "updated_at": summary.updated_at,
            "active_version_number": summary.active_version_number,
            "max_concurrent_runs": facts.get(summary.id, NOTHING_KNOWN).max_concurrent_runs,
            "workflow_config": {"name": summary.name, "description": summary.description},
        }
        for summary in summaries
    ]


def workflow_answer(
    backend: Backend, workflow_id: str, base_url: str, *, fully_hydrate: bool = False
) -> WorkflowAnswer:
    """Return a workflow and the URL that executes it.

    It has settings and the ids of its parts or, hydrated, the whole graph.

    Raises:
        NotFoundError: There is no such workflow.
    """
    [record] = workflow_records(backend, [backend.workflow_summary(workflow_id)])
    graph = backend.workflow(workflow_id)
    config = graph.to_wire()
    if not fully_hydrate:
        config = {
            **(config.get("workflow_config") or {}),
            **record["workflow_config"],
            "nodes": [node.logical_id for node in graph.node_configs],
            "edges": [edge.logical_id for edge in graph.edge_configs],
        }
    record["workflow_config"] = config
    path = urls.BASE_PATH + urls.EXECUTE.format(workflow_id=workflow_id)
    return {"workflow": record, "execution_url": base_url.rstrip("/") + path}


def set_author(backend: Backend, workflow_id: str, person: str) -> None:
    """Record the author of a new workflow on an embedded backend.

    Does nothing on other backends.
    """
    if isinstance(backend, EmbeddedBackend):
        backend.store.catalogue.note(workflow_id, created_by=person, updated_by=person)


@cache
def json_schema(model: type[BaseModel]) -> JsonObject:
    """Return the JSON schema of a model."""
    return model.model_json_schema()


def _is_between(summary: WorkflowSummary, start: datetime | None, end: datetime | None) -> bool:
    """Return whether a workflow was created from the start on and before the end; ``None`` sets no bound.

    Without bounds every workflow is; with one, a workflow of unknown creation is not.
    """
    if start is None and end is None:
        return True
    if summary.created_at is None:
        return False
    created = datetime.fromisoformat(summary.created_at)
    return (start is None or created >= in_utc(start)) and (end is None or created < in_utc(end))


def _variable_uses(workflow: Workflow) -> dict[str, VariableUse]:
    """Return the dynamic variables of a workflow by name.

    Those with a default come first, then those that are only used. A use in the settings of the workflow adds
    the variable, and no node or edge.
    """
    defaults = {**workflow.dynamic_variables, **workflow.config.default_dynamic_variables}
    uses = {name: _variable_use(name, defaults) for name in defaults}
    for name in _names_in(workflow.to_wire().get("workflow_config")):
        uses.setdefault(name, _variable_use(name, defaults))
    for node in workflow.node_configs:
        for name in _names_in(node.to_wire()):
            uses.setdefault(name, _variable_use(name, defaults))["node_logical_ids"].append(node.logical_id)
    for edge in workflow.edge_configs:
        for name in _names_in(edge.to_wire()):
            uses.setdefault(name, _variable_use(name, defaults))["edge_logical_ids"].append(edge.logical_id)
    return uses


def _variable_use(name: str, defaults: JsonObject) -> VariableUse:
    """Return the record of a variable without uses; without a default its value is null."""
    return {
        "default_value": defaults.get(name),
        "has_default": name in defaults,
        "is_system": name in SYSTEM_NAMES,
        "node_logical_ids": [],
        "edge_logical_ids": [],
    }


def _names_in(value: Any) -> list[str]:
    return list(dict.fromkeys(_find_names(value)))


def _find_names(value: Any) -> Iterator[str]:
    """Yield the names of dynamic variables in the placeholders of a JSON value, in no order, some repeatedly.

    Only texts are searched, not keys; fields with texts of another workflow are left out.
    """
    queue = deque([value])
    while queue:
        part = queue.popleft()
        if isinstance(part, str):
            for placeholder in placeholders(part):
                if placeholder.namespace == "dynamic":
                    yield placeholder.path.partition(".")[0].partition("[")[0].strip()
        elif isinstance(part, list):
            queue += part
        elif isinstance(part, dict):
            queue += [inner for key, inner in part.items() if key not in _FOREIGN_FIELDS]
