"""View of many runs: graph with heat, funnel, paths, tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

import streamlit as st

from debugger.analysis.metrics import percent
from debugger.analysis.run_facts import RunSummary
from debugger.analysis.run_statistics import CountedRun, NodeFlow, edge_flows, node_flows
from debugger.backends.base import Backend, Page
from debugger.errors import DebuggerError
from debugger.protocol.runs import Run
from debugger.views import state
from debugger.views.backend_cache import BackendCache
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count
from debugger.views.help_links import empty_page
from debugger.views.navigation import start_button
from debugger.views.panels.runs.filters import nothing_matches
from debugger.views.panels.runs.flow_graph import flow_graph, list_runs_on, reached_filter, stopped_filter
from debugger.views.panels.runs.paths import path_diagram
from debugger.views.panels.runs.rows import duration_of, duration_words
from debugger.views.panels.runs.scope import (
    Counted,
    WantedRuns,
    click_key,
    counted_run,
    distinct,
    newest_runs,
    recorded_name,
    runs_state,
    summaries_of,
)
from debugger.views.panels.runs.statistics_tables import statistics_tables

_WORKFLOW_KEY = "statistics_workflow"
_PICTURE_KEY = "statistics_picture"
_STEP_SECONDS = 0.5
_FUNNEL_KEY = "statistics_funnel"
_BAR, _AROUND, _MOST = 32, 110, 500
_MOST_NODES = 40
_PARTS = {"continued": "#3b82f6", "wait here": "#8b5cf6", "ended here": "#f08c00"}


def show_statistics() -> None:
    """Show the statistics in place of the list."""
    runs_state().view = "statistics"


def statistics_view(backend: Backend, wanted: WantedRuns) -> None:
    """Draw the statistics of the runs of the filters: figures, graph, chart and tables of one workflow.

    Where the runs cannot be read, the error is drawn; without a run a hint. Summaries that are missing are
    read with a progress bar. Writes `counted` and `counted_workflow` of `RunsState`.
    """
    try:
        newest = _newest(backend, wanted)
        runs = newest.rows
        counted = _count(backend, wanted, runs)
    except DebuggerError as error:
        show_error(error)
        return
    chosen = {run.run_id for run in counted.runs}
    counted_rows = [run for run in runs if run.workflow_run_id in chosen]
    if not counted_rows:
        _empty(wanted)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large", key="statistics_head"):
        workflow_id, names = _workflow(counted_rows)
        runs_state().counted_workflow = workflow_id
        figures = st.container(horizontal=True, gap="large", width="content")
    ids = {run.workflow_run_id for run in counted_rows if run.workflow_id == workflow_id}
    shown = [run for run in counted.runs if run.run_id in ids]
    with figures:
        _figures(shown)
    _limits(newest, counted.missing)
    nodes, edges = node_flows(shown), edge_flows(shown)
    with st.container(key="statistics_body"):
        left, right = st.columns([1.5, 1], gap="medium")
        with left:
            flow_graph(backend, workflow_id, shown, nodes, edges)
        with right:
            _picture(shown, nodes)
    statistics_tables(shown, nodes, edges, names[workflow_id])


def is_without_runs(backend: Backend, wanted: WantedRuns) -> bool:
    """Return whether the filters find no run; false where the runs cannot be read."""
    try:
        return not _newest(backend, wanted).rows
    except DebuggerError:
        return False  # the view says it


def _newest(backend: Backend, wanted: WantedRuns) -> Page[Run]:
    return state.record(BackendCache).ask(("statistics", wanted), lambda: newest_runs(backend, wanted))


def _picture(runs: Sequence[CountedRun], nodes: Sequence[NodeFlow]) -> None:
    """Draw the choice between drop-off and paths, and the chosen chart, at first the drop-off."""
    state.begin_widget(_PICTURE_KEY, "Drop-off")
    chosen = st.segmented_control("Chart", ["Drop-off", "Paths"], key=_PICTURE_KEY, required=True)
    if chosen == "Paths":
        path_diagram(runs, nodes)
    else:
        _funnel(nodes, len(runs))


def _funnel(nodes: Sequence[NodeFlow], total: int) -> None:
    """Draw the funnel.

    Args:
        nodes: In the order in which the runs reach them.
        total: The number of runs.
    """
    shown = nodes[:_MOST_NODES]
    parts = funnel_parts(shown)
    labels, key = distinct({flow.node: flow.name for flow in shown}), click_key(_FUNNEL_KEY)
    st.vega_lite_chart(
        {
            "node": [labels[flow.node] for flow, _, _ in parts],
            "part": [part for _, part, _ in parts],
            "order": [list(_PARTS).index(part) for _, part, _ in parts],
            "runs": [number for _, _, number in parts],
            "drop": [percent(flow.drop_off) for flow, _, _ in parts],
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
    """Return for each node three parts with their numbers of runs: continued, wait here and ended here.

    Empty without nodes; a part may have 0 runs.
    """
    return [
        (flow, part, number)
        for flow in nodes
        for part, number in zip(_PARTS, (flow.continued, flow.waiting, flow.ended), strict=True)
    ]


def _spec(labels: list[str], total: int) -> dict[str, Any]:
    """Return the specification of the funnel: a stacked bar for each label; its parts can be clicked."""
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
                {"field": "drop", "title": "Ended or wait here"},
            ],
        },
    }


def _clicked(key: str, parts: Sequence[tuple[NodeFlow, str, int]]) -> None:
    """List the runs of the part of a bar that was clicked; nothing without a selection.

    For "continued" these are all runs that reached the node, for both others those that ended or wait there.
    """
    held = state.widget(key)
    points = held["selection"].get("bar") if held else None
    if not points or int(points[0]["at"]) >= len(parts):
        return
    flow, part, _ = parts[int(points[0]["at"])]
    list_runs_on(reached_filter(flow) if part == "continued" else stopped_filter(flow))


def _limits(newest: Page[Run], missing: int) -> None:
    """Draw a caption on runs that are not counted, as older or unread ones; nothing where all are."""
    parts = []
    if newest.total > len(newest.rows):
        read = f"{len(newest.rows):,} of {count(newest.total, 'run')}"
        parts.append(f"Counted are the newest {read}; narrow the filters.")
    if newest.unread:
        unread = f"{count(newest.unread, 'older run')} could not be read in time"
        parts.append(f"{unread}. Press Refresh to continue the search.")
    if missing:
        parts.append(f"{count(missing, 'run')} could not be read and are left out.")
    if parts:
        st.caption(" ".join(parts))


def _count(backend: Backend, wanted: WantedRuns, runs: list[Run]) -> Counted:
    """Return the runs that the filters choose by their summaries; missing summaries are read.

    The answer is held in `RunsState.counted` and returned again for the same filters and the same list.

    Raises:
        DebuggerError: The backend or the store cannot be read.
    """
    held = runs_state()
    known = held.counted
    if known is not None and known.wanted == wanted and known.source is runs:
        return known
    summaries = _read(backend, runs)
    counted = [
        counted_run(run, summaries[run.workflow_run_id]) for run in runs if run.workflow_run_id in summaries
    ]
    missing = len(runs) - len(counted)
    counted = [run for run in counted if wanted.fits(run)]
    held.counted = Counted(wanted, runs, counted, missing)
    return held.counted


def _read(backend: Backend, runs: Sequence[Run]) -> dict[str, RunSummary]:
    """Return the summaries of runs by run, with a progress bar while they are made.

    Those of runs that cannot be read are missing; a step in which none was made ends the reading.

    Raises:
        DebuggerError: The backend or the store cannot be read.
    """
    source = summaries_of(backend)
    found = source.read(runs, _STEP_SECONDS)
    if len(found) == len(runs):
        return found
    bar = st.progress(0.0)
    before = 0
    while before < len(found) < len(runs):
        before = len(found)
        bar.progress(before / len(runs), f"{before:,} of {count(len(runs), 'run')} read")
        missing = [run for run in runs if run.workflow_run_id not in found]
        found |= source.read(missing, _STEP_SECONDS)
    bar.empty()
    return found


def _workflow(runs: Sequence[Run]) -> tuple[str, dict[str, str]]:
    """Return the id of the chosen workflow, and the names of all; draw the choice where there are several.

    At first, and where the chosen one is gone, it is the workflow of the most runs.
    """
    sizes = Counter(run.workflow_id for run in runs)
    labels = {row.id: row.label for row in state.record(BackendCache).last(("workflows",)) or []}
    names = {run.workflow_id: labels.get(run.workflow_id) or recorded_name(run) for run in reversed(runs)}
    order = [workflow for workflow, _ in sizes.most_common()]
    if len(order) == 1:
        return order[0], names
    if state.widget(_WORKFLOW_KEY) not in order:
        state.forget_widget(_WORKFLOW_KEY)
    labels = distinct(names)
    chosen = st.selectbox(
        "Statistics of the workflow",
        order,
        key=_WORKFLOW_KEY,
        format_func=lambda workflow: f"{labels[workflow]} · {count(sizes[workflow], 'run')}",
        width=360,
        help="The filters find runs of several workflows; nodes can only be counted in one",
    )
    return chosen, names


def _figures(runs: Sequence[CountedRun]) -> None:
    """Draw runs, ended and failed ones, those with problems, median duration and tokens as figures.

    The median is a dash where no run has a duration.
    """
    durations = [spent for run in runs if (spent := duration_of(run.summary)) is not None]
    tokens = sum(run.summary.prompt_tokens + run.summary.completion_tokens for run in runs)
    for label, value in (
        ("Runs", f"{len(runs):,}"),
        ("Ended", f"{sum(run.is_over for run in runs):,}"),
        ("Failed", f"{sum(run.status == 'failed' for run in runs):,}"),
        ("With problems", f"{sum(run.summary.problems > 0 for run in runs):,}"),
        ("Median duration", duration_words(median(durations)) if durations else "–"),
        ("Tokens", f"{tokens:,}"),
    ):
        st.metric(label, value, width="content")


def _empty(wanted: WantedRuns) -> None:
    """Draw why no run is counted, with a button to start one, or with filters the button that clears them."""
    if not wanted.is_everything:
        nothing_matches()
        return
    text = "Paths, drop-off and durations of many runs appear here once a run has a turn."
    with empty_page(text, "pages#runs"):
        start_button()
