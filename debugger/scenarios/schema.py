"""JSON Schemas of scenarios and scripts, for editors with completion."""

from __future__ import annotations

from collections.abc import Callable

from debugger.protocol.base import JsonObject
from debugger.scenarios.model import Scenario

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> JsonObject:
    """Return the JSON Schema of scenario files."""
    return {"$schema": DIALECT, **Scenario.model_json_schema(by_alias=True)}


def script_schema() -> JsonObject:
    """Return the JSON Schema of script files."""
    return {
        "$schema": DIALECT,
        "title": "Script",
        "description": "Rules that answer for a workflow's models.",
        **_object(
            {
                "version": {"const": 1, "description": "The version of the format."},
                "workflow": _text("The workflow's logical id."),
                "demo": _list(_text(), "Messages that show the workflow at its best."),
                "alternatives": _map(_list(_text()), "More conversations, by name."),
                "anywhere": _list(_RULE, "Rules tried first at every node."),
                "nodes": _map(_list(_RULE), "Rules by a node's logical id or name."),
                "answers": _list(_ANSWER, "Answers to calls that leave the workflow and are simulated."),
                "tools": _map(_list(_TOOL_ANSWER), "Answers of inline Python where it is refused, by tool."),
            },
            required=["version", "workflow"],
        ),
    }


SCHEMAS: dict[str, Callable[[], JsonObject]] = {"scenario": scenario_schema, "script": script_schema}
"""Every schema by the kind of file."""


def _object(properties: JsonObject, *, required: list[str] | None = None) -> JsonObject:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _text(description: str = "") -> JsonObject:
    return {"type": "string", "description": description} if description else {"type": "string"}


def _list(items: JsonObject, description: str = "") -> JsonObject:
    schema: JsonObject = {"type": "array", "items": items}
    return {**schema, "description": description} if description else schema


def _map(values: JsonObject, description: str = "") -> JsonObject:
    schema: JsonObject = {"type": "object", "additionalProperties": values}
    return {**schema, "description": description} if description else schema


_CALL: JsonObject = {"anyOf": [{"type": "string"}, _map({"type": ["object", "null"]})]}
_RULE = _object(
    {
        "when": _text("A regular expression that is searched for in the user's message."),
        "if": _text("A condition on runtime variables, such as isAbsent([[tea]])."),
        "visit": {"type": "integer", "minimum": 1, "description": "The number of the node's run, from 1."},
        "after": _text("The tool whose result has just arrived."),
        "take": _text("An edge by name, id or condition, or a node by name or id."),
        "say": _text("The answer; [[name]] is filled in."),
        "fill": {
            "type": "object",
            "description": "The structured output; $1 and ${name} are groups of 'when'.",
        },
        "args": {"type": "object", "description": "The arguments of the edge."},
        "call": {
            "anyOf": [*_CALL["anyOf"], _list(_CALL)],
            "description": "Tools to call, with their arguments.",
        },
    }
)
_ANSWER = _object(
    {
        "to": _text("A regular expression for method and URL."),
        "status": {"type": "integer", "minimum": 100, "maximum": 599},
        "body": {"description": "Any JSON value."},
        "error": _text("Why no answer came."),
    },
    required=["to"],
)
_TOOL_ANSWER = _object(
    {
        "with": _map({}, "By path of an argument a regular expression, or a value that is equal."),
        "result": {"description": "Any JSON value."},
        "error": _text("The tool's error."),
    }
)
