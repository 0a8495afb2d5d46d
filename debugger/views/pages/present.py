"""The page that plays a run to an audience, step by step, out of its record."""

from __future__ import annotations

import streamlit as st

from debugger.errors import DebuggerError
from debugger.session.playback import SPEEDS, Player
from debugger.session.session import DebugSession
from debugger.views import navigation, state
from debugger.views.backends import current_backend
from debugger.views.components.chat import Line, bubbles_box
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import plain
from debugger.views.panels import skin_commands
from debugger.views.panels.full_screen import full_screen_button
from debugger.views.panels.presentation_graph import stage_graph
from debugger.views.shortcuts import keys

_POLL_SECONDS = 0.25
_MOST_BUBBLES = 40
_ICONS = {
    "start": ":material/flag:",
    "said": ":material/chat_bubble:",
    "moved": ":material/trending_flat:",
    "failed": ":material/dangerous:",
    "end": ":material/sports_score:",
}


def render() -> None:
    """Draw the page."""
    try:
        current_backend()
        navigation.follow_address()
    except DebuggerError as error:
        show_error(error)
        st.page_link(state.page().links["connection"], label="Open Connection", icon=":material/cable:")
        return
    page = state.page()
    if page.error is not None:
        show_error(page.error)
    session = page.session
    if session is None or not session.turns:
        _empty()
        return
    player = skin_commands.player_of(session)
    st.fragment(_stage, run_every=_POLL_SECONDS if player.is_playing else None)(session, player.is_playing)


def _empty() -> None:
    st.markdown("### Present")
    st.caption("A run is played here step by step, for people who want to see it and not how it is made.")
    st.caption("No run is on view: open a recorded one, or hold a conversation first.")
    links = state.page().links
    st.page_link(links["runs"], label="Choose a run", icon=":material/history:")
    st.page_link(links["debug"], label="Start one", icon=":material/play_arrow:")


def _stage(session: DebugSession, was_playing: bool) -> None:
    """Everything that moves; a fragment, so that playing leaves the rest of the page alone."""
    player = skin_commands.player_of(session)
    player.look()
    with st.container(key="stage", gap="small"):
        _title(session, player)
        with st.container(key="stage_panes"):
            _talk(session, player)
            with st.container(key="stage_graph"):
                stage_graph(player)
        _controls(player)
    state.show_address(navigation.current_address())
    if player.is_playing != was_playing:
        st.rerun()  # only a full run begins or ends the polling


def _title(session: DebugSession, player: Player) -> None:
    step = player.step
    with st.container(key="stage_title", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(session.workflow.name)}**", width="content")
            turns = len(player.recording.turn_starts)
            st.caption(f"Turn {step.turn_number} of {turns}", width="content")
        told = f"{_ICONS[step.kind]} **{plain(step.title)}**"
        st.markdown(f"{told} — {plain(step.reason)}" if step.reason else told)


def _talk(session: DebugSession, player: Player) -> None:
    said = player.recording.bubbles_at(player.number)
    bubbles_box(
        "stage_talk",
        said[-_MOST_BUBBLES:],
        height=480,
        turns=False,
        soft=True,
        empty=None if said else Line("What is said appears here."),
        page=session.run_id,
    )


def _controls(player: Player) -> None:
    recording = player.recording
    st.progress(player.number / recording.last, f"Step {player.number} of {recording.last}")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="stage_controls"):
        _move("Previous turn", "play_previous_turn", ":material/skip_previous:", player, -1, of_turn=True)
        _move("Back", "play_previous", ":material/chevron_left:", player, -1)
        st.button(
            "Pause" if player.is_playing else "Play",
            key="play",
            type="primary",
            icon=":material/pause:" if player.is_playing else ":material/play_arrow:",
            on_click=skin_commands.play_or_pause,
            shortcut=keys("play"),
            help="Play it again" if player.is_at_end else None,
        )
        _move("Next", "play_next", ":material/chevron_right:", player, 1)
        _move("Next turn", "play_next_turn", ":material/skip_next:", player, 1, of_turn=True)
        st.space("stretch")
        _choices(player)
        full_screen_button()


def _move(label: str, name: str, icon: str, player: Player, by: int, *, of_turn: bool = False) -> None:
    st.button(
        label,
        key=name,
        icon=icon,
        on_click=skin_commands.turn_by if of_turn else skin_commands.step_by,
        args=(by,),
        disabled=player.is_at_end if by > 0 else player.number == 0,
        shortcut=keys(name),
    )


def _choices(player: Player) -> None:
    state.set_widget(skin_commands.TURN_KEY, player.step.turn_number)
    st.selectbox(
        "Jump to turn",
        sorted({*player.recording.turn_starts, player.step.turn_number}),
        key=skin_commands.TURN_KEY,
        format_func=lambda number: f"Turn {number}",
        on_change=skin_commands.go_to_turn,
        label_visibility="collapsed",
        width=116,
    )
    state.set_widget(skin_commands.SPEED_KEY, player.speed)
    st.segmented_control(
        "Speed",
        SPEEDS,
        key=skin_commands.SPEED_KEY,
        format_func=lambda speed: f"{speed:g}×",
        on_change=skin_commands.set_speed,
        required=True,
        label_visibility="collapsed",
    )
