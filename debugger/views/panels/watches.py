"""Watched expressions, at the selected event and over the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from debugger.analysis.variable_history import Point, Series, read_watch
from debugger.errors import DebuggerError
from debugger.expressions import ABSENT
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.components.markdown import count, json_cell
from debugger.views.components.rows import Column, Columns, rows_list, table
from debugger.views.components.toolbar import Button, Text, bar
from debugger.views.help_links import empty_state
from debugger.views.run_view import RunHistory

_MOST_VALUES = 200


@dataclass
class WatchList:
    """Expressions that the user watches."""

    texts: list[str] = field(default_factory=list)
    """The expressions, as they were written."""


def watch_view(held: RunHistory, event: int | None) -> None:
    """Draw the input, the list, and the values of the selected watch.

    Args:
        held: The run's past.
        event: The cursor; ``None`` is live.
    """
    st.text_input(
        "Watch a variable or a condition",
        key=WATCH_KEY,
        placeholder="Watch a variable or a condition, as [[attempts]] >= 3",
        icon=":material/visibility:",
        label_visibility="collapsed",
        on_change=add_watch,
    )
    found = [held.series_of(watch) for watch in map(read_watch, state.record(WatchList).texts)]

    def since(series: Series) -> str:
        point = series.at(event)
        return f"{point.turn_number} · {point.index}" if point else ""

    columns: Columns[Series] = [
        (Column("watch", "Watch", 120, grows=True), lambda series: series.watch.text),
        (Column("value", "Value", 90, grows=True), lambda series: _value(series.at(event))),
        (
            Column("since", "Since", 84, help="Turn · event since which it has this value"),
            since,
        ),
        (Column("remove", "", 34, "remove"), lambda series: (f"Remove {series.watch.text}", False)),
    ]
    shown = table(
        "What is watched, with its value at the chosen event",
        found,
        columns,
        lambda series: series.watch.text,
    )
    place = shown.place_of(state.widget(_CHOSEN_KEY))
    rows_list(
        "watches",
        shown,
        chosen=place,
        on_choose=_choose,
        on_use=lambda text, *_: remove_watch(text),
        fills=bool(found),
    )
    if place is not None:
        _over_the_run(found[place], event)
    if not found:
        empty_state(
            "Nothing is watched yet. Write a path as runtime.slot, a placeholder as [[slot]], {{shop}} or "
            "[[thread_x.y]], or a condition, and press Enter; "
            "or choose one under Variables and press “Watch”.",
            "stepping#why",
        )


_CHOSEN_KEY = "chosen_watch"


def _choose(text: Any) -> None:
    state.set_widget(_CHOSEN_KEY, text)


def _over_the_run(series: Series, event: int | None) -> None:
    """Draw a watch in a box: its text, buttons to events, the problem at the cursor, and all its values.

    The buttons move the cursor to the event that set the value and, for a condition, to the first at which it
    is true.
    """
    point_now = series.at(event)
    first = series.first_true if series.watch.is_condition else None
    jumps = [_jump("who_set", "Set by", ":material/my_location:", point_now)]
    if series.watch.is_condition:
        jumps.insert(0, _jump("first_true", "First true at", ":material/flag:", first))
    with st.container(border=True, gap="xxsmall", key="watch_detail"):
        bar("watch_bar", [Text(series.watch.text), *jumps], low=True)
        if point_now is not None and point_now.problem:
            st.text(point_now.problem)
        _values(series.points)


def _jump(key: str, label: str, icon: str, point: Point | None) -> Button:
    """Return the button that moves the cursor to the event of a point; disabled without one."""
    where = f"event {point.index} · turn {point.turn_number}" if point else "no event"
    return Button(
        key,
        f"{label} {where}",
        refresh.refreshing("look", actions.select_event),
        (point.index if point else None,),
        icon=icon,
        look="tertiary",
        disabled=point is None,
    )


def _values(points: Sequence[Point]) -> None:
    """Draw the table of a watch's last 200 values, six in sight; a click on a row moves the cursor."""
    latest = points[-_MOST_VALUES:]
    values = count(len(points), "value") + (f", the last {_MOST_VALUES}" if len(points) > len(latest) else "")
    shown = table(
        "The values of what is watched over the run",
        latest,
        [
            (Column("event", "Event", 60, "number"), lambda point: str(point.index)),
            (Column("turn", "Turn", 50, "number"), lambda point: str(point.turn_number)),
            (Column("value", values, 120, grows=True), _value),
        ],
        lambda point: [point.index],
    )
    rows_list("watch_values", shown, on_choose=refresh.refreshing("look", _go), most=6)


def _go(target: Any) -> None:
    if target:
        actions.select_event(target[0])


def _value(point: Point | None) -> str:
    if point is None or point.value is ABSENT:
        return "cannot be evaluated" if point and point.problem else "no value"
    return json_cell(point.value)


INPUT = "input"
"""The scope of runtime variables of the run input."""
WATCH_KEY = "new_watch"
"""The input of what to watch."""


@action()
def add_watch(text: str | None = None) -> None:
    """Watch what was written, or what is named.

    What is watched already is not added again. The box of the first is emptied; with a text that is no watch
    it stays, and the error is kept in `LastAction`.
    """
    wanted = text if text is not None else str(state.widget(WATCH_KEY) or "")
    watch = read_watch(wanted)
    if watch.text not in state.record(WatchList).texts:
        state.record(WatchList).texts.append(watch.text)
    if text is None:
        state.set_widget_from_callback(WATCH_KEY, "")


def watch_text(scope: str, name: str) -> str:
    """Return the watch of a variable: a path, or a placeholder where the name has other characters.

    The placeholder is ``{{name}}`` for a dynamic or system variable, ``[[name]]`` for one of the run, the
    workflow or the run input, else ``[[scope.name]]``.
    """
    path = f"{scope}.{name}"
    try:
        return read_watch(path).text
    except DebuggerError:
        inside = name if scope in ("runtime", "workflow", INPUT) else path
        return f"{{{{{name}}}}}" if scope in ("dynamic", "system") else f"[[{inside}]]"


def remove_watch(text: str) -> None:
    """Remove a watch."""
    watch_list = state.record(WatchList)
    watch_list.texts = [each for each in watch_list.texts if each != text]
