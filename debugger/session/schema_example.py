"""Example values for a JSON Schema, with which a form is prefilled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from debugger.protocol.base import JsonObject

_MAX_DEPTH = 4
"""Objects and lists within each other that are filled; deeper only required keys are, and for two levels.

A schema can refer to itself without end.
"""
_MAX_ITEMS, _MAX_CHARACTERS = 10, 1_000
_MAX_BOUND = 2**53
"""An example within a larger bound could not be computed exactly."""

_TEXTS = {
    "date": "2030-01-01",
    "date-time": "2030-01-01T09:00:00Z",
    "time": "09:00:00Z",
    "duration": "PT1H",
    "email": "name@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
}
"""By the format of a text."""


def example_object(schema: Mapping[str, Any]) -> JsonObject:
    """Return an object with an example for each property of a schema."""
    return _object(_resolved(schema, schema), schema, 0)


def _value(schema: Any, name: str, root: Mapping[str, Any], depth: int) -> Any:
    """Return an example for a schema: its constant, default or first choice, else one of its type."""
    found = _resolved(schema, root)
    for keyword in ("const", "default"):
        if keyword in found:
            return found[keyword]
    for keyword in ("enum", "examples"):
        if isinstance(found.get(keyword), list) and found[keyword]:
            return found[keyword][0]
    kind = _kind(found)
    if kind == "object":
        return _object(found, root, depth)
    if kind == "array":
        return _list(found, name, root, depth)
    if kind in ("integer", "number"):
        return _number(found, is_whole=kind == "integer")
    if kind == "boolean":
        return False
    return None if kind == "null" else _text(found, name)


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> JsonObject:
    """Return an object with an example for each property; deeper than `_MAX_DEPTH` only for required ones.

    Empty without properties, and two levels deeper.
    """
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, Mapping) or depth > _MAX_DEPTH + 2:
        return {}
    names = list(properties) if depth <= _MAX_DEPTH else required if isinstance(required, list) else []
    return {str(name): _value(properties.get(name), str(name), root, depth + 1) for name in names}


def _list(schema: Mapping[str, Any], name: str, root: Mapping[str, Any], depth: int) -> list[Any]:
    """Return the least number of examples that a list needs, or one where it may have some.

    `_MAX_ITEMS` at most.
    """
    least, most = int(_bound(schema, "minItems") or 0), _bound(schema, "maxItems")
    has_example = "items" in schema and most != 0 and depth <= _MAX_DEPTH
    number = min(max(least, int(has_example)), _MAX_ITEMS)
    return [_value(schema.get("items"), name, root, depth + 1) for _ in range(number)]


def _number(schema: Mapping[str, Any], *, is_whole: bool) -> float:
    """Return a multiple of a schema's step near 0, within its bounds unless these contradict each other."""
    least, most = _bound(schema, "minimum"), _bound(schema, "maximum")
    above, below = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
    step = _bound(schema, "multipleOf") or 1
    value: float = 0
    if most is not None and value > most:
        value = most // step * step
    if below is not None and value >= below:
        value = (math.ceil(below / step) - 1) * step
    if least is not None and value < least:
        value = math.ceil(least / step) * step
    if above is not None and value <= above:
        value = (above // step + 1) * step
    return int(value) if is_whole else value


def _text(schema: Mapping[str, Any], name: str) -> str:
    text = _TEXTS.get(str(schema.get("format")), name)
    least, most = _bound(schema, "minLength"), _bound(schema, "maxLength")
    text = text.ljust(min(int(least or 0), _MAX_CHARACTERS), "x")
    return text if most is None else text[: int(most)]


def _bound(schema: Mapping[str, Any], name: str) -> float | None:
    """Return a bound of a schema; ``None`` without a number, or for one beyond `_MAX_BOUND` in size."""
    value = schema.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) <= _MAX_BOUND else None


def _kind(schema: Mapping[str, Any]) -> str:
    """Return the first type of a schema that is not null; without a type ``object``, ``array`` or ``string``.

    It is an object with ``properties``, an array with ``items``, else a text.
    """
    written = schema.get("type")
    kinds = written if isinstance(written, list) else [written]
    kind = next((each for each in kinds if each != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema without references, parts and alternatives: of these the first that is not null.

    References are followed `_MAX_DEPTH` times; anything but an object becomes an empty schema.
    """
    found: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
    for _ in range(_MAX_DEPTH):
        reference = found.get("$ref")
        rest = {key: value for key, value in found.items() if key not in ("$ref", "anyOf", "oneOf", "allOf")}
        if isinstance(reference, str):
            found = {**_referenced(reference, root), **rest}
            continue
        parts = found.get("allOf")
        options = found.get("anyOf") or found.get("oneOf")
        if isinstance(parts, list) and parts:
            for part in parts:
                rest = _joined(rest, _resolved(part, root))
            found = {**rest, **({"anyOf": options} if options else {})}
        elif isinstance(options, list) and options:
            found = _joined(rest, next(filter(_is_value, options), options[0]))
        else:
            break
    return found


def _is_value(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") != "null"


def _joined(one: Mapping[str, Any], other: Any) -> dict[str, Any]:
    """Return a schema with the keywords of another, which win; properties of both are kept."""
    if not isinstance(other, Mapping):
        return dict(one)
    joined = {**one, **other}
    if isinstance(one.get("properties"), Mapping) and isinstance(other.get("properties"), Mapping):
        joined["properties"] = {**one["properties"], **other["properties"]}
    return joined


def _referenced(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a schema that a JSON pointer names; empty where it names no object."""
    found: Any = root
    for part in filter(None, reference.removeprefix("#").split("/")):
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
