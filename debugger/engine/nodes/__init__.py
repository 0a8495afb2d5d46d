"""The node types that the engine runs."""

from __future__ import annotations

from typing import Any

from debugger.engine.nodes.base import Node
from debugger.engine.nodes.deduplicate import DeduplicateNode
from debugger.engine.nodes.field_extractor import FieldExtractorNode
from debugger.engine.nodes.llm import SayLLMNode, WorkerLLMNode
from debugger.engine.nodes.no_op import NoOpNode
from debugger.engine.nodes.say_static import SayStaticNode
from debugger.engine.nodes.tool_node import ToolNode
from debugger.engine.nodes.workflow_run_fetch import WorkflowRunFetchNode

NODE_TYPES: dict[str, type[Node[Any]]] = {
    "deduplicate": DeduplicateNode,
    "field_extractor": FieldExtractorNode,
    "no_op": NoOpNode,
    "say_llm": SayLLMNode,
    "say_static": SayStaticNode,
    "tool_node": ToolNode,
    "worker_llm": WorkerLLMNode,
    "workflow_run_fetch": WorkflowRunFetchNode,
}
