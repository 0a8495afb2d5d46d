"""Transfer of workflows: export and import of bundles, and clones (``platform.md#workflow-routes``).

The platform's bundle is not known; this format is ours, has a name and keeps every document as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from debugger.errors import DebuggerError, WorkflowError
from debugger.graph.checks import reject_faulty
from debugger.protocol import urls
from debugger.protocol.base import JsonObject, without_secret_variables
from debugger.protocol.workflow import Workflow
from debugger.server.audit import set_audit_target
from debugger.server.body import body_error, json_body, validate
from debugger.server.dependencies import MAX_NUMBER, BaseUrl, Engine, Person, VersionField, WorkflowId
from debugger.server.responses import RawJsonResponse
from debugger.server.workflows import WorkflowAnswer, set_author, workflow_answer
from debugger.store import VersionCopy

router = APIRouter(tags=["workflows"])

FORMAT = "workflow-bundle/1"
_PYTHON = "inline_python"
_MAX_DEPTH = 200


class BundledVersion(BaseModel):
    """A version in a bundle."""

    version_number: VersionField
    version_name: str | None = None
    workflow_config: JsonObject


class Bundle(BaseModel):
    """A workflow to be imported."""

    export_format: str
    name: str | None = None
    description: str | None = None
    versions: list[BundledVersion]


class Import(BaseModel):
    """The import of a bundle."""

    bundle: Bundle
    versions_to_import: list[VersionField] = Field(default_factory=lambda: [0])
    active_version_number: VersionField = 0
    workflow_name: str | None = None
    confirm_executable: bool = False
    """Import Python code as well; named as where tools are imported."""


class Clone(BaseModel):
    """The copy of a workflow."""

    name: str | None = None
    description: str | None = None
    version_numbers_to_clone: list[VersionField] | None = None
    clone_all_versions: bool = False
    fallback_active_version: VersionField | None = None


class VersionRecord(TypedDict):
    """A version in an exported bundle."""

    version_number: int
    version_name: str | None
    workflow_config: JsonObject


class BundleAnswer(TypedDict):
    """An exported workflow."""

    export_format: str
    exported_at: str
    source_workflow_id: str
    name: str | None
    description: str | None
    active_version_number: int
    versions: list[VersionRecord]


class NothingSelectedError(DebuggerError):
    """No version is selected; the platform answers 500."""


@router.get(urls.EXPORT, response_model=BundleAnswer)
def export_workflow(
    workflow_id: WorkflowId,
    engine: Engine,
    version_numbers: Annotated[list[VersionField], Query(min_length=1)],
    active_version_number: Annotated[int, Query(ge=0, le=MAX_NUMBER)],
) -> RawJsonResponse:
    """Export versions of a workflow, one of them the active one.

    Each version is exported once, in the order of numbers.

    Raises:
        RequestValidationError: The active version is not among the exported ones.
        NotFoundError: There is no such workflow or version.
    """
    if active_version_number not in version_numbers:
        place = ("query", "active_version_number")
        raise RequestValidationError(
            [{"type": "value_error", "loc": place, "msg": "It must be one of version_numbers"}]
        )
    summary = engine.workflow_summary(workflow_id)
    copies = engine.store.catalogue.versions(workflow_id, sorted(set(version_numbers)))
    bundle: BundleAnswer = {
        "export_format": FORMAT,
        "exported_at": datetime.now(UTC).isoformat(),
        "source_workflow_id": workflow_id,
        "name": summary.name,
        "description": summary.description,
        "active_version_number": active_version_number,
        "versions": [
            {
                "version_number": copy.version_number,
                "version_name": copy.version_name,
                "workflow_config": dict(copy.document),
            }
            for copy in copies
        ],
    }
    return RawJsonResponse(bundle)


@router.post(urls.IMPORT, response_model=WorkflowAnswer, status_code=201, responses={400: {}})
def import_bundle(
    request: Request,
    body: Annotated[JsonObject, json_body(Import)],
    engine: Engine,
    person: Person,
    url: BaseUrl,
) -> RawJsonResponse:
    """Import versions of a bundle as a workflow.

    They keep their numbers and every field but secret variables; a ``workflow_name`` replaces the name in
    them.

    Raises:
        WorkflowError: A version has Python code and ``confirm_executable`` is not true, the bundle is of
            another format, or the platform would not save a version.
        RequestValidationError: The body is not valid, or no version is requested, or one that is not in the
            bundle.
        InputError: The active version is not among the requested ones, or a version cannot be read.
    """
    bundle_import = validate(Import, body)
    if bundle_import.bundle.export_format != FORMAT:
        raise WorkflowError(
            f"The format {bundle_import.bundle.export_format!r} is not known here; {FORMAT!r} is.",
            category="Invalid bundle",
        )
    copies = _selected(bundle_import)
    for copy in copies:
        reject_faulty(Workflow.from_document(copy.document))
    if not bundle_import.confirm_executable:
        _reject_code(copies)
    labels = {
        "name": bundle_import.workflow_name or bundle_import.bundle.name,
        "description": bundle_import.bundle.description,
    }
    renamed = ["name"] if bundle_import.workflow_name else []
    new_id = engine.store.catalogue.keep_workflow(
        labels, copies, bundle_import.active_version_number, renamed
    )
    set_author(engine, new_id, person)
    set_audit_target(request.scope, new_id)
    return RawJsonResponse(workflow_answer(engine, new_id, url), status_code=201)


@router.post(urls.CLONE, response_model=WorkflowAnswer, status_code=201, responses={500: {}})
def clone_workflow(
    workflow_id: WorkflowId,
    body: Annotated[JsonObject, json_body(Clone, {"name": "A copy", "clone_all_versions": True})],
    engine: Engine,
    person: Person,
    url: BaseUrl,
) -> RawJsonResponse:
    """Copy a workflow with the selected versions, which keep their numbers.

    The active version of the copy is that of the original if it is selected, else the fallback, else the
    first. The platform's name of a copy without one is not known; here it is the original's with "(copy)".

    Raises:
        NotFoundError: There is no such workflow, or it has no such version.
        NothingSelectedError: No version is selected.
    """
    request = validate(Clone, body)
    original = engine.workflow_summary(workflow_id)
    numbers = None if request.clone_all_versions else sorted(set(request.version_numbers_to_clone or ()))
    if numbers == []:
        raise NothingSelectedError("No version was selected to be cloned.")
    copies = engine.store.catalogue.versions(workflow_id, numbers)
    copied = [copy.version_number for copy in copies]
    candidates = (original.active_version_number, request.fallback_active_version)
    active = next((number for number in candidates if number in copied), copied[0])
    labels: JsonObject = {
        "name": request.name or f"{original.label} (copy)",
        "description": request.description if "description" in body else original.description,
    }
    renamed = {"name", *(body.keys() & {"description"})}
    new_id = engine.store.catalogue.keep_workflow(labels, copies, active or 0, renamed)
    set_author(engine, new_id, person)
    return RawJsonResponse(workflow_answer(engine, new_id, url), status_code=201)


def _selected(request: Import) -> list[VersionCopy]:
    """Return the requested versions of a bundle by number, each once, without secret variables.

    Raises RequestValidationError when none is requested, or when the bundle lacks one.
    """
    versions = {version.version_number: version for version in request.bundle.versions}
    missing = [number for number in request.versions_to_import if number not in versions]
    if missing or not request.versions_to_import:
        message = f"The bundle has no version {missing[0]}" if missing else "No version is requested"
        raise body_error("value_error", message, "versions_to_import")
    selected = [versions[number] for number in sorted(set(request.versions_to_import))]
    return [
        VersionCopy(
            version.version_number, version.version_name, without_secret_variables(version.workflow_config)
        )
        for version in selected
    ]


def _reject_code(copies: list[VersionCopy]) -> None:
    """Reject versions that have tools with Python code.

    Raises WorkflowError with the names of the tools, each once.
    """
    names = [name for copy in copies for name in _python_tools(copy.document)]
    if names:
        raise WorkflowError(
            f"The bundle carries Python code that this server would run: {', '.join(dict.fromkeys(names))}. "
            "Read it, then import again with confirm_executable set to true.",
            category="Confirmation required",
        )


def _python_tools(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the names of the tools with Python code, down to `_MAX_DEPTH` levels.

    A tool without a name yields a text for it. So does what is nested more deeply, which is not searched.
    """
    if depth > _MAX_DEPTH:
        yield "nested too deeply to be checked"
    elif isinstance(value, dict):
        if value.get("type") == _PYTHON:
            yield str(value.get("name") or "without a name")
        for inner in value.values():
            yield from _python_tools(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _python_tools(inner, depth + 1)
