"""Rules about the edges that leave a node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from debugger.graph.checks.context import CheckContext, Finding, describe_node, join, quote, rule
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.workflow import EdgeConfig, NodeConfig

# A super node stands for nodes that may call a model.
_MAY_CALL_A_MODEL = {*MODEL_NODES, "super_node"}


@rule("error")
def edge_without_end(context: CheckContext) -> Iterator[Finding]:
    """Report edges without a source or a destination.

    Source: U-20 in ``platform.md#unknowns``.
    """
    for edge in context.edges:
        for end, node_id in _ends(edge):
            if node_id is None:
                yield Finding(edge, f"has no {end}.", f"Set '{end}_node_logical_id', or disable the edge.")


@rule("error")
def edge_at_missing_node(context: CheckContext) -> Iterator[Finding]:
    """Report edges whose source or destination does not exist.

    Source: U-20 in ``platform.md#unknowns``.
    """
    for edge in context.edges:
        for end, node_id in _ends(edge):
            if node_id is not None and node_id not in context.graph.nodes:
                yield Finding(
                    edge,
                    f"has the {end} {quote(node_id)}, and no node has this id.",
                    "Point the edge at a node that exists, or disable it.",
                )


@rule("warning")
def direct_beside_conditional(context: CheckContext) -> Iterator[Finding]:
    """Report direct edges that win over conditional edges of the same node.

    Not at a super node: its edges leave from different inner nodes (``platform.md#super-nodes``).

    Source: ``platform.md#edge-selection``.
    """
    for node in context.nodes:
        direct = context.graph.main_direct(node.logical_id)
        conditional = context.graph.conditional(node.logical_id)
        if node.type != "super_node" and direct is not None and conditional:
            yield Finding(
                node,
                f"has a direct edge {quote(direct.logical_id)} that wins over its conditional ones: "
                f"{join(edge.logical_id for edge in conditional)}.{_unless_chosen(node, conditional)}",
                "Remove the direct edge, or make it the last conditional one.",
                edge_logical_id=direct.logical_id,
            )


@rule("warning")
def freeform_without_model(context: CheckContext) -> Iterator[Finding]:
    """Report freeform conditions at nodes that call no model.

    Such a condition costs a call of its own.

    Source: U-33 in ``platform.md#unknowns``.
    """
    for node in context.nodes:
        if _calls_no_model(node, context.known_node_types):
            for edge in filter(_is_freeform, context.graph.conditional(node.logical_id)):
                yield Finding(
                    edge,
                    f"has a freeform condition, but {describe_node(node, 'node')} calls no model that could "
                    "judge it.",
                    "Set 'condition_expression' instead.",
                    node_logical_id=node.logical_id,
                )


def _ends(edge: EdgeConfig) -> Iterator[tuple[str, str | None]]:
    yield "source", edge.source_node_logical_id
    yield "destination", edge.destination_node_logical_id


def _calls_no_model(node: NodeConfig, known: frozenset[str] | None) -> bool:
    """Return whether a node certainly calls no model."""
    return (
        node.type is not None and node.type not in _MAY_CALL_A_MODEL and (known is None or node.type in known)
    )


def _is_freeform(edge: EdgeConfig) -> bool:
    condition = edge.condition
    return condition is not None and not condition.condition_expression and bool(condition.condition_freeform)


def _unless_chosen(node: NodeConfig, conditional: Iterable[EdgeConfig]) -> str:
    """Return the remark that the model may choose first (U-19)."""
    chosen_by_model = node.type in MODEL_NODES and any(map(_is_freeform, conditional))
    return " Only a freeform one that the model chooses comes before it." if chosen_by_model else ""
