"""The parts of a model call: system prompt, chat, offered tools.

They are what a provider's client translates, so they can be shown without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from debugger.engine.models.base import Prompt, ToolSpec, TransitionOption
from debugger.engine.tool_names import model_names
from debugger.protocol.base import JsonObject
from debugger.protocol.messages import Message, message_kind, message_text, transition_tool_name

EXTRACT = "Extract the structured output from the conversation so far. Leave out what was not said."
"""The system prompt where structured output is wanted and the author wrote none."""
OUTPUT = "structured_output"
"""The name of the tool that takes structured output."""
JUSTIFICATION = "justification"
"""The argument in which a model says why it chose a transition."""
MESSAGE = "transition_message"
"""The argument in which a model writes the line that is spoken at a transition."""
_JUDGE = "Decide whether the condition holds at this point of the conversation."
NOTHING_NEW = "(The user has said nothing new.)"
"""Ends a chat that the assistant spoke last in: some providers refuse one, others go on in its sentence."""
_MEMO = "nav_msg_"
"""Prefix of the ids of the engine's own notes (``platform.md#messages``)."""


class Line(NamedTuple):
    """A text of the chat."""

    role: Literal["user", "assistant"]
    text: str


class Offer(NamedTuple):
    """A transition or a tool as a model reads it."""

    name: str
    offer: TransitionOption | ToolSpec
    description: str
    schema: JsonObject
    """JSON Schema of its arguments."""


def system_text(prompt: Prompt) -> str:
    """Return the system prompt of the call; empty where there is none.

    A verdict is asked for with the condition; structured output without a prompt of the author's with
    `EXTRACT`.
    """
    if prompt.kind == "judge":
        condition = prompt.choices[0].condition
        about = prompt.system if prompt.system != condition else ""
        return "\n\n".join(part for part in (about, _JUDGE, f"Condition: {condition}") if part)
    if prompt.kind == "work" and prompt.schema is not None:
        return prompt.system or EXTRACT
    return prompt.system


def chat_lines(prompt: Prompt, *, recent: int | None, said: str = "") -> list[Line]:
    """Return the chat as a model reads it, oldest first; it ends with the user.

    The prompt's message is added where the chat does not have it, and `NOTHING_NEW` where the assistant was
    last.

    Args:
        prompt: The prompt.
        recent: How many messages of the chat are sent at most; all where there is no limit.
        said: What the assistant has said since.
    """
    chat = list(prompt.history())
    heard = "\n".join(message_text(message) for message in chat if message_kind(message) == "human")
    if prompt.message and prompt.message not in heard:
        chat.append({"type": "human", "content": prompt.message})
    # `[-0:]` would be everything.
    chat = chat if recent is None else chat[max(0, len(chat) - recent) :]
    lines = [line for message in chat for line in _spoken(message)]
    if said:
        lines.append(Line("assistant", said))
    if not lines or lines[-1].role != "user":
        lines.append(Line("user", NOTHING_NEW))
    return lines


def _spoken(message: Message) -> Iterator[Line]:
    """Yield the line of a message; none without a text or for the result of a tool.

    Notes, memos and whatever else no assistant said are the user's.
    """
    text, kind = message_text(message), message_kind(message)
    if not text or kind == "tool":
        return
    if kind == "system":
        yield Line("user", f"[Note]: {text}")
    elif kind == "ai" and not is_memo(message):
        yield Line("assistant", text)
    else:
        yield Line("user", text)


def is_memo(message: Message) -> bool:
    """Return whether a message is a note of the engine's own."""
    return str(message.get("id") or "").startswith(_MEMO)


def offers_of(prompt: Prompt, taken: tuple[str, ...] = ()) -> list[Offer]:
    """Return the tools and transitions that a model may choose.

    Args:
        prompt: What offers them.
        taken: Names that are not free.
    """
    offers: list[ToolSpec | TransitionOption] = [*prompt.tools, *prompt.choices]
    names = model_names([*taken, *map(_wanted, offers)])[len(taken) :]
    return [_offer(name, offer) for name, offer in zip(names, offers, strict=True)]


def _wanted(offer: TransitionOption | ToolSpec) -> str:
    return (
        offer.name if isinstance(offer, ToolSpec) else transition_tool_name(offer.destination_node_logical_id)
    )


def _offer(name: str, offer: TransitionOption | ToolSpec) -> Offer:
    """Return a tool or a transition as a model reads it under a name.

    The schema of a transition also asks for a justification and, where wanted, its line.
    """
    if isinstance(offer, ToolSpec):
        return Offer(name, offer, offer.signature, object_schema(offer.args_schema))
    schema = object_schema(offer.args_schema)
    why = {"type": "string", "description": "Why this is the right choice now."}
    properties = {JUSTIFICATION: why, **schema["properties"], **message_property(offer)}
    return Offer(name, offer, offer.condition, {**schema, "properties": properties})


def message_property(offer: TransitionOption) -> JsonObject:
    """Return the property for a transition's line; none where the model writes none (U-17)."""
    if not offer.message_prompt:
        return {}
    return {MESSAGE: {"type": "string", "description": f"The line for the user now. {offer.message_prompt}"}}


def object_schema(schema: JsonObject | None) -> JsonObject:
    """Return a schema, or none, as that of an object: type ``object``, and properties that are an object.

    Properties of another type are replaced by none; all else stays.
    """
    found = schema or {}
    properties = found.get("properties")
    named = properties if isinstance(properties, dict) else {}
    return {**found, "type": "object", "properties": named}


def call_json(prompt: Prompt, *, recent: int | None) -> JsonObject:
    """Return a model call of any provider as one JSON object: model, messages, tools, structured output.

    Args:
        prompt: The prompt.
        recent: How many messages of the chat are sent at most; all where there is no limit.
    """
    system = system_text(prompt)
    messages: list[JsonObject] = [{"role": "system", "content": system}] if system else []
    messages += [{"role": line.role, "content": line.text} for line in chat_lines(prompt, recent=recent)]
    messages += map(_exchanged, prompt.exchange)
    has_output = prompt.kind == "work" and prompt.schema is not None
    offers = [] if prompt.kind == "judge" else offers_of(prompt, (OUTPUT,) if has_output else ())
    return {
        "model": prompt.llm,
        "messages": messages,
        "tools": [
            {"name": offer.name, "description": offer.description, "parameters": offer.schema}
            for offer in offers
        ],
        **({OUTPUT: prompt.schema} if prompt.schema is not None else {}),
    }


def _exchanged(message: Message) -> JsonObject:
    """Return a message of the exchange as JSON: the result of a tool, or an answer with its calls.

    What a message lacks is ``None``; without calls their list is empty.
    """
    if message_kind(message) == "tool":
        call = message.get("tool_call_id")
        return {"role": "tool", "tool_call_id": call, "content": message_text(message)}
    calls = [
        {"id": call.get("id"), "name": call.get("name"), "arguments": call.get("args")}
        for call in message.get("tool_calls") or ()
    ]
    return {"role": "assistant", "content": message_text(message), "tool_calls": calls}
