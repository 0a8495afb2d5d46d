"""Side effects that a workflow can have, read from it before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.connectors.base import ConnectorNode
from debugger.engine.tools import TOOL_TYPES
from debugger.engine.tools.builtins import SEND_SMS
from debugger.graph.node_types import NODE_FACTS
from debugger.protocol.workflow import Workflow

CONFIRMED = ("write", "contact")
"""The classes that need a confirmation."""

MCP_TOOLS = "tools of MCP servers"
"""What they do is known only when they are listed, which is a call that reads."""

_READING = ("GET", "HEAD", "OPTIONS")
_SIDE_EFFECTS = {"none": "read", "reads": "read", "writes": "write", "sends": "contact"}
_FUNCTIONS = {"math_add": "", "web_search": "read", "call_forward": "contact"}


class PossibleEffect(NamedTuple):
    """A call to the outside that a node can make."""

    call_class: str
    """``talk``, ``read``, ``write``, ``contact`` or ``python``."""
    node: str
    """The node's label; ``workflow`` for what all nodes can call."""
    what: str
    """The node's type, or the tool."""


def possible_effects(workflow: Workflow) -> list[PossibleEffect]:
    """Return the calls that the nodes of a workflow can make, each once.

    What is not known here counts as ``write``.

    Args:
        workflow: Its super nodes are expanded, else they count as unknown.
    """
    found: dict[PossibleEffect, None] = {}
    for node in workflow.node_configs:
        wire = node.to_wire()
        call_class = _class_of(str(wire.get("type")), wire)
        if call_class:
            found[PossibleEffect(call_class, node.label, str(wire.get("type")))] = None
        found |= dict.fromkeys(PossibleEffect(each, node.label, what) for each, what in _tools(wire))
    own = workflow.config.to_wire()
    return [*found, *dict.fromkeys(PossibleEffect(each, "workflow", what) for each, what in _tools(own))]


def _class_of(kind: str, wire: Mapping[str, Any]) -> str:
    """Return the class of the calls of a node by its type; empty for none, ``write`` for an unknown type."""
    if kind == "http_request":
        return "read" if str(wire.get("method") or "GET").upper() in _READING else "write"
    node_class = NODE_TYPES.get(kind)
    if node_class is not None and issubclass(node_class, ConnectorNode):
        inner = wire.get("operate_document")
        operation = node_class.operations.get(str(inner.get("type") if isinstance(inner, Mapping) else kind))
        return operation.call_class if operation else "write"
    return "write" if node_class is None else NODE_FACTS[kind].call_class


def _tools(value: Any) -> Iterator[tuple[str, str]]:
    """Yield class and name of every tool in a config, however deep; servers of MCP count as ``write``."""
    if isinstance(value, list):
        for inner in value:
            yield from _tools(inner)
    if not isinstance(value, Mapping):
        return
    kind = value.get("type")  # of a JSON Schema it may be a list
    if isinstance(kind, str) and kind in TOOL_TYPES and (call_class := _tool_class(value)):
        yield call_class, f"tool {value.get('name') or kind}"
    for key, inner in value.items():
        if "mcp" in key and isinstance(inner, list) and inner:
            yield "write", MCP_TOOLS
        yield from _tools(inner)


def _tool_class(tool: Mapping[str, Any]) -> str:
    """Return the class of a tool's calls, by its method, side effect or name.

    It is ``write`` for an unknown function, and empty for a tool that calls nothing.
    """
    names = [str(tool.get(key) or "") for key in ("tool_id", "name")]
    match tool["type"]:
        case "external_api":
            is_saved = bool(names[0]) and not tool.get("api_endpoint")
            is_reading = tool.get("api_method", "GET") == "GET" and not is_saved
            return _SIDE_EFFECTS.get(str(tool.get("side_effect")), "read" if is_reading else "write")
        case "inbuilt_function":
            if any(name.startswith(SEND_SMS) for name in names):
                return "contact"
            return next((_FUNCTIONS[name] for name in names if name in _FUNCTIONS), "write")
        case "inline_python":
            return "python"
        case _:
            return "read"
