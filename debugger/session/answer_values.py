"""Structured outputs with which the expression of an edge holds."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from debugger.analysis.undecided import EdgeExpression, Fields
from debugger.engine.json_schema import schema_error
from debugger.expressions import ABSENT, Scope, parse
from debugger.expressions.solutions import Name, solution, with_values
from debugger.protocol.base import JsonObject


def answer_fields(
    expression: EdgeExpression, fields: JsonObject, schema: JsonObject | None, scope: Scope
) -> JsonObject | None:
    """Return a structured output that takes an edge, and none before it.

    As few values as possible are changed. ``None`` where no such output is found.

    Args:
        expression: The expression, and what the output sets of it.
        fields: The output to change.
        schema: The schema that the output must fit.
        scope: The variables of the run besides it.
    """
    paths: dict[Name, Fields] = {("runtime", path): keys for path, keys in expression.answered.items()}
    known = {name: value for name, keys in paths.items() if (value := _at(fields, keys)) is not ABSENT}

    def is_allowed(values: Mapping[Name, Any]) -> bool:
        if not values.keys() <= paths.keys():
            return False
        return schema is None or schema_error(_filled(fields, paths, values), schema) is None

    found = solution(
        expression.text, with_values(scope, known), others=expression.before, is_allowed=is_allowed
    )
    return None if found is None else _filled(fields, paths, found)


def needed_for(expression: EdgeExpression) -> str:
    """Return what must change so that an expression holds, as a sentence."""
    references = {reference.text: reference.path for reference in parse(expression.text).references}
    others = [text for text, path in references.items() if path not in expression.answered]
    if not others:
        return f"Type values with which {expression.text} holds."
    return (
        f"It needs {expression.text}, and {' and '.join(others)} must be set elsewhere: "
        "in the run input, or while the run is paused."
    )


def _filled(fields: JsonObject, paths: Mapping[Name, Fields], values: Mapping[Name, Any]) -> JsonObject:
    """Return an output with other values and the objects around them."""
    filled = copy.deepcopy(fields)
    for name, value in values.items():
        *outer, last = paths[name]
        place = filled
        for key in outer:
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
        place[last] = value
    return filled


def _at(fields: Any, keys: Fields) -> Any:
    for key in keys:
        if not isinstance(fields, dict) or key not in fields:
            return ABSENT
        fields = fields[key]
    return fields
