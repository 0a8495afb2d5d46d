"""The variables of a run: as they stood after the chosen event, what changed, and what is watched."""

from __future__ import annotations

import streamlit as st

from debugger.views import state
from debugger.views.parts.bar.component import Field, Switch, bar
from debugger.views.parts.changes_view import changes_view
from debugger.views.parts.values_view import values_view
from debugger.views.parts.watch_view import watch_view
from debugger.views.past import past
from debugger.views.reading import Reading

VIEWS = ("Values", "Changes", "Watch")
_VIEW_KEY, _FIND_KEY = "state_view", "state_find"
_FIND = Field(_FIND_KEY, "Find a variable", "Find …", ":material/search:", grows=True)


def scopes_tab(now: Reading) -> None:
    """Draw one of the three views of the variables."""
    state.begin_widget(_VIEW_KEY, VIEWS[0])
    view = state.widget(_VIEW_KEY)
    find = [] if view == "Watch" else [_FIND]
    bar("state_bar", [Switch(_VIEW_KEY, "Variables", VIEWS), *find], low=True)
    wanted = state.widget(_FIND_KEY, "") if find else ""
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
