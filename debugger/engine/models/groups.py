"""Values of a script with the groups of its regular expression put in."""

from __future__ import annotations

import re
from typing import Any

from debugger.engine.models.extraction import find_values
from debugger.engine.models.script import GROUP
from debugger.protocol.base import JsonObject

_NUMBERS = ("integer", "number")


def put_in_groups(given: JsonObject, match: re.Match[str] | None, schema: Any) -> JsonObject:
    """Replace ``$1`` and ``${name}`` in every text.

    Args:
        given: The values as the script has them.
        match: Where the rule's expression was found; ``None`` for a rule that has none.
        schema: JSON Schema of the object, if it has one. A group that is a whole value becomes a number, or a
            date in ISO form, where it wants one.

    Returns:
        The values. A key whose whole value is a group that took no part in the match is absent.
    """
    properties = _mapping(_mapping(schema).get("properties"))
    filled = {key: _put_in(value, match, properties.get(key)) for key, value in given.items()}
    return {key: value for key, value in filled.items() if value is not None or given[key] is None}


def _put_in(value: Any, match: re.Match[str] | None, schema: Any) -> Any:
    if isinstance(value, dict):
        return put_in_groups(value, match, schema)
    if isinstance(value, list):
        return [_put_in(inner, match, None) for inner in value]
    if not isinstance(value, str):
        return value
    whole = GROUP.fullmatch(value)
    if whole is None:
        return GROUP.sub(lambda reference: _group(reference, match) or "", value)
    return _typed(_group(whole, match), schema)


def _group(reference: re.Match[str], match: re.Match[str] | None) -> str | None:
    if reference["dollar"]:
        return "$"
    assert match is not None  # `Script.load` refuses a group without an expression.
    found: str | None = match[reference["name"] or int(reference["number"])]
    return found


def _typed(text: str | None, schema: Any) -> Any:
    wanted = _mapping(schema)
    written = wanted.get("type")
    types = written if isinstance(written, list) else [written]
    kind = "number" if any(name in _NUMBERS for name in types) else wanted.get("format")
    if text is None or kind not in ("number", "date"):
        return text
    values = [value.value for value in find_values(text) if value.kind == kind]
    return values[0] if len(values) == 1 else text


def _mapping(schema: Any) -> JsonObject:
    """A schema's keys; none where it is absent, or ``true``, which allows anything."""
    return schema if isinstance(schema, dict) else {}
