"""The inspector: what a chosen event, node or turn holds."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from debugger.analysis.timeline import TimelineRow
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Break, Button, Item, Space, Switch, Words, bar
from debugger.views.panels.copy_as import copy_as
from debugger.views.panels.latest_button import latest_button
from debugger.views.panels.node_tab import node_tab
from debugger.views.panels.notes import notes_tab
from debugger.views.panels.pin_button import pin_button
from debugger.views.panels.turn_actions import fork_button
from debugger.views.panels.variables import scopes_tab, scopes_views
from debugger.views.panels.why import why_tab
from debugger.views.run_view import Reading
from debugger.views.shortcuts import keys

_Draw = Callable[[Reading], None]
_HEIGHT = 716


def inspector(now: Reading) -> None:
    """Draw the inspector."""
    with st.container(border=True, height=_HEIGHT, key="inspector"):
        tab = state.widget(state.TAB_KEY)
        tabs = Switch(state.TAB_KEY, "Inspector", list(TABS), wide=True)
        moment = _moment(now) if tab in _AT_A_MOMENT else []
        views = [Break(), *scopes_views()] if tab == "State" else []
        bar("inspector_bar", [tabs, *moment, *views], low=True)
        TABS[tab](now)


def _moment(now: Reading) -> list[Item]:
    """Which event is looked at, with the way to its neighbours and back to the present."""
    return [
        Words(_where(now)),
        Space(),
        _turn_step("previous", ":material/keyboard_double_arrow_left:", -1, now),
        _step("previous", ":material/chevron_left:", -1, len(now.rows)),
        _step("next", ":material/chevron_right:", 1, len(now.rows)),
        _turn_step("next", ":material/keyboard_double_arrow_right:", 1, now),
        latest_button("latest"),
    ]


def _where(now: Reading) -> str:
    index = state.page().event
    if index is None:
        return "After the latest event" if now.rows else "Before any event"
    row = now.rows[index]
    return f"After event {index} · turn {row.turn_number}{', background' if row.is_background else ''}"


def _step(name: str, icon: str, by: int, count: int) -> Button:
    index = state.page().event
    return Button(
        f"{name}_event",
        f"{name.capitalize()} event",
        refresh.redrawing("look", actions.step_event),
        (by,),
        icon=icon,
        look="tertiary",
        shows="icon",
        disabled=not 0 <= (count if index is None else index) + by < count,
        shortcut=keys(f"{name}_event"),
        names_keys=False,  # there is no room for them; its help names them
        counts=True,
    )


def _turn_step(name: str, icon: str, by: int, now: Reading) -> Button:
    last = now.turns[-1].number if now.turns else 0
    return Button(
        f"{name}_turn",
        f"{name.capitalize()} turn",
        refresh.redrawing("look", actions.step_turn),
        (by,),
        icon=icon,
        look="tertiary",
        shows="icon",
        disabled=not 0 < _turn_number(now) + by <= last,
        shortcut=keys(f"{name}_turn"),
        names_keys=False,
        counts=True,
    )


def _turn_number(now: Reading) -> int:
    """The turn of the chosen event, or the last one."""
    index = state.page().event
    if index is not None:
        return now.rows[index].turn_number
    return now.turns[-1].number if now.turns else 0


def _event(now: Reading) -> None:
    if not now.rows:
        st.caption("Choose a row of the timeline to see the event as it was sent.")
        return
    row = _row(now)
    st.markdown(f"**{plain(row.type)}**")
    st.text(row.summary)
    pin_button(now, row)
    event: Event = now.turns[row.place].events[row.position]
    st.json(event.to_wire(), expanded=2)


def _input(now: Reading) -> None:
    if not now.turns:
        st.caption("What a turn was given appears here once it has begun.")
        return
    turn = now.turns[_row(now).place if state.page().event is not None else -1]
    what = "background work after turn" if turn.is_background else "turn"
    st.markdown(f"###### Input of {what} {turn.number}")
    with st.container(horizontal=True, gap="xsmall", key="input_actions"):
        copy_as(now.session, turn)
        bar("turn_bar", [fork_button(now.session, turn.number, "fork_here")], width="content")
    given: JsonObject = turn.run_input.to_wire()
    st.json(given, expanded=2)


def _row(now: Reading) -> TimelineRow:
    """The chosen event's row, or the last one."""
    index = state.page().event
    return now.rows[-1 if index is None else index]


TABS: dict[str, _Draw] = {
    "State": scopes_tab,
    "Why": why_tab,
    "Event": _event,
    "Node": node_tab,
    "Input": _input,
    "Notes": notes_tab,
}
"""What draws each tab, by its name."""
_AT_A_MOMENT = ("State", "Event")
"""Tabs that show the run as it was after the chosen event."""
