"""The routes of a workflow's versions (``platform/wire.md`` 4.1, 4.5)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from debugger.backends.base import Backend
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import VersionSummary
from debugger.server.body import JsonBody, read_fields
from debugger.server.paging import page_envelope
from debugger.server.parameters import LARGEST_VERSION, ServedBackend, VersionNumber, WorkflowId
from debugger.server.reply import JsonReply
from debugger.server.workflows import workflow_answer

router = APIRouter()


class NewVersion(BaseModel):
    """What a new version is made of."""

    version_name: str | None = None
    source_version_number: Annotated[int, Field(ge=0, le=LARGEST_VERSION)] | None = None
    mark_as_active: bool = False


@router.get(urls.VERSIONS)
def list_versions(workflow_id: WorkflowId, backend: ServedBackend) -> JsonReply:
    """Every version of a workflow, each with its graph."""
    rows = [_version_row(backend, workflow_id, version) for version in backend.versions(workflow_id)]
    return JsonReply(page_envelope("versions", rows, page=1, size=max(len(rows), 1), total=len(rows)))


@router.post(urls.VERSIONS)
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
        "version": _version_row(backend, workflow_id, version),
        "parent_active_version": backend.workflow_summary(workflow_id).active_version_number,
    }
    return JsonReply(answer, status_code=201)


@router.post(urls.ACTIVATE)
def activate_version(
    workflow_id: WorkflowId, version_number: VersionNumber, backend: ServedBackend, request: Request
) -> JsonReply:
    """Make a version the one that new runs start with."""
    backend.activate_version(workflow_id, version_number)
    return JsonReply({"workflow": workflow_answer(backend, workflow_id, request)["workflow"]})


def _version_row(backend: Backend, workflow_id: str, version: VersionSummary) -> JsonObject:
    """A version, its graph under both keys that clients look for."""
    graph = backend.workflow(workflow_id, version.version_number).to_wire()
    return {
        "workflow_id": workflow_id,
        "version_number": version.version_number,
        "version_name": version.version_name,
        "is_active": version.is_active,
        "created_at": version.created_at,
        "updated_at": version.updated_at,
        "config": graph,
        "workflow_config": graph,
    }
