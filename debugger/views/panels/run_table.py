"""The list of runs: a row each, to be opened by a click and chosen by its box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from debugger.protocol.notes import RunLabels
from debugger.protocol.runs import Run
from debugger.views import state
from debugger.views.components.status_badges import LOOKS
from debugger.views.components.tables import ROW, table_height

TABLE_KEY = "runs"
_IDS_KEY = "run_ids"
_MOST_ROWS = 18


def clicked_run() -> str | None:
    """The id of the run whose cell was clicked, once; ask before the list is drawn again."""
    held = state.widget(TABLE_KEY)
    cells = held["selection"]["cells"] if held else []
    if not cells:
        return None
    state.forget_widget(TABLE_KEY)
    found: str = state.widget(_IDS_KEY)[cells[0][0]]
    return found


def chosen_runs(rows: Sequence[Run]) -> list[str]:
    """The ids of the runs whose boxes are ticked, in the list's order. Boxes move along with their rows."""
    held, before = state.widget(TABLE_KEY), state.widget(_IDS_KEY, [])
    ids = [row.workflow_run_id for row in rows]
    ticked = {before[place] for place in held["selection"]["rows"]} if held else set()
    if held and ids != before:
        places = [place for place, run_id in enumerate(ids) if run_id in ticked]
        state.set_widget(TABLE_KEY, {"selection": {"rows": places, "columns": [], "cells": []}})
    state.set_widget(_IDS_KEY, ids)
    return [run_id for run_id in ids if run_id in ticked]


def run_table(rows: Sequence[Run], names: Mapping[str, str], marks: Mapping[str, RunLabels]) -> None:
    """Draw the rows."""
    words = [LOOKS[row.status].word for row in rows]
    noted = [marks.get(row.workflow_run_id, RunLabels()) for row in rows]
    tags = sorted({tag for mark in noted for tag in mark.tags})
    st.dataframe(
        {
            "star": ["★" if mark.starred else "" for mark in noted],
            "began": [(row.created_at or "").replace("T", " ")[:19] for row in rows],
            "workflow": [names.get(row.workflow_id, row.workflow_id) for row in rows],
            "version": [row.version_number for row in rows],
            "status": [[word] for word in words],
            "turns": [(row.model_extra or {}).get("turn_count") for row in rows],
            "tags": [mark.tags for mark in noted],
            "note": [" ".join(mark.note.split()) for mark in noted],
            "by": [row.run_by or "" for row in rows],
            "parent": [_parent(row) for row in rows],
            "id": [row.workflow_run_id for row in rows],
        },
        key=TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows), _MOST_ROWS),
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        column_config=_columns(sorted(set(words)), tags),
        alt="Runs, the newest first",
    )


def _parent(run: Run) -> str:
    """The run that it was forked from, and after which turn."""
    source, index = run.source_workflow_run_id, run.checkpoint_source_turn_index
    if not source:
        return ""
    return f"…{source[-6:]}" if index is None else f"…{source[-6:]} · turn {index + 1}"


def _columns(words: Sequence[str], tags: Sequence[str]) -> dict[str, ColumnConfig]:
    columns = st.column_config
    colours = {look.word: look.colour for look in LOOKS.values()}
    return {
        "star": columns.TextColumn("Star", width=46, help="★: somebody gave it a star"),
        "began": columns.TextColumn("Began (UTC)", width=146),
        "workflow": columns.TextColumn("Workflow", width=160),
        "version": columns.NumberColumn("Version", width=62),
        "status": columns.MultiselectColumn(
            "Status", width=120, options=list(words), color=[colours[word] for word in words]
        ),
        "turns": columns.NumberColumn("Turns", width=56, help="Turns, and pieces of background work"),
        "tags": columns.MultiselectColumn("Tags", width=104, options=list(tags)),
        "note": columns.TextColumn("Note", width=136),
        "by": columns.TextColumn("Run by", width=66),
        "parent": columns.TextColumn("Forked from", width=112, help="The run that it is a fork of"),
        "id": columns.TextColumn("Run id", width=200),
    }
