"""The decisions of a turn, of the run or at an edge, to step through."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.decisions import OUTCOME_LABELS, DecisionRecord, Explainer
from debugger.protocol.events import COMPANION, reference_id
from debugger.views import refresh, state
from debugger.views.components.tables import ROW, table_height
from debugger.views.panels import why_commands

TABLE_KEY = "decisions"
_INDEXES_KEY = "decision_indexes"
_MOST_ROWS = 6
_WINDOW = 200


def decision_list(shown: Sequence[DecisionRecord], chosen: DecisionRecord, explainer: Explainer) -> None:
    """Draw the list around the chosen decision; choosing a row chooses its event.

    Args:
        shown: The decisions in their order, the chosen one among them.
        chosen: The one whose box is drawn.
        explainer: Knows what people call the nodes.
    """
    records = _window(shown, chosen)
    _show_choice(records, chosen)
    state.set_widget(_INDEXES_KEY, (chosen.index, [record.index for record in records]))
    if len(records) < len(shown):
        st.caption(f"{len(records)} of {len(shown)} decisions, around the chosen one")
    st.dataframe(
        {
            "hop": [record.hop_number for record in records],
            "turn": [record.turn_number for record in records],
            **_threads(records),
            "from": [explainer.label(record.source) for record in records],
            "to": [explainer.label(record.destination) if record.destination else "" for record in records],
            "how": [OUTCOME_LABELS[record.outcome] for record in records],
        },
        key=TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(records), _MOST_ROWS),
        on_select=refresh.redrawing("look", _choose),
        selection_mode="single-cell",
        column_config={
            "hop": st.column_config.NumberColumn("Hop", width=44, help="Its number in the graph"),
            "turn": st.column_config.NumberColumn("Turn", width=44),
            "thread": st.column_config.TextColumn("Thread", width=70),
            "from": st.column_config.TextColumn("From", width=100),
            "to": st.column_config.TextColumn("To", width=100),
            "how": st.column_config.TextColumn("How", width=104),
        },
        placeholder="",
        alt="Decisions: hop, turn, from, to, and how each was made",
    )


def _window(shown: Sequence[DecisionRecord], chosen: DecisionRecord) -> Sequence[DecisionRecord]:
    if len(shown) <= _WINDOW:
        return shown
    middle = next((at for at, record in enumerate(shown) if record is chosen), 0)
    first = max(0, min(middle - _WINDOW // 2, len(shown) - _WINDOW))
    return shown[first : first + _WINDOW]


def _threads(records: Sequence[DecisionRecord]) -> dict[str, list[str]]:
    """A column more where companion threads decide as well."""
    if not any(COMPANION in record.thread_id for record in records):
        return {}
    return {"thread": [reference_id(record.thread_id) or "" for record in records]}


def _show_choice(records: Sequence[DecisionRecord], chosen: DecisionRecord) -> None:
    """Make the table mark the decision whose box is drawn."""
    place = next((at for at, record in enumerate(records) if record is chosen), None)
    held = state.widget(TABLE_KEY)
    cells = held["selection"]["cells"] if held else []
    if place is not None and (not cells or cells[0][0] != place):
        column = cells[0][1] if cells else "hop"
        state.set_widget(TABLE_KEY, {"selection": {"rows": [], "columns": [], "cells": [[place, column]]}})


def _choose() -> None:
    cells = state.widget(TABLE_KEY)["selection"]["cells"]
    marked, indexes = state.widget(_INDEXES_KEY)
    # The table also tells of a row that was marked by the page itself.
    if cells and cells[0][0] < len(indexes) and indexes[cells[0][0]] != marked:
        why_commands.show_decision(indexes[cells[0][0]])
