"""The bar of the demo view: what is on view, how it stands in words, and what can be done with the run."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.transitions import transition_reason, transition_title
from debugger.session.session import DebugSession
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import plain
from debugger.views.components.status_badges import shown_status, status_badge
from debugger.views.components.toolbar import Button, Item, Space, Words, bar
from debugger.views.navigation import current_address
from debugger.views.panels import stepping_commands
from debugger.views.panels.demo_notes import demo_notes
from debugger.views.run_view import Reading
from debugger.views.shortcuts import keys


def demo_bar(now: Reading) -> None:
    """Draw the bar of a session."""
    session = now.session
    with st.container(gap="xxsmall", key="demo_bar"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            bar("demo_actions", [*_title(session), Space(), *_actions(session)])
            if session.run_id is not None:
                demo_notes(session.run_id)
                _present()
        st.caption(plain(_in_words(now)), width="stretch")


def _in_words(now: Reading) -> str:
    """Who waits for what, and how it came there."""
    if not now.position.hops or now.session.busy:
        return now.hint.sentence
    last = now.position.hops[-1]
    title, reason = transition_title(last, now.names), transition_reason(last, now.graph)
    return f"{now.hint.sentence} Last move: {title}. {reason}"


def _title(session: DebugSession) -> list[Item]:
    turn = [Words(f"Turn {session.turns[-1].number}")] if session.turns else []
    return [Words(session.workflow.name, look="strong"), status_badge(shown_status(session)), *turn]


def _actions(session: DebugSession) -> list[Item]:
    no_run = session.backend.capabilities.reason_against("run_turns")
    if session.status == "not_started" and not session.busy:
        start = Button(
            "start",
            "Start",
            refresh.redrawing("bar", actions.start),
            icon=":material/play_arrow:",
            look="primary",
            disabled=no_run is not None,
            help=no_run or "Begin the conversation",
            shortcut=keys("start"),
        )
        return [start]
    again = Button(
        "restart",
        "Begin again",
        refresh.redrawing("bar", actions.restart),
        icon=":material/restart_alt:",
        disabled=session.busy or bool(session.turns_to_load) or no_run is not None,
        help=no_run or "Begin another conversation; this one stays on record",
    )
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else no_run
    stop = Button(
        "stop",
        "Stop",
        refresh.redrawing("bar", actions.stop),
        icon=":material/stop:",
        disabled=session.is_over or bool(session.turns_to_load) or reason is not None,
        help=reason or "End the conversation",
        shortcut=keys("stop"),
    )
    return [*_go_on(session), again, stop]


def _go_on(session: DebugSession) -> list[Item]:
    if session.stop_point is None:
        return []
    go_on = Button(
        "resume",
        "Go on",
        refresh.redrawing("bar", stepping_commands.resume),
        icon=":material/play_arrow:",
        look="primary",
        help="It was made to stand still here",
        shortcut=keys("resume"),
    )
    return [go_on]


def _present() -> None:
    st.page_link(
        state.page().links["present"],
        label="Present",
        icon=":material/slideshow:",
        query_params=current_address().to_parameters(),
        help="Play this run step by step, full screen",
    )
