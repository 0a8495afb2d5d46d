"""Rules about placeholders without a value."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from debugger.expressions import Namespace, Placeholder, placeholders
from debugger.graph.checks.context import (
    CheckContext,
    Finding,
    own_field,
    quote,
    rule,
)
from debugger.graph.checks.tools import DEFAULT_RESULT, Tool, tool_of_node, tools_of
from debugger.graph.node_types import CONVERSATION_NODES, MODEL_NODES, NODE_FACTS
from debugger.protocol.base import WireModel
from debugger.protocol.workflow import SYSTEM_GLOBALS, SYSTEM_NAMES, ConditionConfig, NodeConfig

_BUILT_IN_NAMES = SYSTEM_NAMES | SYSTEM_GLOBALS | {"global"}
"""What every run brings besides its own variables.

Source: ``platform.md#variables``, ``platform.md#system-variables`` and ``platform.md#secrets``.
"""

_SENT = {
    *("tool_arguments", "field_values", "api_headers", "api_body"),
    *("headers", "query_parameters", "body_parameters"),
}
"""Fields whose keys the author chooses, so that all values in them are filled."""

_OWN_VARIABLES = {"encapsulated_workflow_config", "super_node_interface", "default_dynamic_variables"}
"""Fields with another workflow's texts, or with values."""


_DEFAULT_FILTER = re.compile(r"\|\s*default\s*:")


@dataclass(frozen=True)
class Use:
    """A placeholder and its owner."""

    owner: str
    placeholder: Placeholder
    node_logical_id: str | None = None
    edge_logical_id: str | None = None

    @property
    def head(self) -> str:
        """Return the name of the variable, without the path inside it."""
        return self.placeholder.path.partition(".")[0].partition("[")[0].strip()

    @property
    def has_default(self) -> bool:
        """Return whether a filter gives it a value where it has none."""
        return _DEFAULT_FILTER.search(self.placeholder.expression) is not None

    def finding(self, what: str, advice: str) -> Finding:
        """Return a problem of this placeholder."""
        subject = f"{self.owner}: {quote(self.placeholder.text)}"
        return Finding(subject, what, advice, self.node_logical_id, self.edge_logical_id)


@rule("warning", is_of_whole=True)
def variable_without_value(context: CheckContext) -> Iterator[Finding]:
    """Report dynamic variables without a default.

    They stay unresolved in a run that has no value for them.

    Source: ``platform.md#variable-precedence`` and ``platform.md#substitution``.
    """
    workflow = context.graph.workflow
    known = {*_BUILT_IN_NAMES, *workflow.dynamic_variables, *workflow.config.default_dynamic_variables}
    reported: set[str] = set()
    for use in uses_of(context, "dynamic"):
        is_known = use.head in known or use.placeholder.path in known or use.has_default
        if use.head.isidentifier() and not is_known and use.head not in reported:
            reported.add(use.head)
            yield use.finding(
                "has no default, so it stays as it is unless the run brings a value.",
                "Add it to 'default_dynamic_variables' in 'miscellaneous', or give it with each run.",
            )


@rule("warning", is_of_whole=True)
def variable_never_written(context: CheckContext) -> Iterator[Finding]:
    """Report runtime variables that no node and no tool writes.

    Nothing is said where a node may write variables whose names only a run shows.

    Source: ``platform.md#framework-variables``.
    """
    names = written_names(context)
    if names is None:
        return
    owners = _Owners.of(context)
    reported: set[str] = set()
    for use in uses_of(context, "runtime"):
        is_elsewhere = owners.own_path(use.placeholder.path) is not None
        is_known = is_elsewhere or use.head in names
        if use.head.isidentifier() and not is_known and use.head not in reported:
            reported.add(use.head)
            yield use.finding(
                "is written by no node and no tool of the workflow.",
                "Correct the name, or give it with the run as a runtime variable.",
            )


@rule("warning")
def dotted_access(context: CheckContext) -> Iterator[Finding]:
    """Report paths into a variable in a text, which the platform does not fill in.

    Source: U-39 in ``platform.md#unknowns``. In a condition one of the platform's examples relies on a path.
    """
    owners = _Owners.of(context)
    for use in uses_of(context, "runtime", _CONDITIONS):
        path = use.placeholder.path
        own = owners.own_path(path)
        is_name = own is not None or use.head.isidentifier()  # else it is a text in brackets
        if is_name and not {".", "["}.isdisjoint(path if own is None else own):
            yield use.finding(
                "is a path into a variable, which the platform leaves in a text as it is written. It is "
                "filled in here.",
                "Map the part to a variable of its own, as with 'result_variable_mappings'.",
            )


class _Owners(NamedTuple):
    """The nodes whose variables a path can name."""

    labels: set[str]
    longest: int

    @classmethod
    def of(cls, context: CheckContext) -> Self:
        labels = {label for node in context.graph.nodes.values() for label in (node.logical_id, node.label)}
        return cls(labels, max(map(len, labels), default=0))

    def own_path(self, path: str) -> str | None:
        """Return the path behind a thread or a node; ``None`` without one.

        Of several nodes that fit the longest name counts. A thread without a path gives an empty text.
        """
        if path.startswith("thread_"):
            return path.partition(".")[2]
        dots = [place for place, character in enumerate(path[: self.longest + 1]) if character == "."]
        return next((path[dot + 1 :] for dot in reversed(dots) if path[:dot] in self.labels), None)


_CONDITIONS = frozenset({"condition_expression"})


def uses_of(
    context: CheckContext, namespace: Namespace, skipped: frozenset[str] = frozenset()
) -> Iterator[Use]:
    """Yield the placeholders of a workflow's settings, nodes and edges, each once in its place.

    Those in skipped fields are left out.
    """
    for owner, node_id, edge_id, part in context.parts():
        for placeholder in _each_once(part, namespace, skipped):
            yield Use(owner, placeholder, node_id, edge_id)


def _each_once(value: WireModel, namespace: Namespace, skipped: frozenset[str]) -> list[Placeholder]:
    """Return the placeholders of a namespace in a value's texts, each once as it is written, in order."""
    found: dict[str, Placeholder] = {}
    for text in each_text(value, skipped):
        for placeholder in placeholders(text):
            if placeholder.namespace == namespace:
                found.setdefault(placeholder.text, placeholder)
    return list(found.values())


def each_text(value: Any, skipped: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the texts in which a workflow's variables are filled in, without those in skipped fields.

    Left out are keys, names, descriptions, notes, code that is not substituted, and fields with another
    workflow's texts or with values; below fields such as ``headers``, whose keys the author chooses, nothing
    is.
    """
    waiting = deque([(value, False)])
    while waiting:
        found, is_sent = waiting.popleft()
        if isinstance(found, WireModel):
            found = dict(found)
        if isinstance(found, str):
            yield found
        elif isinstance(found, list):
            waiting += [(inner, is_sent) for inner in found]
        elif isinstance(found, dict):
            waiting += [
                (inner, is_sent or key in _SENT)
                for key, inner in found.items()
                if is_sent or (key not in skipped and _is_filled(found, key))
            ]


def _is_filled(config: dict[str, Any], key: str) -> bool:
    """Return whether texts under a key use this workflow's variables.

    Code does, except that of inline Python tools and where its object forbids it; names, descriptions, notes
    and fields with another workflow's texts do not.
    """
    if key == "code":
        return (
            config.get("allow_code_variable_substitution") is not False
            and config.get("type") != "inline_python"
        )
    return key not in _OWN_VARIABLES and key not in ("name", "description", "note")


_FRAMEWORK = {
    *("input_dynamic_variables", "all_dynamic_variables", "workflow_invoke_count", "self_loop_outcome"),
    *("raw_conversation_transcript", "processed_transcript"),
}
_WRITES_ANYTHING = frozenset({"super_node", "workflow_run_evaluator"})


def written_names(context: CheckContext) -> set[str] | None:
    """Return the names of all runtime variables that nodes can write.

    ``None`` where only a run shows them.

    Source: ``platform.md#framework-variables``.
    """
    names = {*_FRAMEWORK, *context.graph.workflow.runtime_variables}
    conditions = map(_of_condition, _chosen_by_model(context))
    for found in (*_of_tools(context), *map(_of_node, context.nodes), *conditions):
        if found is None:
            return None
        names |= found
    return names


def _of_tools(context: CheckContext) -> Iterator[set[str] | None]:
    """Yield the variables that each tool's calls write; ``None``, and no more, once only a run shows them.

    That is so of a saved tool, and of one that expands its result. MCP tools write the default result.
    """
    for tool in tools_of(context):
        # A saved tool brings settings that the document does not show.
        if tool.config.get("tool_id") or tool.config.get("expand_result_into_runtime_variables"):
            yield None
            return
        yield _of_tool(tool)
    if any(own_field(node, "use_mcp_tools") for node in context.nodes):
        yield {DEFAULT_RESULT}


def _of_tool(tool: Tool) -> set[str]:
    mapped = {str(entry.get("target_variable_name")) for entry in tool.entries("result_variable_mappings")}
    return mapped | _with_outcome(tool.result_name)


def names_written_by(node: NodeConfig) -> set[str]:
    """Return the variables that each run of a node writes by itself, as far as the document shows them.

    Those that a model's answer sets are none of them.
    """
    if node.type in MODEL_NODES:
        return set()
    tool = tool_of_node(node)
    return _of_tool(tool) if tool is not None else _of_node(node) or set()


def _chosen_by_model(context: CheckContext) -> Iterator[ConditionConfig]:
    """Yield the conditions of transitions that a node's model may choose.

    They are those of conditional edges from enabled nodes of conversation, and the entry and reverse
    conditions of enabled global nodes; conditions with an expression alone are among them.
    """
    for node in context.nodes:
        if node.type in CONVERSATION_NODES:
            edges = context.graph.conditional(node.logical_id)
            yield from (edge.condition for edge in edges if edge.condition)
    for node in context.graph.global_nodes:
        settings = node.global_node_config
        if settings is not None:
            yield from filter(None, (settings.condition, settings.reverse_conditional_edge))


def _of_condition(condition: ConditionConfig) -> set[str] | None:
    """Return the names of a transition tool's arguments (U-18).

    Empty without a freeform condition; ``None`` where its schema does not show them all.
    """
    if not condition.condition_freeform:
        return set()
    written = _of_schema(condition.args_schema)
    return None if written is None else {*written, "justification"}


def _of_node(node: NodeConfig) -> set[str] | None:
    """Return the variables that a node itself writes; ``None`` where only a run shows them.

    That is so of unknown types, super nodes, evaluators, and schemas that allow other fields.
    """
    if node.type in CONVERSATION_NODES:
        return _of_schema(own_field(node, "structured_output_schema"))
    if node.type == "tool_node" and not own_field(node, "tool_config"):  # a failed call (U-64)
        return _with_outcome(str(own_field(node, "result_runtime_variable_name") or DEFAULT_RESULT))
    facts = NODE_FACTS.get(node.type or "")
    if facts is None or node.type in _WRITES_ANYTHING:
        return None
    named = own_field(node, facts.result_field) if facts.result_field else None
    return _with_outcome(str(named or facts.result_name)) if facts.result_name else set()


def _with_outcome(name: str) -> set[str]:
    return {name, f"{name}_success", f"{name}_error"}


def _of_schema(schema: Any) -> set[str] | None:
    """Return the top-level names of a structured output; empty without a schema.

    ``None`` where the schema allows other names, or shows none.
    """
    if not schema:
        return set()
    inner = schema.get("input_schema", schema) if isinstance(schema, dict) else None
    if not isinstance(inner, dict) or inner.get("additionalProperties") not in (None, False):
        return None
    properties = inner.get("properties")
    return set(properties) if isinstance(properties, dict) else None
