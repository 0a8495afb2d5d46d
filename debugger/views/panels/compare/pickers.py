"""The choice of the two runs."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from debugger.backends.base import Page
from debugger.errors import DebuggerError
from debugger.protocol.runs import Run
from debugger.views import state
from debugger.views.backends import named_backend
from debugger.views.compare_address import RunPlace
from debugger.views.compare_state import SIDES, Side
from debugger.views.components.status_badges import LOOKS
from debugger.views.panels.compare import actions
from debugger.views.state import BackendName

_MOST = 50
"""Runs that are offered of one list; any other is found by its id."""
_SHORT_ID = 6
_ENGINES: dict[BackendName, str] = {"embedded": "Embedded", "hosted": "Hosted"}


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
            disabled=not state.page().compared.places,
            help="Let A be B and B be A",
        )
        _picker("b", offered)
        st.button(
            "Reload",
            key="compare_reload",
            icon=":material/refresh:",
            on_click=actions.reload,
            disabled=not state.page().compared.places,
            help="Read both runs again: others may have gone on with them",
        )


def _picker(side: Side, offered: dict[str, str]) -> None:
    page = state.page()
    place = page.compared.places.get(side)
    chosen = place.text(page.backend_name) if place else None
    run = page.compared.runs.get(side)
    if chosen is not None and place is not None and chosen not in offered:
        offered = {chosen: _label(place.backend, run.run) if run else chosen, **offered}
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
    """The runs to choose from: those of the workflow at hand first, the newest first. Words by text."""
    page = state.page()
    own = page.backend_name
    others: list[BackendName] = ["embedded"]
    if page.hosted_backend is not None:
        others.append("hosted")
    names = [own, *(name for name in others if name != own)]
    workflow = _workflow_at_hand()
    lists = [(name, wanted) for name in names for wanted in ((workflow, "") if workflow else ("",))]
    found: dict[str, str] = {}
    for name, wanted in sorted(lists, key=lambda pair: not pair[1]):
        for row in _runs(name, wanted):
            text = RunPlace(name, row.workflow_run_id).text(own)
            found.setdefault(text, _label(name, row))
    return found


def _workflow_at_hand() -> str:
    """The workflow of a run that is on view here, or else of the page Debug."""
    page = state.page()
    runs = [page.compared.runs[side].run for side in SIDES if side in page.compared.runs]
    if runs:
        return runs[0].workflow_id
    return page.session.workflow_id if page.session else ""


def _runs(name: BackendName, workflow_id: str) -> Iterator[Run]:
    """The newest runs of a backend; none where it fails, since any run can be found by its id."""
    try:
        found: Page[Run] = state.page().answers.ask(
            ("compare_runs", name, workflow_id),
            lambda: named_backend(name).runs(workflow_id=workflow_id or None, size=_MOST),
        )
    except DebuggerError:
        return
    yield from found.rows


def _workflow_names(name: BackendName) -> dict[str, str]:
    """Names by id; the last that were known where the backend fails."""
    answers, question = state.page().answers, ("compare_workflows", name)
    try:
        rows = answers.ask(question, lambda: named_backend(name).workflows())
    except DebuggerError:
        rows = answers.last(question) or []
    return {row.id: row.label for row in rows}


def _label(name: BackendName, run: Run) -> str:
    extra = run.model_extra or {}
    turns = extra.get("turn_count")
    parts = [
        (run.created_at or "").replace("T", " ")[5:16],
        _workflow_names(name).get(run.workflow_id) or str(extra.get("workflow_name") or run.workflow_id),
        f"v{run.version_number}",
        LOOKS[run.status].word,
        f"{turns} turns" if turns is not None else "",
        _ENGINES[name] if state.page().hosted_backend is not None else "",
        f"…{run.workflow_run_id[-_SHORT_ID:]}",
    ]
    return " · ".join(part for part in parts if part)
