"""The configuration of a model, as an author writes it (``platform.md#models``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from debugger.engine.models.invoke import BACKCHANNEL_TYPE, MAX_ANSWER_SECONDS, patience_seconds
from debugger.engine.outbound.destinations import is_http_url
from debugger.engine.outbound.http_request import header_value
from debugger.engine.outbound.masking import names_secret
from debugger.errors import InputError, RunError
from debugger.protocol.base import JsonObject, first_problem

if TYPE_CHECKING:  # the extra may be missing
    from pydantic_ai.settings import ModelSettings

ModelType = Literal[
    "openai_llm", "azure_openai_llm", "google_llm", "anthropic_llm", "bedrock_llm", "custom_llm"
]

_NONE = (None, "no_llm", "global_default_llm")
_DEFAULTS: dict[str, tuple[str, str]] = {
    "openai_llm": ("openai", "gpt-5.4-mini"),
    "azure_openai_llm": ("azure_openai", "gpt-5-mini"),
    "google_llm": ("google", "gemini-3-flash-preview"),
    "anthropic_llm": ("anthropic", "claude-sonnet-4-6"),
    "bedrock_llm": ("bedrock", "zai.glm-4.7-flash"),
    "custom_llm": ("custom", ""),
}
"""Provider and model of each type where the author names none (``platform.md#model-variants``)."""
_KEYS = ("api_key", "aws_access_key_id", "aws_secret_access_key")
"""Fields that are not read: a key never comes from a stored workflow."""


class ModelConfig(BaseModel):
    """The configuration of one model."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    type: ModelType
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    request_timeout_ms: float | None = Field(default=None, gt=0)
    max_retries: int = Field(default=3, ge=0)
    max_parse_retries: int = Field(default=3, ge=0)
    truncated_max_recent_messages: int | None = None
    model_kwargs: JsonObject = Field(default_factory=dict, repr=False)
    holds_key: bool = False
    """Whether the workflow has a key for it, which is ignored."""
    named_llm_config_id: str | None = None
    named_llm_config_name: str | None = None
    reasoning_effort: str | None = None
    thinking_budget: int = 0
    base_url: str | None = None
    organization: str | None = None
    endpoint: str | None = None
    api_version: str | None = None
    region: str | None = None
    default_headers: dict[str, str] | None = Field(default=None, repr=False)
    verify_ssl: bool = True
    response_unwrap_key: str | None = None
    use_responses_api: bool = False

    @property
    def provider(self) -> str:
        """The provider, as usage names it."""
        return _DEFAULTS[self.type][0]

    @property
    def model_name(self) -> str:
        """The model, or the type's default."""
        return self.model or _DEFAULTS[self.type][1]

    @property
    def target(self) -> str:
        """Return the model's provider and name and, where it has a ``base_url``, its address for the user.

        User and query of the address are left out, since they may be secret.
        """
        named = f"{self.provider} {self.model_name}"
        if not self.base_url:
            return named
        url = urlsplit(self.base_url)
        return f"{named} at {url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}{url.path}"

    @property
    def effort(self) -> str | None:
        """Return the reasoning effort; models named ``pro`` reject less than medium (11.2).

        Of OpenAI and Azure it is ``low`` by default; of other types it is as written, or ``None``.
        """
        if self.type not in ("openai_llm", "azure_openai_llm"):
            return self.reasoning_effort
        effort = self.reasoning_effort or "low"
        is_pro = "pro" in self.model_name.split("-")
        return "medium" if is_pro and effort in ("none", "minimal", "low") else effort


@dataclass(frozen=True)
class Group:
    """Models of which one answers.

    A single model is a group of one.
    """

    members: tuple[ModelConfig, ...]
    """In order of preference."""
    parallel: bool = False
    """Whether all are called at once, else the others only when the first is late."""
    min_patience: float = 1.5
    """Seconds that the preferred have in any case."""
    max_patience: float = MAX_ANSWER_SECONDS
    """Seconds after which the wait ends; not less than those."""

    @property
    def target(self) -> str:
        """Return the models' names for the user."""
        return " | ".join(member.target for member in self.members)


def group_of(llm: JsonObject | None, default: JsonObject | None) -> Group:
    """Return the models of a configuration: a group's members, of a backchannel the main model.

    Args:
        llm: The configuration, resolved; ``None`` or one of no model means the default.
        default: The configuration for nodes without one (U-58).

    Raises:
        RunError: It names none or cannot be read; the message says what to mend, and shows no value.
    """
    chosen = default if llm is None or llm.get("type") in _NONE else llm
    kind = None if chosen is None else chosen.get("type")
    if chosen is None or kind in _NONE:
        raise RunError(
            "No language model is configured for this node, and the engine has no default one.",
            advice="Set llms_config of the node or of the workflow, or the engine's default model.",
        )
    if kind == BACKCHANNEL_TYPE:
        main = chosen.get("main_llm_config")
        return group_of(main if isinstance(main, dict) else None, default)
    if kind == "llm_group":
        return _group(chosen, default)
    return Group((_config(chosen),))


def _group(llm: JsonObject, default: JsonObject | None) -> Group:
    """Return the group of a configuration, the members of groups in it included, in order.

    Raises:
        RunError: It has no members, or one cannot be read.
    """
    llms = llm.get("llms")
    found = [model for model in llms if isinstance(model, dict)] if isinstance(llms, list) else []
    members = tuple(member for model in found for member in group_of(model, default).members)
    if not members:
        raise RunError("A group of language models has no members.", advice="List models in its 'llms'.")
    min_patience = patience_seconds(llm.get("min_patience_time_ms"), 1.5)
    max_patience = patience_seconds(llm.get("max_patience_time_ms"), MAX_ANSWER_SECONDS)
    return Group(
        members,
        parallel=llm.get("operation_mode") == "parallel_select_one",
        min_patience=min(min_patience, max_patience),
        max_patience=max_patience,
    )


def _config(llm: JsonObject) -> ModelConfig:
    """Return one model's configuration; keys in it are not read, but noted in ``holds_key``.

    Raises:
        RunError: Type, a field, an address or a header cannot be used; no value is shown.
    """
    kind = llm.get("type")
    if kind not in get_args(ModelType):
        raise RunError(
            f"A language model has the type {str(kind)[:60]!r}, which does not exist.",
            advice=f"A model is one of: {', '.join(get_args(ModelType))}, or a group of them.",
        )
    headers = llm.get("default_headers")
    has_key_header = isinstance(headers, dict) and any(map(names_secret, headers))
    holds_key = has_key_header or any(llm.get(name) for name in _KEYS)
    written = {name: value for name, value in llm.items() if value is not None}
    try:
        config = ModelConfig.model_validate({**written, "holds_key": holds_key})
    except ValidationError as error:
        raise RunError(
            f"A language model of type {kind!r} cannot be read: {first_problem(error)}.",
            advice="Correct its configuration.",
        ) from None
    for name in ("model", "base_url") if kind == "custom_llm" else ():
        if not getattr(config, name):
            raise RunError(
                f"A language model of type 'custom_llm' has no {name!r}.", advice=f"Set its {name!r}."
            )
    for name in ("base_url", "endpoint"):
        url = getattr(config, name)
        if url and not is_http_url(url):  # it may hold a secret, so that no error shows it
            raise RunError(
                f"The {name!r} of a language model of type {config.type!r} is not an address.",
                advice="Write it as in 'https://models.example/v1'.",
            )
    for name, value in (config.default_headers or {}).items():
        try:
            header_value(name, value)
        except InputError as error:
            raise RunError(error.message, advice=error.advice) from None
        if not value.isascii():  # the clients of the providers take no other
            raise RunError(
                f"The value of the header {name!r} has a letter beyond ASCII.",
                advice="Write it in default_headers with ASCII letters.",
            )
    return config


LONGEST_REQUEST = 60.0
"""Seconds that one request may take where the author sets no limit."""

_SHARED = frozenset(
    {"top_p", "top_k", "presence_penalty", "frequency_penalty", "stop_sequences", "parallel_tool_calls"}
)
"""Keys of ``model_kwargs`` that every client knows."""
_OPENAI_LIKE = ("openai_llm", "azure_openai_llm", "custom_llm")
_TAKES_BODY = (*_OPENAI_LIKE, "anthropic_llm")


def request_seconds(config: ModelConfig) -> float:
    """Return the seconds that one request may take."""
    return LONGEST_REQUEST if config.request_timeout_ms is None else config.request_timeout_ms / 1000


def request_settings(config: ModelConfig) -> ModelSettings:
    """Return the settings that are sent with a request; what has no value is left out.

    Keys of ``model_kwargs`` that not every client knows go into the body where the provider takes one, and
    headers that are named like a secret are dropped.
    """
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
        headers = config.default_headers or {}
        headers = {name: value for name, value in headers.items() if not names_secret(name)}
        if config.organization:
            headers["OpenAI-Organization"] = config.organization
        settings["extra_headers"] = headers or None
    return cast("ModelSettings", {key: value for key, value in settings.items() if value is not None})


def _thinking(config: ModelConfig) -> dict[str, Any]:
    """Return the settings of reasoning in the names of the model's client; none for Bedrock.

    A Google or Anthropic model without a ``thinking_budget`` does not reason.
    """
    if config.type == "custom_llm":
        return {"openai_reasoning_effort": config.effort}
    if config.type in _OPENAI_LIKE:
        return {"thinking": False if config.effort == "none" else config.effort}
    if config.type == "bedrock_llm":
        return {}
    if not config.thinking_budget:
        return {"thinking": False}
    from pydantic_ai.profiles.anthropic import anthropic_model_profile

    if config.type == "google_llm":
        return {"google_thinking_config": {"thinking_budget": config.thinking_budget}}
    profile: Any = anthropic_model_profile(config.model_name) or {}
    if profile.get("anthropic_disallows_budget_thinking"):
        return {"anthropic_thinking": {"type": "adaptive"}}
    return {"anthropic_thinking": {"type": "enabled", "budget_tokens": config.thinking_budget}}


def _longest(config: ModelConfig) -> int | None:
    """Return the most tokens of an answer; Anthropic requires it (11.1)."""
    if config.max_tokens is not None or config.type != "anthropic_llm":
        return config.max_tokens
    return max(8192, 4096 + config.thinking_budget) if config.thinking_budget else 4096
