"""Funnel of many runs: a bar for each node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.run_statistics import NodeFlow, PathFilter
from debugger.views import state
from debugger.views.panels.runs.flow_graph import list_runs_on
from debugger.views.panels.runs.scope import click_key

_KEY = "statistics_funnel"
_BAR, _AROUND, _MOST = 32, 110, 500
_MOST_NODES = 40
_PARTS = {"continued": "#3b82f6", "wait here": "#8b5cf6", "ended here": "#f08c00"}


def funnel(nodes: Sequence[NodeFlow], total: int) -> None:
    """Draw the funnel.

    Args:
        nodes: In the order in which the runs reach them.
        total: The number of runs.
    """
    shown = nodes[:_MOST_NODES]
    parts = funnel_parts(shown)
    labels, key = _labels(shown), click_key(_KEY)
    st.vega_lite_chart(
        {
            "node": [labels[flow.node] for flow, _, _ in parts],
            "part": [part for _, part, _ in parts],
            "order": [list(_PARTS).index(part) for _, part, _ in parts],
            "runs": [number for _, _, number in parts],
            "drop": [round(flow.drop_off, 4) for flow, _, _ in parts],
            "at": list(range(len(parts))),
        },
        _spec([labels[flow.node] for flow in shown], total),
        key=key,
        height=min(_BAR * len(shown) + _AROUND, _MOST),
        width="stretch",
        on_select=lambda: _clicked(key, parts),
        selection_mode="bar",
        alt=f"Funnel of {total} runs over {len(shown)} nodes; the table of nodes has the same numbers",
    )
    more = (
        f" The first {_MOST_NODES} of {len(nodes)} nodes are drawn; the table has all."
        if len(nodes) > len(shown)
        else ""
    )
    st.caption(f"In the order in which runs reach the nodes. A click on a bar lists its runs.{more}")


def funnel_parts(nodes: Sequence[NodeFlow]) -> list[tuple[NodeFlow, str, int]]:
    """Return the parts of each bar with their numbers of runs."""
    return [
        (flow, part, number)
        for flow in nodes
        for part, number in zip(_PARTS, (flow.went_on, flow.waiting, flow.ended), strict=True)
    ]


def _labels(nodes: Sequence[NodeFlow]) -> dict[str, str]:
    """Return a label for each node; equal names get an id."""
    names = [flow.name for flow in nodes]
    return {
        flow.node: flow.name if names.count(flow.name) == 1 else f"{flow.name} ({flow.node[-6:]})"
        for flow in nodes
    }


def _spec(labels: list[str], total: int) -> dict[str, Any]:
    return {
        "params": [{"name": "bar", "select": {"type": "point", "fields": ["at"]}}],
        "mark": {"type": "bar", "cursor": "pointer"},
        "encoding": {
            "y": {
                "field": "node",
                "type": "nominal",
                "sort": labels,
                "title": None,
                "axis": {"labelLimit": 190, "labelOverlap": False},
            },
            "x": {
                "field": "runs",
                "type": "quantitative",
                "title": "runs",
                "scale": {"domain": [0, total]},
                "axis": {"tickMinStep": 1, "tickCount": 5},
            },
            "order": {"field": "order"},
            "color": {
                "field": "part",
                "type": "nominal",
                "scale": {"domain": list(_PARTS), "range": list(_PARTS.values())},
                "legend": {"title": None, "orient": "top"},
            },
            "opacity": {"condition": {"param": "bar", "value": 1}, "value": 0.35},
            "tooltip": [
                {"field": "node", "title": "Node"},
                {"field": "part", "title": "Runs that"},
                {"field": "runs", "title": "Runs"},
                {"field": "drop", "title": "Ended or wait here", "format": ".0%"},
            ],
        },
    }


def _clicked(key: str, parts: Sequence[tuple[NodeFlow, str, int]]) -> None:
    held = state.widget(key)
    points = held["selection"].get("bar") if held else None
    if not points or int(points[0]["at"]) >= len(parts):
        return
    flow, part, _ = parts[int(points[0]["at"])]
    if part == "continued":
        list_runs_on(PathFilter("reached", flow.node, f"reached {flow.name}"))
    else:
        list_runs_on(PathFilter("stopped", flow.node, f"ended or wait at {flow.name}"))
