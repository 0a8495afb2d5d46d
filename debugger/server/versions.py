"""Versions of workflows, and the difference of two.

Source: ``platform.md#workflow-routes``, ``platform.md#version-answer`` and ``platform.md#version-diff``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from typing_extensions import TypedDict

from debugger.analysis.differences import differences
from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import NotFoundError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import EdgeConfig, NodeConfig, VersionSummary, Workflow, WorkflowSummary
from debugger.server.body import AnyBody, json_body, validate
from debugger.server.dependencies import (
    DEFAULT_SIZE,
    BaseUrl,
    Engine,
    PageNumber,
    PageSize,
    Person,
    ServedBackend,
    VersionField,
    VersionNumber,
    WorkflowId,
)
from debugger.server.responses import Page, RawJsonResponse, page_envelope
from debugger.server.workflow_bodies import NewConfig, version_document
from debugger.server.workflows import WorkflowAnswer, workflow_answer

router = APIRouter(tags=["versions"])

_OTHER_SECTIONS = ("workflow_config", "node_configs", "edge_configs")

Status = Literal["added", "removed", "modified"]
_STATUSES: tuple[Status, ...] = ("added", "removed", "modified")


class NewVersion(BaseModel):
    """A version to be created."""

    version_name: str | None = None
    source_version_number: VersionField | None = None
    mark_as_active: bool = False


class VersionName(BaseModel):
    """The new name of a version."""

    version_name: str | None = None


class VersionRecord(TypedDict):
    """A version; its graph has both keys that clients look for."""

    _id: str
    workflow_id: str
    team_id: str | None
    created_by: str | None
    updated_by: str | None
    created_at: str | None
    updated_at: str | None
    version_number: int
    version_name: str | None
    is_active: bool
    config: Workflow
    workflow_config: Workflow


class VersionAnswer(TypedDict):
    """A version."""

    version: VersionRecord


class NewVersionAnswer(VersionAnswer):
    """A created version, and the active one."""

    parent_active_version: int | None


class VersionPage(Page):
    """A page of versions."""

    versions: list[VersionRecord]


class Change(TypedDict):
    """A different value; the path is dotted."""

    path: str
    old_value: Any
    new_value: Any


class PartDifference(TypedDict):
    """A node or an edge that differs."""

    logical_id: str
    name: str | None
    status: Status
    changes: list[Change]


class NodeDifference(PartDifference):
    """A node that differs."""

    node_type: str | None


class EdgeDifference(PartDifference):
    """An edge that differs."""

    edge_type: str | None


class VersionDifference(TypedDict):
    """The difference of two versions."""

    version1_number: int
    version1_name: str | None
    version2_number: int
    version2_name: str | None
    workflow_config_changes: list[Change]
    nodes: list[NodeDifference]
    edges: list[EdgeDifference]
    summary: dict[str, int]


@router.get(urls.ACTIVE_VERSIONS, response_model=VersionPage)
def list_active_versions(
    engine: Engine,
    person: Person,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
    favorites: bool = False,
    created_by_me: bool = False,
    category: str | None = None,
    categories: Annotated[list[str] | None, Query()] = None,
    logical_id: str | None = None,
) -> RawJsonResponse:
    """List the active versions, newest workflow first.

    A filter that is ``false`` filters nothing: the platform's behaviour is not known. A workflow is listed if
    its category is any of the requested ones.
    """
    wanted = {*(categories or []), *([category] if category else [])}
    found = [
        (summary, version, graph)
        for summary, version, graph in _active_versions(engine, person, favorites, created_by_me)
        if (not wanted or graph.config.category in wanted)
        and (logical_id is None or graph.config.logical_id == logical_id)
    ]
    rows = [
        _record(summary.id, version, graph)
        for summary, version, graph in found[(page - 1) * size : page * size]
    ]
    return RawJsonResponse(page_envelope("versions", rows, page=page, size=size, total=len(found)))


@router.get(urls.VERSIONS, response_model=VersionPage)
def list_versions(workflow_id: WorkflowId, backend: ServedBackend) -> RawJsonResponse:
    """List all versions of a workflow by number, each with its graph, on one page.

    Raises:
        NotFoundError: There is no such workflow.
    """
    rows = [_read(backend, workflow_id, version) for version in backend.versions(workflow_id)]
    return RawJsonResponse(page_envelope("versions", rows, page=1, size=max(len(rows), 1), total=len(rows)))


@router.post(urls.VERSIONS, response_model=NewVersionAnswer, status_code=201)
def create_version(
    workflow_id: WorkflowId,
    body: Annotated[JsonObject, json_body(NewVersion, {"version_name": "Before the release"})],
    backend: ServedBackend,
) -> RawJsonResponse:
    """Create a version as a copy of another one, by default of the active one.

    The response has the new version, and the number of the active one.

    Raises:
        RequestValidationError: A field is not valid.
        NotFoundError: There is no such workflow or version.
    """
    request = validate(NewVersion, body)
    version = backend.create_version(
        workflow_id,
        version_name=request.version_name,
        source_version_number=request.source_version_number,
        mark_as_active=request.mark_as_active,
    )
    answer: NewVersionAnswer = {
        "version": _read(backend, workflow_id, version),
        "parent_active_version": backend.workflow_summary(workflow_id).active_version_number,
    }
    return RawJsonResponse(answer, status_code=201)


@router.patch(urls.VERSION, response_model=VersionAnswer)
def rename_version(
    workflow_id: WorkflowId,
    version_number: VersionNumber,
    body: Annotated[JsonObject, json_body(VersionName)],
    engine: Engine,
) -> RawJsonResponse:
    """Rename a version; without a name in the body nothing changes.

    Null removes the name.

    Raises:
        RequestValidationError: The name is no text.
        NotFoundError: There is no such workflow or version.
    """
    if "version_name" in body:
        name = validate(VersionName, body).version_name
        engine.store.catalogue.rename_version(workflow_id, version_number, name)
    return _version_answer(engine, workflow_id, version_number)


@router.patch(urls.VERSION_CONFIG, response_model=VersionAnswer, responses={400: {}})
def replace_config(
    workflow_id: WorkflowId,
    version_number: VersionNumber,
    body: Annotated[JsonObject, json_body(NewConfig)],
    engine: Engine,
) -> RawJsonResponse:
    """Replace the graph of a version.

    Any version may be changed: the platform's answer for others than version 0 is not known.

    Raises:
        NotFoundError: There is no such workflow or version.
        RequestValidationError: There is no graph in the body.
        WorkflowError: It is no graph, or breaks a rule of saving.
        InputError: A node or an edge in it lacks a required field.
    """
    _find(engine, workflow_id, version_number)
    engine.store.catalogue.replace_document(workflow_id, version_number, version_document(body))
    engine.renew(workflow_id)
    return _version_answer(engine, workflow_id, version_number)


@router.post(urls.ACTIVATE, response_model=WorkflowAnswer)
def activate_version(
    workflow_id: WorkflowId,
    version_number: VersionNumber,
    body: AnyBody,
    backend: ServedBackend,
    url: BaseUrl,
) -> RawJsonResponse:
    """Make a version the one that new runs start with.

    The body is not used; the response is the workflow.

    Raises:
        NotFoundError: There is no such workflow or version.
    """
    backend.activate_version(workflow_id, version_number)
    return RawJsonResponse(workflow_answer(backend, workflow_id, url))


@router.delete(urls.VERSION, status_code=204, responses={409: {}})
def delete_version(workflow_id: WorkflowId, version_number: VersionNumber, engine: Engine) -> Response:
    """Delete a version, unless it is the active one.

    Raises:
        ConflictError: It is the active one.
        NotFoundError: There is no such workflow or version.
    """
    engine.store.catalogue.delete_version(workflow_id, version_number)
    engine.renew(workflow_id)
    return Response(status_code=204)


@router.get(urls.DIFF, response_model=VersionDifference)
def compare_versions(
    workflow_id: WorkflowId,
    version_number: VersionNumber,
    other_number: VersionNumber,
    backend: ServedBackend,
) -> RawJsonResponse:
    """Compare two versions; paths in the settings are relative to them.

    Nodes and edges are compared by their logical ids, and equal ones are left out.

    Raises:
        NotFoundError: There is no such workflow or version.
    """
    first, second = (_find(backend, workflow_id, number) for number in (version_number, other_number))
    before, after = (backend.workflow(workflow_id, number) for number in (version_number, other_number))
    nodes: Any = _compare_parts(before.node_configs, after.node_configs, "node_type")
    edges: Any = _compare_parts(before.edge_configs, after.edge_configs, "edge_type")
    settings = _changes(_settings(before), _settings(after))
    difference: VersionDifference = {
        "version1_number": first.version_number,
        "version1_name": first.version_name,
        "version2_number": second.version_number,
        "version2_name": second.version_name,
        "workflow_config_changes": settings,
        "nodes": nodes,
        "edges": edges,
        "summary": {
            **_counts("nodes", nodes),
            **_counts("edges", edges),
            "workflow_config_changes": len(settings),
        },
    }
    return RawJsonResponse(difference)


def _active_versions(
    engine: EmbeddedBackend, person: str, favorites: bool, created_by_me: bool
) -> Iterator[tuple[WorkflowSummary, VersionSummary, Workflow]]:
    """Yield each workflow with its active version and the graph of that, newest first.

    The flags keep the favorites of the person, and what the person has created: nothing without a known
    author. A workflow that is deleted meanwhile is left out.
    """
    summaries = engine.workflows()
    catalogue = engine.store.catalogue
    if favorites:
        favorite_ids = catalogue.favorites_of(person)
        summaries = [summary for summary in summaries if summary.id in favorite_ids]
    if created_by_me:
        facts = catalogue.facts([summary.id for summary in summaries])
        summaries = [
            summary for summary in summaries if summary.id in facts and facts[summary.id].created_by == person
        ]
    for summary in summaries:
        try:
            active = next(version for version in engine.versions(summary.id) if version.is_active)
            graph = engine.workflow(summary.id, active.version_number)
        except NotFoundError:  # deleted meanwhile
            continue
        yield summary, active, graph


def _find(backend: Backend, workflow_id: str, version_number: int) -> VersionSummary:
    """Return a version of a workflow.

    Raises NotFoundError when there is no such workflow, or when it has no such version; the advice names
    those that it has.
    """
    versions = backend.versions(workflow_id)
    for version in versions:
        if version.version_number == version_number:
            return version
    numbers = ", ".join(str(version.version_number) for version in versions)
    raise NotFoundError(
        f"Workflow {workflow_id!r} has no version {version_number}.", advice=f"Its versions are: {numbers}."
    )


def _version_answer(backend: Backend, workflow_id: str, version_number: int) -> RawJsonResponse:
    version = _find(backend, workflow_id, version_number)
    return RawJsonResponse({"version": _read(backend, workflow_id, version)})


def _read(backend: Backend, workflow_id: str, version: VersionSummary) -> VersionRecord:
    return _record(workflow_id, version, backend.workflow(workflow_id, version.version_number))


def _record(workflow_id: str, version: VersionSummary, workflow: Workflow) -> VersionRecord:
    """Return the record of a version, with its graph under both keys.

    Its id is derived from the workflow's and the number. Team and authors are always null.
    """
    graph: Any = workflow.to_wire()
    # The store has no ids of versions; this one has the form of the others (``platform.md#identifiers``).
    key = f"{workflow_id}/{version.version_number}".encode()
    return {
        "_id": hashlib.blake2b(key, digest_size=12).hexdigest(),
        "workflow_id": workflow_id,
        "team_id": None,
        "created_by": None,
        "updated_by": None,
        "created_at": version.created_at,
        "updated_at": version.updated_at,
        "version_number": version.version_number,
        "version_name": version.version_name,
        "is_active": version.is_active,
        "config": graph,
        "workflow_config": graph,
    }


def _settings(workflow: Workflow) -> JsonObject:
    wire = workflow.to_wire()
    rest = {key: value for key, value in wire.items() if key not in _OTHER_SECTIONS}
    return {**rest, **(wire.get("workflow_config") or {})}


def _compare_parts(
    before: Sequence[NodeConfig | EdgeConfig], after: Sequence[NodeConfig | EdgeConfig], type_key: str
) -> list[JsonObject]:
    """Return the nodes or the edges that differ, by logical id: those of the first version, then added ones.

    Name and type are of the second version where it has the part. Equal parts are left out; only a modified
    one has changes. Of several parts with one id the last counts.
    """
    old, new = ({part.logical_id: part for part in parts} for parts in (before, after))
    found = []
    for logical_id in {**old, **new}:
        part = new.get(logical_id) or old[logical_id]
        changes: list[Change] = []
        status: Status = "added" if logical_id not in old else "removed"
        if logical_id in old and logical_id in new:
            status = "modified"
            changes = _changes(old[logical_id].to_wire(), new[logical_id].to_wire())
        if changes or status != "modified":
            about = {"logical_id": logical_id, "name": part.name, type_key: part.type}
            found.append({**about, "status": status, "changes": changes})
    return found


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    return [
        {"path": change.path, "old_value": change.before, "new_value": change.after}
        for change in differences(before, after)
    ]


def _counts(name: str, parts: list[PartDifference]) -> dict[str, int]:
    counts = Counter(part["status"] for part in parts)
    return {f"{name}_{status}": counts[status] for status in _STATUSES}
