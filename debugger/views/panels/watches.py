"""Watched expressions, at the selected event and over the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.variable_history import Point, Series, read_watch
from debugger.expressions import ABSENT
from debugger.views import actions, refresh, state
from debugger.views.actions import command
from debugger.views.components.markdown import count, json_cell, plain
from debugger.views.components.tables import ROW, table_height
from debugger.views.run_view import RunHistory, WatchList, watches

_MOST_WATCHES = 10
_MOST_VALUES = 200


def watch_view(held: RunHistory, event: int | None) -> None:
    """Draw the input, the list, and the selected watch.

    Args:
        held: The run's past.
        event: The cursor; ``None`` is live.
    """
    _add()
    found = [held.series_of(watch) for watch in watches()]
    if not found:
        st.caption(
            "Nothing is watched yet. Write a variable or a condition above, "
            "or choose a variable under Values and press “Watch”."
        )
        return
    chosen = _list(found, event)
    if chosen is not None:
        _over_the_run(chosen, event)
    else:
        st.caption("Choose a row to see its values over the run.")


def _add() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="add_watch_bar"):
        st.text_input(
            "Watch a variable or a condition",
            key=WATCH_KEY,
            placeholder="[[attempts]] >= 3",
            icon=":material/visibility:",
            on_change=add_watch,
            help="A path as runtime.slot, a placeholder as [[slot]], {{shop}} or [[thread_x.y]], a condition",
        )
        st.button(
            "Add watch",
            key="add_watch",
            icon=":material/add:",
            on_click=_add_once,
            help="Watch what is written",
        )


def _add_once() -> None:
    if str(state.widget(WATCH_KEY) or "").strip():
        add_watch()


def _list(found: Sequence[Series], event: int | None) -> Series | None:
    points = [series.at(event) for series in found]
    picked = st.dataframe(
        {
            "watch": [series.watch.text for series in found],
            "value": [_value(point) for point in points],
            "since": [f"{point.turn_number} · {point.index}" if point else "" for point in points],
        },
        key=WATCHES_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(found), _MOST_WATCHES),
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            "watch": st.column_config.TextColumn("Watch", width=120),
            "value": st.column_config.TextColumn("Value", help="At the chosen event"),
            "since": st.column_config.TextColumn("Since", width=76, help="Turn · event from which on"),
        },
        alt="What is watched, with its value at the chosen event",
    )
    cells = picked["selection"]["cells"]
    return found[cells[0][0]] if cells and cells[0][0] < len(found) else None


def _over_the_run(series: Series, event: int | None) -> None:
    point_now = series.at(event)
    with st.container(border=True, gap="xxsmall", key="watch_detail"):
        st.caption(plain(series.watch.text))
        if point_now is not None and point_now.problem:
            st.text(point_now.problem)
        with st.container(horizontal=True, gap="xxsmall"):
            _jumps(series, point_now)
            st.button(
                "Remove",
                key="remove_watch",
                icon=":material/delete:",
                type="tertiary",
                on_click=remove_watch,
                args=(series.watch.text,),
            )
        _values(series.points)


def _jumps(series: Series, point_now: Point | None) -> None:
    first = series.first_true if series.watch.is_condition else None
    if series.watch.is_condition:
        _jump(
            "first_true", "First true at", ":material/flag:", first, "Where the condition became true first"
        )
    _jump(
        "who_set",
        "Set by",
        ":material/my_location:",
        point_now,
        "Who set this? The event from which on it is so",
    )


def _jump(key: str, label: str, icon: str, point: Point | None, what: str) -> None:
    where = f" event {point.index} · turn {point.turn_number}" if point else " nowhere"
    st.button(
        label + where,
        key=key,
        icon=icon,
        type="tertiary",
        on_click=refresh.refreshing("look", actions.select_event),
        args=(point.index if point else None,),
        disabled=point is None,
        help=what,
    )


def _values(points: Sequence[Point]) -> None:
    shown = points[-_MOST_VALUES:]
    st.caption(
        count(len(points), "value") + (f", the last {_MOST_VALUES}" if len(points) > len(shown) else "")
    )
    picked: Any = st.dataframe(
        {
            "event": [point.index for point in shown],
            "turn": [point.turn_number for point in shown],
            "value": [_value(point) for point in shown],
        },
        key="watch_values",
        hide_index=True,
        row_height=ROW,
        height=table_height(len(shown), 6),
        on_select=refresh.refreshing("look", _go),
        selection_mode="single-cell",
        column_config={
            "event": st.column_config.NumberColumn("Event", width=60),
            "turn": st.column_config.NumberColumn("Turn", width=50),
            "value": st.column_config.TextColumn("Value", help="Choose a row to go to its event"),
        },
        alt="The values of what is watched over the run",
    )
    del picked
    state.set_widget(_INDEXES_KEY, [point.index for point in shown])


_INDEXES_KEY = "watch_value_indexes"


def _go() -> None:
    cells = state.widget("watch_values")["selection"]["cells"]
    indexes: list[int] = state.widget(_INDEXES_KEY, [])
    if cells and cells[0][0] < len(indexes):
        actions.select_event(indexes[cells[0][0]])


def _value(point: Point | None) -> str:
    if point is None or point.value is ABSENT:
        return "cannot be evaluated" if point and point.problem else "no value"
    return json_cell(point.value)


WATCH_KEY = "new_watch"
"""The box in which a person writes what to watch."""
WATCHES_KEY = "watches"
"""The table of what is watched."""


@command
def add_watch(text: str | None = None) -> None:
    """Watch what was written, or what is named."""
    wanted = text if text is not None else str(state.widget(WATCH_KEY) or "")
    watch = read_watch(wanted)
    if watch.text not in state.record(WatchList).texts:
        state.record(WatchList).texts.append(watch.text)
    if text is None:
        state.set_widget_from_callback(WATCH_KEY, "")


def remove_watch(text: str) -> None:
    """Watch something no more."""
    watch_list = state.record(WatchList)
    watch_list.texts = [each for each in watch_list.texts if each != text]
    state.forget_widget(WATCHES_KEY)
