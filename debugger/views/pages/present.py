"""Page that plays a recorded run step by step."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from debugger.errors import DebuggerError
from debugger.graph.graph import Graph
from debugger.graph.layout import Layout, layout
from debugger.session.playback import SPEEDS, Player, Recording
from debugger.session.session import DebugSession
from debugger.views import navigation, state
from debugger.views.actions import command
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import current_backend
from debugger.views.components.chat import Line, chat_box
from debugger.views.components.error_box import show_error
from debugger.views.components.graph.component import graph_direction, workflow_graph
from debugger.views.components.graph.node_states import node_states
from debugger.views.components.graph.props import geometry, version_of
from debugger.views.components.markdown import plain
from debugger.views.run_state import CurrentRun
from debugger.views.shortcuts import keys
from debugger.views.state import LastAction, PageLinks

_POLL_SECONDS = 0.25
_MOST_BUBBLES = 40
_ICONS = {
    "start": ":material/flag:",
    "said": ":material/chat_bubble:",
    "moved": ":material/trending_flat:",
    "failed": ":material/dangerous:",
    "end": ":material/sports_score:",
}


@dataclass
class _Presentation:
    """The run that is presented."""

    player: Player | None = None
    """The player, and how far it has come."""


def render() -> None:
    """Draw the page."""
    try:
        current_backend()
        navigation.follow_address()
    except DebuggerError as error:
        show_error(error)
        st.page_link(
            state.record(PageLinks).by_name["connection"], label="Open Connection", icon=":material/cable:"
        )
        return
    last = state.record(LastAction)
    if last.error is not None:
        show_error(last.error)
    session = state.record(CurrentRun).session
    if session is None or not session.turns:
        _empty()
        return
    player = player_of(session)
    st.fragment(_stage, run_every=_POLL_SECONDS if player.is_playing else None)(session, player.is_playing)


def _empty() -> None:
    st.markdown("### Present")
    st.caption("A run is played here step by step, for people who want to see it and not how it is made.")
    st.caption("No run is on view: open a recorded one, or hold a conversation first.")
    links = state.record(PageLinks).by_name
    st.page_link(links["runs"], label="Choose a run", icon=":material/history:")
    st.page_link(links["debug"], label="Start one", icon=":material/play_arrow:")


def _stage(session: DebugSession, was_playing: bool) -> None:
    player = player_of(session)
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
        line = f"{_ICONS[step.kind]} **{plain(step.title)}**"
        st.markdown(f"{line} — {plain(step.reason)}" if step.reason else line)


def _talk(session: DebugSession, player: Player) -> None:
    said = player.recording.bubbles_at(player.number)
    chat_box(
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
            on_click=play_or_pause,
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
        on_click=turn_by if of_turn else step_by,
        args=(by,),
        disabled=player.is_at_end if by > 0 else player.number == 0,
        shortcut=keys(name),
    )


def _choices(player: Player) -> None:
    state.set_widget(TURN_KEY, player.step.turn_number)
    st.selectbox(
        "Jump to turn",
        sorted({*player.recording.turn_starts, player.step.turn_number}),
        key=TURN_KEY,
        format_func=lambda number: f"Turn {number}",
        on_change=go_to_turn,
        label_visibility="collapsed",
        width=116,
    )
    state.set_widget(SPEED_KEY, player.speed)
    st.segmented_control(
        "Speed",
        SPEEDS,
        key=SPEED_KEY,
        format_func=lambda speed: f"{speed:g}×",
        on_change=set_speed,
        required=True,
        label_visibility="collapsed",
    )


_HTML = '<button type="button"></button>'
_STYLE = """
button { width: 100%; min-height: 34px; font: 400 14px var(--st-font); cursor: pointer;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); white-space: nowrap; }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
button:disabled { opacity: .5; cursor: default; }
"""
_SCRIPT = """
export default function ({ parentElement }) {
  const button = parentElement.querySelector("button");
  const tell = () => {
    button.textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
  };
  button.disabled = !document.fullscreenEnabled;
  button.title = button.disabled ? "This browser does not allow it here" : "";
  button.onclick = () => document.fullscreenElement
    ? document.exitFullscreen() : document.documentElement.requestFullscreen().catch(() => {});
  document.addEventListener("fullscreenchange", tell);
  tell();
  return () => document.removeEventListener("fullscreenchange", tell);
}
"""

_BUTTON = st.components.v2.component("full_screen", html=_HTML, css=_STYLE, js=_SCRIPT)


def full_screen_button() -> None:
    """Draw the button."""
    _BUTTON(key="full_screen", height=36, width=136)


_HEIGHT = 480
_WORDS = {
    "say_llm": "talks",
    "say_static": "says",
    "worker_llm": "understands",
    "field_extractor": "understands",
    "tool_node": "looks up",
    "http_request": "looks up",
    "send_sms": "sends a message",
    "super_node": "several steps",
}
"""What a node does, by its type; the others are a step."""


def stage_graph(player: Player) -> None:
    """Draw the graph at the player's step."""
    recording, step = player.recording, player.step
    position = recording.position_at(player.number)
    shape = geometry(_layout(player), recording.graph, position.ghosts)
    if not shape["nodes"]:
        st.caption("This version of the workflow has no nodes to show.")
        return
    for node in shape["nodes"]:
        config = recording.graph.nodes.get(node["id"])
        node["caption"] = _WORDS.get((config.type or "") if config else "", "step")
        node["title"] = config.label if config else node["title"]
    shape["version"] = version_of(shape)
    workflow_graph(
        shape,
        node_states(position, recording.graph),
        height=_HEIGHT,
        aria_label=f"{step.title}. {step.reason}",
        stamp=f"{player.number}.{player.edition}",
        on_choose=lambda _element: None,  # a presentation has nothing to look into
    )


def _layout(player: Player) -> Layout:
    direction = graph_direction()
    placed: Layout = state.record(BackendCache).ask(
        ("stage", player.edition, direction), lambda: layout(player.recording.graph, direction)
    )
    return placed


SPEED_KEY = "play_speed"


TURN_KEY = "play_turn"


def player_of(session: DebugSession) -> Player:
    """Return the player of the run on view.

    A new one is made where the run is another or has new events.
    """
    presentation = state.record(_Presentation)
    turns = session.turns
    edition = f"{session.run_id} {session.status} {len(turns)} {sum(len(turn.events) for turn in turns)}"
    if presentation.player is None or presentation.player.edition != edition:
        presentation.player = Player(edition, Recording(turns, Graph(session.workflow), session.status))
    return presentation.player


@command
def play_or_pause() -> None:
    """Let the presentation go on by itself, or pause."""
    if (player := state.record(_Presentation).player) is not None:
        player.play_or_pause()


@command
def step_by(by: int) -> None:
    """Show the presentation's step so many further on."""
    if (player := state.record(_Presentation).player) is not None:
        player.step_by(by)


@command
def turn_by(by: int) -> None:
    """Show the beginning of the next (1) or previous (-1) turn."""
    if (player := state.record(_Presentation).player) is not None:
        player.turn_by(by)


@command
def go_to_turn() -> None:
    """Show the beginning of the turn that was chosen."""
    player, chosen = state.record(_Presentation).player, state.widget(TURN_KEY)
    if player is not None and chosen is not None:
        player.go_to_turn(chosen)


@command
def set_speed() -> None:
    """Play as fast as was chosen."""
    player, chosen = state.record(_Presentation).player, state.widget(SPEED_KEY)
    if player is not None and chosen is not None:
        player.speed = chosen
