"""The conversation, and the box to answer in."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.bubbles import Bubble
from debugger.views import commands, panes, state
from debugger.views.parts.bubbles import draw_bubbles
from debugger.views.parts.desk import desk
from debugger.views.parts.keyboard_scroll import keyboard_scroll
from debugger.views.parts.message_box.component import message_box
from debugger.views.parts.plain import count, plain
from debugger.views.reading import Reading

_HEIGHT = 240
_MOST_BUBBLES = 80
_CUT_OFF = 20


def conversation(now: Reading) -> None:
    """Draw what was said."""
    with st.container(border=True, height=_HEIGHT, key="conversation", autoscroll=True):
        if not now.bubbles:
            _empty(now)
        draw_bubbles(_latest(_shown(now)))
        if now.session.busy:
            st.caption(_at_work(now))
    if now.session.desk.pending is not None:
        desk(now)
    else:
        _message_box(now)
    keyboard_scroll("conversation", "Conversation")


def _at_work(now: Reading) -> str:
    """What a turn under way does."""
    if now.session.desk.pending is not None:
        return ":material/edit: A model's answer is asked of you below."
    if now.session.stop_point is not None:
        return ":material/pause_circle: The run stands still."
    reason = now.session.backend.capabilities.reason_against("live_events")
    return f":material/progress_activity: The workflow is working … {plain(reason or '')}"


def _told(now: Reading) -> str:
    """What is read aloud once a turn is over. The graph tells it itself while it is drawn."""
    return now.hint.sentence if state.widget(state.GRAPH_VIEW_KEY) == "Table" else ""


def _last_turn(now: Reading) -> int:
    return now.turns[-1].number if now.turns else 0


def _empty(now: Reading) -> None:
    with st.container(height="stretch", horizontal_alignment="center", vertical_alignment="center"):
        if now.session.busy:
            return
        if now.session.unread:
            told = f"Reading {count(now.session.unread, 'turn')} …"
            st.caption(f":material/progress_activity: {told}", width="content")
            return
        st.caption("What user and agent say appears here.", width="content")
        if now.session.status == "not_started":
            no_run = now.session.backend.capabilities.reason_against("run_turns")
            st.button(
                "Start the run",
                key="start_here",
                icon=":material/play_arrow:",
                on_click=panes.redrawing("workbench", commands.start),
                disabled=no_run is not None,
                help=plain(no_run) if no_run else None,
            )


def _shown(now: Reading) -> list[Bubble]:
    """The bubbles; in the demo view without the warnings, which are for whoever builds the workflow."""
    if not state.page().is_demo:
        return now.bubbles
    return [bubble for bubble in now.bubbles if bubble.role != "warning"]


def _latest(bubbles: list[Bubble]) -> list[Bubble]:
    """The last ones of a long conversation, and all of it on demand.

    Where they begin moves on by many at once, so that the first of them stay the same for some turns.
    """
    earlier = (len(bubbles) - _MOST_BUBBLES) // _CUT_OFF * _CUT_OFF
    if earlier <= 0:
        return bubbles
    is_whole = st.toggle(f"Show {count(earlier, 'earlier message')}", key="whole_conversation")
    return bubbles if is_whole else bubbles[earlier:]


def _message_box(now: Reading) -> None:
    no_run = now.session.backend.capabilities.reason_against("run_turns")
    takes_message = _takes_message(now)
    offers = now.suggestions if now.session.busy or takes_message else []
    message_box(
        "message",
        no_run or _asks(now),
        panes.redrawing("workbench", commands.send),
        disabled=not takes_message,
        offers=offers if now.is_scripted else None,
        given=state.widget(commands.DRAFT_KEY) or "",
        turn=_last_turn(now) if takes_message else None,
        told=_told(now),
    )


def _asks(now: Reading) -> str:
    """What the empty box says."""
    if now.session.unread:
        return "The run is being read."
    return "The turn is still running." if now.session.busy else now.hint.sentence


def _takes_message(now: Reading) -> bool:
    if now.session.backend.capabilities.reason_against("run_turns"):
        return False
    if now.session.busy or now.session.unread:
        return False
    return now.hint.kind == "message" or now.session.status == "not_started"
