"""Reason why a run is over, as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.analysis.position import Position
from debugger.graph.graph import Graph
from debugger.protocol.runs import TERMINAL_STATUSES, RunStatus


@dataclass(frozen=True)
class RunEnd:
    """End of a run."""

    text: str
    node_id: str | None = None
    """The node whose decision explains it, if any."""


def run_end(status: RunStatus, position: Position, graph: Graph, error: str = "") -> RunEnd | None:
    """Return why a run is over; ``None`` while it is not.

    Args:
        status: The status of the run.
        position: Its last position.
        graph: The workflow.
        error: The message of the error that ended it.
    """
    if status not in TERMINAL_STATUSES:
        return None
    node_id = position.current
    node = graph.nodes.get(node_id or "")
    name = node.label if node else node_id or "the last node"
    if status == "cancelled":
        return RunEnd(f"Ended: the run was stopped at {name}.")
    if status == "aborted_looping_risk":
        return RunEnd(f"Ended: the run was stopped at {name}, because it was looping.", node_id)
    if status == "failed":
        return RunEnd(f"Ended: {error or 'an error'}{'' if error.endswith('.') else '.'}", node_id)
    if node_id is None or not graph.leaving(node_id):
        return RunEnd(f"Ended: {name} has no outgoing edge.", node_id)
    return RunEnd(f"Ended: no outgoing edge of {name} matched.", node_id)
