"""Choice of both runs, their figures, and what is ignored."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.comparison.alignment import KINDS
from debugger.analysis.comparison.comparison import Totals
from debugger.analysis.comparison.ignored import IGNORED
from debugger.boundary import own_names
from debugger.errors import DebuggerError
from debugger.exports.csv_files import comparison_csv
from debugger.protocol.runs import Run
from debugger.session.comparison import RunComparison
from debugger.session.loading import RecordedRun
from debugger.views import state
from debugger.views.audit import audited_file
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, named_backend
from debugger.views.components.markdown import count, plain
from debugger.views.components.status_badges import LOOKS
from debugger.views.connections import HostedConnection
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.actions import SIDES, CompareState, Side
from debugger.views.panels.runs.scope import recorded_name
from debugger.views.run_state import CurrentRun
from debugger.views.times import shown_time
from debugger.views.url_state import BackendName, RunPlace

_HEAD = ("", "Run", "Engine", "Version", "Status", "Turns", "Events", "Duration", "Tokens")
_RIGHT = frozenset({"Turns", "Events", "Duration", "Tokens"})


def header(seen: RunComparison) -> None:
    """Draw where the runs differ first, the facts of both, how many rows differ, and the CSV download."""
    is_same = seen.comparison.first is None
    icon = ":material/check_circle:" if is_same else ":material/call_split:"
    (st.success if is_same else st.warning)(plain(seen.sentence), icon=icon)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="compare_header"):
        st.markdown(_table(seen), width="content")
        with st.container(gap="xsmall", width="stretch", key="compare_differing"):
            found = seen.comparison
            st.markdown(f"**{len(found.differing)}** of {count(len(found.rows), 'row')} differ")
            kinds = [f":gray-badge[{kind} {found.kinds[kind]}]" for kind in KINDS if kind in found.kinds]
            if kinds:
                st.markdown(" ".join(kinds))
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


def _table(seen: RunComparison) -> str:
    one, other = seen.totals
    a, b = seen.a.run, seen.b.run
    versions = "same" if a.version_number == b.version_number else "other version"
    if a.workflow_id != b.workflow_id:
        versions = "other workflow"
    rows = [
        ("**A**", *_of(seen.a, one)),
        ("**B**", *_of(seen.b, other)),
        ("**B − A**", "", "", versions, "", *_deltas(one, other)),
    ]
    lines = ["--:" if name in _RIGHT else "---" for name in _HEAD]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (_HEAD, lines, *rows))


def _of(run: RecordedRun, totals: Totals) -> tuple[str, ...]:
    look = LOOKS[run.run.status]
    return (
        f"`{run.run.workflow_run_id}`",
        plain(run.engine),
        f"{plain(run.workflow.name)} v{run.run.version_number}",
        f"{look.icon} {look.word}",
        str(totals.turns),
        str(totals.events),
        _milliseconds(totals.milliseconds),
        "–" if totals.tokens is None else str(totals.tokens),
    )


def _deltas(one: Totals, other: Totals) -> tuple[str, ...]:
    spent = None
    if one.milliseconds is not None and other.milliseconds is not None:
        spent = other.milliseconds - one.milliseconds
    tokens = None if one.tokens is None or other.tokens is None else other.tokens - one.tokens
    return (
        _signed(other.turns - one.turns),
        _signed(other.events - one.events),
        _milliseconds(spent, signed=True),
        "–" if tokens is None else _signed(tokens),
    )


def _signed(number: int) -> str:
    return f"{number:+d}".replace("-", "−") if number else "0"


def _milliseconds(spent: float | None, *, signed: bool = False) -> str:
    if spent is None:
        return "–"
    size, sign = abs(spent), ("+" if spent > 0 else "−") if signed and spent else ""
    return f"{sign}{size / 1000:.2f} s" if size >= 1000 else f"{sign}{size:.1f} ms"


_COVERS = "\n".join(f"- **{one.name}**: {one.covers}" for one in IGNORED)


def ignored_bar(seen: RunComparison) -> None:
    """Draw which values are ignored, and the turn of A that turn 1 of B is aligned with."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="compare_ignored"):
        names = [one.name for one in IGNORED]
        state.set_widget(actions.IGNORING_KEY, [name for name in names if name in seen.ignoring])
        st.pills(
            "Ignored",
            names,
            selection_mode="multi",
            key=actions.IGNORING_KEY,
            on_change=actions.ignore,
            help=f"Values whose differences are ignored while chosen.\n\n{_COVERS}",
            wrap=True,
        )
        st.space("stretch")
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
            width=150,
        )


_MOST = 50
"""Runs that are offered of one list; any other is found by its id."""
_SHORT_ID = 6
_ENGINES: dict[BackendName, str] = {"embedded": "Embedded", "hosted": "Hosted", "recording": "Recording"}


def pickers() -> None:
    """Draw both choices, with what can be done with the pair."""
    offered = _offered()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="compare_pickers"):
        _picker("a", offered)
        st.button(
            "Swap",
            key="compare_swap",
            icon=":material/swap_horiz:",
            on_click=actions.swap,
            disabled=not state.record(CompareState).places,
            help="Swap A and B",
        )
        _picker("b", offered)
        st.button(
            "Reload",
            key="compare_reload",
            icon=":material/refresh:",
            on_click=actions.reload,
            disabled=not state.record(CompareState).places,
            help="Read both runs again: other clients may have continued them",
        )


def _picker(side: Side, offered: dict[str, str]) -> None:
    compared = state.record(CompareState)
    place = compared.unread.get(side) or compared.places.get(side)
    chosen = place.text(state.record(CurrentBackend).name) if place else None
    run = compared.runs.get(side)
    if chosen is not None and place is not None and chosen not in offered:
        is_read = run is not None and run.run.workflow_run_id == place.run
        offered = {chosen: _label(place.backend, run.run) if run and is_read else chosen, **offered}
    state.set_widget(actions.picker_key(side), chosen)
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
    )


def _offered() -> dict[str, str]:
    own, workflow = state.record(CurrentBackend).name, _workflow_at_hand()
    lists = [(name, wanted) for name in _backends() for wanted in ((workflow, "") if workflow else ("",))]
    found: dict[str, str] = {}
    for name, wanted in sorted(lists, key=lambda pair: not pair[1]):
        for row in _runs(name, wanted):
            text = RunPlace(name, row.workflow_run_id).text(own)
            found.setdefault(text, _label(name, row))
    return found


def _backends() -> list[BackendName]:
    """Return the backends whose runs are offered, that of the page first."""
    own, others = state.record(CurrentBackend).name, list[BackendName](["embedded"])
    if state.record(HostedConnection).backend is not None:
        others.append("hosted")
    return [own, *(name for name in others if name != own)]


def _workflow_at_hand() -> str:
    run, compared = state.record(CurrentRun), state.record(CompareState)
    runs = [compared.runs[side].run for side in SIDES if side in compared.runs]
    if runs:
        return runs[0].workflow_id
    return run.session.workflow_id if run.session else ""


def _runs(name: BackendName, workflow_id: str) -> list[Run]:
    question = ("compare_runs", name, workflow_id)
    try:
        return state.record(BackendCache).ask(
            question, lambda: named_backend(name).runs(workflow_id=workflow_id or None, size=_MOST).rows
        )
    except DebuggerError:
        return []


def _workflow_names(name: BackendName) -> dict[str, str]:
    answers, question = state.record(BackendCache), ("compare_workflows", name)
    try:
        rows = answers.ask(question, lambda: named_backend(name).workflows())
    except DebuggerError:
        rows = answers.last(question) or []
    return {row.id: row.label for row in rows}


def _label(name: BackendName, run: Run) -> str:
    parts = [
        shown_time(run.created_at, seconds=False)[5:],
        _workflow_names(name).get(run.workflow_id) or recorded_name(run),
        f"v{run.version_number}",
        LOOKS[run.status].word,
        _ENGINES[name] if len(_backends()) > 1 else "",
        f"…{run.workflow_run_id[-_SHORT_ID:]}",
    ]
    return " · ".join(part for part in parts if part)
