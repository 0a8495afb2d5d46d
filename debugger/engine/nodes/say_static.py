"""The node that speaks a fixed text (``platform.md#say_static``)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, fixed_response, pick_message
from debugger.protocol.events import SayStaticEvent
from debugger.protocol.messages import ai_message
from debugger.protocol.workflow import NodeConfig, StaticMessagesConfig


class SayStaticConfig(NodeConfig):
    """The texts, and how one is picked."""

    static_messages_config: StaticMessagesConfig = Field(default_factory=StaticMessagesConfig)


class SayStaticNode(Node[SayStaticConfig]):
    """A node that speaks a fixed text with its variables filled."""

    Config: ClassVar[type[NodeConfig]] = SayStaticConfig

    def run(self, context: NodeContext) -> NodeRun:
        """Select one of the messages, replace its placeholders and say it; say nothing if there is none.

        Yields the node's event and the answer, and returns an empty output.
        """
        config = self.config.static_messages_config
        picked = pick_message(config, self.config.logical_id, context.state, context.environment)
        if picked is not None:
            text = context.fill(picked)
            message_id = f"assistant_message_{context.environment.uuid()}"
            yield SayStaticEvent(message=ai_message(text, message_id=message_id))
            yield fixed_response(text, context.environment, message_id=message_id)
        return NodeResult()
