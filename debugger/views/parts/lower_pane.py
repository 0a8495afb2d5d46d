"""The pane below: what happened, how long it took, what it used, and what left for the world outside."""

from __future__ import annotations

import streamlit as st

from debugger.views import state
from debugger.views.parts.bar.component import Switch, bar
from debugger.views.parts.breakpoints import breakpoints
from debugger.views.parts.gantt import gantt, gantt_line
from debugger.views.parts.interventions import interventions
from debugger.views.parts.metrics import metrics, metrics_line
from debugger.views.parts.side_effects import side_effects, side_effects_line
from debugger.views.parts.timeline import timeline
from debugger.views.parts.timeline_filters import keep_filters, more_filters, timeline_filters
from debugger.views.reading import Reading

VIEWS = ("Timeline", "Gantt", "Metrics", "Side effects", "Breakpoints", "Pins")


def lower_pane(now: Reading) -> None:
    """Draw the pane."""
    keep_filters()
    view = state.widget(state.LOWER_KEY)
    with st.container(key="timeline_pane"):
        line = st.container(
            horizontal=True, vertical_alignment="center", gap="xsmall", key="timeline_filters"
        )
        with line:
            filters = timeline_filters() if view == "Timeline" else []
            bar(
                "lower_bar",
                [Switch(state.LOWER_KEY, "Lower pane", VIEWS), *filters],
                width="content",
                low=True,
            )
        if view == "Breakpoints":
            breakpoints(now)
        elif view == "Pins":
            interventions(now)
        elif view == "Side effects":
            with line:
                side_effects_line(now)
            side_effects(now)
        elif view == "Gantt":
            with line:
                turn = gantt_line(now)
            gantt(now, turn)
        elif view == "Metrics":
            with line:
                by = metrics_line(now)
            metrics(now, by)
        else:
            timeline(now, more_filters(now))
