"""The chosen node: its runs, its edges and its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.timeline import TimelineRow
from debugger.views import state
from debugger.views.components.markdown import plain
from debugger.views.components.tables import ROW
from debugger.views.panels.node_actions import node_actions
from debugger.views.run_view import Reading


def node_tab(now: Reading) -> None:
    """Draw the chosen node, or the one that the run stands at."""
    chosen = state.page().node or now.position.current
    if chosen is None:
        st.caption("Choose a node in the graph to see its configuration and its runs.")
        return
    config = now.graph.nodes.get(chosen)
    name = config.label if config else now.position.ghosts.get(chosen, chosen)
    st.markdown(f"###### {plain(name)}")
    if config is None:
        st.info("This version of the workflow has no such node; the run tells of it.", icon=":material/help:")
    else:
        st.caption(plain(f"{config.type or 'no type'} · {chosen}"))
        node_actions(now, chosen)
    _node_runs(now, chosen)
    if config is not None:
        _edges(now, chosen)
        st.markdown("###### Configuration")
        st.json(_as_written(now, chosen), expanded=2)


def _as_written(now: Reading, node_id: str) -> Any:
    """A node's configuration as its author wrote it, without the defaults of what is absent."""
    written = now.session.workflow.to_wire().get("node_configs") or []
    return next(config for config in written if config.get("logical_id") == node_id)


def _edges(now: Reading, node_id: str) -> None:
    edges = now.graph.leaving(node_id)
    if not edges:
        return
    names = {node.logical_id: node.label for node in now.graph.nodes.values()}
    st.markdown("###### Edges")
    st.dataframe(
        {
            "to": [names.get(edge.destination_node_logical_id or "", "") for edge in edges],
            "condition": [edge.condition.text if edge.condition else "always" for edge in edges],
        },
        key="node_edges",
        hide_index=True,
        row_height=ROW,
        column_config={
            "to": st.column_config.TextColumn("To", width=112),
            "condition": st.column_config.TextColumn("Condition", width=280),
        },
        alt="Edges that leave the chosen node",
    )


def _node_runs(now: Reading, node_id: str) -> None:
    rows = [row for row in now.rows if row.drawn_node == node_id and row.type == "end_node_run"]
    if not rows:
        st.caption("It has not run yet.")
        return
    st.markdown("###### Runs")
    st.dataframe(
        {
            "turn": [row.turn_number for row in rows],
            **_inner_nodes(rows, node_id),
            "outcome": [row.summary for row in rows],
            "took": [row.duration_ms for row in rows],
        },
        key="node_runs",
        hide_index=True,
        row_height=ROW,
        column_config={
            "turn": st.column_config.NumberColumn("Turn", width=50),
            "inside": st.column_config.TextColumn("Inside", width=84),
            "took": st.column_config.NumberColumn("Took", width=80, format="%.1f ms"),
            "outcome": st.column_config.TextColumn("Outcome", width=150),
        },
        alt="Runs of the chosen node",
    )


def _inner_nodes(rows: Sequence[TimelineRow], node_id: str) -> dict[str, list[str]]:
    """A column more for a super node: which of its nodes ran."""
    if all(row.node_logical_id == node_id for row in rows):
        return {}
    return {"inside": [(row.node_name or row.node_logical_id or "").rpartition(" › ")[2] for row in rows]}
