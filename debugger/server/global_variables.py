"""The routes of global variables (``platform/wire.md`` section 8)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, field_validator

from debugger.backends.embedded.global_variables import NAMESPACE
from debugger.errors import ConflictError, DebuggerError, ForbiddenError, NotFoundError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.server.answers.global_variables import (
    CreatedVariables,
    ResolvedVariables,
    VariableAnswer,
    VariablePage,
)
from debugger.server.body import JsonBody, read_fields, unusable
from debugger.server.operations import described
from debugger.server.paging import DEFAULT_SIZE, PageNumber, PageSize, page_envelope
from debugger.server.parameters import BaseUrl, Engine, ServedStore
from debugger.server.reply import JsonReply
from debugger.server.shapes.global_variables import (
    MASK,
    SYSTEM_PREFIX,
    shown_value,
    system_shape,
    variable_shape,
)
from debugger.store import GlobalVariable, Store

router = APIRouter()

VariableId = Annotated[str, Path(pattern=rf"^([0-9a-f]{{24}}|{SYSTEM_PREFIX}.{{1,200}})$")]

_URL, _TOKEN = "interactly_api_base_url", "interactly_api_token"
_TAKEN = (_URL, _TOKEN, NAMESPACE)
"""Names that the system needs for itself."""
_MOST_AT_ONCE = 1_000


class NewVariable(BaseModel):
    """A variable that is to be made."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    is_secret: bool = False
    value: Any = ""
    description: str | None = None
    category: str | None = None

    @field_validator("name")
    @classmethod
    def _usable(cls, value: str) -> str:
        if value != value.strip() or set(value) & set("{}[]|"):
            raise ValueError("a name has no brackets, bars or blanks around it")
        return value


class ChangedVariable(NewVariable):
    """What a variable is to be from now on; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = "-"


class NewVariables(BaseModel):
    """Variables that are to be made together."""

    variables: Annotated[list[JsonObject], Field(max_length=_MOST_AT_ONCE)]


@router.get(urls.GLOBALS)
@described(VariablePage)
def list_variables(
    store: ServedStore,
    url: BaseUrl,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
    category: str | None = None,
) -> JsonReply:
    """One page of the variables by name; those of the system stand on the first one besides."""
    found, total = store.globals.page(category, page, size)
    system = _system(url) if category is None else []
    rows = [*(system if page == 1 else []), *map(variable_shape, found)]
    envelope = page_envelope("variables", rows, page=page, size=size, total=total)
    return JsonReply({**envelope, "total": total + len(system)})


@router.post(urls.GLOBALS)
@described(VariableAnswer, takes=NewVariable, statuses=(201,), refuses=(409,))
def create_variable(body: JsonBody, engine: Engine) -> JsonReply:
    """Keep a new variable."""
    made = _create(engine.store, body)
    engine.global_values.renew()
    return JsonReply({"variable": variable_shape(made)}, status_code=201)


@router.post(urls.GLOBALS_BULK)
@described(CreatedVariables, takes=NewVariables)
def create_variables(body: JsonBody, engine: Engine) -> JsonReply:
    """Keep many new variables: those that can be kept are, and of each of the others the error is told."""
    created, errors = [], []
    for index, wanted in enumerate(read_fields(NewVariables, body).variables):
        try:
            created.append(variable_shape(_create(engine.store, wanted)))
        except (DebuggerError, RequestValidationError) as error:
            errors.append({"index": index, "name": wanted.get("name"), "error": _told(error)})
    engine.global_values.renew()
    counts = {"total_created": len(created), "total_errors": len(errors)}
    return JsonReply({"created": created, "errors": errors, **counts})


@router.get(urls.GLOBALS_RESOLVED)
@described(ResolvedVariables)
def resolve_variables(store: ServedStore, url: BaseUrl) -> JsonReply:
    """The value of each variable by name; a mask for those that are secret."""
    system = {row["name"]: row["value"] for row in _system(url)}
    return JsonReply({"variables": {**system, **{one.name: shown_value(one) for one in store.globals.all()}}})


@router.get(urls.GLOBAL)
@described(VariableAnswer)
def get_variable(variable_id: VariableId, store: ServedStore, url: BaseUrl) -> JsonReply:
    """One variable."""
    if not variable_id.startswith(SYSTEM_PREFIX):
        return JsonReply({"variable": variable_shape(store.globals.get(variable_id))})
    for row in _system(url):
        if row["id"] == variable_id:
            return JsonReply({"variable": row})
    raise NotFoundError(f"There is no global variable {variable_id!r}.")


@router.patch(urls.GLOBAL)
@described(VariableAnswer, takes=ChangedVariable, refuses=(409,))
def change_variable(variable_id: VariableId, body: JsonBody, engine: Engine) -> JsonReply:
    """Change a variable. A secret's mask sent back leaves the secret as it is."""
    _refuse_system(variable_id)
    known = engine.store.globals.get(variable_id)
    values = read_fields(ChangedVariable, body).model_dump(
        include=body.keys() & NewVariable.model_fields.keys()
    )
    if known.is_secret and values.get("value") == MASK:
        del values["value"]
    if known.is_secret and values.get("is_secret") is False and "value" not in values:
        raise unusable("missing", "A secret that is to be one no more needs a new value", "value")
    _refuse_taken(values.get("name"))
    changed = engine.store.globals.change(variable_id, values)
    engine.global_values.renew()
    return JsonReply({"variable": variable_shape(changed)})


@router.delete(urls.GLOBAL, status_code=204)
@described(statuses=(204,))
def delete_variable(variable_id: VariableId, engine: Engine) -> Response:
    """Forget a variable."""
    _refuse_system(variable_id)
    engine.store.globals.delete(variable_id)
    engine.global_values.renew()
    return Response(status_code=204)


def _create(store: Store, body: JsonObject) -> GlobalVariable:
    values = read_fields(NewVariable, body).model_dump()
    _refuse_taken(values["name"])
    return store.globals.create(values)


def _refuse_taken(name: str | None) -> None:
    if name in _TAKEN:
        raise ConflictError(f"The name {name!r} is the system's own.", advice="Choose another one.")


def _refuse_system(variable_id: str) -> None:
    if variable_id.startswith(SYSTEM_PREFIX):
        raise ForbiddenError("The system's own variables cannot be changed.")


def _system(url: str) -> list[JsonObject]:
    address = url.rstrip("/") + urls.BASE_PATH
    return [
        system_shape(_URL, address, is_secret=False, description="Where this server is reached."),
        system_shape(_TOKEN, MASK, is_secret=True, description="The key of the one who runs a workflow."),
    ]


def _told(error: DebuggerError | RequestValidationError) -> str:
    if isinstance(error, DebuggerError):
        return error.message
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'][1:]))}: {problem['msg']}" for problem in error.errors()
    )
