"""The variables of a run: as they stood after the chosen event, what changed, and what is watched."""

from __future__ import annotations

import streamlit as st

from debugger.views import state
from debugger.views.components.toolbar import Field, Item, Switch
from debugger.views.history_cache import past
from debugger.views.panels.changes_view import changes_view
from debugger.views.panels.values_view import values_view
from debugger.views.panels.watches import watch_view
from debugger.views.run_view import Reading

VIEWS = ("Values", "Changes", "Watch")
_VIEW_KEY, _FIND_KEY = "state_view", "state_find"
_FIND = Field(_FIND_KEY, "Find a variable", "Find …", ":material/search:", grows=True)


def scopes_views() -> list[Item]:
    """The choice of view, and the search in it, for a bar."""
    state.begin_widget(_VIEW_KEY, VIEWS[0])
    find = [] if state.widget(_VIEW_KEY) == "Watch" else [_FIND]
    return [Switch(_VIEW_KEY, "Variables", VIEWS), *find]


def scopes_tab(now: Reading) -> None:
    """Draw one of the three views of the variables."""
    view, wanted = state.widget(_VIEW_KEY), state.widget(_FIND_KEY, "")
    if not now.turns:
        st.caption(
            "The variables of the run appear here, scope by scope, as they stood after the chosen event."
        )
        return
    index = state.page().event
    at = len(now.rows) - 1 if index is None else index
    held = past(now)
    if view == "Watch":
        watch_view(held)
    elif view == "Changes":
        changes_view(now, held, at, wanted)
    else:
        values_view(held, at, wanted)
