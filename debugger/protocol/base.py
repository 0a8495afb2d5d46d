"""The base of all wire shapes, and ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, InstanceOf, ValidationError

from debugger.errors import InputError

JsonObject = dict[str, Any]
"""A JSON object; values are of any JSON type."""

PlainObject = Annotated[JsonObject, InstanceOf()]
"""A JSON object that pydantic neither copies nor looks into."""

SECRET_VARIABLES = "secret_variables"
"""The field of run inputs and workflows that is never sent, stored or written (``platform.md#secrets``)."""

_WRAPPERS = ("workflow", "workflow_config")
_EMBEDDED = "encapsulated_workflow_config"

_ID = re.compile(r"[0-9a-f]{24}")


class WireModel(BaseModel):
    """A shape on the wire. Unknown fields are preserved.

    A model made by `from_wire` remembers its object, and `to_wire` returns that object again: the same keys
    in the same order, known to us or not. So treat a model from the wire as read-only, and change a copy of
    the object instead of the model.
    """

    model_config = ConfigDict(extra="allow")

    # No private attribute of pydantic: that would count when two models are compared.
    __slots__ = ("_wire",)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read one object.

        Raises:
            InputError: A field has an invalid value; the message names the field.
        """
        try:
            model = cls.model_validate(data)
        except ValidationError as error:
            raise InputError(f"{cls.__name__}: {first_problem(error)}") from error
        return model.with_wire(data)

    def with_wire(self, data: Mapping[str, Any]) -> Self:
        """Remember the object that this model was read from."""
        object.__setattr__(self, "_wire", data)
        return self

    @property
    def is_from_wire(self) -> bool:
        """Return whether the model remembers the object that it was read from."""
        return getattr(self, "_wire", None) is not None

    def to_wire(self) -> JsonObject:
        """Return the object to send or to store, unchanged if it was read."""
        wire: JsonObject | None = getattr(self, "_wire", None)
        return self.model_dump(mode="json") if wire is None else wire


def without_secret_variables(data: Mapping[str, Any]) -> JsonObject:
    """Return a copy of a run input or a workflow document without its secret variables.

    Those of a document that is wrapped, or embedded in a super node, are left out too.

    Source: ``platform.md#workflow-document``.
    """
    rest = {key: value for key, value in data.items() if key != SECRET_VARIABLES}
    for key in _WRAPPERS:
        if isinstance(inner := rest.get(key), dict):
            rest[key] = without_secret_variables(inner)
    if isinstance(nodes := rest.get("node_configs"), list):
        rest["node_configs"] = [_without_embedded_secrets(node) for node in nodes]
    return rest


def _without_embedded_secrets(node: Any) -> Any:
    inner = node.get(_EMBEDDED) if isinstance(node, dict) else None
    return {**node, _EMBEDDED: without_secret_variables(inner)} if isinstance(inner, dict) else node


def first_problem(error: ValidationError) -> str:
    """Return the first validation error as ``path.to.field: message``."""
    found = error.errors(include_url=False, include_context=False)[0]
    path = ".".join(str(part) for part in found["loc"])
    message = str(found["msg"]).removeprefix("Value error, ")
    return f"{path}: {message}" if path else message


def is_id(text: str) -> bool:
    """Return whether a text is an id of 24 lower-case hex digits (``platform.md#identifiers``)."""
    return _ID.fullmatch(text) is not None


def check_id(kind: str, text: str) -> str:
    """Return a well-formed id.

    Raises:
        InputError: The text is not one; ``kind`` says in the message what it should have named.
    """
    if _ID.fullmatch(text) is None:
        raise InputError(
            f"{text!r} is not a {kind} id.",
            advice="An id is 24 lower-case hex digits; copy it from the list.",
        )
    return text
