"""Rules about conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from debugger.errors import ExpressionError
from debugger.expressions import parse
from debugger.graph.checks.context import CheckContext, Level, Problem, describe_edge, describe_node
from debugger.protocol.workflow import ConditionConfig


def condition_syntax(context: CheckContext) -> Iterator[Problem]:
    """Report condition expressions that do not parse.

    Saving does not check them, so a run would fail.

    Source: ``platform.md#conditions``.
    """
    for place in _conditions(context):
        expression = place.condition.condition_expression
        try:
            if expression:
                parse(expression)
        except ExpressionError as error:
            yield place.problem(
                "error",
                "condition-syntax",
                f"does not parse: {error}",
                "Correct the expression where the caret points.",
            )


def condition_missing(context: CheckContext) -> Iterator[Problem]:
    """Report conditional edges without a condition, which are never taken.

    Source: ``platform.md#edges``.
    """
    for place in _conditions(context):
        if not place.condition.text and place.needed:
            yield place.problem(
                "warning",
                "condition-missing",
                "is missing, so it is never taken.",
                "Set 'condition_expression' or 'condition_freeform'.",
            )


@dataclass(frozen=True)
class _Place:
    """A condition and its owner."""

    owner: str
    name: str
    condition: ConditionConfig
    needed: bool = True
    node_logical_id: str | None = None
    edge_logical_id: str | None = None

    def problem(self, level: Level, code: str, what: str, advice: str) -> Problem:
        message = f"{self.owner}: the {self.name} {what}"
        return Problem(level, code, message, self.node_logical_id, self.edge_logical_id, advice)


def _conditions(context: CheckContext) -> Iterator[_Place]:
    """Yield the conditions of edges and of global nodes."""
    for edge in context.edges:
        if edge.type == "conditional":
            condition = edge.condition or ConditionConfig()
            yield _Place(describe_edge(edge), "condition", condition, edge_logical_id=edge.logical_id)
    for node in context.nodes:
        config = node.global_node_config
        if config is not None and config.is_global:
            owner, node_id = describe_node(node), node.logical_id
            entry, back = config.condition or ConditionConfig(), config.reverse_conditional_edge
            yield _Place(owner, "entry condition", entry, node_logical_id=node_id)
            yield _Place(
                owner, "reverse condition", back or ConditionConfig(), False, node_logical_id=node_id
            )
