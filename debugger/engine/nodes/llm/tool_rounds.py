"""To run the tools that a model called, and tell what came of it (``platform/engine.md`` 2.1.2, step 6)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from debugger.engine.nodes.base import NodeContext, fixed_response, pick_message
from debugger.engine.nodes.llm.config import LLMConfig
from debugger.engine.nodes.llm.model_call import tool_message
from debugger.engine.nodes.llm.offers import OfferedTool
from debugger.engine.nodes.tool_context import tool_context
from debugger.engine.tools.base import RESULT_NAME, ToolConfig, ToolResult
from debugger.engine.tools.calling import call_tool, write_result
from debugger.protocol.base import JsonObject
from debugger.protocol.events import AssistantResponseEvent, Event
from debugger.protocol.messages import Message


@dataclass(frozen=True)
class ToolRounds:
    """The calls that the model of one node makes while the node runs."""

    config: LLMConfig
    context: NodeContext
    tools: Sequence[OfferedTool]
    speaks: bool
    """Whether the node says the line of a tool; a silent one does not."""
    message_event: Callable[[Message], Event]
    """Makes the event of a message of the model's turn."""

    def run(self, calls: Sequence[JsonObject]) -> Generator[Event, None, list[Message]]:
        """Run the calls of one message, in order, until the turn is ended.

        Args:
            calls: The ``tool_calls`` of the model's message.

        Returns:
            What the model is told: a message for each call that was dealt with. Yields lines that are spoken
            and these messages.
        """
        told: list[Message] = []
        for call in calls:
            if self.context.cancelled.is_set():
                break
            result = yield from self._deal_with(call)
            told.append(tool_message(call, result, self.context.world))
            yield self.message_event(told[-1])
        return told

    def _deal_with(self, call: JsonObject) -> Generator[Event, None, ToolResult]:
        """Run one call. One that cannot be made changes no variable and says no line."""
        offered = next((one for one in self.tools if one.offer.name == call["name"]), None)
        if offered is None:
            names = ", ".join(one.offer.name for one in self.tools)
            return _failure(f"There is no tool {call['name']!r}; there is {names}.")
        complaint = offered.complaint(call["args"])
        if complaint is not None:
            return _failure(f"{call['name']} was not called, because its arguments do not fit: {complaint}")
        line = self._line(offered) if self.speaks else None
        if line is not None:
            yield line
        return self._call(offered, call["args"])

    def _call(self, offered: OfferedTool, arguments: JsonObject) -> ToolResult:
        """Call, and write the result; unlike a tool node, nothing tells of success or failure (10.6)."""
        config: ToolConfig = offered.tool.config
        allowed = tool_context(self.context, self.config.logical_id, config.timeout_seconds)
        called = call_tool(offered.tool, arguments, allowed)
        name = config.result_runtime_variable_name or RESULT_NAME
        write_result(called, name, self.config, self.context.state, self.context.thread)
        return called.result

    def _line(self, offered: OfferedTool) -> AssistantResponseEvent | None:
        messages = offered.tool.config.static_messages_config
        if messages is None:
            return None
        key = f"tool:{self.config.logical_id}:{offered.offer.name}"
        picked = pick_message(messages, key, self.context.state, self.context.world)
        return None if picked is None else fixed_response(self.context.fill(picked), self.context.world)


def _failure(error: str) -> ToolResult:
    return ToolResult(success=False, error=error)
