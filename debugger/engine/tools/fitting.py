"""Whether the arguments that a model gives fit the schema of the tool that it calls."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from debugger.protocol.base import JsonObject

_LONGEST = 300
"""Characters of a complaint; it may quote a whole argument."""


def misfit(arguments: JsonObject, schema: JsonObject | None, *, supplied: Collection[str] = ()) -> str | None:
    """What is wrong with some arguments. One that is null and need not be there counts as absent.

    Args:
        arguments: What the model gave.
        schema: JSON Schema of the tool's arguments; ``None`` takes any, and so does one that is none, as the
            tool itself will tell.
        supplied: Arguments that somebody else gives, so that none of them is missing.

    Returns:
        The first complaint; ``None`` where they fit.
    """
    if schema is None:
        return None
    required = schema.get("required")
    needed = [name for name in required if name not in supplied] if isinstance(required, list) else []
    given = {name: value for name, value in arguments.items() if value is not None or name in needed}
    try:
        error = _first_error(given, {**schema, "required": needed})
    except (SchemaError, Unresolvable, RecursionError, re.error):
        return None
    return None if error is None else _told(error)


def _first_error(arguments: JsonObject, schema: JsonObject) -> ValidationError | None:
    Draft202012Validator.check_schema(schema)
    # An empty registry: by itself jsonschema would fetch what a schema refers to from the network.
    registry: Registry[Any] = Registry()
    error: ValidationError | None = best_match(
        Draft202012Validator(schema, registry=registry).iter_errors(arguments)
    )
    return error


def _told(error: ValidationError) -> str:
    place = ".".join(str(step) for step in error.absolute_path)
    text = f"{place}: {error.message}" if place else error.message
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
