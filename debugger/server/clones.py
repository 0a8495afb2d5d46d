"""The route that copies a workflow (``platform/wire.md`` 4.1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from debugger.errors import DebuggerError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.server.answers.workflows import WorkflowAnswer
from debugger.server.body import JsonBody, read_fields
from debugger.server.operations import described
from debugger.server.parameters import LARGEST_VERSION, BaseUrl, Engine, Person, WorkflowId
from debugger.server.records import read_workflow, sign
from debugger.server.reply import JsonReply

router = APIRouter()

Number = Annotated[int, Field(ge=0, le=LARGEST_VERSION)]


class Clone(BaseModel):
    """What a copy is made of."""

    name: str | None = None
    description: str | None = None
    version_numbers_to_clone: list[Number] | None = None
    clone_all_versions: bool = False
    fallback_active_version: Number | None = None


class NothingSelectedError(DebuggerError):
    """No version was chosen; the platform answers 500 to that."""


@router.post(urls.CLONE)
@described(WorkflowAnswer, takes=Clone, statuses=(201,), refuses=(500,))
def clone_workflow(
    workflow_id: WorkflowId, body: JsonBody, engine: Engine, person: Person, url: BaseUrl
) -> JsonReply:
    """Copy a workflow with the versions that are asked for, which keep their numbers.

    The active version of the copy is that of the original if it is among them, else the one named as
    fallback, else the first. The name of a copy to which none is given is not known; here it is that of the
    original with "(copy)" behind it.

    Raises:
        NothingSelectedError: No version is asked for.
    """
    wanted = read_fields(Clone, body)
    numbers = None if wanted.clone_all_versions else sorted(set(wanted.version_numbers_to_clone or ()))
    if numbers == []:
        raise NothingSelectedError("No version was selected to be cloned.")
    original = engine.workflow_summary(workflow_id)
    copies = engine.store.catalogue.versions(workflow_id, numbers)
    known = [copy.version_number for copy in copies]
    candidates = (original.active_version_number, wanted.fallback_active_version)
    active = next((number for number in candidates if number in known), known[0])
    labels: JsonObject = {
        "name": wanted.name or f"{original.label} (copy)",
        "description": wanted.description if "description" in body else original.description,
    }
    renamed = {"name", *(body.keys() & {"description"})}
    made = engine.store.catalogue.keep_workflow(labels, copies, active or 0, renamed)
    sign(engine, made, person)
    return JsonReply(read_workflow(engine, made, url), status_code=201)
