"""Rules about language models and other services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from debugger.graph.checks.context import (
    CheckContext,
    Finding,
    Refusal,
    describe_node,
    own_field,
    quote,
    rule,
)
from debugger.graph.node_types import MODEL_NODES

_LLM_TYPES = (
    "anthropic_llm",
    "azure_openai_llm",
    "bedrock_llm",
    "custom_llm",
    "global_default_llm",
    "google_llm",
    "llm_group",
    "llm_group_with_backchannel",
    "no_llm",
    "openai_llm",
)
_FIELDS = {
    "llms_config": MODEL_NODES | {"super_node"},
    "process_transcript_llms_config": frozenset({"end_conversation"}),
}
"""The types of the nodes that have each field with models; other types are opaque, or drop it."""
_LONGEST_TIMEOUT = 300


@rule("error", Refusal.MODEL)
def unknown_llm_type(context: CheckContext) -> Iterator[Finding]:
    """Report models of an unknown type.

    Source: V19 in ``platform.md#validation`` and ``platform.md#model-variants``.
    """
    for owner, node_id, field, model in models_of(context):
        found = model.get("type")
        if found is not None and found not in _LLM_TYPES:
            yield Finding(
                f"{owner}:",
                f"{field!r} has the type {quote(str(found))}.",
                f"A model is one of: {', '.join(_LLM_TYPES)}.",
                node_id,
            )


@rule("error", Refusal.MODEL)
def temperature_out_of_range(context: CheckContext) -> Iterator[Finding]:
    """Report temperatures outside 0 to 1.

    Source: V16 in ``platform.md#validation``.
    """
    for owner, node_id, _, model in models_of(context):
        found = model.get("temperature")
        if found is not None and not _is_between(found, 0, 1):
            yield Finding(
                f"{owner}:",
                f"the 'temperature' is {quote(str(found))}, and it may be from 0 to 1.",
                "Set it to a number from 0 to 1, or leave it out.",
                node_id,
            )


@rule("error", Refusal.NODE)
def timeout_out_of_range(context: CheckContext) -> Iterator[Finding]:
    """Report timeouts of HTTP requests above five minutes.

    Source: V16 in ``platform.md#validation`` and ``platform.md#http_request``.
    """
    for node in context.nodes:
        found = own_field(node, "timeout")
        if node.type == "http_request" and found is not None and not _is_between(found, 0, _LONGEST_TIMEOUT):
            yield Finding(
                node,
                f"has the 'timeout' {quote(str(found))}, and it may be from 0 to 300.",
                "Set it to a number of seconds from 0 to 300.",
            )


@rule("error", Refusal.WORKFLOW)
def server_without_url(context: CheckContext) -> Iterator[Finding]:
    """Report MCP servers without a URL.

    Source: V19 in ``platform.md#validation``.
    """
    servers = (context.graph.workflow.config.model_extra or {}).get("mcp_servers")
    for index, server in enumerate(servers if isinstance(servers, list) else ()):
        if isinstance(server, dict) and not server.get("server_url"):
            name = f" ({quote(str(server['name']))})" if server.get("name") else ""
            yield Finding(
                f"Entry {index + 1} of 'mcp_servers'{name}",
                "has no 'server_url'.",
                "Set 'server_url', or remove the entry.",
            )


def models_of(context: CheckContext) -> Iterator[tuple[str, str | None, str, dict[str, Any]]]:
    """Yield every model with its owner and field, members of groups included.

    The workflow's own come first, with ``None`` as the node's id, then those of enabled nodes whose type has
    the field. A group comes before its members.
    """
    for model in _inside(context.graph.workflow.config.llms_config):
        yield "'workflow_config'", None, "llms_config", model
    for node in context.nodes:
        for field, types in _FIELDS.items():
            for model in _inside(own_field(node, field)) if node.type in types else ():
                yield describe_node(node), node.logical_id, field, model


def _inside(config: Any) -> Iterator[dict[str, Any]]:
    """Yield a model's configuration and, where it is a group, those of its members.

    A group comes before its members. A value that is no object gives nothing.
    """
    waiting = [config]
    while waiting:
        found = waiting.pop(0)
        if isinstance(found, dict):
            yield found
            members = found.get("llms")
            waiting += members if isinstance(members, list) else []
            waiting += [found.get("main_llm_config"), found.get("backchannel_llm_config")]


def _is_between(value: Any, low: float, high: float) -> bool:
    """Return whether a value, or the number written as a text, is within bounds.

    False of true and false, and of what is no number.
    """
    # The platform reads a number written as a text, too.
    try:
        return not isinstance(value, bool) and low <= float(value) <= high
    except (TypeError, ValueError, OverflowError):
        return False
