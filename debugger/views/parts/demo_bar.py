"""The bar of the demo view: what is on view, how it stands in words, and what can be done with the run."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.moves import move_reason, move_title
from debugger.views import commands, panes, state, stepping_commands
from debugger.views.linking import current_address
from debugger.views.parts.demo_notes import demo_notes
from debugger.views.parts.plain import plain
from debugger.views.parts.status import shown_status, status_badge
from debugger.views.reading import Reading
from debugger.views.shortcuts import keys


def demo_bar(now: Reading) -> None:
    """Draw the bar of a session."""
    session = now.session
    with st.container(gap="xxsmall", key="demo_bar"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"**{plain(session.workflow.name)}**", width="content")
            status_badge(shown_status(session))
            if session.turns:
                st.caption(f"Turn {session.turns[-1].number}", width="content")
            st.space("stretch")
            _actions(now)
        st.caption(plain(_in_words(now)), width="stretch")


def _in_words(now: Reading) -> str:
    """Who waits for what, and how it came there."""
    if not now.position.hops or now.session.busy:
        return now.hint.sentence
    last = now.position.hops[-1]
    return f"{now.hint.sentence} Last move: {move_title(last, now.names)}. {move_reason(last, now.graph)}"


def _actions(now: Reading) -> None:
    session = now.session
    no_run = session.backend.capabilities.reason_against("run_turns")
    if session.status == "not_started" and not session.busy:
        st.button(
            "Start",
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            shortcut=keys("start"),
            on_click=panes.redrawing("bar", commands.start),
            disabled=no_run is not None,
            help=plain(no_run) if no_run else "Begin the conversation",
        )
        return
    if session.stop_point is not None:
        st.button(
            "Go on",
            key="resume",
            type="primary",
            icon=":material/play_arrow:",
            shortcut=keys("resume"),
            on_click=panes.redrawing("bar", stepping_commands.resume),
            help="It was made to stand still here",
        )
    st.button(
        "Begin again",
        key="restart",
        icon=":material/restart_alt:",
        on_click=panes.redrawing("bar", commands.restart),
        disabled=session.busy or bool(session.unread) or no_run is not None,
        help=plain(no_run) if no_run else "Begin another conversation; this one stays on record",
    )
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else no_run
    st.button(
        "Stop",
        key="stop",
        icon=":material/stop:",
        on_click=panes.redrawing("bar", commands.stop),
        disabled=session.is_over or bool(session.unread) or reason is not None,
        shortcut=keys("stop"),
        help=plain(reason) if reason else "End the conversation",
    )
    if session.run_id is not None:
        demo_notes(session.run_id)
        st.page_link(
            state.page().links["present"],
            label="Present",
            icon=":material/slideshow:",
            query_params=current_address().to_parameters(),
            help="Play this run step by step, full screen",
        )
