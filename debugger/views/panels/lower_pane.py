"""The pane below: what happened, how long it took, what it used, and what left for the world outside."""

from __future__ import annotations

import streamlit as st

from debugger.views import state
from debugger.views.components.toolbar import Item, Switch, bar
from debugger.views.panels.breakpoints import breakpoints
from debugger.views.panels.gantt import gantt, gantt_line, turn_on_view
from debugger.views.panels.metrics import metrics, metrics_line
from debugger.views.panels.mocks import interventions
from debugger.views.panels.side_effects import side_effects, side_effects_file, side_effects_words
from debugger.views.panels.timeline import timeline, timeline_pager
from debugger.views.panels.timeline_filters import found_rows, keep_filters, more_filters, timeline_filters
from debugger.views.run_view import Reading

VIEWS = ("Timeline", "Gantt", "Metrics", "Side effects", "Breakpoints", "Pins")


def lower_pane(now: Reading) -> None:
    """Draw the pane."""
    keep_filters()
    view = state.widget(state.LOWER_KEY)
    with st.container(key="timeline_pane"):
        if view == "Breakpoints":
            _line([])
            breakpoints(now)
        elif view == "Pins":
            _line([])
            interventions(now)
        elif view == "Side effects":
            _line(side_effects_words(now))
            side_effects_file(now)
            side_effects(now)
        elif view == "Gantt":
            turn = turn_on_view(now)
            _line(gantt_line(turn))
            gantt(now, turn)
        elif view == "Metrics":
            _line(metrics_line(now))
            metrics(now)
        else:
            found = found_rows(now)
            page = timeline_pager(now, found)
            _line([*timeline_filters(now, found), *page.items])
            more_filters(now)
            timeline(now, found, page)


def _line(of_view: list[Item]) -> None:
    """Draw the choice of view, and what belongs to the view beside it.

    Always at the same place: else the keyboard would lose it with each view.
    """
    bar("lower_bar", [Switch(state.LOWER_KEY, "Lower pane", VIEWS), *of_view], low=True)
