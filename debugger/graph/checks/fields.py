"""Rules about fields without an effect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from debugger.graph.checks.context import CheckContext, Finding, quote, rule
from debugger.protocol.base import SECRET_VARIABLES
from debugger.protocol.workflow import Workflow, WorkflowConfig

_DEFAULTS = "default_dynamic_variables"
_STORED = {
    *("_id", "id", "workflow_id", "version_number", "version_name", "active_version_number", "is_active"),
    *("team_id", "created_by", "updated_by", "created_at", "updated_at", "name", "description", "category"),
    *("logical_id", "type", "access_config", "concurrency", "max_concurrent_runs", "super_node_interface"),
}
"""What the platform's store puts beside a document."""

_OF_WORKFLOW = {*Workflow.model_fields, SECRET_VARIABLES}
_OF_CONFIG = {
    *WorkflowConfig.model_fields,
    *("attachable_llm_config_id", "backchannel_response_config", "mcp_servers", "nodes", "edges"),
    *("ignore_content_received_during_llm_tool_call_specification", "access_config", "evaluation_config"),
}
"""Source: ``platform.md#workflow-document`` and ``platform.md#workflow-settings``."""


@rule("warning")
def misplaced_defaults(context: CheckContext) -> Iterator[Finding]:
    """Report default values outside ``workflow_config.miscellaneous``.

    Source: ``platform.md#events``.
    """
    for place, fields in _unmodelled(context.graph.workflow):
        if _DEFAULTS in fields:
            yield Finding(
                repr(_DEFAULTS),
                f"stands in {place}, where nothing reads it, so the defaults have no effect.",
                "Move it into 'miscellaneous' of 'workflow_config'.",
            )


@rule("warning")
def unknown_field(context: CheckContext) -> Iterator[Finding]:
    """Report fields that the platform does not know and drops.

    Source: ``platform.md#events``.
    """
    known = {"the document": _OF_WORKFLOW, "'workflow_config'": _OF_CONFIG}
    for place, fields in _unmodelled(context.graph.workflow):
        for field in fields:
            if field != _DEFAULTS and field not in known[place] | _STORED:
                close = difflib.get_close_matches(field[:200], known[place], n=1)
                yield Finding(
                    f"The field {quote(field)} of {place}",
                    "is unknown to the platform, which drops it.",
                    f"Did you mean {close[0]!r}?" if close else "Remove it, or move it to where it belongs.",
                )


def _unmodelled(workflow: Workflow) -> Iterator[tuple[str, Iterable[str]]]:
    yield "the document", workflow.model_extra or {}
    yield "'workflow_config'", workflow.config.model_extra or {}
