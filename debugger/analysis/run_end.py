"""Reason why a run is over, as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.analysis.position import Position
from debugger.graph.graph import Graph
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.events import COMPANION
from debugger.protocol.runs import TERMINAL_STATUSES, RunStatus
from debugger.protocol.workflow import NodeConfig

_ESCALATION = "guardrail_escalation_edge"


@dataclass(frozen=True)
class RunEnd:
    """End of a run."""

    text: str
    node_id: str | None = None
    """The node whose decision explains it, if any."""


def run_end(status: RunStatus, position: Position, graph: Graph, error: str = "") -> RunEnd | None:
    """Return why a run is over; ``None`` while it is not."""
    if status not in TERMINAL_STATUSES:
        return None
    node_id = position.current
    name = _name(position, graph)
    if status == "cancelled":
        return RunEnd(f"Ended: the run was stopped at {name}.")
    if status == "aborted_looping_risk":
        return RunEnd(f"Ended: the run was stopped at {name}, because it was looping.", node_id)
    if status == "failed":
        return RunEnd(f"Ended: {error or 'an error'}{'' if error.endswith('.') else '.'}", node_id)
    own = (made for made in reversed(position.transitions) if COMPANION not in (made.thread_id or ""))
    last = next(own, None)
    if last is not None and last.kind == _ESCALATION and last.destination is None:
        return RunEnd(f"Ended: too many guardrail nodes were entered; {name} was the last node.", node_id)
    if node_id in position.skipped and graph.main_direct(node_id) is None:
        return RunEnd(f"Ended: {name} was skipped and has no direct edge.", node_id)
    if node_id is None or not _can_leave(node_id, position, graph):
        return RunEnd(f"Ended: {name} has no outgoing edge.", node_id)
    return RunEnd(f"Ended: no outgoing edge of {name} matched.", node_id)


def _name(position: Position, graph: Graph) -> str:
    """Return the last node's label; inside a super node both labels."""
    node_id = position.current or ""
    node = graph.nodes.get(node_id)
    name = node.label if node else node_id or "the last node"
    inner = position.inner_names.get(node_id)
    return f"{name} › {inner}" if inner else name


def _can_leave(node_id: str, position: Position, graph: Graph) -> bool:
    """Return whether the run looked for a transition at its last node.

    An edge that only starts a companion thread is none. Inside a super node the graph does not show them.
    """
    if node_id in position.inner_names or graph.main_direct(node_id) or graph.conditional(node_id):
        return True
    node = graph.nodes.get(node_id)
    if node is not None and node.global_node_config and node.global_node_config.reverse_conditional_edge:
        return True
    others = [each for each in graph.global_nodes if each.logical_id != node_id]
    return any(_is_evaluated(node, each) for each in others)


def _is_evaluated(node: NodeConfig | None, global_node: NodeConfig) -> bool:
    """Return whether a node evaluates a global node's condition; words need a model."""
    settings = global_node.global_node_config
    if settings is None or settings.condition is None:
        return False
    calls_model = node is not None and node.type in MODEL_NODES
    return bool(settings.condition.condition_expression) or calls_model
