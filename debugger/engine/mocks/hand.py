"""Where nodes, tools and models of a segment meet what a person does to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from debugger.engine.mocks.interventions import Interventions
from debugger.engine.mocks.kinds import Met, Target
from debugger.engine.mocks.models import Desk, answering
from debugger.engine.mocks.nodes import faulty_run, pinned_run
from debugger.engine.models.base import Prompt, Responder
from debugger.engine.models.tool_names import model_name
from debugger.engine.nodes.base import Node, NodeContext, NodeRun
from debugger.engine.tools.base import Tool, ToolContext, ToolResult
from debugger.protocol.base import JsonObject


@dataclass
class Hand:
    """A person's hand in what a segment does."""

    interventions: Interventions = field(default_factory=Interventions)
    desk: Desk | None = None
    """Where a person answers for models."""

    def run(self, node: Node[Any], context: NodeContext) -> NodeRun:
        """Run a node, or give its frozen output, or let it fail."""
        met = self._met(Target("node", node.config.logical_id), context.applied_mocks)
        if met.fault is not None:
            context.world.sleep(context.clamp_timeout(met.fault.delay), context.cancelled)
            if met.fault.error:
                return (yield from faulty_run(met.fault, node, context))
        if met.pin is not None:
            return (yield from pinned_run(met.pin, node, context))
        return (yield from node.run(context))

    def answering(self, prompt: Prompt, context: NodeContext) -> tuple[Prompt, Responder]:
        """Who answers a prompt, and how that one is asked."""
        met = self._met(Target("model", prompt.node_logical_id), context.applied_mocks)
        return answering(
            prompt,
            context.responder,
            met,
            self.desk,
            context.cancelled,
            context.world.sleep,
            context.pauses,
        )

    def call(self, tool: Tool, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call a tool, or give its frozen result, or let it fail."""
        target = Target("tool", model_name(tool.config.name), context.node_logical_id)
        met = self._met(target, context.applied_mocks)
        if met.fault is not None:
            context.cancelled.wait(met.fault.delay)
            if met.fault.error:
                return ToolResult(success=False, error=met.fault.error)
        if met.pin is not None:
            output = met.pin.output
            return ToolResult(
                success=bool(output.get("success", True)),
                result=output.get("result"),
                error=output.get("error"),
            )
        return tool.call(arguments, context)

    def _met(self, target: Target, applied_mocks: list[str]) -> Met:
        met = self.interventions.meet(target)
        applied_mocks += met.ids
        return met
