"""The bar above everything: what is on view, how it stands, and what can be done with the run."""

from __future__ import annotations

from html import escape

import streamlit as st

from debugger.session.session import DebugSession
from debugger.views import commands, panes, state
from debugger.views.parts.background import background
from debugger.views.parts.export_menu import export_menu
from debugger.views.parts.lineage import lineage
from debugger.views.parts.plain import plain
from debugger.views.parts.policies import policies_of
from debugger.views.parts.status import shown_status, status_badge
from debugger.views.parts.stepping import stepping
from debugger.views.parts.turn_actions import turn_actions
from debugger.views.reading import Reading
from debugger.views.shortcuts import keys
from debugger.views.state import BackendName

_ICONS: dict[BackendName, str] = {
    "embedded": ":material/memory:",
    "hosted": ":material/cloud:",
    "recording": ":material/movie:",
}


def context_bar(now: Reading) -> None:
    """Draw the bar of a session."""
    session = now.session
    with st.container(gap="xxsmall", key="context_bar"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"**{plain(session.workflow.name)}**", width="content")
            if session.version_number is not None:
                st.badge(f"v{session.version_number}", color="gray")
            st.badge(plain(session.backend.name), icon=_icon(), color="gray")
            status_badge(shown_status(session))
            st.space("stretch")
            _actions(session)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="run_line"):
            _run(session)
            turn_actions(now)
            lineage(now)
            _outside(now)
            st.space("stretch")
            stepping(now)
        background(now)


def _icon() -> str:
    return _ICONS[state.page().backend_name]


def _run(session: DebugSession) -> None:
    if session.run_id:
        # Not `st.code`: what that loads to colour programs takes the browser a quarter of a second.
        st.html(f'<span class="run_id">Run <code>{escape(session.run_id)}</code></span>', width="content")
    elif not session.turns:
        st.caption("No run yet: fill in the input on the left, then start.", width="content")
    if session.turns:
        st.caption(f"Turn {session.turns[-1].number}", width="content")
    if session.elapsed:
        st.caption(_duration(session.elapsed), width="content")
    if session.run_id and not session.busy and not session.unread:
        st.button(
            "Reload",
            key="reload_run",
            type="tertiary",
            icon=":material/refresh:",
            on_click=commands.reload_run,
            help="Read the run again: others may have gone on with it",
        )


def _outside(now: Reading) -> None:
    """The calls outside: their totals, or before a run what will happen to them."""
    if now.effects:
        is_quiet = all(effect.outcome == "ok" for effect in now.effects)
        st.badge(
            f"Outside: {plain(now.outside)}",
            icon=":material/output:",
            color="gray" if is_quiet else "orange",
        )
    elif now.session.status == "not_started":
        st.caption(plain(policies_of(now)), width="content")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _actions(session: DebugSession) -> None:
    no_run = session.backend.capabilities.reason_against("run_turns")
    can_stop = session.busy or (session.run_id is not None and not session.is_over and not session.unread)
    if session.status == "not_started" and not session.busy:
        st.button(
            "Start",
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            shortcut=keys("start"),
            on_click=panes.redrawing("bar", commands.start),
            disabled=no_run is not None,
            help=plain(no_run) if no_run else "Begin a run with the input on the left",
        )
    else:
        st.button(
            "Restart",
            key="restart",
            icon=":material/restart_alt:",
            on_click=panes.redrawing("bar", commands.restart),
            disabled=session.busy or bool(session.unread) or no_run is not None,
            help=plain(no_run)
            if no_run
            else "Begin another run with the input on the left; this one stays on record",
        )
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else no_run
    st.button(
        "Stop",
        key="stop",
        icon=":material/stop:",
        on_click=panes.redrawing("bar", commands.stop),
        disabled=not can_stop or reason is not None,
        help=plain(reason) if reason else "End the run",
        shortcut=keys("stop"),
    )
    export_menu(session)
