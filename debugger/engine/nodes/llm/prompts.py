"""The prompt of a model node, and its model's configuration.

Source: ``platform.md#llm-node-execution``, ``platform.md#history`` and ``platform.md#model-variants``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from debugger.engine.models.invoke import BACKCHANNEL_TYPE
from debugger.engine.nodes.llm.config import LLMConfig, inner_schema
from debugger.engine.outbound.masking import names_secret
from debugger.engine.outbound.secrets import MARK
from debugger.errors import RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig, WorkflowConfig

_DEFERS = "global_default_llm"
_SAVED = "attachable_llm_config_id"
_KEY = "api_key"
_BORROWED = "_auth"
"""How the names of fields end that name credentials of the platform, as ``integration_auth`` (11.2)."""


class StaticPrompt(NamedTuple):
    """The parts that all prompts of a node share, made once."""

    system: str
    """The system prompt before its variables are filled in."""
    backchannel: str | None
    """That of the model that fills the time while the answer is late (11.3), likewise."""
    schema: JsonObject | None
    llm: JsonObject | None

    @classmethod
    def of(cls, config: LLMConfig, workflow: WorkflowConfig, *, speaks: bool) -> StaticPrompt:
        """Return the shared parts of a node's prompts.

        Args:
            config: The node.
            workflow: Its workflow, which has the defaults.
            speaks: Whether its answers are spoken, so that another model may fill the time; see `model_of`.

        Raises:
            RunError: The workflow has a prompt that is not a text.
        """
        return cls(
            _system(config, workflow),
            _backchannel(config, workflow),
            inner_schema(config.structured_output_schema),
            model_of(config, workflow, speaks=speaks),
        )


def _system(config: LLMConfig, workflow: WorkflowConfig) -> str:
    """Return prefix, prompt and suffix, a blank line between them (U-42); empty without any.

    The workflow's prompt counts where the node has none.

    Raises:
        RunError: The workflow's prompt is not a text.
    """
    own = config.main_response_config.prompt if config.main_response_config else None
    shared = _shared(workflow.main_response_config, "main_response_config")
    parts = [
        None if config.ignore_default_prompt_prefix else workflow.default_prompt_prefix,
        own if own is not None else shared,
        None if config.ignore_default_prompt_suffix else workflow.default_prompt_suffix,
    ]
    return "\n\n".join(part for part in parts if part)


def _backchannel(config: LLMConfig, workflow: WorkflowConfig) -> str | None:
    name = "backchannel_response_config"
    own = config.backchannel_response_config.prompt if config.backchannel_response_config else None
    return own if own is not None else _shared((workflow.model_extra or {}).get(name), name)


def _shared(config: Any, name: str) -> str | None:
    """Return the prompt of one of the workflow's settings; ``None`` without one.

    Raises:
        RunError: It is not a text.
    """
    found = config.get("prompt") if isinstance(config, dict) else None
    if found is None or isinstance(found, str):
        return found
    raise RunError(
        f"The workflow's {name} has a prompt that is not a text: {found!r}.",
        advice="Write a text there, or null.",
    )


def model_of(node: NodeConfig, workflow: WorkflowConfig, *, speaks: bool) -> JsonObject | None:
    """Return the model configuration of a node, without secrets (``platform.md#model-variants``).

    A saved configuration wins over what the document holds, but only the platform can look it up. Its id is
    put to the configuration that the document holds beside it.

    Args:
        node: The node; one that asks no model by itself has its conditions judged by the workflow's.
        workflow: Has the model of nodes that leave the choice to it.
        speaks: Whether the answer is spoken. If not, it can wait, and what a backchannel would put
            before it is left out.

    Returns:
        ``None`` where no model is configured.
    """
    # Declared or not: a node that asks no model by itself has it among what it does not know.
    own = getattr(node, "llms_config", None)
    saved = _saved(node)
    if saved is None and _defers(own):
        own, saved = workflow.llms_config, _saved(workflow)
    elif _defers(own):
        own = workflow.llms_config
    if not isinstance(own, dict):
        own = None
    if own is not None and own.get("type") == BACKCHANNEL_TYPE and not speaks:
        main = own.get("main_llm_config")
        own = main if isinstance(main, dict) else None
    found = {**(own or {}), **({_SAVED: saved} if isinstance(saved, str) else {})}
    return without_secrets(found) if found else None


def without_secrets(value: Any) -> Any:
    """Return a copy of a JSON value without the keys named like a secret, at any depth.

    An ``api_key`` that is not empty stays, masked: the caller of the model warns that it is not used.
    """
    if isinstance(value, dict):
        return {
            key: MARK if key == _KEY else without_secrets(inner)
            for key, inner in value.items()
            if not _is_secret(str(key)) or (key == _KEY and inner)
        }
    return [without_secrets(inner) for inner in value] if isinstance(value, list) else value


def _is_secret(key: str) -> bool:
    return names_secret(key) or key.lower().endswith(_BORROWED)


def _defers(config: Any) -> bool:
    return not isinstance(config, dict) or config.get("type") == _DEFERS


def _saved(config: NodeConfig | WorkflowConfig) -> Any:
    """Return the id of a saved configuration, which may be undeclared."""
    # Not by getattr: for what is not there pydantic has an error made, which every run of a node would pay.
    fields = vars(config)
    return fields[_SAVED] if _SAVED in fields else (config.model_extra or {}).get(_SAVED)
