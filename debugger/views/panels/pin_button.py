"""The button that pins what the chosen event has given."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.timeline import TimelineRow
from debugger.session.debug_setup import pin_of
from debugger.views import refresh
from debugger.views.auth.permissions import on_click
from debugger.views.components.markdown import plain
from debugger.views.panels import intervention_commands
from debugger.views.run_view import Reading


def pin_button(now: Reading, row: TimelineRow) -> None:
    """Draw it, where the event tells of an output."""
    if pin_of(now.turns[row.place], row.position) is None:
        return
    reason = now.session.backend.capabilities.reason_against("pins")
    st.button(
        "Pin this output",
        key="pin_event",
        icon=":material/push_pin:",
        args=(row.place, row.position),
        **on_click(
            refresh.redrawing("look", intervention_commands.pin_event),
            disabled=reason is not None,
            help=plain(reason) if reason else "The same is given from now on, instead of a real one",
        ),
    )
