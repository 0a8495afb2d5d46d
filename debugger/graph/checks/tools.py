"""Rules about tools."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from debugger.graph.checks.context import (
    CheckContext,
    Finding,
    Refusal,
    describe_node,
    own_field,
    quote,
    rule,
)
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.base import JsonObject, is_id
from debugger.protocol.workflow import NodeConfig, WorkflowConfig

TOOL_TYPES = ("external_api", "inbuilt_function", "inline_python", "knowledge_base")
"""Source: ``platform.md#tool-types``."""

_SEND_SMS = "communication_send_sms_"
"""The begin of the names of all functions that send a text message."""
FUNCTION_ARGUMENTS = {"math_add": ("a", "b"), _SEND_SMS: ("message", "phone_number")}
"""The built-in functions of which all arguments are published.

Source: ``platform.md#tool-types``.
"""

DEFAULT_RESULT = "tool_result"
_SOURCES = ("auto", "runtime", "dynamic", "literal")


@dataclass(frozen=True)
class Tool:
    """A tool and its owner."""

    owner: str
    config: JsonObject
    result_name: str
    node_logical_id: str | None = None

    @property
    def type(self) -> Any:
        """Return the type of the tool."""
        return self.config.get("type")

    @property
    def outcome_names(self) -> set[str]:
        """Return the variables that say how a call ended: the node's, and the tool's own below them."""
        bases = {self.result_name, _own_result(self.config)}
        return {f"{base}_{ending}" for base in bases for ending in ("success", "error")}

    def finding(self, what: str, advice: str) -> Finding:
        """Return a problem of this tool."""
        name = self.config.get("name") or self.config.get("tool_id") or self.config.get("logical_id")
        called = f" {quote(name)}" if isinstance(name, str) else ""
        return Finding(f"{self.owner}: the tool{called}", what, advice, self.node_logical_id)

    def entries(self, field: str) -> list[JsonObject]:
        """Return the objects in a list of the tool."""
        found = self.config.get(field)
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def tools_of(context: CheckContext) -> Iterator[Tool]:
    """Yield every tool of the workflow.

    A node of a type that has none, or of an unknown one, has no tools whatever its fields are
    (``platform.md#workflow-document``).
    """
    for config in _listed_tools(context.graph.workflow.config.tools_config):
        yield Tool("'workflow_config'", config, _own_result(config))
    for node in context.nodes:
        owner, single = describe_node(node), tool_of_node(node)
        if single is not None:
            yield single
        listed = own_field(node, "tools_config") if node.type in MODEL_NODES else None
        for config in _listed_tools(listed):
            yield Tool(owner, config, _own_result(config), node.logical_id)


def tool_of_node(node: NodeConfig) -> Tool | None:
    """Return the tool that a tool node calls.

    ``None`` of a node of another type, or without an object as its tool. The result variable is the node's,
    unless that is empty or the default name; then it is the tool's own.
    """
    config = own_field(node, "tool_config")
    if node.type != "tool_node" or not isinstance(config, dict):
        return None
    chosen = own_field(node, "result_runtime_variable_name")
    has_own = isinstance(chosen, str) and chosen not in ("", DEFAULT_RESULT)
    return Tool(describe_node(node), config, chosen if has_own else _own_result(config), node.logical_id)


def variables_of_tools(node: NodeConfig, workflow: WorkflowConfig) -> dict[str, str]:
    """Return the tool that sets each variable when a node's model calls it, by its name.

    Keys of a result that become variables of their own are not known beforehand.
    """
    if node.type not in MODEL_NODES:
        return {}
    found: dict[str, str] = {}
    for config in (*_listed_tools(own_field(node, "tools_config")), *_listed_tools(workflow.tools_config)):
        tool = Tool("", config, _own_result(config))
        entries = tool.entries("result_variable_mappings")
        mapped = {str(entry.get("target_variable_name")) for entry in entries}
        for name in {tool.result_name} | tool.outcome_names | mapped:
            found.setdefault(name, str(config.get("name") or ""))
    return found


@rule("error", Refusal.TOOL)
def unknown_tool_type(context: CheckContext) -> Iterator[Finding]:
    """Report tools that are of none of the four types.

    Source: V19 in ``platform.md#validation``.
    """
    for tool in tools_of(context):
        if tool.type not in TOOL_TYPES:
            what = f"has the type {quote(str(tool.type))}" if tool.type else "has no 'type'"
            yield tool.finding(f"{what}.", f"A tool is one of: {', '.join(TOOL_TYPES)}.")


@rule("error", Refusal.TOOL)
def api_body_not_json(context: CheckContext) -> Iterator[Finding]:
    """Report tool bodies that are neither objects nor the JSON text of one.

    Source: V17 in ``platform.md#validation``.
    """
    for tool in tools_of(context):
        body = tool.config.get("api_body")
        if tool.type != "external_api":
            continue
        try:
            if isinstance(body, str):
                body = json.loads(body) if body.strip() else None
        except (ValueError, RecursionError) as error:
            yield tool.finding(
                f"has an 'api_body' that is not JSON: {error}.",
                "Put placeholders between quotes, and correct the rest.",
            )
        else:
            if not isinstance(body, dict | None):
                yield tool.finding("has an 'api_body' that is no JSON object.", "Write {name: value}.")


@rule("error", Refusal.TOOL)
def tool_argument(context: CheckContext) -> Iterator[Finding]:
    """Report arguments without a name, a source or a purpose.

    Source: V18 in ``platform.md#validation`` and ``platform.md#variable-arguments``.
    """
    for tool in tools_of(context):
        bindings = tool.entries("variable_arguments")
        faults = [
            (name, "is set more than once", "Set each argument once.")
            for name in _repeated(bindings, "argument_name")
        ]
        for binding in bindings:
            name = str(binding.get("argument_name"))
            faults += ((name, what, advice) for what, advice in _argument_faults(tool, binding))
        for name, what, advice in faults:
            yield tool.finding(f"has in 'variable_arguments' {quote(name)}, which {what}.", advice)


@rule("error", Refusal.TOOL)
def result_mapping(context: CheckContext) -> Iterator[Finding]:
    """Report result mappings whose variable has no unique, valid name.

    Source: V18 in ``platform.md#validation`` and ``platform.md#result-mappings``.
    """
    for tool in tools_of(context):
        mappings = tool.entries("result_variable_mappings")
        faults = [(name, "is mapped more than once") for name in _repeated(mappings, "target_variable_name")]
        for mapping in mappings:
            name = str(mapping.get("target_variable_name"))
            faults += ((name, what) for what in _mapping_faults(tool, mapping))
        for name, what in faults:
            text = f"has in 'result_variable_mappings' {quote(name)}, which {what}."
            yield tool.finding(text, "Correct the entry.")


def _repeated(entries: list[JsonObject], field: str) -> list[str]:
    """Return the names that several entries have."""
    names = Counter(str(entry.get(field)) for entry in entries)
    return [name for name, number in names.items() if number > 1]


def _argument_faults(tool: Tool, binding: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with an entry of a tool's arguments, each with advice.

    Of an entry with an invalid name nothing else is reported.
    """
    name, source = binding.get("argument_name"), binding.get("source", "auto")
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        yield "is not a valid argument name", "Use letters, digits and '_', not beginning with a digit."
        return
    if source not in _SOURCES:
        yield f"has the source {quote(str(source))}", f"A source is one of: {', '.join(_SOURCES)}."
    elif source != "literal" and not str(binding.get("variable_path") or "").strip():
        yield f"has no 'variable_path' for the source {source!r}", "Set it, or use the source 'literal'."
    if binding.get("expose_to_llm", False) is False and binding.get("override_provided_value", True) is False:
        yield "is neither exposed to the model nor overrides what it gave", "Set one of the two flags."
    if tool.type == "knowledge_base" and name != "query":
        yield "a knowledge base does not have", "Only 'query' may be set."
    if tool.type == "inbuilt_function":
        function = _function(tool)
        if name not in FUNCTION_ARGUMENTS.get(function, (name,)):
            taken = ", ".join(map(repr, FUNCTION_ARGUMENTS[function]))
            yield f"the function {quote(function)} does not have", f"It has {taken}."
    if tool.type == "external_api" and not _is_in_request(tool, name):
        yield (
            f"does not occur as {{{name}}} in the endpoint, the headers or the body",
            "Write it where its value belongs.",
        )


def _function(tool: Tool) -> str:
    tool_id = str(tool.config.get("tool_id") or "")
    name = str(tool.config.get("name") or "") if not tool_id or is_id(tool_id) else tool_id
    return _SEND_SMS if name.startswith(_SEND_SMS) else name


def _is_in_request(tool: Tool, name: str) -> bool:
    """Return whether an argument has a slot in the endpoint, the headers or the body of a tool.

    True of a saved tool that has none of the three in the document.
    """
    parts = [tool.config.get(field) for field in ("api_endpoint", "api_headers", "api_body")]
    if tool.config.get("tool_id") and not any(parts):
        return True
    # Two braces in a row are no slot for an argument but a brace, or a variable of the workflow.
    slot = rf"(?<!\{{)(?:\{{\{{)*\{{{re.escape(name)}[}}.\[!:]"
    return re.search(slot, json.dumps(parts, ensure_ascii=False)) is not None


def _mapping_faults(tool: Tool, mapping: JsonObject) -> Iterator[str]:
    """Yield what is wrong with the variable's name and the scope of a result mapping."""
    name = mapping.get("target_variable_name")
    if not isinstance(name, str) or not name.isidentifier():
        yield "is not a valid variable name"
    elif name.startswith("_"):
        yield "begins with an underscore"
    elif name in tool.outcome_names:
        yield "is the name of the tool's own outcome"
    if mapping.get("scope", "thread") not in ("thread", "workflow"):
        yield f"has the scope {quote(str(mapping.get('scope')))}, which is neither 'thread' nor 'workflow'"


def _own_result(config: JsonObject) -> str:
    name = config.get("result_runtime_variable_name")
    if isinstance(name, str) and name:
        return name
    return "kb_tool_result" if config.get("type") == "knowledge_base" else DEFAULT_RESULT


def _listed_tools(config: Any) -> list[JsonObject]:
    tools = config.get("tools") if isinstance(config, dict) else None
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
