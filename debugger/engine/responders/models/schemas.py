"""Whether a value fits a JSON Schema, for the structured output of models (``platform/engine.md`` 6.4)."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator, exceptions, validators
from referencing import Registry

from debugger.protocol.base import JsonObject

_LONGEST = 200


def object_schema(schema: JsonObject | None) -> JsonObject:
    """A schema that a model can be offered: of an object, whatever the author left out."""
    found = schema or {}
    properties = found.get("properties")
    named = properties if isinstance(properties, dict) else {}
    return {**found, "type": "object", "properties": named}


def without_blanks(value: JsonObject, schema: JsonObject) -> JsonObject:
    """An object without the unknowns that a model left empty, where empty does not fit and may be missing.

    Authors ask models to leave unknowns empty (``platform/engine.md`` 2.1).
    """
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    properties = schema.get("properties")
    named = properties if isinstance(properties, dict) else {}
    return {
        key: inner
        for key, inner in value.items()
        if inner not in (None, "") or key in needed or mismatch(inner, named.get(key, True)) is None
    }


def mismatch(value: Any, schema: Any) -> str | None:
    """The most telling way in which a value does not fit; ``None`` where it fits, or no one can tell."""
    kind = validators.validator_for(schema, default=Draft202012Validator)
    try:
        # An empty registry: a reference to elsewhere is never fetched.
        error = exceptions.best_match(kind(schema, registry=Registry()).iter_errors(value))
    except Exception:  # a schema that its author got wrong fails in as many ways as there are mistakes
        return None
    if error is None:
        return None
    place = ".".join(str(part) for part in error.absolute_path)
    return f"{place}: {error.message}"[:_LONGEST] if place else error.message[:_LONGEST]
