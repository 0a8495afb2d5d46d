"""Rules about conditions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from debugger.errors import ExpressionError
from debugger.expressions import parse
from debugger.graph.checks.context import CheckContext, Finding, describe_edge, describe_node, rule
from debugger.protocol.workflow import ConditionConfig


@rule("error")
def condition_syntax(context: CheckContext) -> Iterator[Finding]:
    """Report condition expressions that do not parse.

    Saving does not check them, so a run would fail.

    Source: ``platform.md#conditions``.
    """
    for place in _conditions(context):
        try:
            if place.condition.condition_expression:
                parse(place.condition.condition_expression)
        except ExpressionError as error:
            yield place.finding(f"does not parse: {error}", "Correct the expression where the caret points.")


@rule("warning")
def condition_missing(context: CheckContext) -> Iterator[Finding]:
    """Report conditional edges and global nodes without a condition, which are never taken or entered.

    Source: ``platform.md#edges``.
    """
    for place in _conditions(context):
        if not place.condition.text and place.is_needed:
            yield place.finding(
                "is missing, so it is never taken.", "Set 'condition_expression' or 'condition_freeform'."
            )


class _Place(NamedTuple):
    """A condition and its owner."""

    subject: str
    condition: ConditionConfig
    node_logical_id: str | None = None
    edge_logical_id: str | None = None
    is_needed: bool = True

    def finding(self, what: str, advice: str) -> Finding:
        return Finding(self.subject, what, advice, self.node_logical_id, self.edge_logical_id)


def _conditions(context: CheckContext) -> Iterator[_Place]:
    """Yield the conditions of enabled conditional edges and of enabled global nodes, each with its owner.

    A missing condition is an empty one. A global node has two: entry, and reverse, which need not be there.
    """
    for edge in context.edges:
        if edge.type == "conditional":
            condition = edge.condition or ConditionConfig()
            yield _Place(f"{describe_edge(edge)}: the condition", condition, None, edge.logical_id)
    for node in context.nodes:
        config = node.global_node_config
        if config is not None and config.is_global:
            owner, entry = describe_node(node), config.condition or ConditionConfig()
            yield _Place(f"{owner}: the entry condition", entry, node.logical_id)
            back = config.reverse_conditional_edge or ConditionConfig()
            yield _Place(f"{owner}: the reverse condition", back, node.logical_id, is_needed=False)
