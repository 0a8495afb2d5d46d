"""How the time of a run is spread over its nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from debugger.analysis.timeline import TimelineRow


@dataclass(frozen=True)
class NodeTime:
    """What the runs of one node took together."""

    total_ms: float
    share: float
    """Of what the runs of all nodes took, from 0 to 1."""


def node_times(rows: Iterable[TimelineRow]) -> dict[str, NodeTime]:
    """The time spent at each node of the graph, by id; what ran inside a super node counts for it.

    Node runs that tell no time are left out. What the user took to answer is no time of a node.
    """
    totals: dict[str, float] = {}
    for row in rows:
        if row.drawn_node is not None and row.duration_ms is not None:
            totals[row.drawn_node] = totals.get(row.drawn_node, 0.0) + max(0.0, row.duration_ms)
    whole = sum(totals.values())
    return {node: NodeTime(total, total / whole if whole else 0.0) for node, total in totals.items()}


def percent(share: float) -> str:
    """A share for people: ``43 %``, ``<1 %``, ``0 %``."""
    return "<1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")
