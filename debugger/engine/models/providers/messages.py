"""Messages of a prompt: system prompt, chat, tool calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import cast

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.tools import ToolDefinition

from debugger.engine.models.base import Prompt, ToolSpec, TransitionOption, model_name
from debugger.engine.models.call_parts import chat_lines, offers_of
from debugger.protocol.messages import Message, message_kind, message_text

Part = ModelRequestPart | ModelResponsePart


def model_messages(
    prompt: Prompt, offers: ToolNames, *, system: str, recent: int | None, also: Sequence[Message] = ()
) -> list[ModelMessage]:
    """Return the messages that a model reads.

    Args:
        prompt: The prompt.
        offers: The offered tools, for the names of the calls in the exchange.
        system: The system prompt; none is sent where it is empty.
        recent: How many messages of the chat are sent at most; all where there is no limit.
        also: What was said since.
    """
    parts: list[Part] = [SystemPromptPart(system)] if system else []
    for line in chat_lines(prompt, recent=recent, also=also):
        parts.append(TextPart(line.text) if line.role == "assistant" else UserPromptPart(line.text))
    parts += _exchanged(prompt.exchange, offers)
    return _turns(parts)


def _exchanged(exchange: Sequence[Message], offers: ToolNames) -> Iterator[Part]:
    """Return calls and results; a stray result belongs to the first open call."""
    open_calls: list[tuple[str, str]] = []
    for message in exchange:
        text = message_text(message)
        if message_kind(message) == "tool":
            call_id, name = _answered(message, open_calls)
            yield ToolReturnPart(offers.name_of(name), text, call_id)
            continue
        if text and message_kind(message) == "ai":
            yield TextPart(text)
        for call in message.get("tool_calls") or ():
            call_id, name = str(call.get("id") or f"call_{len(open_calls)}"), str(call.get("name"))
            open_calls.append((call_id, name))
            args = call.get("args")
            yield ToolCallPart(offers.name_of(name), args if isinstance(args, dict) else {}, call_id)


def _answered(message: Message, open_calls: list[tuple[str, str]]) -> tuple[str, str]:
    wanted = message.get("tool_call_id")
    named = [call for call in open_calls if call[0] == wanted] or open_calls[:1]
    if not named:
        return str(wanted or "call"), str(message.get("name") or "tool")
    open_calls.remove(named[0])
    return named[0]


def _turns(parts: Sequence[Part]) -> list[ModelMessage]:
    """Return parts as messages: consecutive ones of one side form one message."""
    sides = groupby(parts, key=lambda part: isinstance(part, TextPart | ToolCallPart))
    return [
        ModelResponse(cast(list[ModelResponsePart], list(group)))
        if is_of_model
        else ModelRequest(cast(list[ModelRequestPart], list(group)))
        for is_of_model, group in sides
    ]


class ToolNames:
    """A prompt's transitions and tools by their names for a model.

    Args:
        prompt: What offers them.
        taken: Names that are not free.
    """

    def __init__(self, prompt: Prompt, taken: tuple[str, ...] = ()) -> None:
        offers = offers_of(prompt, taken)
        self._found = {offer.name: offer.offer for offer in offers}
        # Not strict: authors leave fields open on purpose (``platform.md#llm-nodes``).
        self.definitions = [
            ToolDefinition(
                name=offer.name,
                parameters_json_schema=offer.schema,
                description=offer.description,
                strict=False,
            )
            for offer in offers
        ]

    def find(self, name: str) -> TransitionOption | ToolSpec | None:
        """Return the transition or tool of a name."""
        return self._found.get(name)

    def name_of(self, tool: str) -> str:
        """Return the name under which a tool is offered, or would be."""
        for name, offer in self._found.items():
            if isinstance(offer, ToolSpec) and offer.name == tool:
                return name
        return model_name(tool)
