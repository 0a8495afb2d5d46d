"""Why a pin or a fault can have no effect in a version of a workflow."""

from __future__ import annotations

from collections.abc import Iterator

from debugger.engine.mocks import Fault, Pin
from debugger.engine.models.tool_names import model_name
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig

MODEL_TYPES = frozenset({"say_llm", "worker_llm", "workflow_run_evaluator"})


def intervention_doubt(one: Pin | Fault, graph: Graph) -> str | None:
    """The reason in one sentence; ``None`` where it can have its effect."""
    target = one.target
    node_id = target.node if target.kind == "tool" else target.name
    node = graph.nodes.get(node_id)
    if node_id and node is None:
        return f"This version of the workflow has no node {node_id!r}."
    if node is not None and node.disabled:
        return "The node is disabled, so it never runs."
    if target.kind == "model" and node is not None and node.type not in MODEL_TYPES:
        return "The node asks no model."
    if target.kind == "tool" and target.name not in tool_names(graph):
        return f"This version of the workflow has no tool {target.name!r}."
    return None


def tool_names(graph: Graph) -> list[str]:
    """The tools of a workflow by the names that models know them by; those of MCP servers are not known."""
    return list(dict.fromkeys(model_name(str(tool.get("name") or "")) for tool in _tools(graph)))


def _tools(graph: Graph) -> Iterator[JsonObject]:
    for node in graph.nodes.values():
        own = _own_tool(node)
        if own is not None:
            yield own
        yield from _listed(node.to_wire().get("tools_config"))
    yield from _listed(graph.workflow.config.to_wire().get("tools_config"))


def _own_tool(node: NodeConfig) -> JsonObject | None:
    found = node.to_wire().get("tool_config")
    return found if isinstance(found, dict) else None


def _listed(config: object) -> Iterator[JsonObject]:
    tools = config.get("tools") if isinstance(config, dict) else None
    yield from (tool for tool in tools or () if isinstance(tool, dict))
