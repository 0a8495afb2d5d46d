"""Whether the arguments that a model gives fit the schema of the tool that it calls."""

from __future__ import annotations

from collections.abc import Collection

from debugger.engine.json_schema import mismatch
from debugger.protocol.base import JsonObject


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
    return mismatch(given, {**schema, "required": needed})
