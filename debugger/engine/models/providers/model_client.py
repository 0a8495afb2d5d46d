"""Requests to one model, with retries and usage."""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic_ai import exceptions as ai
from pydantic_ai.direct import model_request
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters

from debugger.engine.environment import Environment
from debugger.engine.models.base import DiscardedAnswer, ModelError
from debugger.engine.models.providers.configs import ModelConfig, request_seconds, request_settings
from debugger.engine.models.providers.keys import Keys
from debugger.engine.outbound import OutboundError
from debugger.protocol.base import JsonObject

# Which models take no temperature is the client's to know; it leaves the setting out and says so each time.
warnings.filterwarnings("ignore", message="Sampling parameters", category=UserWarning)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
REQUEST_RETRIES = "request_retry_metadata"
"""The key of usage with the requests that failed; of the form of ``structured_output_retry_metadata``."""
_CHARACTERS_PER_TOKEN = 4
"""For an estimate where a server does not count; about right for English."""


@dataclass
class FailedAttempts:
    """Attempts that were of no use, and why."""

    attempts: list[JsonObject] = field(default_factory=list)
    retry_count: int = 0

    def add(self, error: str, started: float, *, is_retried: bool) -> None:
        """Add an attempt that began at ``started`` of `time.perf_counter`; count a retry of it."""
        self.retry_count += is_retried
        latency = round((time.perf_counter() - started) * 1000)
        attempt = {"attempt_number": len(self.attempts) + 1, "error_message": error}
        self.attempts.append({**attempt, "latency_milliseconds": latency})

    def metadata(self) -> JsonObject | None:
        """Return them as usage has them; ``None`` without any."""
        retries = {"retry_count": self.retry_count, "failed_attempts": self.attempts}
        return retries if self.attempts else None


class ModelClient:
    """Calls of one model.

    Args:
        config: The model.
        model: Its client, open.
        keys: What no message may show.
        environment: Sleeps between two attempts.
    """

    def __init__(self, config: ModelConfig, model: Model, keys: Keys, environment: Environment) -> None:
        """Start the clock of the answer, with no tokens counted."""
        self.config = config
        self._model = model
        self._keys = keys
        self._environment = environment
        self._settings = request_settings(config)
        self._began = time.perf_counter()
        self._tokens = [0, 0]
        self._estimated = False
        self._answered: float | None = None
        self._finish_reasons: list[str] = []
        self._failed = FailedAttempts()
        self._unfitting: FailedAttempts | None = None
        self.model_name = config.model_name
        """The name that the model reports."""

    async def request(
        self, messages: Sequence[ModelMessage], parameters: ModelRequestParameters
    ) -> ModelResponse:
        """Send a request and return the response; retry passing failures up to ``max_retries`` times.

        Tokens and failures are counted.

        Raises:
            ModelError: There is no answer, or a refusal of the content filter; the text has no secrets.
        """
        for attempt in range(self.config.max_retries + 1):
            started = time.perf_counter()
            try:
                response = await model_request(
                    self._model,
                    messages,
                    model_settings=self._settings,
                    model_request_parameters=parameters,
                )
            except (ai.AgentRunError, ai.UserError, OutboundError, OSError) as error:
                text = self._keys.mask(error_text(error, self.config))
                is_retried = attempt < self.config.max_retries and is_passing(error)
                self._failed.add(text, started, is_retried=is_retried)
                if isinstance(error, ai.UnexpectedModelBehavior):  # an answer came, of whatever kind
                    self._count_tokens(_estimate(messages), 0, is_estimated=True)
                if not is_retried:
                    raise ModelError(text) from None
                await self._pause(attempt, getattr(error, "retry_after", None))
            else:
                self._count(messages, response)
                if response.finish_reason == "content_filter" and not (response.text or response.tool_calls):
                    refusal = (response.provider_details or {}).get("refusal")
                    text = f"{self.config.target} refused to answer{_said({'message': refusal})}"
                    raise ModelError(self._keys.mask(text))
                return response
        raise AssertionError("the last attempt returns or raises")

    def begin_output(self) -> FailedAttempts:
        """Begin to ask for structured output; return where to note what does not fit."""
        self._unfitting = FailedAttempts()
        return self._unfitting

    def usage(self) -> JsonObject:
        """Return the usage so far, all requests together, with the keys of ``LLMUsageInfo``.

        Failed requests and output that did not fit are in it as metadata of retries (``platform.md#usage``).
        """
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
        } | self._retries()

    def _retries(self) -> JsonObject:
        """Return the keys of usage for requests that failed, and for output that did not fit.

        The first is absent where none failed, the second where no output was asked for.
        """
        failed = self._failed.metadata()
        found: JsonObject = {REQUEST_RETRIES: failed} if failed else {}
        if self._unfitting is not None:
            found["structured_output_retry_metadata"] = self._unfitting.metadata()
        return found

    @property
    def failed_requests(self) -> list[str]:
        """Return why each request failed, in order."""
        return [str(attempt["error_message"]) for attempt in self._failed.attempts]

    def discarded(self, reason: str) -> DiscardedAnswer | None:
        """Return what its answers cost where none is of use; ``None`` where none came."""
        if self._answered is None:
            return None
        latency = round((self._answered - self._began) * 1000)
        return DiscardedAnswer(reason, {**self.usage(), "response_latency_milliseconds": latency})

    async def _pause(self, attempt: int, wanted: float | None) -> None:
        """Wait before the next attempt: 0.5 s, doubled each time, or as the server demands; at most 10 s.

        The sleep in its thread is ended where this is cancelled.
        """
        seconds = min(_FIRST_PAUSE * 2**attempt if wanted is None else wanted, _LONGEST_PAUSE)
        woken = threading.Event()
        try:
            await asyncio.to_thread(self._environment.sleep, seconds, woken)
        finally:
            woken.set()

    def _count(self, messages: Sequence[ModelMessage], response: ModelResponse) -> None:
        """Add a response's tokens, estimated where it has none, and note model name and finish reason."""
        prompt_tokens, completion_tokens = response.usage.input_tokens, response.usage.output_tokens
        is_estimated = not prompt_tokens and not completion_tokens
        if is_estimated:
            prompt_tokens, completion_tokens = _estimate(messages), _estimate([response])
        self._count_tokens(prompt_tokens, completion_tokens, is_estimated=is_estimated)
        self.model_name = response.model_name or self.model_name
        if response.finish_reason:
            self._finish_reasons.append(str(response.finish_reason))

    def _count_tokens(self, prompt_tokens: int, completion_tokens: int, *, is_estimated: bool) -> None:
        self._answered = time.perf_counter()
        self._estimated = self._estimated or is_estimated
        self._tokens[0] += prompt_tokens
        self._tokens[1] += completion_tokens


def _estimate(messages: Sequence[ModelMessage]) -> int:
    parts = (part for message in messages for part in message.parts)
    contents = (getattr(part, "content", None) or getattr(part, "args", None) or "" for part in parts)
    return -(-sum(len(str(content)) for content in contents) // _CHARACTERS_PER_TOKEN)


_LONGEST = 200
_QUOTA = "insufficient_quota"
"""The code by which OpenAI and those that follow it report, with the status 429, that nothing is left."""

_PASSING = (
    ai.ModelRateLimitError,
    ai.ModelUnavailableError,
    ai.ModelServerError,
    ai.ModelConnectionError,
    ai.ModelRequestTimeout,
    OSError,
)


def is_passing(error: BaseException) -> bool:
    """Return whether a retry may succeed: limits, server errors, timeouts.

    A quota that is used up comes with the status of a limit, but does not pass.
    """
    if _stopped_here(error) is not None or _is_quota_used_up(getattr(error, "body", None)):
        return False
    status = getattr(error, "status_code", 0)
    return isinstance(error, _PASSING) or status in (408, 429) or status >= 500


def _is_quota_used_up(body: object) -> bool:
    """Return whether an error's body says that the quota is used up, which no wait mends."""
    error = body.get("error", body) if isinstance(body, dict) else None
    return isinstance(error, dict) and _QUOTA in (error.get("code"), error.get("type"))


def error_text(error: BaseException, config: ModelConfig) -> str:
    """Return the reason of a failed request as the beginning of a sentence that names the model.

    It may hold text of the server: mask the keys in it before it is shown or raised.
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
    """Return the message in an error's body after a colon, at most 200 characters.

    It is empty without a message, and where that is a page.
    """
    message = body
    while isinstance(message, dict):
        message = next((message[key] for key in ("error", "message", "detail") if message.get(key)), None)
    if not isinstance(message, str) or message.lstrip()[:1] in ("", "<"):  # the page of a proxy
        return ""
    return f": {' '.join(message.split())[:_LONGEST]}"
