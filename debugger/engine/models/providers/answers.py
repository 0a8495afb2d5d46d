"""The answer of one model to one prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import ModelRequestParameters

from debugger.engine.models.base import ModelError, Prompt, Reply, ToolCall, TransitionOption
from debugger.engine.models.call_parts import EXTRACT, JUSTIFICATION, OUTPUT, system_text
from debugger.engine.models.providers.messages import ToolNames, model_messages
from debugger.engine.models.providers.model_client import ModelClient
from debugger.engine.models.providers.structured import (
    StructuredOutput,
    args_of,
    calls_of,
    structured,
    text_of,
)
from debugger.protocol.messages import ai_message

_VERDICT = "give_verdict"


async def answer(calls: ModelClient, prompt: Prompt) -> Reply:
    """Answer one prompt.

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
    """Return a text, a transition or tool calls; a text may have structured output."""
    offers = ToolNames(prompt)
    parameters = ModelRequestParameters(function_tools=offers.definitions)
    reply = _read(await calls.request(_messages(calls, prompt, offers), parameters), offers)
    if prompt.kind == "say" and not (reply.text or reply.chosen or reply.calls):
        raise ModelError(f"{calls.config.target} answered with nothing")
    if prompt.schema is None or reply.chosen or reply.calls:
        return reply
    said = ai_message(reply.text, message_id="reply")
    recent = calls.config.truncated_max_recent_messages
    messages = model_messages(prompt, offers, system=EXTRACT, recent=recent, also=[said])
    return _filled(reply, await structured(calls, messages, OUTPUT, prompt.schema))


async def _work(calls: ModelClient, prompt: Prompt) -> Reply:
    """Return structured output, a transition or tool calls."""
    offers = ToolNames(prompt, taken=(OUTPUT,))
    messages = _messages(calls, prompt, offers)
    found = await structured(calls, messages, OUTPUT, prompt.schema or {}, offers.definitions)
    return _filled(_read(found.response, offers), found)


async def _verdict(calls: ModelClient, prompt: Prompt) -> Reply:
    """Return the option if its condition holds, with its arguments."""
    choice = prompt.choices[0]
    messages = _messages(calls, prompt, ToolNames(prompt))
    found = await structured(calls, messages, _VERDICT, _verdict_schema(choice))
    if found.error is not None:
        raise ModelError(f"{calls.config.target} gave no verdict: {found.error}")
    fields, usage = found.fields, {"structured_output_retry_metadata": found.retries}
    reason, args = str(fields.get(JUSTIFICATION) or ""), fields.get("arguments") or {}
    if not fields["is_condition_met"]:
        return Reply(reason=reason, usage=usage)
    return Reply(chosen=choice, args=args, reason=reason, usage=usage)


def _messages(calls: ModelClient, prompt: Prompt, offers: ToolNames) -> list[ModelMessage]:
    recent = calls.config.truncated_max_recent_messages
    return model_messages(prompt, offers, system=system_text(prompt), recent=recent)


def _verdict_schema(choice: TransitionOption) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "is_condition_met": {"type": "boolean"},
        JUSTIFICATION: {"type": "string", "description": "Why, in one sentence."},
    }
    if choice.args_schema:
        properties["arguments"] = {**choice.args_schema, "type": "object"}
    return {"type": "object", "properties": properties, "required": ["is_condition_met"]}


def _filled(reply: Reply, found: StructuredOutput) -> Reply:
    return replace(
        reply,
        fields=found.fields,
        fields_error=found.error,
        usage={"structured_output_retry_metadata": found.retries},
    )


def _read(response: ModelResponse, offers: ToolNames) -> Reply:
    """Return a response as a reply, without calls of what was not offered."""
    chosen, args, tools = None, dict[str, Any](), list[ToolCall]()
    for call in calls_of(response):
        offer = offers.find(call.tool_name)
        if isinstance(offer, TransitionOption) and chosen is None:
            chosen, args = offer, args_of(call)
        elif offer is not None and not isinstance(offer, TransitionOption):
            tools.append(ToolCall(offer.name, args_of(call)))
    reason = str(args.pop(JUSTIFICATION, ""))
    return Reply(text_of(response), chosen, args, reason, calls=tuple(tools))
