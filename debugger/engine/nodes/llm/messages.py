"""Messages that a model sends and gets during its turn, in LangChain's shape (``platform/engine.md`` 6.1)."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.engine.responders.base import Reply
from debugger.engine.responders.tool_names import hop_name
from debugger.engine.tools.base import ToolResult
from debugger.engine.world import World
from debugger.protocol.base import JsonObject
from debugger.protocol.json_text import encode
from debugger.protocol.messages import Message, ai_message


def model_message(reply: Reply, message_id: str, call_ids: Sequence[str] = ()) -> Message:
    """The reply as a model would have sent it; a chosen hop is a tool call too (``platform/wire.md`` 3.6).

    Args:
        reply: What the model said, chose and called.
        message_id: The message's id; the call that stands for a chosen hop has the same.
        call_ids: The ids of the calls of tools, in order.
    """
    calls: list[JsonObject] = []
    if reply.chosen is not None:
        arguments = {"justification": reply.reason, **reply.args}
        calls.append(_call(hop_name(reply.chosen), arguments, message_id))
    calls += [_call(call.name, call.args, id_) for call, id_ in zip(reply.calls, call_ids, strict=False)]
    return ai_message(reply.text, message_id=message_id, tool_calls=calls)


def tool_message(call: JsonObject, result: ToolResult, world: World) -> Message:
    """What came of a call, as the model is told it: the result as JSON text, or the error."""
    return {
        "content": encode(result.result).decode() if result.success else str(result.error),
        "additional_kwargs": {},
        "response_metadata": {"tool_result": result.result},
        "type": "tool",
        "name": call["name"],
        "id": f"tool_message_{world.uuid()}",
        "tool_call_id": call["id"],
        "artifact": None,
        "status": "success" if result.success else "error",
    }


def call_id(world: World) -> str:
    """An id for a call: letters, digits and ``_`` only and not above 40, as all providers take it."""
    return f"call_{world.uuid().replace('-', '')}"


def _call(name: str, args: JsonObject, call_id: str) -> JsonObject:
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}
