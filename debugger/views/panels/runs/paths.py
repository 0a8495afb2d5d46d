"""Paths of many runs, step by step, as a Sankey diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from debugger.analysis.run_statistics import CountedRun, Flow, NodeFlow, path_flows
from debugger.views.help_links import empty_state

STEPS = 6
"""Steps of a path that are drawn."""
_HEIGHT = 430


def path_diagram(runs: Sequence[CountedRun], nodes: Sequence[NodeFlow]) -> None:
    """Draw how the runs continued from each of their first `STEPS` steps, as a Sankey diagram with a caption.

    Where no run has gone from one node to another, a hint is drawn instead.
    """
    flows = path_flows(runs, STEPS)
    if not flows:
        empty_state(
            "Paths appear here once a run has gone from one node to another. No run has.", "pages#runs"
        )
        return
    st.echarts_chart(
        sankey(flows, {flow.node: flow.name for flow in nodes}),
        key="statistics_paths_chart",
        height=_HEIGHT,
        alt=f"Paths of {len(runs)} runs over their first {STEPS} steps; the table Paths has the same numbers",
    )
    st.caption(f"The first {STEPS} steps. Where a node is taller than what leaves it, the other runs stayed.")


def sankey(flows: Sequence[Flow], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the diagram.

    Args:
        flows: The runs by step, source and destination.
        names: The names of the nodes by id.
    """
    places = {(flow.step, flow.source) for flow in flows} | {
        (flow.step + 1, flow.destination) for flow in flows
    }
    data = [
        {
            "name": _key(step, node),
            "depth": step - 1,
            "label": {"formatter": names.get(node, node).replace("{", "(").replace("}", ")")},
        }
        for step, node in sorted(places)
    ]
    links = [
        {
            "source": _key(flow.step, flow.source),
            "target": _key(flow.step + 1, flow.destination),
            "value": flow.runs,
        }
        for flow in flows
    ]
    return {
        # As text: names are data, and a tooltip is HTML otherwise.
        "tooltip": {"trigger": "item", "renderMode": "richText"},
        "series": [
            {
                "type": "sankey",
                "data": data,
                "links": links,
                "nodeAlign": "left",
                "nodeGap": 14,
                "left": 4,
                "right": 70,
                "top": 8,
                "bottom": 8,
                "lineStyle": {"color": "source", "opacity": 0.35, "curveness": 0.5},
                "label": {"width": 90, "overflow": "truncate"},
                "emphasis": {"focus": "adjacency"},
            }
        ],
    }


def _key(step: int, node: str) -> str:
    return f"{step}. {node}"
