"""JSON Schemas as authors write them, and as something else can read them."""

from __future__ import annotations

from collections.abc import Collection

from debugger.protocol.base import JsonObject


def inner_schema(schema: JsonObject | None) -> JsonObject | None:
    """The JSON Schema inside its envelope, or the bare one (``platform/engine.md`` 2.1)."""
    if schema is None:
        return None
    inner = schema.get("input_schema")
    return readable_schema(inner if isinstance(inner, dict) else schema)


def readable_schema(schema: JsonObject) -> JsonObject:
    """The schema as a stand-in can read it: without ``properties`` that are no object of schemas."""
    if isinstance(schema.get("properties", {}), dict):
        return schema
    return {key: value for key, value in schema.items() if key != "properties"}


def without_properties(schema: JsonObject, names: Collection[str]) -> JsonObject:
    """The schema of an object that never has some properties."""
    cut = dict(schema)
    if isinstance(schema.get("properties"), dict):
        cut["properties"] = {name: inner for name, inner in schema["properties"].items() if name not in names}
    if isinstance(schema.get("required"), list):
        cut["required"] = [name for name in schema["required"] if name not in names]
    return cut
