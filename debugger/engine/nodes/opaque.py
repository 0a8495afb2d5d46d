"""A node that is kept and drawn, but that nobody here knows how to run (``platform/engine.md`` 1.1, U-63)."""

from __future__ import annotations

from typing import ClassVar

from debugger.engine.nodes.base import Node, NodeContext, NodeRun, Outcome
from debugger.protocol.workflow import NodeConfig


class OpaqueNode(Node[NodeConfig]):
    """Passed over with a warning.

    Args:
        config: The node as the document has it.
        why: What keeps it from being run, as the end of a sentence that begins with the node.
    """

    Config: ClassVar[type[NodeConfig]] = NodeConfig

    def __init__(self, config: NodeConfig, why: str) -> None:
        super().__init__(config)
        self.opaque_because = f"Node {config.label!r} ({config.logical_id}) was passed over: {why}"

    def run(self, context: NodeContext) -> NodeRun:
        """Do nothing."""
        yield from ()
        return Outcome()
