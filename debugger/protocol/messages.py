"""Chat messages: plain objects in LangChain's shape (``platform.md#messages``)."""

from __future__ import annotations

from typing import Any, Literal

from debugger.protocol.base import JsonObject

Message = JsonObject
"""``{"type": "human"|"ai"|"system"|"tool", "content": ..., ...}``; ``{"role", "content"}`` is read too."""

Kind = Literal["human", "ai", "system", "tool"]

_KIND_OF_ROLE: dict[str, Kind] = {
    "user": "human",
    "human": "human",
    "assistant": "ai",
    "ai": "ai",
    "system": "system",
    "tool": "tool",
}

TRANSITION_TOOL_PREFIX = "Destination_Node__"
"""Start of the names of the tools by which a model chooses a transition.

Source: ``platform.md#llm-node-execution``.
"""


def transition_tool_name(node_id: str) -> str:
    """Return the name of the tool that transfers to a node."""
    return f"{TRANSITION_TOOL_PREFIX}{node_id}"


def human_message(text: str, *, message_id: str | None = None) -> Message:
    """Return a message of the user; without an id its ``id`` is null."""
    return {
        "type": "human",
        "content": text,
        "additional_kwargs": {},
        "response_metadata": {},
        "name": None,
        "id": message_id,
    }


def ai_message(
    text: str,
    *,
    message_id: str,
    tool_calls: list[JsonObject] | None = None,
    response_metadata: JsonObject | None = None,
) -> Message:
    """Return a message of the assistant, with the keys in recorded order.

    Source: ``platform.md#messages``.
    """
    return {
        "content": text,
        "additional_kwargs": {},
        "response_metadata": {} if response_metadata is None else response_metadata,
        "type": "ai",
        "name": None,
        "id": message_id,
        "tool_calls": tool_calls or [],
        "invalid_tool_calls": [],
        "usage_metadata": None,
    }


def message_kind(message: Message) -> Kind | None:
    """Return the speaker by ``type``, else by ``role``; ``None`` where there is none or it is not known."""
    return _KIND_OF_ROLE.get(str(message.get("type") or message.get("role") or ""))


def message_text(message: Message) -> str:
    """Return a message's text; text parts of a list are joined.

    A part that is an object has its text under ``text``; other parts are left out. Null and a missing content
    are empty; any other content is what Python writes.
    """
    content: Any = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    return "" if content is None else str(content)


def message_problem(message: Message) -> str | None:
    """Explain in a sentence why a message is malformed; ``None`` where not.

    It needs a known ``type`` or ``role``, and a content that is a text or a list of texts and of objects with
    a type or a text.
    """
    kind = message.get("type") or message.get("role")
    if kind is None:
        return "it has neither a type nor a role."
    if message_kind(message) is None:
        return f"{kind!r} is no type or role of a message; they are {', '.join(_KIND_OF_ROLE)}."
    content: Any = message.get("content")
    if isinstance(content, str):
        return None
    if not isinstance(content, list):
        found = "missing or null" if content is None else f"of the type {type(content).__name__}"
        return f"its content must be a text or a list of parts, and is {found}."
    for index, part in enumerate(content):
        if not _is_part(part):
            return f"content[{index}] is no text, and no object with a type or a text."
    return None


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return isinstance(part, str)
    kind = part.get("type")
    return isinstance(part.get("text"), str) if kind in (None, "text") else isinstance(kind, str)


def normal_message(message: Message, *, message_id: str) -> Message:
    """Return the message in LangChain's shape, with an id.

    Its own id wins over the given one, and a message of an unknown kind is the user's. Other keys stay;
    ``role`` is left out.
    """
    kind = message_kind(message)
    rest = {key: value for key, value in message.items() if key != "role"}
    base = human_message("", message_id=message_id)
    return {**base, **rest, "type": kind or "human", "id": message.get("id") or message_id}
