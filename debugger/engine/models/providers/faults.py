"""What went wrong with a call of a model: whether it may pass, and what it is in a few words."""

from __future__ import annotations

from pydantic_ai import exceptions as ai

from debugger.engine.models.providers.configs import ModelConfig
from debugger.engine.models.providers.request_settings import request_seconds
from debugger.engine.outbound import OutboundError

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
    """Whether the same request may do better a little later: limits, the server's faults, lateness."""
    if _stopped_here(error) is not None:
        return False
    status = getattr(error, "status_code", 0)
    return isinstance(error, _PASSING) or status in (408, 429) or status >= 500


def described(error: BaseException, config: ModelConfig) -> str:
    """Why there is no answer. May hold what the server wrote, so it is still to be scrubbed."""
    target = config.target
    stopped = _stopped_here(error)
    if stopped is not None:
        return f"{target}: {stopped}".rstrip(".")
    if isinstance(error, ai.ModelRequestTimeout | ai.ModelTimeoutError):
        return f"{target} did not answer within {request_seconds(config):g} s"
    if isinstance(error, ai.ModelHTTPError):
        if isinstance(error, ai.ModelAuthenticationError) or error.status_code in (401, 403):
            # Servers quote the key in this one.
            return f"{target} refused the key (HTTP {error.status_code})"
        return f"{target} answered with HTTP {error.status_code}{_said(error.body)}"
    if isinstance(error, ai.ModelConnectionError):
        return f"{target} cannot be reached"
    if isinstance(error, ai.UnexpectedModelBehavior) or type(error) is ai.ModelAPIError:
        return f"{target} gave an answer that cannot be read"
    return f"{target} could not be asked ({type(error).__name__})"


def _stopped_here(error: BaseException | None) -> OutboundError | None:
    """What the transport would not do; the packages in between wrap it in errors of theirs."""
    while error is not None and not isinstance(error, OutboundError):
        error = error.__cause__ or error.__context__
    return error


def _said(body: object) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        message = body["error"].get("message")
    return f": {' '.join(message.split())[:_LONGEST]}" if isinstance(message, str) and message else ""
