"""The shapes of events: one that has the shape of another that was read is not looked at again.

A long run has the same dozen of shapes tens of thousands of times. A shape is an event's class with the keys
and the types of its values. Where these alone decide what is read, pydantic need not look at each value anew,
and the event takes half the room, which every reader of it feels.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import InstanceOf
from pydantic.fields import FieldInfo

from debugger.protocol.base import (
    JsonObject,
    WireModel,
    set_extra,
    set_fields,
    set_names,
    set_private,
    set_wire,
)

PlainObject = Annotated[JsonObject, InstanceOf()]
"""An object as it is, neither looked into nor copied, which would be a third and more of an event's cost."""

_SIMPLE = {str, float, int, bool, list[Any], PlainObject, str | list[Any]}
_BY_TYPE = _SIMPLE | {each | None for each in _SIMPLE} | {Any}
"""The kinds of fields that take a value for its type, whatever else it is."""
_MOST = 1_000
"""Shapes; the records of another backend may have any number of them."""

Model = TypeVar("Model", bound=WireModel)


class Shapes:
    """The shapes that were met. Any number of threads may ask."""

    def __init__(self) -> None:
        self._names: dict[Hashable, set[str] | None] = {}
        """The fields of each shape; of one that pydantic has to look at each time ``None``."""

    def read(self, cls: type[Model], data: Mapping[str, Any]) -> Model:
        """Read an event.

        Args:
            cls: The class that its ``type`` names.
            data: Its object.

        Raises:
            ValidationError: A field has a value that it cannot have.
        """
        shape = (cls, *data, *map(type, data.values()))
        names = self._names.get(shape)
        if names is not None:
            return _plain(cls, data, names)
        model = cls.model_validate(data)
        set_wire(model, data)
        if shape not in self._names and len(self._names) < _MOST:
            self._names[shape] = set(data) if _is_plain(model, data) else None
        return model


def _plain(cls: type[Model], data: Mapping[str, Any], names: set[str]) -> Model:
    """An event that has all its fields, each as it is in its object."""
    model = cls.__new__(cls)
    set_fields(model, dict(data))
    # Shared, since there is no further name that it could be given: a set takes more room than all the rest.
    set_names(model, names)
    set_extra(model, {})
    set_private(model, None)
    set_wire(model, data)
    return model


def _is_plain(model: WireModel, data: Mapping[str, Any]) -> bool:
    """Whether pydantic takes an object as it is, and every other one of its shape."""
    fields = type(model).model_fields
    if list(data) != list(fields):
        return False
    # Of the type it is known that it fits: the class was chosen by it.
    by_type = all(name == "type" or _goes_by_type(field) for name, field in fields.items())
    return by_type and all(type(read) is type(data[name]) for name, read in vars(model).items())


def _goes_by_type(field: FieldInfo) -> bool:
    kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return kind in _BY_TYPE
