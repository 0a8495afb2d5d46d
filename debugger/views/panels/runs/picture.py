"""Charts of the runs: the strip above the list, and runs by day and verdicts by version in the statistics.

A click on a bar filters the list; the same numbers are in a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any

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
from debugger.views.components.stacked_bars import Bar, Chart, Part, stacked_bars
from debugger.views.components.status_badges import LOOKS
from debugger.views.panels.runs.filters import VERDICT_WORDS, set_filters
from debugger.views.panels.runs.scope import (
    WantedRuns,
    connection_of_runs,
    distinct,
    ids_of,
    newest_runs,
    read_day,
    runs_on_path,
    runs_state,
)
from debugger.views.times import shown_day

_KEY, _TABLE_SWITCH = "runs_charts", "picture_as_table"
_MOST_DAYS, _MOST_VERSIONS = 31, 12
_READ_SECONDS = 1.0
_STATUS_LOOKS = {status: (look.word, look.colour) for status, look in LOOKS.items()}
_VERDICT_LOOKS = {
    value: (VERDICT_WORDS[value], colour)
    for value, colour in {"pass": "green", "fail": "red", "unsure": "orange", NO_VERDICT: "gray"}.items()
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
    """Count the runs of each day and status, the oldest day first; only the last `_MOST_DAYS` days.

    Runs without a time have an empty day, which comes first. Empty without runs.
    """
    counts = Counter((shown_day(run.created_at), run.status) for run in runs)
    days = sorted({day for day, _ in counts})[-_MOST_DAYS:]
    order = list(LOOKS)
    found = sorted(counts.items(), key=lambda item: (item[0][0], order.index(item[0][1])))
    return [Tally(day, status, number) for (day, status), number in found if day in days]


def by_version_and_verdict(
    runs: Sequence[Run], verdicts: Mapping[str, Mapping[Any, int]], names: Mapping[str, str]
) -> list[Tally]:
    """Count the runs of each version and verdict, for the `_MOST_VERSIONS` versions with the most runs.

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
    labels = distinct({workflow: names.get(workflow, workflow) for workflow, _ in shown})
    tallies = []
    for workflow, number in sorted(shown, key=lambda one: (labels[one[0]], one[1])):
        place = f"v{number}" if len(labels) == 1 else f"{labels[workflow]} v{number}"
        for value in (*VERDICT_VALUES, NO_VERDICT):
            if found := counts[workflow, number, value]:
                tallies.append(Tally(place, value, found, workflow, number))
    return tallies


def draw_runs_chart(backend: Backend, wanted: WantedRuns, names: Mapping[str, str]) -> None:
    """Draw the runs of the filters by day and status, and their verdicts by version, as charts or tables.

    A click on a part sets filters and shows the list. Nothing is drawn without runs; an error of the verdicts
    is drawn.
    """
    found = _runs(backend, wanted)
    if not found.rows:
        return  # the list below tells why there is nothing
    with st.container(key="runs_picture"):
        days = by_day_and_status(found.rows)
        verdicts = by_version_and_verdict(found.rows, _verdicts(found.rows), names)
        filters = {
            f"day {at}": {"runs_since": each.place, "runs_until": each.place, "runs_status": each.kind}
            for at, each in enumerate(days)
        }
        for at, each in enumerate(verdicts):
            version = {"runs_workflow": each.workflow_id, "runs_version": str(each.version_number)}
            filters[f"version {at}"] = {**version, "runs_verdict": each.kind}
        charts, switch = st.columns([1, 0.11], gap="small")
        with switch:
            is_table = st.toggle("As tables", key=_TABLE_SWITCH)
        with charts:
            stacked_bars(
                _KEY,
                [
                    _chart("Runs by day", "day", days, _STATUS_LOOKS, is_upright=True),
                    _chart("Verdicts by version", "version", verdicts, _VERDICT_LOOKS),
                ],
                on_choose=partial(_choose, filters),
                is_table=is_table,
            )
        _foot(found, days)


def draw_history(backend: Backend, wanted: WantedRuns) -> None:
    """Draw the runs of each day as a strip of bars; a click filters by a day, the next one shows all again.

    It counts the runs of all filters but the days.
    """
    since, until = state.widget("runs_since"), state.widget("runs_until")
    search = replace(wanted.search, since=None, until=None)
    days = Counter(shown_day(run.created_at) for run in _runs(backend, replace(wanted, search=search)).rows)
    bars = []
    for day in history_days(days):
        is_chosen = day == since == until
        text = f"{day}: {count(days[day], 'run')}. {'Show all days' if is_chosen else 'Show this day'}"
        parts = [Part("runs", "violet", days[day], day, text, is_chosen)] if days[day] else []
        bars.append(Bar(day, days[day], parts))
    if bars:
        chart = Chart("Runs by day", bars, [])
        stacked_bars("runs_history", [chart], on_choose=_choose_day, is_strip=True)


def history_days(days: Collection[str]) -> list[str]:
    """Return the days of the strip: `_MOST_DAYS` days up to the last one, or only days that have runs.

    Days that have runs, the last `_MOST_DAYS` of them, are returned where they go back further, or where the
    last is no day; empty without any.
    """
    known = sorted(days)[-_MOST_DAYS:]
    last = read_day(known[-1]) if known else None
    if last is None:
        return known
    month = [(last - timedelta(days=back)).isoformat() for back in reversed(range(_MOST_DAYS))]
    return month if month[0] <= known[0] else known


def _choose_day(day: str) -> None:
    is_chosen = day == state.widget("runs_since") == state.widget("runs_until")
    set_filters(dict.fromkeys(("runs_since", "runs_until"), "" if is_chosen else day))


def _choose(filters: Mapping[str, Mapping[str, Any]], chosen: str) -> None:
    if values := filters.get(chosen):
        set_filters(values)
        runs_state().view = "list"


def _runs(backend: Backend, wanted: WantedRuns) -> Page[Run]:
    """Return the newest runs of the filters, from the cache; after an error the last known ones, or none.

    With a part of the picture or "With problems" it reads summaries for up to `_READ_SECONDS`.
    """
    answers = state.record(BackendCache)
    question = ("picture", wanted)
    try:
        if not wanted.needs_summaries:
            return answers.ask(question, lambda: newest_runs(backend, wanted))
        return answers.ask(question, lambda: runs_on_path(backend, wanted, _READ_SECONDS))
    except DebuggerError:
        return answers.last(question) or Page([], 0)  # the list below tells what is wrong


def _verdicts(runs: Sequence[Run]) -> Mapping[str, Mapping[Any, int]]:
    """Return for each run its verdicts by value; after an error, which is drawn, nothing."""
    try:
        return local_store().reviews.counts(ids_of(runs), connection=connection_of_runs())
    except DebuggerError as error:
        show_error(error)
        return {}


def _foot(found: Page[Run], days: Sequence[Tally]) -> None:
    """Draw a caption where not all days or not all runs are in the picture."""
    parts = []
    if len({tally.place for tally in days}) == _MOST_DAYS:
        parts.append(f"The last {_MOST_DAYS} days with runs are shown.")
    if found.total > len(found.rows):
        parts.append(f"Counted are the newest {count(len(found.rows), 'run')} of {found.total:,}.")
    if parts:
        st.caption(" ".join(parts))


def _chart(
    title: str,
    place: str,
    tallies: Sequence[Tally],
    looks: Mapping[str, tuple[str, str]],
    *,
    is_upright: bool = False,
) -> Chart:
    """Return a chart with a bar for each place, and a part for each of its tallies.

    Tallies of a place have to follow each other; the target of a part is `place` with the number of its
    tally.

    Raises:
        KeyError: A kind has no look.
    """
    bars = []
    for label, group in groupby(enumerate(tallies), key=lambda item: item[1].place):
        parts = []
        for at, tally in group:
            kind, colour = looks[tally.kind]
            text = f"{label}, {kind}: {count(tally.runs, 'run')}. Filter the list"
            parts.append(Part(kind, colour, tally.runs, f"{place} {at}", text))
        bars.append(Bar(label, sum(part.count for part in parts), parts))
    legend = list(dict.fromkeys((part.kind, part.colour) for bar in bars for part in bar.parts))
    return Chart(title, bars, legend, is_upright)
