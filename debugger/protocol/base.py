"""The base of all wire shapes, and ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    InstanceOf,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)

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
        return cls._read(data, None)

    @classmethod
    def _read(cls, data: Mapping[str, Any], reading: object) -> Self:
        """Read one object, with a context for the validators.

        Raises InputError when a field has an invalid value; the message names the class and the first such
        field.
        """
        try:
            model = cls.model_validate(data, context=reading)
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


_T = TypeVar("_T")
_NEEDED: Final = "needed"
Needed = Annotated[_T, _NEEDED]
"""A field of an answer whose default stands for null and absent alone: another kind of value is an error.

Fields without a default are needed, too.
"""

_ANSWER: Final = object()
"""Says to the validators that an answer is read."""
_NO_VALUE: Final = object()
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class AnswerModel(WireModel):
    """An answer or a record of another system.

    Whatever `from_wire` returns has the declared types, so nothing behind it asks for kinds again:

    - null, an absent field and a value of an impossible kind are the declared default;
    - scalars are lenient: a number may be a text, a flag 0, 1 or a word, a text a number;
    - items of an impossible kind are left out of a list or an object;
    - an object inside remembers its own object, as the answer does.

    Only where a needed field (`Needed`) is missing or of an impossible kind, here or in an object inside, the
    answer cannot be read. Requests to our server and documents of authors are no answers: they derive from
    `WireModel`, and a wrong value in them is an error.
    """

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read one object.

        Raises:
            InputError: A needed field has no value of its kind; the message names the field.
        """
        return cls._read(data, _ANSWER)

    @model_validator(mode="wrap")
    @classmethod
    def _read_answer(cls, data: Any, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        """Read an object as an answer where the context says so, else as any model.

        Values that cannot be read give way to the defaults. Raises ValidationError when a needed field has no
        value of its kind. The model remembers its object.
        """
        if info.context is not _ANSWER or not isinstance(data, Mapping):
            return read(data)
        return cls._read_leniently(data, read).with_wire(data)

    @classmethod
    def _read_leniently(cls, data: Mapping[str, Any], read: ModelWrapValidatorHandler[Self]) -> Self:
        """Read an object; values that cannot be read and keys with half a surrogate pair are left out.

        Raises ValidationError when a needed field has no value of its kind.
        """
        try:
            return read(data)
        except ValidationError as error:
            plain = {key: value for key, value in data.items() if not _SURROGATE.search(str(key))}
            if len(plain) < len(data):  # of such a key alone the error tells
                return cls._read_leniently(plain, read)
            return read(cls._without_odd_values(data, error))

    @classmethod
    def _without_odd_values(cls, data: Mapping[str, Any], error: ValidationError) -> dict[Any, Any]:
        """Return an object without the values that give way to a default; what is needed stays as it is.

        A number where a text is expected becomes one. Of a list or an object that is not needed, only the
        items that cannot be read are left out, and the keys with half a surrogate pair beside them.
        """
        rest: dict[Any, Any] = dict(data)
        containers: dict[Any, dict[Any, Any]] = {}
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            name, *inside = problem["loc"] or ("",)
            value, field = rest.get(name), cls.model_fields.get(str(name))
            is_needed = field is not None and (field.is_required() or _NEEDED in field.metadata)
            if not inside:
                other = _replacement(value, problem["type"])
                if other is not _NO_VALUE or value is None or not is_needed:
                    rest[name] = other
            elif len(inside) == 1 and isinstance(value, list | dict) and not is_needed:
                items = dict(enumerate(value)) if isinstance(value, list) else value
                readable = {key: each for key, each in items.items() if not _SURROGATE.search(str(key))}
                parts = containers.setdefault(name, readable)
                parts[inside[0]] = _replacement(parts.get(inside[0]), problem["type"])
        for name, items in containers.items():
            kept = _without_markers(items)
            rest[name] = list(kept.values()) if isinstance(rest[name], list) else kept
        return _without_markers(rest)


def _replacement(value: Any, problem: str) -> Any:
    """Return a number as the text that was expected, and for any other value the mark that leaves it out."""
    if problem == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _NO_VALUE


def _without_markers(values: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in values.items() if value is not _NO_VALUE}


_FLAG_WORDS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


def read_flag(value: Any) -> bool | None:
    """Return a flag: a boolean, 0, 1 or a word for one; ``None`` of anything else."""
    if isinstance(value, bool):
        return value
    return _FLAG_WORDS.get(str(value).strip().lower()) if isinstance(value, str | int) else None


def as_objects(value: Any) -> list[JsonObject]:
    """Return the objects of a list; none of any other value."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


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
    """Return the first validation error as ``path.to.field: message``.

    Without a path it is the message alone.
    """
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
