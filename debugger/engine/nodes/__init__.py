"""The node types that the engine runs."""

from __future__ import annotations

from typing import Any

from debugger.engine.nodes.base import Node
from debugger.engine.nodes.llm import SayLLMNode, WorkerLLMNode
from debugger.engine.nodes.no_op import NoOpNode
from debugger.engine.nodes.say_static import SayStaticNode
from debugger.engine.nodes.tool_node import ToolNode

NODE_TYPES: dict[str, type[Node[Any]]] = {
    "no_op": NoOpNode,
    "say_llm": SayLLMNode,
    "say_static": SayStaticNode,
    "tool_node": ToolNode,
    "worker_llm": WorkerLLMNode,
}
