"""Checks of a workflow before it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from debugger.errors import WorkflowError
from debugger.graph.checks import (
    companions,
    conditions,
    edges,
    fields,
    loops,
    models,
    nodes,
    offline,
    super_nodes,
    tools,
    variables,
    waiting,
)
from debugger.graph.checks.context import Check, CheckContext, Level, Problem, format_problem
from debugger.graph.checks.super_nodes import embedded_workflows
from debugger.graph.graph import Graph
from debugger.protocol.workflow import NodeConfig, Workflow

__all__ = [
    "CHECKS",
    "Check",
    "CheckContext",
    "Level",
    "Problem",
    "check",
    "describe_refusals",
    "format_problem",
    "reject_faulty",
    "save_errors",
]

CHECKS: tuple[Check, ...] = (
    nodes.no_nodes,
    nodes.no_start_node,
    nodes.several_start_nodes,
    nodes.duplicate_node_id,
    nodes.duplicate_edge_id,
    edges.edge_without_end,
    edges.edge_at_missing_node,
    nodes.node_without_type,
    nodes.unknown_node_type,
    nodes.unreadable_node,
    conditions.condition_syntax,
    conditions.condition_missing,
    edges.direct_beside_conditional,
    companions.several_direct_edges,
    companions.companion_waits,
    companions.companion_forks,
    companions.companion_shares_nodes,
    companions.companion_thread_id,
    companions.duplicate_thread_id,
    waiting.waiting_without_expression,
    waiting.waiting_with_freeform,
    waiting.waiting_without_trigger,
    waiting.waiting_on_missing_node,
    waiting.waiting_on_waiting_node,
    waiting.waiting_without_pause,
    waiting.waiting_at_wrong_edge,
    waiting.waiting_at_busy_source,
    waiting.waiting_beside_direct,
    nodes.loop_without_wait,
    nodes.default_loop_without_wait,
    nodes.retry_without_bound,
    loops.retry_beside_direct,
    loops.endless_loop,
    loops.no_way_out,
    models.unknown_llm_type,
    models.temperature_out_of_range,
    models.timeout_out_of_range,
    models.server_without_url,
    tools.unknown_tool_type,
    tools.api_body_not_json,
    tools.tool_argument,
    tools.result_mapping,
    super_nodes.super_node_without_workflow,
    super_nodes.super_node_field,
    edges.freeform_without_model,
    nodes.unreachable_node,
    variables.variable_without_value,
    variables.variable_never_written,
    variables.dotted_access,
    loops.python_expiry,
    super_nodes.variable_given_twice,
    fields.misplaced_defaults,
    fields.unknown_field,
    *offline.OFFLINE_CHECKS,
)
"""Every rule, in the order in which problems of one level are reported."""

_AT_SAVE = tuple(rule for rule in CHECKS if rule.refuses_save)

_MOST_PLACES = 10
"""Places that break one rule and are named to a run."""

_EMBEDDED = tuple(rule for rule in CHECKS if not rule.is_of_whole)


def check(
    workflow: Workflow,
    known_node_types: frozenset[str] | None = None,
    readers: Mapping[str, Callable[[NodeConfig], object]] | None = None,
) -> list[Problem]:
    """Return the problems of a workflow, errors first.

    Args:
        workflow: The document; it may be as broken as it likes.
        known_node_types: The node types that the engine runs; by default no type is objected to.
        readers: By node type that the engine runs, what reads a node's own fields.
    """
    subject = CheckContext(Graph(workflow), known_node_types, readers or {})
    problems = [problem for rule in CHECKS for problem in rule(subject)]
    problems += _inside_super_nodes(subject)
    return sorted(problems, key=lambda problem: problem.level != "error")


def save_errors(workflow: Workflow) -> Iterator[Problem]:
    """Yield the problems for which a save is refused, without those inside super nodes.

    Source: V1 to V21 in ``platform.md#validation``.
    """
    subject = CheckContext(Graph(workflow))
    return (problem for rule in _AT_SAVE for problem in rule(subject))


def describe_refusals(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield the warnings of a stored workflow that breaks rules of saving.

    Of each rule only the first places are named.
    """
    places: Counter[str] = Counter()
    for problem in problems:
        places[problem.code] += 1
        if places[problem.code] <= _MOST_PLACES:
            yield f"{problem.message} The platform refuses to save such a workflow. {problem.advice}".strip()
    for code, number in places.items():
        if number > _MOST_PLACES:
            yield f"{number - _MOST_PLACES} more places break the rule {code!r}; the checks name them all."


def reject_faulty(workflow: Workflow) -> None:
    """Reject a workflow that is to be saved and that the platform does not save.

    Raises:
        WorkflowError: It breaks a rule of saving; the error names the first.
    """
    problem = next(save_errors(workflow), None)
    if problem is not None:
        raise WorkflowError(problem.message, category=problem.category, advice=problem.advice)


def _inside_super_nodes(context: CheckContext) -> Iterator[Problem]:
    """Yield the problems inside embedded workflows, at any depth, as problems of the outermost super node.

    Rules about a whole workflow are not applied. A workflow that cannot be read is a problem itself.
    """
    for found in embedded_workflows(context):
        if isinstance(found, Problem):
            yield found
        else:
            yield from (found.moved_out(problem) for rule in _EMBEDDED for problem in rule(found.context))
