"""JSON Schemas as models are offered them, and blanks in what models give (``platform/engine.md`` 6.4)."""

from __future__ import annotations

from debugger.engine.json_schema import mismatch
from debugger.protocol.base import JsonObject


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
