"""The context of a tool that a node calls."""

from __future__ import annotations

from debugger.engine.nodes.base import NodeContext
from debugger.engine.tools.base import ToolContext
from debugger.protocol.base import JsonObject


def tool_context(
    context: NodeContext,
    node_logical_id: str,
    timeout: float | None,
    authored_arguments: JsonObject | None = None,
) -> ToolContext:
    """Return the context of a tool call.

    Args:
        context: The node's.
        node_logical_id: The node that calls.
        timeout: Seconds the call may take; ``None`` means the engine's own limit (U-53).
        authored_arguments: The arguments with the workflow's own defaults alone.
    """
    return ToolContext(
        scope=context.scope,
        timeout=timeout or context.options.tool_timeout,
        options=context.options,
        cancelled=context.cancelled,
        outbound=context.outbound,
        authored=context.authored,
        authored_arguments=authored_arguments or {},
        node_logical_id=node_logical_id,
        warnings=context.warnings,
        interceptor=context.interceptor,
        tool_error=context.tool_error,
        applied_mocks=context.applied_mocks,
    )
