"""Requests to one model, with retries and usage."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Sequence

from pydantic_ai import exceptions as ai
from pydantic_ai.direct import model_request
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters

from debugger.engine.environment import Environment
from debugger.engine.models.base import ModelError
from debugger.engine.models.providers.configs import ModelConfig, request_seconds, request_settings
from debugger.engine.models.providers.keys import Keys
from debugger.engine.outbound import OutboundError
from debugger.protocol.base import JsonObject

# Which models take no temperature is the client's to know; it leaves the setting out and says so each time.
warnings.filterwarnings("ignore", message="Sampling parameters", category=UserWarning)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_CHARACTERS_PER_TOKEN = 4
"""For an estimate where a server does not count; about right for English."""


class ModelClient:
    """Calls of one model.

    Args:
        config: The model.
        model: Its client, open.
        keys: What no message may show.
        environment: Sleeps between two attempts.
    """

    def __init__(self, config: ModelConfig, model: Model, keys: Keys, environment: Environment) -> None:
        self.config = config
        self._model = model
        self._keys = keys
        self._environment = environment
        self._settings = request_settings(config)
        self._tokens = [0, 0]
        self._estimated = False
        self._finish_reasons: list[str] = []
        self.model_name = config.model_name
        """The name that the model reports."""

    async def request(
        self, messages: Sequence[ModelMessage], parameters: ModelRequestParameters
    ) -> ModelResponse:
        """Ask once, and again where the trouble may pass.

        Raises:
            ModelError: There is no answer; the text says why, without secrets.
        """
        for attempt in range(self.config.max_retries + 1):
            try:
                response = await model_request(
                    self._model,
                    messages,
                    model_settings=self._settings,
                    model_request_parameters=parameters,
                )
            except (ai.AgentRunError, ai.UserError, OutboundError, OSError) as error:
                if attempt == self.config.max_retries or not is_passing(error):
                    raise ModelError(self._keys.scrub(error_text(error, self.config))) from None
                await self._pause(attempt, getattr(error, "retry_after", None))
            else:
                self._count(messages, response)
                if response.finish_reason == "content_filter" and not (response.text or response.tool_calls):
                    refusal = (response.provider_details or {}).get("refusal")
                    text = f"{self.config.target} refused to answer{_said({'message': refusal})}"
                    raise ModelError(self._keys.scrub(text))
                return response
        raise AssertionError("the last attempt returns or raises")

    def usage(self) -> JsonObject:
        """Return the usage with the keys of ``LLMUsageInfo`` (``platform.md#usage``)."""
        prompt_tokens, completion_tokens = self._tokens
        return {
            "response_model": self.model_name,
            "provider": self.config.provider,
            "named_llm_config_id": self.config.named_llm_config_id,
            "named_llm_config_name": self.config.named_llm_config_name,
            "used_user_api_key": True,
            "finish_reason": self._finish_reasons or None,
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "was_streamed": False,
            "was_estimated": self._estimated,
        }

    async def _pause(self, attempt: int, wanted: float | None) -> None:
        """Wait longer after each attempt, or as long as the server demands."""
        seconds = min(_FIRST_PAUSE * 2**attempt if wanted is None else wanted, _LONGEST_PAUSE)
        woken = threading.Event()
        try:
            await asyncio.to_thread(self._environment.sleep, seconds, woken)
        finally:
            woken.set()

    def _count(self, messages: Sequence[ModelMessage], response: ModelResponse) -> None:
        prompt_tokens, completion_tokens = response.usage.input_tokens, response.usage.output_tokens
        if not prompt_tokens and not completion_tokens:
            self._estimated = True
            prompt_tokens, completion_tokens = _estimate(messages), _estimate([response])
        self._tokens[0] += prompt_tokens
        self._tokens[1] += completion_tokens
        self.model_name = response.model_name or self.model_name
        if response.finish_reason:
            self._finish_reasons.append(str(response.finish_reason))


def _estimate(messages: Sequence[ModelMessage]) -> int:
    parts = (part for message in messages for part in message.parts)
    contents = (getattr(part, "content", None) or getattr(part, "args", None) or "" for part in parts)
    return -(-sum(len(str(content)) for content in contents) // _CHARACTERS_PER_TOKEN)


_LONGEST = 200

_PASSING = (
    ai.ModelRateLimitError,
    ai.ModelUnavailableError,
    ai.ModelServerError,
    ai.ModelConnectionError,
    ai.ModelRequestTimeout,
    OSError,
)


def is_passing(error: BaseException) -> bool:
    """Return whether a retry may succeed: limits, server errors, timeouts."""
    if _stopped_here(error) is not None:
        return False
    status = getattr(error, "status_code", 0)
    return isinstance(error, _PASSING) or status in (408, 429) or status >= 500


def error_text(error: BaseException, config: ModelConfig) -> str:
    """Return the reason of a failure.

    It may hold text of the server and must be scrubbed.
    """
    target = config.target
    stopped = _stopped_here(error)
    if stopped is not None:
        return f"{target}: {stopped}".rstrip(".")
    if isinstance(error, ai.ModelRequestTimeout | ai.ModelTimeoutError):
        return f"{target} did not answer within {request_seconds(config):g} s"
    if isinstance(error, ai.ModelHTTPError):
        if isinstance(error, ai.ModelAuthenticationError) or error.status_code in (401, 403):
            # Servers quote the key in this one.
            unused = "; the one in the workflow is not used" if config.holds_key else ""
            return f"{target} refused the key (HTTP {error.status_code}){unused}"
        return f"{target} answered with HTTP {error.status_code}{_said(error.body)}"
    if isinstance(error, ai.ModelConnectionError):
        return f"{target} cannot be reached"
    if isinstance(error, ai.UnexpectedModelBehavior) or type(error) is ai.ModelAPIError:
        return f"{target} gave an answer that cannot be read"
    if isinstance(error, ai.AgentRunError | ai.UserError):
        return f"{target} could not be called{_said({'message': error.message})}"
    return f"{target} could not be called ({type(error).__name__})"


def _stopped_here(error: BaseException | None) -> OutboundError | None:
    """Return the transport's own refusal, which the packages wrap in other errors."""
    while error is not None and not isinstance(error, OutboundError):
        error = error.__cause__ or error.__context__
    return error


def _said(body: object) -> str:
    message = body
    while isinstance(message, dict):
        message = next((message[key] for key in ("error", "message", "detail") if message.get(key)), None)
    if not isinstance(message, str) or message.lstrip()[:1] in ("", "<"):  # the page of a proxy
        return ""
    return f": {' '.join(message.split())[:_LONGEST]}"
