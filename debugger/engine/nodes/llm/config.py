"""The fields of nodes that call a model, and their schemas.

Source: ``platform.md#llm-nodes``.
"""

from __future__ import annotations

from collections.abc import Collection

from pydantic import Field

from debugger.engine.tools.base import null_is_default
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.workflow import NodeConfig


class PromptConfig(WireModel):
    """A system prompt."""

    prompt: str | None = None


class ToolsConfig(WireModel):
    """The tools that a model may call."""

    tools: list[JsonObject] = Field(default_factory=list)

    _defaults = null_is_default("tools")


class LLMConfig(NodeConfig):
    """The fields of all model nodes."""

    main_response_config: PromptConfig | None = None
    attachable_llm_config_id: str | None = None
    llms_config: JsonObject | None = None
    tools_config: ToolsConfig | None = None
    self_loop: bool = False
    wait_for_user_message: bool = True
    max_consecutive_tool_calls: int = Field(default=1, ge=0)
    """Rounds of calls in one run of the node; then the model has to answer (U-4)."""
    default_error_message: str | None = (
        "I am sorry, there seems to be an issue. Could you please repeat?"  # the platform's own default
    )
    use_mcp_tools: bool = False
    ignore_default_prompt_prefix: bool = False
    ignore_default_prompt_suffix: bool = False
    ignore_content_received_during_llm_tool_call_specification: bool = False
    """Whether what the model says along with calls stays unsaid."""
    structured_output_schema: JsonObject | None = None
    backchannel_response_config: PromptConfig | None = None

    @property
    def tools(self) -> list[JsonObject]:
        """Return its own tools."""
        return self.tools_config.tools if self.tools_config else []


class SayLLMConfig(LLMConfig):
    """The fields of a speaking node, which loops to itself by default."""

    self_loop: bool = True


def inner_schema(schema: JsonObject | None) -> JsonObject | None:
    """Return the JSON Schema inside its envelope, or the bare one.

    An empty one asks for nothing: it is ``None``, like none at all.

    Source: ``platform.md#llm-nodes``.
    """
    inner = (schema or {}).get("input_schema")
    found = inner if isinstance(inner, dict) else schema
    return readable_schema(found) if found else None


def readable_schema(schema: JsonObject) -> JsonObject:
    """Return a schema without ``properties`` that are no object."""
    if isinstance(schema.get("properties", {}), dict):
        return schema
    return {key: value for key, value in schema.items() if key != "properties"}


def without_properties(schema: JsonObject, names: Collection[str]) -> JsonObject:
    """Return a copy of an object schema without some properties, which are not required either.

    Names that it does not have are ignored.
    """
    cut = dict(schema)
    if isinstance(schema.get("properties"), dict):
        cut["properties"] = {name: inner for name, inner in schema["properties"].items() if name not in names}
    if isinstance(schema.get("required"), list):
        cut["required"] = [name for name in schema["required"] if name not in names]
    return cut
