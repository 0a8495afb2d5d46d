"""Chat completions of servers that leave out fields of OpenAI's protocol.

A module of its own, since importing OpenAI's package takes seconds.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_ai.exceptions import ModelHTTPError, UnexpectedModelBehavior
from pydantic_ai.models.openai import OpenAIChatModel

from debugger.protocol.base import JsonObject, PlainObject
from debugger.protocol.value_view import ValueView

_ERROR_STATUSES = range(400, 600)


class LenientChatModel(OpenAIChatModel):
    """A client of a server that speaks OpenAI's protocol more or less."""

    def _validate_completion(self, response: Any) -> Any:
        """Return an answer that is checked by the package, after missing fields are filled in.

        Raises:
            ModelHTTPError: It is an error under the status 200, as OpenRouter answers.
            UnexpectedModelBehavior: There is no choice in it.
        """
        answer = response.model_dump(warnings=False)
        read = _ChatAnswer(answer)
        if (error := answer.get("error")) and not read.choices:
            code = read.error.code or 0
            status = code if code in _ERROR_STATUSES else 400
            raise ModelHTTPError(status, self.model_name, {"error": error})
        given = {key: value for key, value in answer.items() if value is not None}
        completed = {"id": "", "created": 0, "object": "chat.completion", "model": self.model_name, **given}
        completed["usage"] = read.usage.with_total()
        if not read.choices:
            raise UnexpectedModelBehavior("There is no choice.")
        completed["choices"] = [_completed_choice(*each) for each in enumerate(read.choices)]
        return super()._validate_completion(type(response).model_construct(**completed))


class _ChatError(ValueView):
    code: int | None


class _ChatUsage(ValueView):
    prompt_tokens: int | None
    completion_tokens: int | None

    def with_total(self) -> JsonObject | None:
        """Return the counts with their sum; without one of them ``None``, and tokens are estimated."""
        prompt, completion = self.prompt_tokens, self.completion_tokens
        if prompt is None or completion is None:
            return None
        counts = {"prompt_tokens": prompt, "completion_tokens": completion}
        return {**self.wire, **counts, "total_tokens": prompt + completion}


class _ChatAnswer(ValueView):
    error: _ChatError
    usage: _ChatUsage
    choices: list[PlainObject]


class _ChatMessage(ValueView):
    tool_calls: list[PlainObject]


class _ChatChoice(ValueView):
    message: _ChatMessage


class _CalledFunction(ValueView):
    arguments: Any


class _ChatCall(ValueView):
    id: str
    type: str
    function: _CalledFunction


def _completed_choice(index: int, choice: JsonObject) -> JsonObject:
    message = _ChatChoice(choice).message
    calls = [_completed_call(*each) for each in enumerate(message.tool_calls)]
    completed = {**message.wire, "role": "assistant", "tool_calls": calls or None}
    return {**choice, "index": index, "message": completed}


def _completed_call(number: int, call: JsonObject) -> JsonObject:
    """Return a call of a tool with an id and a type, its arguments as a JSON text.

    Missing arguments are an empty object, and a missing id is made of the number.
    """
    read = _ChatCall(call)
    arguments = read.function.arguments
    function = {
        **read.function.wire,
        "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments or {}),
    }
    return {**call, "id": read.id or f"call_{number}", "type": read.type or "function", "function": function}
