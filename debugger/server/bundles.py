"""The routes that carry a workflow from one server to another, as a bundle (``platform/wire.md`` 4.1).

What is in a platform's bundle is not known; this one is ours, names its format and takes every document as it
is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from debugger.errors import WorkflowError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.server.answers.workflows import BundleAnswer, WorkflowAnswer
from debugger.server.body import JsonBody, read_fields, unusable
from debugger.server.documents import refuse_faulty
from debugger.server.operations import described
from debugger.server.parameters import LARGEST_VERSION, BaseUrl, Engine, Person, WorkflowId
from debugger.server.records import read_workflow, sign
from debugger.server.reply import JsonReply
from debugger.server.secret_variables import without_secrets
from debugger.store import VersionCopy

router = APIRouter()

FORMAT = "workflow-bundle/1"
PYTHON = "inline_python"
_DEEPEST = 200

Number = Annotated[int, Field(ge=0, le=LARGEST_VERSION)]


class BundledVersion(BaseModel):
    """One version in a bundle."""

    version_number: Number
    version_name: str | None = None
    workflow_config: JsonObject


class Bundle(BaseModel):
    """A workflow that is carried."""

    export_format: str
    name: str | None = None
    description: str | None = None
    versions: list[BundledVersion]


class Import(BaseModel):
    """What is to be made of a bundle."""

    bundle: Bundle
    versions_to_import: list[Number] = Field(default_factory=lambda: [0])
    active_version_number: Number = 0
    workflow_name: str | None = None
    confirm_executable: bool = False
    """Whether code in it may come in; named as where tools are imported (section 8)."""


@router.get(urls.EXPORT)
@described(BundleAnswer)
def export_workflow(
    workflow_id: WorkflowId,
    engine: Engine,
    version_numbers: Annotated[list[Number], Query(min_length=1)],
    active_version_number: Annotated[int, Query(ge=0, le=LARGEST_VERSION)],
) -> JsonReply:
    """A bundle of some of a workflow's versions, one of them the active one."""
    if active_version_number not in version_numbers:
        raise RequestValidationError(
            [
                {
                    "type": "value_error",
                    "loc": ("query", "active_version_number"),
                    "msg": "It must be one of version_numbers",
                }
            ]
        )
    summary = engine.workflow_summary(workflow_id)
    copies = engine.store.catalogue.versions(workflow_id, sorted(set(version_numbers)))
    return JsonReply(
        {
            "export_format": FORMAT,
            "exported_at": datetime.now(UTC).isoformat(),
            "source_workflow_id": workflow_id,
            "name": summary.name,
            "description": summary.description,
            "active_version_number": active_version_number,
            "versions": [_bundled(copy) for copy in copies],
        }
    )


@router.post(urls.IMPORT)
@described(WorkflowAnswer, takes=Import, statuses=(201,), refuses=(400,))
def import_bundle(body: JsonBody, engine: Engine, person: Person, url: BaseUrl) -> JsonReply:
    """Make a workflow out of versions of a bundle, which keep their numbers and every field.

    Raises:
        WorkflowError: One of them carries Python and ``confirm_executable`` is not true, the bundle is of
            another format, or the platform would not save a version.
        InputError: It has no version of a number that is asked for.
    """
    wanted = read_fields(Import, body)
    if wanted.bundle.export_format != FORMAT:
        raise WorkflowError(
            f"The format {wanted.bundle.export_format!r} is not known here; {FORMAT!r} is.",
            category="Invalid bundle",
        )
    copies = _chosen(wanted)
    for copy in copies:
        refuse_faulty(dict(copy.document))
    if not wanted.confirm_executable:
        _refuse_code(copies)
    labels = {
        "name": wanted.workflow_name or wanted.bundle.name,
        "description": wanted.bundle.description,
    }
    renamed = ["name"] if wanted.workflow_name else []
    made = engine.store.catalogue.keep_workflow(labels, copies, wanted.active_version_number, renamed)
    sign(engine, made, person)
    return JsonReply(read_workflow(engine, made, url), status_code=201)


def _bundled(copy: VersionCopy) -> JsonObject:
    return {
        "version_number": copy.version_number,
        "version_name": copy.version_name,
        "workflow_config": copy.document,
    }


def _chosen(wanted: Import) -> list[VersionCopy]:
    known = {version.version_number: version for version in wanted.bundle.versions}
    missing = [number for number in wanted.versions_to_import if number not in known]
    if missing or not wanted.versions_to_import:
        told = f"The bundle has no version {missing[0]}" if missing else "No version is asked for"
        raise unusable("value_error", told, "versions_to_import")
    found = [known[number] for number in sorted(set(wanted.versions_to_import))]
    return [
        VersionCopy(one.version_number, one.version_name, without_secrets(one.workflow_config))
        for one in found
    ]


def _refuse_code(copies: list[VersionCopy]) -> None:
    names = [name for copy in copies for name in _code_in(copy.document)]
    if names:
        raise WorkflowError(
            f"The bundle carries Python code that this server would run: {', '.join(dict.fromkeys(names))}. "
            "Read it, then import again with confirm_executable set to true.",
            category="Confirmation required",
        )


def _code_in(value: Any, depth: int = 0) -> Iterator[str]:
    """The names of the tools with Python code, however deep they stand."""
    if depth > _DEEPEST:
        yield "nested too deeply to look"
    elif isinstance(value, dict):
        if value.get("type") == PYTHON:
            yield str(value.get("name") or "without a name")
        for inner in value.values():
            yield from _code_in(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _code_in(inner, depth + 1)
