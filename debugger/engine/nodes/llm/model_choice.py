"""Which model a node asks: the configuration that counts, as the author wrote it."""

from __future__ import annotations

from typing import Any

from debugger.engine.outbound.masking import names_secret
from debugger.engine.outbound.secrets import MARK
from debugger.engine.responders.backchannel import TYPE as WITH_BACKCHANNEL
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig, WorkflowConfig

_DEFERS = "global_default_llm"
_SAVED = "attachable_llm_config_id"
_KEY = "api_key"
_BORROWED = "_auth"
"""How the names of fields end that name credentials of the platform, as ``integration_auth`` (11.2)."""


def model_of(node: NodeConfig, workflow: WorkflowConfig, *, speaks: bool) -> JsonObject | None:
    """The model configuration of a node (``platform/engine.md`` 11.2), without keys and other secrets.

    A saved configuration wins over what the document holds, but only the platform can look it up. Its id is
    put to the configuration that the document holds beside it.

    Args:
        node: The node; one that asks no model by itself has its conditions judged by the workflow's.
        workflow: Has the model of nodes that leave the choice to it.
        speaks: Whether the answer is spoken. If not, nobody waits for it, and what a backchannel would put
            before it is left out.

    Returns:
        ``None`` where nobody named a model.
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
    if own is not None and own.get("type") == WITH_BACKCHANNEL and not speaks:
        main = own.get("main_llm_config")
        own = main if isinstance(main, dict) else None
    found = {**(own or {}), **({_SAVED: saved} if isinstance(saved, str) else {})}
    return without_secrets(found) if found else None


def without_secrets(value: Any) -> Any:
    """A JSON value without the keys whose names say that they hold a secret, at any depth.

    An ``api_key`` stays, masked: whoever asks the model warns that it is not used.
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
    """The id of a saved configuration; a node that asks no model by itself does not declare the field."""
    # Not by getattr: for what is not there pydantic has an error made, which every run of a node would pay.
    fields = vars(config)
    return fields[_SAVED] if _SAVED in fields else (config.model_extra or {}).get(_SAVED)
