"""How a model is asked: temperature, length, effort and the rest of a configuration (11.1, 11.2)."""

from __future__ import annotations

from typing import Any, cast

from pydantic_ai.settings import ModelSettings

from debugger.engine.models.providers.configs import ModelConfig
from debugger.engine.outbound.masking import names_secret

LONGEST_REQUEST = 60.0
"""Seconds that one request may take where the author sets no limit."""

_SHARED = frozenset(
    {"top_p", "top_k", "presence_penalty", "frequency_penalty", "stop_sequences", "parallel_tool_calls"}
)
"""Keys of ``model_kwargs`` that every client knows."""
_OPENAI_LIKE = ("openai_llm", "azure_openai_llm", "custom_llm")
_TAKES_BODY = (*_OPENAI_LIKE, "anthropic_llm")


def request_seconds(config: ModelConfig) -> float:
    """Seconds that one request may take."""
    return LONGEST_REQUEST if config.request_timeout_ms is None else config.request_timeout_ms / 1000


def request_settings(config: ModelConfig) -> ModelSettings:
    """The settings that are sent with a request."""
    settings: dict[str, Any] = {
        "temperature": config.temperature,
        "max_tokens": _longest(config),
        "seed": config.seed,
        "request_timeout": request_seconds(config),
        **_thinking(config),
        **{key: value for key, value in config.model_kwargs.items() if key in _SHARED},
    }
    if config.type in _TAKES_BODY:
        # Retries are counted here, not by the client underneath.
        settings["max_retries"] = 0
        settings["extra_body"] = {k: v for k, v in config.model_kwargs.items() if k not in _SHARED} or None
        settings["extra_headers"] = _headers(config) or None
    return cast(ModelSettings, {key: value for key, value in settings.items() if value is not None})


def _thinking(config: ModelConfig) -> dict[str, Any]:
    """A model that cannot think is asked for nothing, whatever the author wrote."""
    if config.type == "custom_llm":
        return {"openai_reasoning_effort": config.effort}
    if config.type in _OPENAI_LIKE:
        return {"thinking": False if config.effort == "none" else config.effort}
    if config.type == "bedrock_llm":
        return {}
    if not config.thinking_budget:
        return {"thinking": False}
    if config.type == "google_llm":
        return {"google_thinking_config": {"thinking_budget": config.thinking_budget}}
    return {"anthropic_thinking": {"type": "enabled", "budget_tokens": config.thinking_budget}}


def _longest(config: ModelConfig) -> int | None:
    """The longest answer in tokens; Anthropic wants it said, thoughts included (11.1)."""
    if config.max_tokens is not None or config.type != "anthropic_llm":
        return config.max_tokens
    return max(8192, 4096 + config.thinking_budget) if config.thinking_budget else 4096


def _headers(config: ModelConfig) -> dict[str, str]:
    given = config.default_headers or {}
    headers = {name: value for name, value in given.items() if not names_secret(name)}
    return {**headers, "OpenAI-Organization": config.organization} if config.organization else headers
