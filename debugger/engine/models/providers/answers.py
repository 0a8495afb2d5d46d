"""The answer of one model to one prompt: messages, text, calls, structured output.

Structured output is requested by a tool, checked and retried (``platform.md#structured-output``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, cast

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
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from debugger.engine.json_schema import schema_error
from debugger.engine.models.base import ModelError, Prompt, Reply, ToolCall, ToolSpec, TransitionOption
from debugger.engine.models.call_parts import (
    EXTRACT,
    JUSTIFICATION,
    MESSAGE,
    NOTHING_NEW,
    OUTPUT,
    chat_lines,
    message_property,
    object_schema,
    offers_of,
    system_text,
)
from debugger.engine.models.providers.model_client import ModelClient
from debugger.engine.tool_names import model_name
from debugger.expressions.values import shortened
from debugger.protocol.base import JsonObject
from debugger.protocol.events import TroubleKind
from debugger.protocol.json_codec import without_infinities
from debugger.protocol.messages import Message, message_kind, message_text

_VERDICT = "give_verdict"

Part = ModelRequestPart | ModelResponsePart


async def answer(calls: ModelClient, prompt: Prompt) -> Reply:
    """Answer one prompt by its kind; the reply has the model's name and usage.

    Raises:
        ModelError: There is no answer.
    """
    if prompt.kind == "judge":
        reply = await _verdict(calls, prompt)
    elif prompt.kind == "work" and prompt.schema is not None:
        reply = await _work(calls, prompt)
    else:
        reply = await _say(calls, prompt)
    return replace(reply, model=calls.model_name, usage={**calls.usage(), **reply.usage})


async def _say(calls: ModelClient, prompt: Prompt) -> Reply:
    """Return a text, a transition or tool calls; a text may have structured output.

    The output is asked for in a second call; where that fails the text stays, and ``fields_error`` says why.

    Raises:
        ModelError: There is no answer, or an empty one from a speaking node's model.
    """
    offers = ToolNames(prompt)
    parameters = ModelRequestParameters(function_tools=offers.definitions)
    response = await calls.request(_messages(calls, prompt, offers), parameters)
    reply = _read(calls, response, offers)
    if prompt.kind == "say" and not (reply.text or reply.chosen or reply.calls):
        names = _names_not_offered(response, offers)
        but = f" but a call of {names}, which was not offered" if names else ""
        raise ModelError(f"{calls.config.target} answered with nothing{but}{_cut(response)}")
    if prompt.schema is None or reply.chosen or reply.calls:
        return reply
    recent = calls.config.truncated_max_recent_messages
    messages = model_messages(prompt, offers, system=EXTRACT, recent=recent, said=reply.text)
    try:
        return _filled(calls, reply, await structured(calls, messages, OUTPUT, prompt.schema))
    except ModelError as error:  # the text is there all the same
        return replace(reply, fields_error=str(error), fields_trouble="model")


async def _work(calls: ModelClient, prompt: Prompt) -> Reply:
    """Return structured output, a transition or tool calls.

    Output that does not fit is a ``fields_error`` of the reply. Raises ModelError where there is no answer.
    """
    offers = ToolNames(prompt, taken=(OUTPUT,))
    messages = _messages(calls, prompt, offers)
    found = await structured(calls, messages, OUTPUT, prompt.schema or {}, offers.definitions)
    return _filled(calls, _read(calls, found.response, offers), found)


async def _verdict(calls: ModelClient, prompt: Prompt) -> Reply:
    """Return a reply that chooses the option if its condition holds, with arguments, else one without.

    Raises:
        ModelError: There is no verdict that fits.
    """
    choice = prompt.choices[0]
    properties: dict[str, Any] = {
        "is_condition_met": {"type": "boolean"},
        JUSTIFICATION: {"type": "string", "description": "Why, in one sentence."},
        **message_property(choice),
    }
    if choice.args_schema:
        properties["arguments"] = {**choice.args_schema, "type": "object"}
    schema = {"type": "object", "properties": properties, "required": ["is_condition_met"]}
    found = await structured(calls, _messages(calls, prompt, ToolNames(prompt)), _VERDICT, schema)
    if found.error is not None:
        raise ModelError(f"{calls.config.target} gave no verdict: {found.error}")
    fields, troubles = found.fields, _cuts(calls, found.response)
    reason, args = str(fields.get(JUSTIFICATION) or ""), fields.get("arguments") or {}
    if not fields["is_condition_met"]:
        return Reply(reason=reason, troubles=troubles)
    message = str(fields.get(MESSAGE) or "") if choice.message_prompt else ""
    return Reply(chosen=choice, args=args, message=message, reason=reason, troubles=troubles)


def _messages(calls: ModelClient, prompt: Prompt, offers: ToolNames) -> list[ModelMessage]:
    recent = calls.config.truncated_max_recent_messages
    return model_messages(prompt, offers, system=system_text(prompt), recent=recent)


def _filled(calls: ModelClient, reply: Reply, found: StructuredOutput) -> Reply:
    troubles = dict.fromkeys((*reply.troubles, *_cuts(calls, found.response)))
    return replace(reply, fields=found.fields, fields_error=found.error, troubles=tuple(troubles))


def _read(calls: ModelClient, response: ModelResponse, offers: ToolNames) -> Reply:
    """Return a response as a reply, without calls of what was not offered, for which it has a trouble.

    Of several transitions the first is chosen; justification and line are taken out of its arguments.

    Raises:
        ModelError: A tool would be called without the arguments that the model meant.
    """
    chosen, args, tools = None, dict[str, Any](), list[ToolCall]()
    for call in response.tool_calls:
        offer, given = offers.offered.get(call.tool_name), args_of(call)
        if isinstance(offer, TransitionOption):
            if chosen is None:
                chosen, args = offer, given or {}
        elif offer is not None:
            # Anthropic sends a call that is cut off with no arguments.
            if given is None or (not given and response.finish_reason == "length"):
                raise ModelError(
                    f"{calls.config.target} called {offer.name!r} with arguments that are not a JSON object"
                    f"{_cut(response)}"
                )
            tools.append(ToolCall(offer.name, given))
    reason = str(args.pop(JUSTIFICATION, None) or "")
    message = str(args.pop(MESSAGE, None) or "") if chosen is not None and chosen.message_prompt else ""
    troubles = _cuts(calls, response)
    if names := _names_not_offered(response, offers):
        text = f"{calls.config.target} called {names}, which was not offered; the call is left out."
        troubles += (("model", text),)
    return Reply(text_of(response), chosen, args, message, reason, calls=tuple(tools), troubles=troubles)


def _names_not_offered(response: ModelResponse, offers: ToolNames) -> str:
    names = dict.fromkeys(call.tool_name for call in response.tool_calls)
    return ", ".join(repr(shortened(name, _MAX_NAME)) for name in names if name not in offers.known)


_MAX_NAME = 80

_CUTS = {
    "length": "max_tokens were used up",
    "content_filter": "the provider's content filter ended it",
}
"""Why only a part of an answer came, by its finish reason."""


def _cuts(calls: ModelClient, response: ModelResponse) -> tuple[tuple[TroubleKind, str], ...]:
    """Return the trouble of an answer of which only a part came."""
    why = _CUTS.get(response.finish_reason or "")
    return (("cut_reply", f"The answer of {calls.config.target} was cut, because {why}."),) if why else ()


@dataclass
class StructuredOutput:
    """The result of a request for structured output."""

    response: ModelResponse
    """The last answer."""
    fields: JsonObject = field(default_factory=dict)
    error: str | None = None
    """Why nothing fitted; ``None`` where something did, or where the model called a tool instead."""


async def structured(
    calls: ModelClient,
    messages: Sequence[ModelMessage],
    name: str,
    schema: JsonObject,
    others: Sequence[ToolDefinition] = (),
) -> StructuredOutput:
    """Ask for structured output until it fits, a tool is called instead, or the retries are used up.

    What does not fit is noted as a failed attempt and sent back to the model with the error.

    Args:
        calls: The model.
        messages: What it reads.
        name: Under which tool name it is to give the output.
        schema: The JSON Schema of the output.
        others: Tools that it may call instead.

    Returns:
        The last response with the fields; without fields and with ``error`` where nothing fitted.

    Raises:
        ModelError: A call gave no answer.
    """
    wanted = object_schema(schema)
    tool = ToolDefinition(
        name=name,
        parameters_json_schema=wanted,
        description=str(schema.get("description") or "Gives the structured output."),
        strict=False,
        kind="output",
    )
    parameters = ModelRequestParameters(
        function_tools=list(others), output_tools=[tool], output_mode="tool", allow_text_output=False
    )
    conversation, unfitting = list(messages), calls.begin_output()
    while True:
        started = time.perf_counter()
        response = await calls.request(conversation, parameters)
        fields, problem = _read_fields(response, name, wanted)
        called = {call.tool_name for call in response.tool_calls} - {name}
        if problem is None or any(tool.name in called for tool in others):
            return StructuredOutput(response, fields)
        problem += _cut(response)
        is_retried = len(unfitting.attempts) < calls.config.max_parse_retries
        unfitting.add(problem, started, is_retried=is_retried)
        if not is_retried:
            return StructuredOutput(response, error=problem)
        conversation += [response, _complaint(response, name, problem)]


def text_of(response: ModelResponse) -> str:
    """Return the text of a response."""
    return "".join(part.content for part in response.parts if isinstance(part, TextPart)).strip()


def args_of(call: ToolCallPart) -> JsonObject | None:
    """Return a call's arguments, ``{}`` for ``null``; ``None`` where they are no JSON object.

    Numbers that JSON does not have are replaced.
    """
    if call.args == "null":  # of a tool that takes none
        return {}
    try:
        found: JsonObject = without_infinities(call.args_as_dict(raise_if_invalid=True))
    except (ValueError, AssertionError):
        return None
    return found


def _cut(response: ModelResponse) -> str:
    """Return why an answer ended early, as the rest of a sentence, by its length or a provider's error.

    Else it is empty, also where the content filter ended it.
    """
    if response.finish_reason == "length":
        return f", because {_CUTS['length']}"
    raw = (
        (response.provider_details or {}).get("finish_reason") if response.finish_reason == "error" else None
    )
    return f" (finish reason {shortened(str(raw), _MAX_NAME)})" if raw else ""


def _read_fields(response: ModelResponse, name: str, schema: JsonObject) -> tuple[JsonObject, str | None]:
    """Return the output in a response and ``None``, or an empty one and the error in it.

    Without a call of the tool it is read from the text, as some servers write it; blank values that do not
    fit are left out.
    """
    call = next((call for call in response.tool_calls if call.tool_name == name), None)
    try:
        if call is None:
            found: Any = json.loads(_bare(text_of(response)))
        else:
            found = call.args_as_dict(raise_if_invalid=True)
    except (ValueError, AssertionError, RecursionError):
        is_there = call or text_of(response)
        return {}, "this is not a JSON object" if is_there else "there is no structured output"
    if not isinstance(found, dict):
        return {}, "this is not a JSON object"
    if name == _VERDICT and found.get("is_condition_met") is False:
        found.pop("arguments", None)  # of a transition that is not taken; models often leave it empty
    fields = without_blanks(without_infinities(found), schema)
    problem = schema_error(fields, schema)
    return ({}, problem) if problem else (fields, None)


def _bare(text: str) -> str:
    lines = text.splitlines()
    fenced = len(lines) > 2 and lines[0].startswith("```") and lines[-1].startswith("```")
    return "\n".join(lines[1:-1]) if fenced else text


def _complaint(response: ModelResponse, name: str, problem: str) -> ModelRequest:
    text = f"That does not fit: {problem}. Call the tool {name!r} again with arguments that fit its schema."
    results = [ToolReturnPart(call.tool_name, text, call.tool_call_id) for call in response.tool_calls]
    return ModelRequest(results) if results else ModelRequest([UserPromptPart(text)])


def without_blanks(value: JsonObject, schema: JsonObject) -> JsonObject:
    """Return a copy of an object without its ``None`` and empty texts that do not fit their schema.

    Required ones stay. Authors ask models to leave unknowns empty (``platform.md#llm-nodes``).
    """
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    properties = schema.get("properties")
    named = properties if isinstance(properties, dict) else {}
    return {
        key: inner
        for key, inner in value.items()
        if inner not in (None, "") or key in needed or schema_error(inner, named.get(key, True)) is None
    }


# Messages of a prompt


def model_messages(
    prompt: Prompt, offers: ToolNames, *, system: str, recent: int | None, said: str = ""
) -> list[ModelMessage]:
    """Return the messages that a model reads: system prompt, chat, exchange with tools, what it said.

    Args:
        prompt: The prompt.
        offers: The offered tools, for the names of the calls in the exchange.
        system: The system prompt; none is sent where it is empty.
        recent: How many messages of the chat are sent at most; all where there is no limit.
        said: What the model has answered to them.
    """
    parts: list[Part] = [SystemPromptPart(system)] if system else []
    for line in chat_lines(prompt, recent=recent, said="" if prompt.exchange else said):
        parts.append(TextPart(line.text) if line.role == "assistant" else UserPromptPart(line.text))
    parts += _exchanged(prompt.exchange, offers)
    if prompt.exchange and said:
        parts += [TextPart(said), UserPromptPart(NOTHING_NEW)]
    return _turns(parts)


def _exchanged(exchange: Sequence[Message], offers: ToolNames) -> Iterator[Part]:
    """Yield texts, calls and results in order; a stray result belongs to the first open call.

    Without an open call it has its own id and name. Arguments that are no object are empty.
    """
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
    """Return id and name of the call that a result is for, and remove it from the open ones.

    It is the call of the result's id, else the first open one, else made of the result itself.
    """
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
        """Give each offer a distinct name, and make its definition for a provider."""
        offers = offers_of(prompt, taken)
        self.offered = {offer.name: offer.offer for offer in offers}
        """The offers by the name that the model knows them by."""
        self.known = {*self.offered, *taken}
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

    def name_of(self, tool: str) -> str:
        """Return the name under which a tool is offered, or would be.

        A tool that is not offered has the name that a model could take.
        """
        names = (
            name for name, offer in self.offered.items() if isinstance(offer, ToolSpec) and offer.name == tool
        )
        return next(names, model_name(tool))
