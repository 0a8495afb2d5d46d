"""Chat completions of servers that leave out fields of OpenAI's protocol.

A module of its own, since importing OpenAI's package takes seconds.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_ai.exceptions import ModelHTTPError, UnexpectedModelBehavior
from pydantic_ai.models.openai import OpenAIChatModel

from debugger.protocol.base import JsonObject

_COUNTS = ("prompt_tokens", "completion_tokens")
_ERROR_STATUSES = range(400, 600)


class LenientChatModel(OpenAIChatModel):
    """A client of a server that speaks OpenAI's protocol more or less."""

    def _validate_completion(self, response: Any) -> Any:
        """Complete an answer, and check it.

        Raises:
            ModelHTTPError: It is an error under the status 200, as OpenRouter answers.
            UnexpectedModelBehavior: There is no choice in it.
        """
        answer = response.model_dump(warnings=False)
        error, choices = answer.get("error"), answer.get("choices")
        if error and not choices:
            code = error.get("code") if isinstance(error, dict) else None
            status = code if isinstance(code, int) and code in _ERROR_STATUSES else 400
            raise ModelHTTPError(status, self.model_name, {"error": error})
        given = {key: value for key, value in answer.items() if value is not None}
        completed = {"id": "", "created": 0, "object": "chat.completion", "model": self.model_name, **given}
        usage: Any = completed.get("usage")
        counts = [usage.get(name) for name in _COUNTS] if isinstance(usage, dict) else []
        is_counted = bool(counts) and all(isinstance(count, int) for count in counts)
        # Without it the tokens are estimated.
        completed["usage"] = {**usage, "total_tokens": sum(counts)} if is_counted else None
        if not isinstance(choices, list) or not choices:
            raise UnexpectedModelBehavior("There is no choice.")
        for index, choice in enumerate(choices):
            message = {**(choice.get("message") or {}), "role": "assistant"}
            choice |= {"index": index, "message": message}
            for number, call in enumerate(message.get("tool_calls") or ()):
                _complete_call(call, number)
        return super()._validate_completion(type(response).model_construct(**completed))


def _complete_call(call: JsonObject, number: int) -> None:
    call |= {"id": call.get("id") or f"call_{number}", "type": call.get("type") or "function"}
    function = call.get("function")
    if isinstance(function, dict) and not isinstance(function.get("arguments"), str):
        function["arguments"] = json.dumps(function.get("arguments") or {})
