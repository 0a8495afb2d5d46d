"""The tools that MCP servers offer to a workflow (``platform.md#tool-types``, U-56)."""

from __future__ import annotations

from debugger.engine.tools.mcp.servers import McpServer, mcp_servers
from debugger.engine.tools.mcp.tool import McpTool, McpToolConfig, McpTools, mcp_tools

__all__ = ["McpServer", "McpTool", "McpToolConfig", "McpTools", "mcp_servers", "mcp_tools"]
