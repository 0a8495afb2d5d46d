"""Things that a workflow uses and only the platform has.

The checks report it, and a run warns of it; both take it from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from debugger.graph.checks.context import CheckContext, Finding, describe_node, quote
from debugger.graph.checks.models import models_of
from debugger.graph.checks.tools import Tool, tools_of
from debugger.graph.checks.variables import each_text, uses_of
from debugger.graph.graph import Graph
from debugger.graph.node_types import MODEL_NODES
from debugger.graph.saved_models import known_models
from debugger.protocol.base import is_id
from debugger.protocol.value_view import ValueView
from debugger.protocol.workflow import SYSTEM_GLOBALS, Workflow

LimitName = Literal[
    "integration-auth",
    "saved-tool",
    "saved-prompt",
    "saved-model",
    "evaluation-run",
    "turn-by-turn-evaluation",
    "system-global",
    "streaming-model",
]


@dataclass(frozen=True)
class OfflineLimit:
    """One thing that a workflow uses and that is not there without the platform."""

    name: LimitName
    item: str
    """The id or name of the integration, tool, prompt, model, workflow or variable; empty of other things."""
    finding: Finding
    secret: str = ""
    """The name of a secret that is used instead; empty where none can be."""
    variable: str = ""
    """The name of a dynamic variable that is used instead; empty where none can be."""

    @property
    def node_logical_id(self) -> str | None:
        """Return the node that uses it; ``None`` where the workflow's settings or an edge do."""
        return self.finding.node_logical_id

    @property
    def sentence(self) -> str:
        """Return what is not there and what happens instead."""
        return f"{self.finding.subject} {self.finding.what}"

    @property
    def advice(self) -> str:
        """Return what to do about it."""
        return self.finding.advice


def offline_limits(workflow: Workflow) -> list[OfflineLimit]:
    """Return what a workflow uses that only the platform has.

    What is inside super nodes is not looked at: expand the workflow first. Disabled nodes and edges count for
    nothing.

    Source: ``platform.md#offline-limits``.
    """
    context = CheckContext(Graph(workflow))
    return [limit for find in LIMITS for limit in find(context)]


def integration_auth(context: CheckContext) -> Iterator[OfflineLimit]:
    """Yield tools and models that get a token from an integration of the platform.

    Of tools only external APIs without an Authorization header of their own; a secret named after the
    integration can replace it. Of models also those with ``okta_auth``.
    """
    for tool in tools_of(context):
        item = _integration(tool.config.get("integration_auth"))
        if tool.type == "external_api" and item and not _sets_authorization(tool.config.get("api_headers")):
            yield OfflineLimit(
                "integration-auth",
                item,
                tool.finding(
                    f"takes its Authorization from the integration {quote(item)}, which only the platform "
                    "has: it is called without one here, unless a secret is named after the integration.",
                    f"Set WORKFLOW_DEBUGGER_SECRET_{item} to the value of the header Authorization.",
                ),
                secret=item,
            )
    for owner, node_id, field, model in models_of(context):
        item = _integration(model.get("integration_auth") or model.get("okta_auth"))
        if item:
            what = (
                f"the model of {field!r} takes its token from the integration {quote(item)}, which only the "
                "platform has: it is asked with the key of this environment."
            )
            advice = "Set the key of the model's provider in the environment."
            yield OfflineLimit("integration-auth", item, Finding(f"{owner}:", what, advice, node_id))


def saved_tool(context: CheckContext) -> Iterator[OfflineLimit]:
    """Yield references to tools that are saved on the platform.

    The ``tool_id`` of a built-in function is its name, unless it looks like the id of a saved tool.
    """
    for tool in tools_of(context):
        item = tool.config.get("tool_id")
        if not isinstance(item, str) or not item or (tool.type == "inbuilt_function" and not is_id(item)):
            continue
        instead = (
            "what the document has of it is used here" if _has_content(tool) else "a call of it fails here"
        )
        what = f"is the saved tool {quote(item)}, which only the platform has: {instead}."
        advice = "Write the settings of the tool into the workflow, and leave 'tool_id' out."
        yield OfflineLimit("saved-tool", item, tool.finding(what, advice))


_SAVED_PROMPT = re.compile(r"<<<\s*managed_prompt:([^<>]*)>>>")


def saved_prompt(context: CheckContext) -> Iterator[OfflineLimit]:
    """Yield references to prompts that are saved on the platform, each once in its node, edge or settings."""
    for owner, node_id, edge_id, part in context.parts():
        found = (name.strip() for text in each_text(part) for name in _SAVED_PROMPT.findall(text))
        for item in filter(None, dict.fromkeys(found)):
            what = (
                f"the saved prompt {quote(item)} is only on the platform: <<<managed_prompt:...>>> stays in "
                "the text as it is written."
            )
            advice = "Write the text of the prompt into the workflow."
            yield OfflineLimit("saved-prompt", item, Finding(f"{owner}:", what, advice, node_id, edge_id))


def saved_model(context: CheckContext) -> Iterator[OfflineLimit]:
    """Yield references to models that are saved on the platform and not in the workflow.

    Looked at are the workflow's settings, nodes with a model, and super nodes that override it. A model that
    a configuration names by ``named_llm_config_id`` is in the workflow.
    """
    known = known_models(context.graph.workflow)
    field = "attachable_llm_config_id"
    holders: list[tuple[str, str | None, str]] = [
        ("'workflow_config'", None, _settings(context).attachable_llm_config_id)
    ]
    for node in context.nodes:
        overrides = node.type == "super_node" and _Settings(node.to_wire()).override_llm_config
        if overrides or node.type in MODEL_NODES:
            own = _Settings(node.to_wire()).attachable_llm_config_id
            holders.append((describe_node(node), node.logical_id, own))
    for owner, node_id, item in holders:
        if item and item not in known:
            what = (
                f"{field!r} is the saved model {quote(item)}, which only the platform has: the model of "
                "'llms_config' is asked here, or the one of the workflow."
            )
            advice = (
                f"Write the settings of the model into 'llms_config', with 'named_llm_config_id': {item!r}."
            )
            yield OfflineLimit("saved-model", item, Finding(f"{owner}:", what, advice, node_id))


def evaluation_run(context: CheckContext) -> Iterator[OfflineLimit]:
    """Yield the workflow that evaluates each run; nothing where the settings name none."""
    item = _settings(context).evaluation_config.evaluator_workflow_id
    if item:
        what = (
            f"'evaluation_config' has runs evaluated by the workflow {quote(item)}, which only the platform "
            "does: no run is evaluated here."
        )
        advice = "Start the evaluating workflow with the id of the run, as {{workflow_run_id}}."
        yield OfflineLimit("evaluation-run", item, Finding("'workflow_config':", what, advice))


def turn_by_turn_evaluation(context: CheckContext) -> Iterator[OfflineLimit]:
    """Yield evaluations of each turn: that of the workflow's settings, and those of evaluator nodes.

    A limit names no item.
    """
    advice = "Evaluate the run as a whole."
    if _settings(context).evaluation_config.enable_turn_by_turn_evaluation:
        what = "'evaluation_config' has each turn evaluated, which only the platform does: no turn is here."
        yield OfflineLimit("turn-by-turn-evaluation", "", Finding("'workflow_config':", what, advice))
    for node in context.nodes:
        if node.type == "workflow_run_evaluator" and _Settings(node.to_wire()).is_turn_by_turn_evaluator:
            what = "evaluates each turn, which only the platform does: it evaluates the run as a whole here."
            finding = Finding(describe_node(node), what, advice, node.logical_id)
            yield OfflineLimit("turn-by-turn-evaluation", "", finding)


def system_global(context: CheckContext) -> Iterator[OfflineLimit]:
    """Yield uses of global variables that the platform sets and the workflow does not.

    A use with a default does not count; each name is yielded once in its node, edge or settings.
    """
    workflow = context.graph.workflow
    given = {**workflow.dynamic_variables, **workflow.config.default_dynamic_variables}
    inner = given.get("global")
    team = inner if isinstance(inner, dict) else {}
    reported: set[tuple[str | None, str]] = set()
    for use in uses_of(context, "dynamic"):
        path = use.placeholder.path.strip()
        item = path.removeprefix("global.")
        source = given if item == path else team
        place = (use.node_logical_id or use.edge_logical_id, item)
        if item in SYSTEM_GLOBALS and item not in source and not use.has_default and place not in reported:
            reported.add(place)
            what = "is set by the platform alone: it has no value here, unless the run or a secret gives one."
            advice = f"Give the run a dynamic variable {item!r}."
            finding = use.finding(what, advice)
            yield OfflineLimit("system-global", item, finding, secret=item, variable=item)


def streaming_model(context: CheckContext) -> Iterator[OfflineLimit]:
    """Yield models whose answers the platform streams, members of groups included.

    A limit names no item.
    """
    for owner, node_id, field, model in models_of(context):
        if _Model(model).streaming:
            what = (
                f"the model of {field!r} has 'streaming' on, and only the platform streams: an answer comes "
                "in one piece here."
            )
            finding = Finding(f"{owner}:", what, "Nothing needs to be done; the text is the same.", node_id)
            yield OfflineLimit("streaming-model", "", finding)


LIMITS: tuple[Callable[[CheckContext], Iterator[OfflineLimit]], ...] = (
    integration_auth,
    saved_tool,
    saved_prompt,
    saved_model,
    evaluation_run,
    turn_by_turn_evaluation,
    system_global,
    streaming_model,
)
"""What finds each limit; its function's name is the limit's."""


def _integration(auth: Any) -> str:
    found = auth.get("integration_id") if isinstance(auth, dict) else None
    return found if isinstance(found, str) else ""


def _sets_authorization(headers: Any) -> bool:
    return isinstance(headers, dict) and any(
        str(name).lower() == "authorization" and value is not None for name, value in headers.items()
    )


_CONTENT = {
    "external_api": ("api_endpoint", "api_headers", "api_body"),
    "inline_python": ("code",),
    "knowledge_base": ("target_knowledge_base_ids",),
}


def _has_content(tool: Tool) -> bool:
    return any(tool.config.get(field) for field in _CONTENT.get(str(tool.type), ()))


class _Evaluation(ValueView):
    evaluator_workflow_id: str
    enable_turn_by_turn_evaluation: bool


class _Settings(ValueView):
    """The settings of a workflow, and fields of a node, that only the platform uses."""

    attachable_llm_config_id: str
    evaluation_config: _Evaluation
    override_llm_config: bool
    is_turn_by_turn_evaluator: bool


class _Model(ValueView):
    streaming: bool


def _settings(context: CheckContext) -> _Settings:
    return _Settings(context.graph.workflow.config.to_wire())
