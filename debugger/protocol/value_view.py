"""The base of typed views over free JSON objects: of events, of model answers, of parts of documents."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, get_type_hints

from debugger.protocol.base import JsonObject, PlainObject, as_objects, read_flag


class ValueView:
    """A view over an object of another system whose fields have the declared types.

    The annotations of a subclass are its fields. Null, an absent field and a value of an impossible kind are
    the empty value of the type: ``None`` where it allows that, an empty text, list, object or view, 0 or
    false. A number may be written as text, a text as number, a flag as number or word. Nothing is copied.

    Args:
        value: The object; anything else is an empty one.
    """

    __slots__ = ("wire",)

    def __init__(self, value: object = None) -> None:
        self.wire: JsonObject = value if isinstance(value, dict) else {}

    def __init_subclass__(cls) -> None:
        for name, annotation in get_type_hints(cls, include_extras=True).items():
            if name in cls.__annotations__:
                setattr(cls, name, _ValueField(name, *_reader_of(annotation)))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, ValueView) and self.wire == other.wire

    __hash__ = None  # type: ignore[assignment]  # as of any JSON object

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.wire!r})"


Reader = Callable[[Any], Any]
"""Reads a JSON value; ``None`` where it is of an impossible kind."""


class _ValueField:
    """Reads one field; a value of ``plain`` needs no reading."""

    def __init__(self, name: str, read: Reader, empty: Callable[[], Any], plain: type | None = None) -> None:
        self._name, self._read, self._empty, self._plain = name, read, empty, plain

    def __get__(self, view: ValueView | None, owner: type) -> Any:
        """Return the field's value in an object; null, an absent and an unreadable one are the empty value.

        On the class it is this field itself.
        """
        if view is None:
            return self
        value = view.wire.get(self._name)
        if value.__class__ is self._plain:
            return value
        if value is not None:
            value = self._read(value)
        return self._empty() if value is None else value

    def __set__(self, view: ValueView, value: object) -> None:
        raise AttributeError(f"{self._name!r} is read-only.")


def _read_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else None


def _read_number(value: Any) -> float | None:
    """Return a finite number: an integer stays one.

    A text is read as a float. ``None`` of a boolean, of an integer from `_LARGEST` on, and of anything that
    is no finite number.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else None
    try:
        number = value if isinstance(value, float) else float(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None


_LARGEST = 10**300
"""Larger integers are no floats, and no measure of anything."""


def _read_count(value: Any) -> int | None:
    number = _read_number(value)
    return None if number is None else int(number)


def _read_object(value: Any) -> JsonObject | None:
    return value if isinstance(value, dict) else None


def _read_list(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


def _none() -> None:
    return None


_READERS: dict[Any, tuple[Reader, Callable[[], Any], type | None]] = {
    str: (_read_text, str, str),
    int: (_read_count, int, None),
    bool: (read_flag, bool, bool),
    PlainObject: (_read_object, dict, dict),
    list[Any]: (_read_list, list, list),
    list[PlainObject]: (as_objects, list, None),
    str | None: (_read_text, _none, str),
    int | None: (_read_count, _none, None),
    float | None: (_read_number, _none, None),
    bool | None: (read_flag, _none, bool),
    Any: (lambda value: value, _none, None),
}


def _reader_of(annotation: Any) -> tuple[Reader, Callable[[], Any], type | None]:
    if isinstance(annotation, type) and issubclass(annotation, ValueView):
        return annotation, annotation, None
    return _READERS[annotation]
