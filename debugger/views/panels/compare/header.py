"""Choice of both runs, the sentence on them, and what is ignored."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.comparison.ignored import IGNORED
from debugger.boundary import own_names
from debugger.errors import DebuggerError
from debugger.exports.csv_files import comparison_csv
from debugger.protocol.runs import Run
from debugger.session.comparison import RunComparison
from debugger.views import state
from debugger.views.audit import audited_file
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, named_backend
from debugger.views.components.status_badges import LOOKS
from debugger.views.components.toolbar import (
    Badge,
    Button,
    Line,
    Menu,
    MenuItem,
    SegmentedControl,
    Spacer,
    Text,
    Toggle,
    bar,
    bars,
)
from debugger.views.connections import HostedConnection
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.actions import SIDES, CompareState, Side
from debugger.views.panels.compare.facts import describe_costs
from debugger.views.panels.runs.scope import recorded_name
from debugger.views.run_state import CurrentRun
from debugger.views.times import shown_time
from debugger.views.url_state import BackendName, RunPlace

TAB_KEY = "compare_tab"


def pair_bar(seen: RunComparison, tabs: Sequence[str]) -> None:
    """Draw the sentence on the difference, the tabs, the menu of ignored values, and "More" (shift and CSV).

    Args:
        seen: The comparison.
        tabs: The names of the tabs; the first is the default. The chosen one is at `TAB_KEY`.
    """
    is_same, costs = seen.comparison.first is None, describe_costs(seen)
    state.begin_widget(TAB_KEY, tabs[0])
    lines = [
        Line(
            "compare_sentence",
            [
                Badge("Nothing differs", ":material/check:", "green", is_status=True)
                if is_same
                else Badge("Different", ":material/call_split:", "orange", is_status=True),
                Text(seen.sentence, look="message"),
                *([Text(costs, help="Versions has the totals of each run")] if costs else []),
            ],
        ),
        Line(
            "compare_tabs",
            [
                SegmentedControl(TAB_KEY, "What is compared", tabs, look="tabs"),
                Spacer(),
                _ignore_menu(seen),
            ],
            low=True,
        ),
    ]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="compare_header"):
        bars("compare_bar", lines)
        with st.popover("More", type="tertiary", key="compare_more"):
            _alignment(seen)
            _csv_button(seen)


def _ignore_menu(seen: RunComparison) -> Menu:
    """Return the menu with a switch for each kind of values whose differences can be ignored.

    The switches are set to what the comparison ignores.
    """
    items: list[MenuItem] = [Text("Differences in these do not count")]
    for each in IGNORED:
        key = actions.ignoring_key(each.name)
        state.set_widget(key, each.name in seen.ignoring)
        items.append(Toggle(key, each.name, help=f"Ignored: {each.covers}", on_change=actions.ignore))
    return Menu("compare_ignore", f"Ignore ({len(seen.ignoring)})", items)


def _alignment(seen: RunComparison) -> None:
    """Draw the number box of the turn of A that turn 1 of B is aligned with, set to the present one.

    A change sets `CompareState.shift` to the number less 1 and selects the first differing row.
    """
    state.set_widget(actions.SHIFT_KEY, seen.shift + 1)
    st.number_input(
        "Align turn 1 of B with",
        min_value=-9_998,
        max_value=9_999,
        step=1,
        key=actions.SHIFT_KEY,
        on_change=actions.move,
        help="The turn of A that is compared with turn 1 of B. For a fork it is the turn that the fork "
        "starts with.",
    )


def _csv_button(seen: RunComparison) -> None:
    """Draw the button that downloads the comparison as CSV; the file is made, and audited, at the click.

    The file has all rows of the comparison with what is ignored as it is drawn. The page does not rerun.
    """
    st.download_button(
        "Download CSV",
        key="compare_csv",
        data=audited_file(
            lambda: _csv(seen),
            seen.a.run.workflow_run_id,
            format="comparison",
            other_run_id=seen.b.run.workflow_run_id,
        ),
        file_name=f"compare-{seen.a.run.workflow_run_id}-{seen.b.run.workflow_run_id}.csv",
        mime="text/csv; charset=utf-8",
        icon=":material/download:",
        on_click="ignore",
        help="The rows of the comparison, as they are with what is ignored now",
    )


def _csv(seen: RunComparison) -> bytes:
    names = (name for run in (seen.a, seen.b) for name in own_names(run.workflow))
    return comparison_csv(seen.comparison, seen.names, names)


_MOST = 50
"""Runs that are offered of one list; any other is found by its id."""
_SHORT_ID = 6
_ENGINES: dict[BackendName, str] = {"embedded": "Embedded", "hosted": "Hosted", "recording": "Recording"}


def pickers() -> None:
    """Draw the page's title, the choice of both runs, and the buttons to swap and to reload them.

    Both buttons are disabled while no run is chosen.
    """
    offered = _offered()
    is_empty = not state.record(CompareState).places
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare_pickers"):
        st.markdown("### Compare", width="content")
        _picker("a", offered)
        swap = Button(
            "compare_swap",
            "Swap A and B",
            actions.swap,
            icon=":material/swap_horiz:",
            look="tertiary",
            shows="icon",
            disabled=is_empty,
        )
        bar("compare_swap_bar", [swap], low=True, width="content")
        _picker("b", offered)
        reload = Button(
            "compare_reload",
            "Reload",
            actions.reload,
            icon=":material/refresh:",
            look="tertiary",
            shows="icon",
            disabled=is_empty,
            help="Read both runs again: other clients may have continued them",
        )
        bar("compare_reload_bar", [reload], low=True, width="content")


def _picker(side: Side, offered: dict[str, str]) -> None:
    """Draw the box in which the run of a side is chosen or its id typed; a requested run counts as chosen.

    Args:
        side: The side.
        offered: Labels by text of a run's place; a chosen run that is not in it is put first.
    """
    compared = state.record(CompareState)
    place = compared.unread.get(side) or compared.places.get(side)
    chosen = place.text(state.record(CurrentBackend).name) if place else None
    run = compared.runs.get(side)
    if chosen is not None and place is not None and chosen not in offered:
        is_read = run is not None and run.run.workflow_run_id == place.name
        label = _label(place.backend, run.run) if run and is_read else chosen
        offered = {chosen: label if place.version is None else f"Replayed · {label}", **offered}
    state.set_widget(actions.picker_key(side), chosen)
    st.markdown(f"**{side.upper()}**", width="content")
    st.selectbox(
        f"Run {side.upper()}",
        list(offered),
        key=actions.picker_key(side),
        index=None,
        format_func=lambda text: offered.get(text, text),
        placeholder="Choose a run, or paste its id",
        accept_new_options=True,
        on_change=actions.choose,
        args=(side,),
        label_visibility="collapsed",
    )


def _offered() -> dict[str, str]:
    """Return the labels of the runs to choose from, by the text of their places.

    Runs of the workflow at hand come before those of any workflow, and those of the page's backend first.
    """
    own, workflow = state.record(CurrentBackend).name, _workflow_at_hand()
    lists = [(name, wanted) for name in _backends() for wanted in ((workflow, "") if workflow else ("",))]
    found: dict[str, str] = {}
    for name, wanted in sorted(lists, key=lambda pair: not pair[1]):
        for row in _runs(name, wanted):
            text = RunPlace(name, row.workflow_run_id).text(own)
            found.setdefault(text, _label(name, row))
    return found


def _backends() -> list[BackendName]:
    """Return the backends whose runs are offered, that of the page first.

    The embedded engine is always among them, the hosted API while its connection is open, a recording only as
    the page's backend.
    """
    own, others = state.record(CurrentBackend).name, list[BackendName](["embedded"])
    if state.record(HostedConnection).backend is not None:
        others.append("hosted")
    return [own, *(name for name in others if name != own)]


def _workflow_at_hand() -> str:
    """Return the id of the workflow of the compared runs, A's first, else of the run on view, else ""."""
    run, compared = state.record(CurrentRun), state.record(CompareState)
    runs = [compared.runs[side].run for side in SIDES if side in compared.runs]
    if runs:
        return runs[0].workflow_id
    return run.session.workflow_id if run.session else ""


def _runs(name: BackendName, workflow_id: str) -> list[Run]:
    """Return the newest runs of a backend, at most `_MOST`, from the cache; none where it cannot be read.

    Args:
        name: The backend.
        workflow_id: The workflow whose runs are meant; empty for all.
    """
    question = ("compare_runs", name, workflow_id)
    try:
        return state.record(BackendCache).ask(
            question, lambda: named_backend(name).runs(workflow_id=workflow_id or None, size=_MOST).rows
        )
    except DebuggerError:
        return []


def _workflow_names(name: BackendName) -> dict[str, str]:
    """Return the labels of a backend's workflows by id, from the cache.

    Where it cannot be read they are the last known ones, else none.
    """
    answers, question = state.record(BackendCache), ("compare_workflows", name)
    try:
        rows = answers.ask(question, lambda: named_backend(name).workflows())
    except DebuggerError:
        rows = answers.last(question) or []
    return {row.id: row.label for row in rows}


def _label(name: BackendName, run: Run) -> str:
    """Return a run's label: time, workflow, version, status and the end of its id.

    Where runs of several backends are offered, it names the engine, too.
    """
    parts = [
        shown_time(run.created_at, seconds=False)[5:],
        _workflow_names(name).get(run.workflow_id) or recorded_name(run),
        f"v{run.version_number}",
        LOOKS[run.status].word,
        _ENGINES[name] if len(_backends()) > 1 else "",
        f"…{run.workflow_run_id[-_SHORT_ID:]}",
    ]
    return " · ".join(part for part in parts if part)
