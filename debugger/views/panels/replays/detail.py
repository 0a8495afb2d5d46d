"""A group of a replay: its divergence on the graph of both versions, and its runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from debugger.analysis.paging import SIZE, page_of
from debugger.errors import DebuggerError
from debugger.graph.labels import clean
from debugger.graph.layout import layout_both_ways
from debugger.protocol.workflow import Workflow
from debugger.replays.groups import ReplayGroup
from debugger.replays.results import VERDICT_LABELS, Divergence, ReplayResult
from debugger.store import StoredReplay
from debugger.views import backends, state
from debugger.views.auth.permissions import on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import local_store
from debugger.views.components.graph.component import graph_direction, workflow_graph
from debugger.views.components.graph.props import geometry
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Column, Columns, rows_list, table
from debugger.views.components.tables import draw_pager, pager
from debugger.views.components.toolbar import Badge, Text, bar
from debugger.views.panels.replays import actions
from debugger.views.panels.replays.groups import since, where
from debugger.views.panels.replays.overlay import draw_divergence
from debugger.views.times import shown_time

_GRAPH_HEIGHT = 340
"""Pixels of a low window; style.css has it grow with the window."""
_MOST_RUNS = 9


def group_detail(stored: StoredReplay, group: ReplayGroup, groups: Sequence[ReplayGroup]) -> None:
    """Draw a group: what differs, the button that accepts it, the graph, and the list of its runs.

    Where a version cannot be read, a caption says so in the place of the graph.
    """
    left, right = st.columns([3, 2], gap="small")
    with left:
        _graph(stored, group, groups)
    with right, st.container(key="replay_group", gap="xsmall"):
        _head(stored, group)
        _difference(stored, group)
        _runs(stored, group)


def _head(stored: StoredReplay, group: ReplayGroup) -> None:
    """Draw verdict and place of a group, with the button that accepts it or withdraws that."""
    with st.container(horizontal=True, vertical_alignment="center", key="replay_group_head"):
        st.markdown(f"**{VERDICT_LABELS[group.verdict]}** at **{plain(where(group))}**")
        if group.acceptance is None:
            st.button(
                "Accept …",
                key="accept_group",
                icon=":material/check:",
                args=(stored.target.workflow_id, group),
                **on_click(actions.show_acceptance, help="It is on purpose: later replays do not count it"),
            )
        else:
            st.button(
                "Withdraw",
                key="withdraw_group",
                icon=":material/undo:",
                type="tertiary",
                args=(stored.target.workflow_id, group.key),
                **on_click(actions.withdraw, help="Count it as a difference again"),
            )
    if group.acceptance is not None:
        by, comment, at = group.acceptance
        words = f"Accepted by {by}, {shown_time(at)}" + (f": {comment}" if comment else "")
        st.caption(plain(words))


def _difference(stored: StoredReplay, group: ReplayGroup) -> None:
    """Draw both sides of the first difference, and the change of the workflow that it goes back to.

    A caption says from where on an answer is missing.
    """
    result, found = group.example, group.example.divergence
    if result.reason:
        st.error(plain(clean(result.reason)))
    if found is not None:
        subject = f"{found.subject}: " if found.subject else ""
        st.markdown(
            f":red-background[− {plain(clean(subject + found.before))}]  \n"
            f":blue-background[\\+ {plain(clean(subject + found.after))}]"
        )
    if result.then is not None:
        st.caption(
            plain(f"Unknown from turn {result.then.turn} on, where {clean(result.then.node)} needs a model")
        )
    if group.change:
        st.caption(plain(f"Since: {since(group)}"))
    elif not stored.target.file:
        st.caption("No node and no edge was changed.")


def _runs(stored: StoredReplay, group: ReplayGroup) -> None:
    """Draw a page of the runs of a group; a row shows the run where it differs, see `actions.open_run`."""
    page = pager("replay_runs", group.count, (stored.id, group.key), 0)
    found = local_store().replays.results(stored.id, key=group.key, page=page_of(page.first), size=SIZE)
    results = [ReplayResult.from_json(each.result) for each in found]
    columns: Columns[ReplayResult] = [
        (Column("turn", "Turn", 42, "number"), _turn),
        (Column("run", "Run", 176, grows=True), lambda result: result.run_id),
        (Column("version", "Version", 60), lambda result: f"v{result.version_number}"),
    ]
    label = "Runs of the group; a row compares the run on both versions where it differs"
    shown = table(label, results, columns, partial(_place, stored))
    # The page is left for the run, so no row stays chosen.
    rows_list("replay_runs", shown, on_choose=actions.open_run, most=_MOST_RUNS)
    draw_pager("replay_runs_pages", page)


def _turn(result: ReplayResult) -> str:
    return str(result.divergence.turn) if result.divergence is not None else ""


def _place(stored: StoredReplay, result: ReplayResult) -> list[object]:
    """Return run and turn, then both versions where the run can be replayed on them."""
    turn = result.divergence.turn if result.divergence is not None else None
    if result.verdict == "not_comparable" or stored.target.file:
        return [result.run_id, turn, None, None]
    return [result.run_id, turn, result.version_number, stored.target.version_number]


def _graph(stored: StoredReplay, group: ReplayGroup, groups: Sequence[ReplayGroup]) -> None:
    """Draw the graph of both versions with the divergence of a group, and the places of the others."""
    target, recorded = stored.target, group.example.version_number
    if target.file:
        st.caption(plain(f"The graph of the file {target.file} is not stored."))
        return
    try:
        before = _version(target.workflow_id, recorded)
        after = _version(target.workflow_id, target.version_number)
    except DebuggerError as error:
        st.caption(plain(f"The graph cannot be drawn: {error}"))
        return
    found = group.example.divergence or Divergence(0, "", "", "", "")
    at_nodes: dict[str, list[ReplayGroup]] = {}
    for each in groups:
        if each.example.divergence is not None and each.example.divergence.node_id:
            at_nodes.setdefault(each.example.divergence.node_id, []).append(each)
    runs = {node: sum(each.count for each in own) for node, own in at_nodes.items()}
    drawn = draw_divergence(found, group.verdict, before, after, runs)
    placed = layout_both_ways(drawn.graph, graph_direction(drawn.graph))
    shape = geometry(placed, drawn.graph, {}, drawn.jumps)
    if not shape["nodes"]:
        st.caption(plain(placed.note) or "The versions have no node, so there is nothing to draw.")
        return
    first = {node: own[0].key for node, own in at_nodes.items()}
    bar(
        "replay_legend",
        [
            Badge("recorded", colour="red"),
            Text(f"version {recorded}, dashed line"),
            Badge("instead", colour="blue"),
            Text(f"version {target.version_number}, dotted line"),
        ],
        low=True,
    )
    workflow_graph(
        shape,
        drawn.marks,
        height=_GRAPH_HEIGHT,
        aria_label=f"{VERDICT_LABELS[group.verdict]} at {where(group)}, {count(group.count, 'run')}",
        stamp=f"{stored.id}.{group.key}",
        on_choose=lambda element: actions.choose_element(first, element),
    )


def _version(workflow_id: str, number: int) -> Workflow:
    return state.record(BackendCache).ask(
        ("replayed version", workflow_id, number),
        lambda: backends.embedded_backend().workflow(workflow_id, number),
    )
