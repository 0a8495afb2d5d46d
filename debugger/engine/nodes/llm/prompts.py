"""What a model node asks: system prompt, message, schema, hops, tools (``platform/engine.md`` 2.1.2, 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.llm.config import LLMConfig
from debugger.engine.nodes.llm.model_choice import model_of
from debugger.engine.nodes.llm.schemas import inner_schema
from debugger.engine.responders.base import Prompt, ToolOffer
from debugger.errors import RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import WorkflowConfig


class FixedParts(NamedTuple):
    """What is the same in all prompts of a node; worked out once, since a run of it may last microseconds."""

    node_name: str
    system: str
    """The system prompt before its variables are filled in."""
    backchannel: str | None
    """That of the model that fills the time while the answer is late (11.3), likewise."""
    schema: JsonObject | None
    llm: JsonObject | None

    @classmethod
    def of(cls, config: LLMConfig, workflow: WorkflowConfig, *, speaks: bool) -> FixedParts:
        """Those of a node.

        Raises:
            RunError: The workflow has a prompt that is no text.
        """
        return cls(
            config.label,
            _system(config, workflow),
            _backchannel(config, workflow),
            inner_schema(config.structured_output_schema),
            model_of(config, workflow, speaks=speaks),
        )


def make_prompt(
    config: LLMConfig,
    context: NodeContext,
    *,
    kind: Literal["say", "work"],
    fixed: FixedParts,
    message: str,
    tools: Sequence[ToolOffer],
) -> Prompt:
    """The first prompt of a node's run.

    Args:
        config: The node.
        context: What it runs with.
        kind: Whether it speaks.
        fixed: What is the same in all of its prompts.
        message: What the model is to answer.
        tools: What it may call.
    """
    thread = context.thread
    # What this run will say along with calls stands in the prompt's exchange, not in the chat as well.
    history = context.history.as_it_stands() if tools else context.history
    return Prompt(
        kind=kind,
        node_logical_id=config.logical_id,
        node_name=fixed.node_name,
        system=context.fill(fixed.system),
        message=message,
        history=lambda: history.of(thread.thread_id),
        variables=thread.runtime_variables,
        visit=thread.completions.get(config.logical_id, 0) + 1,
        choices=context.choices,
        schema=fixed.schema,
        tools=tuple(tools),
        llm=fixed.llm,
        backchannel=None if fixed.backchannel is None else context.fill(fixed.backchannel),
    )


def _system(config: LLMConfig, workflow: WorkflowConfig) -> str:
    """Prefix, prompt and suffix, a blank line between them (U-42)."""
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
    """The workflow's prompt for nodes that have none of their own."""
    found = config.get("prompt") if isinstance(config, dict) else None
    if found is None or isinstance(found, str):
        return found
    raise RunError(
        f"The workflow's {name} has a prompt that is no text: {found!r}.",
        advice="Write a text there, or null.",
    )
