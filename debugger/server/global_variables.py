"""Global variables (``platform.md#other-routes``)."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from debugger.analysis.caller_input import NAMESPACE
from debugger.errors import ConflictError, DebuggerError, ForbiddenError, NotFoundError, StoreError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.server.audit import set_audit_target
from debugger.server.body import body_error, json_body, validate
from debugger.server.dependencies import DEFAULT_SIZE, BaseUrl, Engine, PageNumber, PageSize, ServedStore
from debugger.server.responses import Page, RawJsonResponse, page_envelope
from debugger.store import GlobalVariable, Store

router = APIRouter(tags=["global variables"])

_log = logging.getLogger(__name__)

MASK = "***"
"""The value of a secret in responses."""
SYSTEM_PREFIX = "system:"
"""The beginning of the ids of system variables, which cannot be changed."""
_URL, _TOKEN = "interactly_api_base_url", "interactly_api_token"
_RESERVED = (_URL, _TOKEN, NAMESPACE)
_MAX_BULK = 1_000

VariableId = Annotated[str, Path(pattern=rf"^([0-9a-f]{{24}}|{SYSTEM_PREFIX}.{{1,200}})$")]


class NewVariable(BaseModel):
    """A variable to be created."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    is_secret: bool = False
    value: Any = ""
    description: str | None = None
    category: str | None = None

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if value != value.strip() or set(value) & set("{}[]|"):
            raise ValueError("a name has no brackets, bars or blanks around it")
        return value


class ChangedVariable(NewVariable):
    """New values of a variable.

    A field that is left out keeps its value.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)] = "-"


class NewVariables(BaseModel):
    """Variables to be created together."""

    variables: Annotated[list[JsonObject], Field(max_length=_MAX_BULK)]


class VariableRecord(TypedDict):
    """A global variable; the value of a secret is masked."""

    _id: str
    id: str
    name: str
    is_secret: bool
    is_system: bool
    value: Any
    description: str | None
    category: str | None
    created_at: str | None
    updated_at: str | None


class VariableAnswer(TypedDict):
    """A global variable."""

    variable: VariableRecord


class VariablePage(Page):
    """A page of global variables."""

    variables: list[VariableRecord]


class VariableError(TypedDict):
    """A variable that was not created, and the error."""

    index: int
    name: Any
    error: str


class CreatedVariables(TypedDict):
    """The result of creating variables together."""

    created: list[VariableRecord]
    errors: list[VariableError]
    total_created: int
    total_errors: int


class ResolvedVariables(TypedDict):
    """The values of the global variables by name."""

    variables: dict[str, Any]


@router.get(urls.GLOBALS, response_model=VariablePage)
def list_variables(
    store: ServedStore,
    url: BaseUrl,
    page: PageNumber = 1,
    size: PageSize = DEFAULT_SIZE,
    category: str | None = None,
) -> RawJsonResponse:
    """List variables by name; the first page has the system's in addition.

    The system's are left out where a category is requested. They count in ``total`` on every page, and not in
    ``pages`` and ``has_next``.
    """
    found, total = store.globals.page(category, page, size)
    system = _system_variables(url) if category is None else []
    rows = [*(system if page == 1 else []), *map(_record, found)]
    envelope = page_envelope("variables", rows, page=page, size=size, total=total)
    return RawJsonResponse({**envelope, "total": total + len(system)})


@router.post(urls.GLOBALS, response_model=VariableAnswer, status_code=201, responses={409: {}})
def create_variable(
    request: Request,
    body: Annotated[JsonObject, json_body(NewVariable, {"name": "city", "value": "Bath"})],
    engine: Engine,
) -> RawJsonResponse:
    """Create a variable; the response masks the value of a secret.

    Raises:
        RequestValidationError: The name is missing or has characters that it cannot have, or a field is not
            valid.
        ConflictError: The name is the system's own, or another variable has it.
        InputError: It is secret, and the server has no key to encrypt it with.
    """
    variable = _create(engine.store, body)
    engine.global_values.renew()
    set_audit_target(request.scope, variable.id)
    return RawJsonResponse({"variable": _record(variable)}, status_code=201)


@router.post(urls.GLOBALS_BULK, response_model=CreatedVariables)
def create_variables(
    request: Request,
    body: Annotated[JsonObject, json_body(NewVariables, {"variables": [{"name": "city", "value": "Bath"}]})],
    engine: Engine,
) -> RawJsonResponse:
    """Create variables together.

    The response has an error for each one that cannot be created. Once the store fails, no more are created;
    if it fails before the first one is created, the response is that of the failure.

    Raises:
        RequestValidationError: The body has no list of objects, or too many.
        StoreError: The store failed before any variable was created.
    """
    created: list[VariableRecord] = []
    errors: list[VariableError] = []
    variables = validate(NewVariables, body).variables
    for index, values in enumerate(variables):
        try:
            created.append(_record(_create(engine.store, values)))
        except StoreError as error:  # its message has the place of the database
            if not created:
                raise
            _log.warning("%d global variables were not created: %s", len(variables) - index, error)
            errors += [
                {"index": place, "name": variables[place].get("name"), "error": "Service unavailable"}
                for place in range(index, len(variables))
            ]
            break
        except (DebuggerError, RequestValidationError) as error:
            errors.append({"index": index, "name": values.get("name"), "error": _error_message(error)})
    engine.global_values.renew()
    set_audit_target(request.scope, ", ".join(record["id"] for record in created))
    answer: CreatedVariables = {
        "created": created,
        "errors": errors,
        "total_created": len(created),
        "total_errors": len(errors),
    }
    return RawJsonResponse(answer)


@router.get(urls.GLOBALS_RESOLVED, response_model=ResolvedVariables)
def resolve_variables(store: ServedStore, url: BaseUrl) -> RawJsonResponse:
    """Return the values of all variables, with secrets masked."""
    records = [*_system_variables(url), *map(_record, store.globals.all())]
    return RawJsonResponse({"variables": {record["name"]: record["value"] for record in records}})


@router.get(urls.GLOBAL, response_model=VariableAnswer)
def get_variable(variable_id: VariableId, store: ServedStore, url: BaseUrl) -> RawJsonResponse:
    """Return a variable; the value of a secret is masked.

    Raises:
        NotFoundError: There is no such variable.
    """
    if not variable_id.startswith(SYSTEM_PREFIX):
        return RawJsonResponse({"variable": _record(store.globals.get(variable_id))})
    for record in _system_variables(url):
        if record["id"] == variable_id:
            return RawJsonResponse({"variable": record})
    raise NotFoundError(f"There is no global variable {variable_id!r}.")


@router.patch(urls.GLOBAL, response_model=VariableAnswer, responses={409: {}})
def change_variable(
    variable_id: VariableId,
    body: Annotated[JsonObject, json_body(ChangedVariable, {"value": "London"})],
    engine: Engine,
) -> RawJsonResponse:
    """Change a variable.

    The mask as the value of a secret leaves the secret as it is. A secret that is to be one no more needs a
    new value.

    Raises:
        ForbiddenError: It is one of the system's.
        NotFoundError: There is no such variable.
        RequestValidationError: A field is not valid, or the new value is missing.
        ConflictError: The new name is the system's own, or another variable has it.
        InputError: It is secret, and the server has no key to encrypt it with.
    """
    _reject_system(variable_id)
    variable = engine.store.globals.get(variable_id)
    values = validate(ChangedVariable, body).model_dump(include=body.keys() & NewVariable.model_fields.keys())
    if variable.is_secret and values.get("value") == MASK:
        del values["value"]
    if variable.is_secret and values.get("is_secret") is False and "value" not in values:
        raise body_error("missing", "A secret that is to be one no more needs a new value", "value")
    _reject_reserved(values.get("name"))
    changed = engine.store.globals.change(variable_id, values)
    engine.global_values.renew()
    return RawJsonResponse({"variable": _record(changed)})


@router.delete(urls.GLOBAL, status_code=204)
def delete_variable(variable_id: VariableId, engine: Engine) -> Response:
    """Delete a variable.

    Raises:
        ForbiddenError: It is one of the system's.
        NotFoundError: There is no such variable.
    """
    _reject_system(variable_id)
    engine.store.globals.delete(variable_id)
    engine.global_values.renew()
    return Response(status_code=204)


def _create(store: Store, body: JsonObject) -> GlobalVariable:
    """Create a variable from a body; raises as `create_variable`."""
    values = validate(NewVariable, body).model_dump()
    _reject_reserved(values["name"])
    return store.globals.create(values)


def _reject_reserved(name: str | None) -> None:
    if name in _RESERVED:
        raise ConflictError(f"The name {name!r} is the system's own.", advice="Choose another one.")


def _reject_system(variable_id: str) -> None:
    if variable_id.startswith(SYSTEM_PREFIX):
        raise ForbiddenError("The system's own variables cannot be changed.")


def _record(variable: GlobalVariable) -> VariableRecord:
    """Return the record of a stored variable, with the mask as the value of a secret."""
    return {
        "_id": variable.id,
        "id": variable.id,
        "name": variable.name,
        "is_secret": variable.is_secret,
        "is_system": False,
        "value": MASK if variable.is_secret else variable.value,
        "description": variable.description,
        "category": variable.category,
        "created_at": variable.created_at,
        "updated_at": variable.updated_at,
    }


def _system_variables(url: str) -> list[VariableRecord]:
    """Return the records of the system's variables: the URL of the API on this server, and a masked key.

    They have ids with `SYSTEM_PREFIX` and no times.
    """
    address = url.rstrip("/") + urls.BASE_PATH
    variables: list[tuple[str, str, bool, str]] = [
        (_URL, address, False, "Where this server is reached."),
        (_TOKEN, MASK, True, "The key of the one who runs a workflow."),
    ]
    return [
        {
            "_id": f"{SYSTEM_PREFIX}{name}",
            "id": f"{SYSTEM_PREFIX}{name}",
            "name": name,
            "is_secret": is_secret,
            "is_system": True,
            "value": value,
            "description": description,
            "category": "system",
            "created_at": None,
            "updated_at": None,
        }
        for name, value, is_secret, description in variables
    ]


def _error_message(error: DebuggerError | RequestValidationError) -> str:
    """Return the message of an error.

    Of an invalid body it is each problem with its dotted path, joined by semicolons.
    """
    if isinstance(error, DebuggerError):
        return error.message
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'][1:]))}: {problem['msg']}" for problem in error.errors()
    )
