"""Which language model an inner node asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from debugger.engine.super_nodes.placeholder import Placeholder
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import as_bool

_DEFERRING = "global_default_llm"
_NONE = "no_llm"


class Model(NamedTuple):
    """A choice of a model: a saved one by its id, which wins, or a configuration."""

    saved_id: Any
    config: Any

    def onto(self, node: JsonObject) -> JsonObject:
        """The fields of a node that asks it."""
        return {**node, "attachable_llm_config_id": self.saved_id, "llms_config": self.config}


def model_of(holder: JsonObject) -> Model | None:
    """What a node or a super node chooses; ``None`` where it defers to the workflow around it."""
    saved_id, config = holder.get("attachable_llm_config_id"), holder.get("llms_config")
    if saved_id:
        return Model(saved_id, config)
    return None if not config or _kind(config) == _DEFERRING else Model(None, config)


def model_of_workflow(config: JsonObject) -> Model | None:
    """What a workflow's settings choose for the nodes that defer to them.

    With ``no_llm``, the default, it has no model of its own, so its nodes ask the parent's (U-58).
    """
    chosen = model_of(config)
    return None if chosen and not chosen.saved_id and _kind(chosen.config) == _NONE else chosen


@dataclass(frozen=True)
class ModelRule:
    """What becomes of the choices of the nodes of one workflow inside others."""

    default: Model | None = None
    """For a node that defers to its workflow; ``None`` is the default of the outermost one."""
    forced: bool = False
    """Whether a super node replaces also the model of a node that has chosen one; it is then ``default``."""

    def of(self, node: JsonObject) -> Model | None:
        """The model of a node; ``None`` for the default of the outermost workflow."""
        return self.applied(model_of(node))

    def applied(self, chosen: Model | None) -> Model | None:
        """What becomes of a choice."""
        return self.default if self.forced or chosen is None else chosen

    @classmethod
    def inside(cls, around: Self, placeholder: Placeholder, config: JsonObject) -> Self:
        """The rule for the workflow inside a super node.

        Args:
            around: The rule for the workflow that the super node is in.
            placeholder: The super node.
            config: The settings of the workflow inside.

        Source: ``platform/engine.md`` 2.11 and 11.2.
        """
        if around.forced:
            return around
        if not as_bool(placeholder.field("override_llm_config"), False):
            return cls(around.applied(model_of_workflow(config)))
        forced = not as_bool(placeholder.field("override_only_workflow_default_nodes"), False)
        return cls(around.applied(model_of(placeholder.wire)), forced)


def _kind(config: Any) -> Any:
    return config.get("type") if isinstance(config, dict) else None
