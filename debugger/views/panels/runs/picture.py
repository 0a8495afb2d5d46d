"""Picture above the list: runs by day, verdicts by version.

A click on a bar filters the list; the same numbers are in a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import streamlit as st

from debugger.backends.base import Backend, Page
from debugger.errors import DebuggerError
from debugger.protocol.reviews import VERDICT_VALUES
from debugger.protocol.runs import NO_VERDICT, Run
from debugger.views import state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count
from debugger.views.components.status_badges import LOOKS
from debugger.views.components.tables import ROW, table_height
from debugger.views.panels.runs.filters import VERDICT_WORDS, set_filters
from debugger.views.panels.runs.scope import (
    WantedRuns,
    click_key,
    connection_of_runs,
    ids_of,
    newest_runs,
    runs_on_path,
    take_click,
)
from debugger.views.times import shown_day

_DAYS_KEY, _VERDICTS_KEY, _TABLE_SWITCH = "runs_by_day", "verdicts_by_version", "picture_as_table"
_HEIGHT, _AXIS, _BAR = 104, 46, 16
"""Pixels: of a chart at least, of its axis, of a bar with its label."""
_MOST_DAYS, _MOST_VERSIONS = 31, 12
_READ_SECONDS = 1.0
_HUES = {
    "gray": "#8a8f98",
    "blue": "#3b82f6",
    "yellow": "#eab308",
    "violet": "#8b5cf6",
    "green": "#22a06b",
    "red": "#e5484d",
    "orange": "#f08c00",
}
_VERDICT_HUES = {
    "pass": _HUES["green"],
    "fail": _HUES["red"],
    "unsure": _HUES["orange"],
    NO_VERDICT: _HUES["gray"],
}


@dataclass(frozen=True)
class Tally:
    """One bar's part: how many runs share a place and a kind."""

    place: str
    """The day, or the version with its workflow."""
    kind: str
    """A status, or a verdict."""
    runs: int
    workflow_id: str = ""
    version_number: int = 0


def by_day_and_status(runs: Sequence[Run]) -> list[Tally]:
    """Count the runs of each day and status, the oldest day first."""
    counts = Counter((shown_day(run.created_at), run.status) for run in runs)
    days = sorted({day for day, _ in counts})[-_MOST_DAYS:]
    order = list(LOOKS)
    found = sorted(counts.items(), key=lambda item: (item[0][0], order.index(item[0][1])))
    return [Tally(day, status, number) for (day, status), number in found if day in days]


def by_version_and_verdict(
    runs: Sequence[Run], verdicts: Mapping[str, Mapping[Any, int]], names: Mapping[str, str]
) -> list[Tally]:
    """Count the runs of each version and verdict.

    A run on which reviewers differ counts once for each verdict.

    Args:
        runs: The runs.
        verdicts: For each run the number of verdicts by value.
        names: Workflows by id.
    """
    counts = Counter[tuple[str, int, str]]()
    for run in runs:
        for value in verdicts.get(run.workflow_run_id) or {NO_VERDICT: 1}:
            counts[run.workflow_id, run.version_number, value] += 1
    sizes = Counter((run.workflow_id, run.version_number) for run in runs)
    shown = [version for version, _ in sizes.most_common(_MOST_VERSIONS)]
    has_one = len({workflow for workflow, _ in shown}) == 1
    tallies = []
    for workflow, number in sorted(shown, key=lambda one: (names.get(one[0], one[0]), one[1])):
        place = f"v{number}" if has_one else f"{names.get(workflow, workflow)} v{number}"
        for value in (*VERDICT_VALUES, NO_VERDICT):
            if found := counts[workflow, number, value]:
                tallies.append(Tally(place, value, found, workflow, number))
    return tallies


def picture(backend: Backend, wanted: WantedRuns, names: Mapping[str, str]) -> None:
    """Draw the picture of the runs of the filters."""
    found = _runs(backend, wanted)
    if not found.rows:
        return  # the list below tells why there is nothing
    with st.expander("Chart", icon=":material/bar_chart:", expanded=True, key="runs_picture"):
        days = by_day_and_status(found.rows)
        verdicts = by_version_and_verdict(found.rows, _verdicts(found.rows), names)
        is_table = bool(state.widget(_TABLE_SWITCH))
        left, right, switch = st.columns([1, 1, 0.22], gap="small")
        with left:
            _part("days", days, is_table, "Runs by day", _status_word, _status_hue)
        with right:
            _part("verdicts", verdicts, is_table, "Verdicts by version", VERDICT_WORDS.get, _VERDICT_HUES.get)
        with switch:
            st.toggle("As tables", key=_TABLE_SWITCH)
        _foot(found, days)


def _runs(backend: Backend, wanted: WantedRuns) -> Page[Run]:
    answers = state.record(BackendCache)
    question = ("picture", wanted)
    try:
        if wanted.path is None:
            return answers.ask(question, lambda: newest_runs(backend, wanted))
        return answers.ask(question, lambda: runs_on_path(backend, wanted, _READ_SECONDS))
    except DebuggerError:
        return answers.last(question) or Page([], 0)  # the list below tells what is wrong


def _verdicts(runs: Sequence[Run]) -> Mapping[str, Mapping[Any, int]]:
    try:
        return local_store().reviews.counts(ids_of(runs), connection=connection_of_runs())
    except DebuggerError as error:
        show_error(error)
        return {}


def _foot(found: Page[Run], days: Sequence[Tally]) -> None:
    parts = []
    if len({tally.place for tally in days}) == _MOST_DAYS:
        parts.append(f"The last {_MOST_DAYS} days with runs are shown.")
    if found.total > len(found.rows):
        parts.append(f"Counted are the newest {count(len(found.rows), 'run')} of {found.total:,}.")
    if parts:
        st.caption(" ".join(parts))


def _status_word(status: str) -> str:
    return LOOKS[status].word


def _status_hue(status: str) -> str:
    return _HUES.get(LOOKS[status].colour, _HUES["gray"])


def _part(
    name: Literal["days", "verdicts"],
    tallies: Sequence[Tally],
    is_table: bool,
    title: str,
    word: Any,
    hue: Any,
) -> None:
    st.markdown(f"**{title}**", help="A click on a bar filters the list")
    rows: dict[str, Sequence[Any]] = {
        "place": [tally.place for tally in tallies],
        "kind": [str(word(tally.kind)) for tally in tallies],
        "runs": [tally.runs for tally in tallies],
    }
    key = click_key(_DAYS_KEY if name == "days" else _VERDICTS_KEY)
    if is_table:
        _table(key, rows, "Day" if name == "days" else "Version")
        return
    order = list(LOOKS) if name == "days" else list(VERDICT_WORDS)
    kinds = sorted({tally.kind for tally in tallies}, key=order.index)
    st.vega_lite_chart(
        {
            **rows,
            "order": [order.index(tally.kind) for tally in tallies],
            "at": list(range(len(tallies))),
        },
        _spec(name, [str(word(kind)) for kind in kinds], [str(hue(kind)) for kind in kinds]),
        key=key,
        height=_HEIGHT if name == "days" else max(_HEIGHT, _AXIS + _BAR * len(set(rows["place"]))),
        width="stretch",
        on_select=lambda: _clicked(name, key, tallies),
        selection_mode="bar",
        alt=f"{title}: {len(tallies)} numbers, also as a table",
    )


def _spec(name: Literal["days", "verdicts"], words: list[str], hues: list[str]) -> dict[str, Any]:
    place = {"field": "place", "type": "nominal", "sort": None, "title": None}
    amount = {
        "field": "runs",
        "type": "quantitative",
        "title": None,
        "stack": True,
        "axis": {"tickMinStep": 1, "tickCount": 4},
    }
    is_upright = name == "days"
    return {
        "params": [{"name": "bar", "select": {"type": "point", "fields": ["at"]}}],
        "mark": {"type": "bar", "cursor": "pointer", "minBandSize": 4},
        "encoding": {
            "x": {**place, "axis": {"labelAngle": 0, "labelOverlap": True}} if is_upright else amount,
            "y": amount if is_upright else {**place, "axis": {"labelLimit": 180, "labelOverlap": False}},
            "color": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": words, "range": hues},
                "legend": {"title": None, "orient": "right"},
            },
            "order": {"field": "order"},
            "opacity": {"condition": {"param": "bar", "value": 1}, "value": 0.35},
            "tooltip": [
                {"field": "place", "title": "Day" if is_upright else "Version"},
                {"field": "kind", "title": "Status" if is_upright else "Verdict"},
                {"field": "runs", "title": "Runs"},
            ],
        },
    }


def _table(key: str, rows: Mapping[str, Sequence[Any]], place: str) -> None:
    columns = st.column_config
    st.dataframe(
        dict(rows),
        key=f"{key}_table",
        hide_index=True,
        row_height=ROW,
        height=table_height(len(rows["runs"]), 5),
        column_config={
            "place": columns.TextColumn(place),
            "kind": columns.TextColumn("Status" if place == "Day" else "Verdict"),
            "runs": columns.NumberColumn("Runs"),
        },
        alt=f"Runs by {place.lower()}",
    )


def _clicked(name: Literal["days", "verdicts"], key: str, tallies: Sequence[Tally]) -> None:
    held = state.widget(key)
    points = held["selection"].get("bar") if held else None
    if not points or points[0]["at"] >= len(tallies):
        return
    tally = tallies[int(points[0]["at"])]
    take_click()
    if name == "days":
        day = date.fromisoformat(tally.place)
        set_filters({"runs_since": day, "runs_until": day, "runs_status": tally.kind})
    else:
        set_filters(
            {
                "runs_workflow": tally.workflow_id,
                "runs_version": tally.version_number,
                "runs_verdict": tally.kind,
            }
        )
