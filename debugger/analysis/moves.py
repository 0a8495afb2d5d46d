"""The moves of a run in words for people who do not know the workflow: no ids, no expressions."""

from __future__ import annotations

from collections.abc import Mapping

from debugger.analysis.hops import Hop
from debugger.graph.graph import Graph
from debugger.protocol.workflow import ConditionConfig

_OWN_WORDS = {
    "direct_edge": "This always comes next.",
    "self_loop_edge": "It goes on here.",
    "companion_edge": "This goes on in the background.",
    "guardrail_escalation_edge": "A safety rule was broken too often.",
    "force_transfer_to_node": "Somebody moved it there.",
    "reverse_conditional_edge": "Back to where it was.",
}


def move_title(hop: Hop, names: Mapping[str, str]) -> str:
    """From where to where: ``Intent desk → Booking``."""
    source = names.get(hop.source or "", hop.source or "Start")
    if hop.destination is None:
        return f"{source} → the end"
    return f"{source} → {names.get(hop.destination, hop.destination)}"


def move_reason(hop: Hop, graph: Graph) -> str:
    """Why, in a sentence: the condition as its author told it to a model, else the edge's name.

    A condition in the expression language is not read out: what it means is what the author named it.
    """
    written = _freeform(_condition(hop, graph))
    if written:
        return _sentence(written)
    if hop.edge_name:
        return _sentence(hop.edge_name)
    return _OWN_WORDS.get(hop.kind, "Its condition holds.")


def _condition(hop: Hop, graph: Graph) -> ConditionConfig | None:
    edge = graph.edges.get(hop.edge_id or "")
    if edge is not None:
        return edge.condition
    if hop.kind == "reverse_conditional_edge":
        left = graph.nodes.get(hop.source or "")
        settings = left.global_node_config if left else None
        return settings.reverse_conditional_edge if settings else None
    entered = graph.nodes.get(hop.destination or "")
    settings = entered.global_node_config if entered else None
    return settings.condition if settings and hop.kind == "conditional_edge" else None


def _freeform(condition: ConditionConfig | None) -> str:
    return (condition.condition_freeform or "").strip() if condition else ""


def _sentence(words: str) -> str:
    told = words[0].upper() + words[1:]
    return told if told.endswith((".", "!", "?", "…")) else f"{told}."
