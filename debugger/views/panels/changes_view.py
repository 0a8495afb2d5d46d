"""What changed among the variables: by the chosen event, in its turn, or since the run began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.differences import Difference
from debugger.views.components.inline_diff import word_marks
from debugger.views.components.json_cell import json_cell
from debugger.views.components.markdown import plain
from debugger.views.components.tables import ROW, table_height
from debugger.views.history_cache import Past
from debugger.views.panels.variable_detail import whole_value
from debugger.views.run_view import Reading

SPANS = ("This event", "This turn", "The run")
_MOST_ROWS = 12
_NOTHING = {
    "This event": "This event changed no variable. Choose “This turn”, or another event.",
    "This turn": "Nothing changed in this turn up to here.",
    "The run": "Nothing changed up to here.",
}


def changes_view(now: Reading, held: Past, at: int, wanted: str) -> None:
    """Draw the changes as a table, and the chosen one in full.

    Args:
        now: The run.
        held: Its past.
        at: The event, counted over the run from 0.
        wanted: Words; only changes whose path or values have all of them.
    """
    span = (
        st.segmented_control(
            "What changed by",
            SPANS,
            key="changes_span",
            default=SPANS[0],
            required=True,
            label_visibility="collapsed",
        )
        or SPANS[0]
    )
    words = wanted.casefold().split()
    found = [change for change in _changes(now, held, at, span) if _has(change, words)]
    if found:
        _table(found)
    else:
        st.caption("No change has these words." if words else _NOTHING[span])


def _changes(now: Reading, held: Past, at: int, span: str) -> list[Difference]:
    if at < 0:
        return []
    if span == "This event":
        return held.history.changed_at(at)
    first = now.rows[at].index - now.rows[at].position if span == "This turn" else 0
    return held.history.changed_between(first - 1, at)


def _has(change: Difference, words: Sequence[str]) -> bool:
    place = f"{change.path} {json_cell(change.before)} {json_cell(change.after)}".casefold()
    return all(word in place for word in words)


def _table(found: Sequence[Difference]) -> None:
    picked = st.dataframe(
        {
            "": [change.sign for change in found],
            "variable": [change.path for change in found],
            "before": ["" if change.op == "added" else json_cell(change.before) for change in found],
            "after": ["" if change.op == "removed" else json_cell(change.after) for change in found],
        },
        key="changes",
        hide_index=True,
        row_height=ROW,
        height=table_height(len(found), _MOST_ROWS),
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            "": st.column_config.TextColumn("", width=28, help="+ added, − removed, ~ changed"),
            "variable": st.column_config.TextColumn("Variable", width=112),
            "before": st.column_config.TextColumn("Before", width=72),
            "after": st.column_config.TextColumn("After"),
        },
        alt="Variables that changed, with their values before and after",
    )
    cells = picked["selection"]["cells"]
    if cells and cells[0][0] < len(found):
        _whole(found[cells[0][0]])
    else:
        st.caption("Choose a row to read both values in full.")


def _whole(change: Difference) -> None:
    with st.container(border=True, gap="xxsmall", key="change"):
        st.caption(plain(f"{change.sign} {change.path} {change.op}"))
        if isinstance(change.before, str) and isinstance(change.after, str):
            word_marks(change.before, change.after)
            return
        _side("Before", change.before, is_there=change.op != "added")
        _side("After", change.after, is_there=change.op != "removed")


def _side(title: str, value: Any, *, is_there: bool) -> None:
    if is_there:
        st.caption(title)
        whole_value(value)
