"""The base of events: a typed view over an event's JSON object.

An event holds its object and copies nothing: unknown fields, the order of keys and the difference between
null and absent survive because nothing is converted. Objects inside an event (messages, inputs, outputs) stay
plain JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, field
from typing import Any, ClassVar, NamedTuple, Self, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError, create_model
from pydantic import Field as ModelField
from typing_extensions import dataclass_transform

from debugger.errors import InputError
from debugger.protocol.base import JsonObject, PlainObject, first_problem

EVENT_TYPES: dict[str, type[Event]] = {}
"""Every event class by its wire type."""

_SIMPLE = {str, float, int, bool, list[Any], PlainObject, str | list[Any]}
_BY_TYPE = _SIMPLE | {each | None for each in _SIMPLE} | {Any}
"""Annotations that accept a value by its type alone."""

_MAX_SHAPES = 1_000
"""The records of another backend may have any number of shapes."""

_plain_shapes: set[Hashable] = set()
"""Shapes that need no validation. A shape is a class with the keys and the types of an object's values."""


class DeclaredField(NamedTuple):
    """One declared field of an event class."""

    annotation: Any
    default: Any = None
    factory: Callable[[], Any] | None = None
    is_required: bool = False

    def initial(self) -> Any:
        """Return the value of an event that has none."""
        return self.default if self.factory is None else self.factory()


class _FieldView:
    """Reads one field from an event's object; null and an absent field are the declared default."""

    def __init__(self, name: str, declared: DeclaredField) -> None:
        self._name = name
        self._default, self._factory = declared.default, declared.factory
        self.declared = declared

    def __get__(self, event: _ObjectView | None, owner: type) -> Any:
        """Return the field's value in an object; null and an absent field are the default.

        A default made by a factory is a new one each time. On the class it is this view itself.
        """
        if event is None:
            return self
        try:  # which costs nothing where the field is there, as nearly all that are read are
            value = event.fields[self._name]
        except KeyError:
            value = None
        if value is not None:
            return value
        return self._default if self._factory is None else self._factory()

    def __set__(self, event: _ObjectView, value: Any) -> None:
        raise AttributeError(f"{self._name!r} is read-only; stamp() changes a new event.")


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class _ObjectView:
    """A JSON object whose fields are read by the annotations of the class."""

    __slots__ = ("_wire", "fields")

    declared_fields: ClassVar[Mapping[str, DeclaredField]]
    """Every declared field by name, in the order of the wire."""

    _model: ClassVar[type[BaseModel] | None]
    """Validates the fields; made at first use."""
    _initial: ClassVar[JsonObject]
    _factories: ClassVar[tuple[tuple[str, Callable[[], Any]], ...]]
    """The initial values, and those that no two objects may share."""

    def __init_subclass__(cls) -> None:
        """Make a view of each field that the class annotates, and note the initial values of all fields."""
        declared = {
            name: _declared_field(cls, name, annotation)
            for name, annotation in get_type_hints(cls, include_extras=True).items()
            if get_origin(annotation) is not ClassVar
        }
        for name in declared.keys() & cls.__annotations__.keys():
            setattr(cls, name, _FieldView(name, declared[name]))
        cls.declared_fields = declared
        cls._model = None
        cls._initial = {name: each.default for name, each in declared.items()}
        cls._factories = tuple((name, each.factory) for name, each in declared.items() if each.factory)

    def __init__(self, **fields: Any) -> None:
        """Make an object from its fields, which only the type checker validates.

        A field that is left out has its initial value; one that is not declared is kept.
        """
        made = self._initial | fields
        for name, factory in self._factories:
            if name not in fields:
                made[name] = factory()
        self.fields: JsonObject = made
        """Every field that the object has, unknown ones included."""
        self._wire = made

    @classmethod
    def from_wire(cls, data: JsonObject) -> Self:
        """Read an object of this class.

        Raises:
            InputError: A field has an invalid value; the message names the field.
        """
        view = cls.__new__(cls)
        view._wire = view.fields = data
        shape = (cls, *data, *map(type, data.values()))
        if shape not in _plain_shapes:
            known = {name: data[name] for name in cls.declared_fields if data.get(name) is not None}
            try:
                read = dict((cls._model or _make_model(cls)).model_validate(known))
            except ValidationError as error:
                raise InputError(f"{cls.__name__}: {first_problem(error)}") from error
            if cls._is_plain(known, read) and len(_plain_shapes) < _MAX_SHAPES:
                _plain_shapes.add(shape)
            else:
                view.fields = {**data, **read}
        return view

    @classmethod
    def _is_plain(cls, known: JsonObject, read: JsonObject) -> bool:
        """Return whether all objects of this shape are valid and need no conversion.

        Arguments are the declared fields of one such object, without null, before and after the validation.
        """
        for name, value in known.items():
            declared = cls.declared_fields[name]
            # The class was chosen by the value of ``type``.
            if declared.annotation not in _BY_TYPE and name != "type":
                return False
            if type(read[name]) is not type(value):
                return False
        return True

    def stamp(self, **fields: Any) -> None:
        """Set fields of a new object in place.

        One from the wire is read-only, which is not checked: its object would be changed.
        """
        self._wire.update(fields)

    def to_wire(self) -> JsonObject:
        """Return the object itself, not a copy; one from the wire is unchanged."""
        return self._wire

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ObjectView) and type(self) is type(other) and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]  # as of any JSON object

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.fields!r})"


def _declared_field(cls: type, name: str, annotation: Any) -> DeclaredField:
    """Return the declaration of a field: its own, or one inherited; without a default it is required."""
    value = getattr(cls, name, MISSING)
    if isinstance(value, _FieldView):
        return value.declared
    if isinstance(value, Field):
        return DeclaredField(annotation, factory=value.default_factory)  # type: ignore[arg-type]
    return (
        DeclaredField(annotation, is_required=True) if value is MISSING else DeclaredField(annotation, value)
    )


def _make_model(cls: type[_ObjectView]) -> type[BaseModel]:
    """Make the model that validates the fields of a class, and store it at the class."""
    definitions: dict[str, Any] = {
        name: (each.annotation, ... if each.is_required else ModelField(default_factory=each.initial))
        for name, each in cls.declared_fields.items()
    }
    cls._model = create_model(cls.__name__, **definitions)
    return cls._model


class Event(_ObjectView):
    """The fields of all events; also an event of an unknown type."""

    type: str
    logical_id: str = ""
    timestamp: float = 0.0
    """Seconds since the epoch, UTC."""
    origin_thread_id: str | None = None
    thread_reference_id: str | None = None
    """The thread's public id: ``"0"``, or the configured id of a companion."""
    comments: list[Any] = field(default_factory=list)
    interrupted: bool = False

    summary_format: ClassVar[str] = ""
    """The one-line summary as a format string over the event ``e``."""

    def __init_subclass__(cls) -> None:
        """Register the class under its wire type."""
        super().__init_subclass__()
        if wire_type := cls.declared_fields["type"].default:
            EVENT_TYPES[wire_type] = cls

    @property
    def summary(self) -> str:
        """Return the event in one line of plain words."""
        return self.summary_format.format(e=self) or self.type.replace("_", " ")

    @property
    def is_persisted(self) -> bool:
        """Return whether a record holds the event; others are only sent (``platform.md#events``)."""
        return True
