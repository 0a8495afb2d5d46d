"""The kinds of tools that a workflow can call."""

from __future__ import annotations

from debugger.engine.tools.base import Tool
from debugger.engine.tools.builtins import InbuiltFunctionTool
from debugger.engine.tools.external_api import ExternalApiTool
from debugger.engine.tools.inline_python import InlinePythonTool
from debugger.engine.tools.knowledge import KnowledgeBaseTool

TOOL_TYPES: dict[str, type[Tool]] = {
    "external_api": ExternalApiTool,
    "inbuilt_function": InbuiltFunctionTool,
    "inline_python": InlinePythonTool,
    "knowledge_base": KnowledgeBaseTool,
}
"""By the ``type`` of a tool's config."""
