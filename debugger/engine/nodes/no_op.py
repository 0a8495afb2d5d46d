"""The node that does nothing (``platform.md#no_op``)."""

from __future__ import annotations

from typing import ClassVar

from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun
from debugger.protocol.workflow import NodeConfig


class NoOpConfig(NodeConfig):
    """The two test aids: a delay and a failure."""

    output_runtime_variable_name: str = "no_op_result"
    delay_seconds: float = 0.0
    simulate_failure: bool = False


class NoOpNode(Node[NoOpConfig]):
    """A node that does nothing but wait or simulate a failure."""

    Config: ClassVar[type[NodeConfig]] = NoOpConfig

    def run(self, context: NodeContext) -> NodeRun:
        """Wait for the configured delay, write success or the simulated failure, and return it; no events."""
        yield from ()
        if self.config.delay_seconds > 0:
            context.sleep(self.config.delay_seconds)
        success = not self.config.simulate_failure
        name = self.config.output_runtime_variable_name
        self.write(context, {name: None, f"{name}_success": success})
        return NodeResult({"success": success, "error_message": None if success else "simulated failure"})
