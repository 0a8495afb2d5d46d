"""What all shapes on the wire have in common."""

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

_ID = re.compile(r"[0-9a-f]{24}")


class WireModel(BaseModel):
    """A shape on the wire. Unknown fields are kept, and what was read is written back unchanged.

    A model made by `from_wire` remembers the object it was read from and `to_wire` gives that object again:
    the same keys in the same order, known to us or not. So treat what was read as read-only, and change a
    copy of the object instead of the model.
    """

    model_config = ConfigDict(extra="allow")

    # A slot, not a pydantic private attribute: those would double the cost of making an event.
    __slots__ = ("_wire",)

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Read one object.

        Raises:
            InputError: A field has a value that it cannot have; the message names the field.
        """
        try:
            model = cls.model_validate(data)
        except ValidationError as error:
            raise InputError(f"{cls.__name__}: {first_problem(error)}") from error
        set_wire(model, data)
        return model

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """Make one here from the values of all its fields.

        Nothing is looked at, which takes a third of the time; what comes from elsewhere is for `from_wire`.
        """
        model = cls.__new__(cls)
        set_fields(model, fields)
        set_names(model, set(fields))
        set_extra(model, {})
        set_private(model, None)
        return model

    @property
    def was_read(self) -> bool:
        """Whether `to_wire` gives what the model was read from."""
        try:
            read_wire(self)
        except AttributeError:
            return False
        return True

    def to_wire(self) -> JsonObject:
        """The object to send or to store; what was read comes back unchanged."""
        try:
            wire: JsonObject = read_wire(self)
        except AttributeError:
            return self.model_dump(mode="json")
        return wire


# What pydantic would set while it validates.
set_fields, set_names, set_extra, set_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)
# The slot itself, because pydantic answers for an attribute at great length.
read_wire = WireModel._wire.__get__  # type: ignore[attr-defined]
set_wire = WireModel._wire.__set__  # type: ignore[attr-defined]


def first_problem(error: ValidationError) -> str:
    """The first thing that pydantic found, as ``path.to.field: what is wrong``."""
    found = error.errors(include_url=False, include_context=False)[0]
    path = ".".join(str(part) for part in found["loc"])
    message = str(found["msg"]).removeprefix("Value error, ")
    return f"{path}: {message}" if path else message


def is_id(text: str) -> bool:
    """Whether a text has the form of an id: 24 lower-case hex digits (``platform/wire.md``, section 0)."""
    return _ID.fullmatch(text) is not None


def check_id(kind: str, text: str) -> str:
    """Give back a well-formed id.

    Raises:
        InputError: The text is not one; ``kind`` says in the message what it should have named.
    """
    if _ID.fullmatch(text) is None:
        raise InputError(
            f"{text!r} is not a {kind} id.",
            advice="An id is 24 lower-case hex digits; copy it from the list.",
        )
    return text
