"""The kinds of tools that a workflow can call."""

from __future__ import annotations

from debugger.engine.tools.base import Tool
from debugger.engine.tools.inline_python import InlinePythonTool

TOOL_TYPES: dict[str, type[Tool]] = {
    "inline_python": InlinePythonTool,
}
"""By the ``type`` of a tool's config."""
