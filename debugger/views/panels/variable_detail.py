"""One chosen variable: its whole value, who set it, what it was before."""

from __future__ import annotations

from typing import Any

import streamlit as st

from debugger.views import actions, refresh, state
from debugger.views.components.json_cell import json_cell
from debugger.views.components.markdown import count, plain
from debugger.views.history_cache import Past
from debugger.views.panels import why_commands

_MOST_VALUES = 12


def variable_detail(held: Past, scope: str, name: str, value: Any) -> None:
    """Draw a variable in full, since a cell shows only its beginning.

    Args:
        held: The run's past.
        scope: The variable's scope, as ``runtime`` or ``thread_lab``.
        name: Its name in it.
        value: Its value at the chosen event.
    """
    key = f"{scope}_{name}"
    with st.container(border=True, gap="xxsmall", key=f"detail_{scope}"):
        st.caption(plain(f"{scope}.{name}"))
        whole_value(value)
        with st.container(horizontal=True, gap="xxsmall"):
            _who(held, scope, name)
            st.button(
                "Watch",
                key=f"watch_{key}",
                icon=":material/visibility:",
                type="tertiary",
                on_click=why_commands.add_watch,
                args=(f"{scope}.{name}",),
                help="Follow its value over the run, under Watch",
            )
        _earlier(held, scope, name)


def whole_value(value: Any) -> None:
    """Draw a value in full."""
    if isinstance(value, dict | list):
        st.json(value, expanded=2)
    elif isinstance(value, str):
        st.text(value or "(an empty text)")
    else:
        st.text(json_cell(value))


def _who(held: Past, scope: str, name: str) -> None:
    setting = held.history.last_set(scope, name, state.page().event)
    if setting is None:
        st.caption("Nothing in this run set it.", width="content")
        return
    st.button(
        f"Set by event {setting.index} · turn {setting.turn_number}",
        key=f"who_{scope}_{name}",
        icon=":material/my_location:",
        type="tertiary",
        on_click=refresh.redrawing("look", actions.select_event),
        args=(setting.index,),
        help="Who set this? Go to the event that changed it last before the chosen one",
    )


def _earlier(held: Past, scope: str, name: str) -> None:
    settings = held.history.settings(scope, name)
    if len(settings) < 2:
        return
    shown = settings[-_MOST_VALUES:]
    with st.expander(count(len(settings), "value") + " over the run", type="compact", key=f"values_{scope}"):
        st.table(
            {
                "event": [setting.index for setting in shown],
                "turn": [setting.turn_number for setting in shown],
                "value": [
                    "removed" if setting.op == "removed" else plain(json_cell(setting.after))
                    for setting in shown
                ],
            }
        )
