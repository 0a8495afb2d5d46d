"""The routes of a workflow's versions (``platform/wire.md`` 4.1, 4.5)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from debugger.backends.base import Backend
from debugger.errors import NotFoundError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import VersionSummary
from debugger.server.answers.workflows import (
    NewVersionAnswer,
    VersionAnswer,
    VersionDifference,
    VersionPage,
    WorkflowAnswer,
)
from debugger.server.body import JsonBody, read_fields, read_object
from debugger.server.documents import NewConfig, version_document
from debugger.server.operations import described
from debugger.server.paging import page_envelope
from debugger.server.parameters import (
    LARGEST_VERSION,
    BaseUrl,
    Engine,
    ServedBackend,
    VersionNumber,
    WorkflowId,
)
from debugger.server.records import read_version, read_workflow
from debugger.server.reply import JsonReply
from debugger.server.shapes.versions import version_diff

router = APIRouter()


class NewVersion(BaseModel):
    """What a new version is made of."""

    version_name: str | None = None
    source_version_number: Annotated[int, Field(ge=0, le=LARGEST_VERSION)] | None = None
    mark_as_active: bool = False


class VersionName(BaseModel):
    """What a version is called."""

    version_name: str | None = None


@router.get(urls.VERSIONS)
@described(VersionPage)
def list_versions(workflow_id: WorkflowId, backend: ServedBackend) -> JsonReply:
    """Every version of a workflow, each with its graph."""
    rows = [read_version(backend, workflow_id, version) for version in backend.versions(workflow_id)]
    return JsonReply(page_envelope("versions", rows, page=1, size=max(len(rows), 1), total=len(rows)))


@router.post(urls.VERSIONS)
@described(NewVersionAnswer, takes=NewVersion, statuses=(201,))
def create_version(workflow_id: WorkflowId, body: JsonBody, backend: ServedBackend) -> JsonReply:
    """Keep a copy of a version as the next one."""
    wanted = read_fields(NewVersion, body)
    version = backend.create_version(
        workflow_id,
        version_name=wanted.version_name,
        source_version_number=wanted.source_version_number,
        mark_as_active=wanted.mark_as_active,
    )
    answer = {
        "version": read_version(backend, workflow_id, version),
        "parent_active_version": backend.workflow_summary(workflow_id).active_version_number,
    }
    return JsonReply(answer, status_code=201)


@router.patch(urls.VERSION)
@described(VersionAnswer, takes=VersionName)
def rename_version(
    workflow_id: WorkflowId, version_number: VersionNumber, body: JsonBody, engine: Engine
) -> JsonReply:
    """Give a version another name; without one in the body nothing changes."""
    if "version_name" in body:
        name = read_fields(VersionName, body).version_name
        engine.store.catalogue.rename_version(workflow_id, version_number, name)
    return _version_answer(engine, workflow_id, version_number)


@router.patch(urls.VERSION_CONFIG)
@described(VersionAnswer, takes=NewConfig, refuses=(400,))
def replace_config(
    workflow_id: WorkflowId, version_number: VersionNumber, body: JsonBody, engine: Engine
) -> JsonReply:
    """Give a version another graph.

    Any version takes one: what the platform answers for others than version 0 is not known (4.5).
    """
    find_version(engine, workflow_id, version_number)
    engine.store.catalogue.replace_document(workflow_id, version_number, version_document(body))
    engine.renew(workflow_id)
    return _version_answer(engine, workflow_id, version_number)


@router.post(urls.ACTIVATE, dependencies=[Depends(read_object)])
@described(WorkflowAnswer)
def activate_version(
    workflow_id: WorkflowId, version_number: VersionNumber, backend: ServedBackend, url: BaseUrl
) -> JsonReply:
    """Make a version the one that new runs start with."""
    backend.activate_version(workflow_id, version_number)
    return JsonReply(read_workflow(backend, workflow_id, url))


@router.delete(urls.VERSION, status_code=204)
@described(statuses=(204,), refuses=(409,))
def delete_version(workflow_id: WorkflowId, version_number: VersionNumber, engine: Engine) -> Response:
    """Forget a version, unless it is the active one."""
    engine.store.catalogue.delete_version(workflow_id, version_number)
    engine.renew(workflow_id)
    return Response(status_code=204)


@router.get(urls.DIFF)
@described(VersionDifference)
def compare_versions(
    workflow_id: WorkflowId,
    version_number: VersionNumber,
    other_number: VersionNumber,
    backend: ServedBackend,
) -> JsonReply:
    """What differs between two versions; no envelope around it (``platform/wire.md`` 4.6)."""
    old, new = (
        (find_version(backend, workflow_id, number), backend.workflow(workflow_id, number))
        for number in (version_number, other_number)
    )
    return JsonReply(version_diff(old, new))


def find_version(backend: Backend, workflow_id: str, version_number: int) -> VersionSummary:
    """One version of a workflow.

    Raises:
        NotFoundError: There is no such workflow, or it has no such version.
    """
    known = backend.versions(workflow_id)
    for version in known:
        if version.version_number == version_number:
            return version
    numbers = ", ".join(str(version.version_number) for version in known)
    raise NotFoundError(
        f"Workflow {workflow_id!r} has no version {version_number}.", advice=f"Its versions are: {numbers}."
    )


def _version_answer(backend: Backend, workflow_id: str, version_number: int) -> JsonReply:
    version = find_version(backend, workflow_id, version_number)
    answer: JsonObject = {"version": read_version(backend, workflow_id, version)}
    return JsonReply(answer)
