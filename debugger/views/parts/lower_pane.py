"""The pane below: what happened, how long it took, what it used, and what left for the world outside."""

from __future__ import annotations

import streamlit as st

from debugger.views import state
from debugger.views.parts.breakpoints import breakpoints
from debugger.views.parts.gantt import gantt, gantt_line
from debugger.views.parts.interventions import interventions
from debugger.views.parts.metrics import metrics, metrics_line
from debugger.views.parts.side_effects import side_effects, side_effects_line
from debugger.views.parts.timeline import timeline
from debugger.views.parts.timeline_filters import FILTER_KEYS, timeline_filters
from debugger.views.reading import Reading

VIEWS = ("Timeline", "Gantt", "Metrics", "Side effects", "Breakpoints", "Pins")


def lower_pane(now: Reading) -> None:
    """Draw the pane."""
    state.keep_widgets(FILTER_KEYS)
    with st.container(key="timeline_pane"):
        bar = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="timeline_filters")
        with bar:
            view = st.segmented_control(
                "Lower pane",
                VIEWS,
                key=state.LOWER_KEY,
                required=True,
                label_visibility="collapsed",
            )
        if view == "Breakpoints":
            breakpoints(now)
        elif view == "Pins":
            interventions(now)
        elif view == "Side effects":
            with bar:
                side_effects_line(now)
            side_effects(now)
        elif view == "Gantt":
            with bar:
                turn = gantt_line(now)
            gantt(now, turn)
        elif view == "Metrics":
            with bar:
                by = metrics_line(now)
            metrics(now, by)
        else:
            with bar:
                found = timeline_filters(now)
            timeline(now, found)
