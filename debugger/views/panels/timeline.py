"""Timeline of events, with its filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from debugger.analysis.filtered_timeline import DENSITIES, Density, Filter, FilteredTimeline, filter_timeline
from debugger.analysis.timeline import TROUBLES
from debugger.session.stepping import StepKind
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count
from debugger.views.components.rows import Table, rows_list
from debugger.views.components.tables import Pager, draw_pager, pager
from debugger.views.components.toolbar import Badge, Disclosure, Item, Select, Text, TextInput
from debugger.views.help_links import empty_state
from debugger.views.panels.timeline_tables import Target, events_table, steps_table, turns_table
from debugger.views.run_view import RunView
from debugger.views.selection import Selection
from debugger.views.shortcuts import keys

TABLE_KEY = "timeline"


def timeline_pager(view: RunView, found: FilteredTimeline) -> Pager:
    """Return the page with the selected event, or the turned one."""
    event = _event_on_view(view)
    looked_at = (view.session, found.density, found.hidden, event)
    return pager(TABLE_KEY, len(found.places), looked_at, _chosen(view, found)[0])


def timeline(view: RunView, found: FilteredTimeline, page: Pager) -> None:
    """Draw the rows of a page, or say why there are none."""
    if view.session.turns_to_load:
        st.caption("The events appear here once the run is read.")
    elif not view.rows:
        empty_state(
            "Everything that happens in the run appears here as a row: start the run to see some.",
            "first_run",
        )
    elif not found.places:
        empty_state("No event matches. Change the filters, or choose “All events”.", "stepping#the-timeline")
    else:
        _table(view, found, page)


def show_steps(kind: StepKind) -> None:
    """Let the density be one in which each step of a kind has a row."""
    coarse = {"event": ("Turns", "Steps"), "node": ("Turns",), "turn": ()}[kind]
    if state.widget(_DENSITY_KEY) in coarse:
        state.set_widget_from_callback(_DENSITY_KEY, "Key events" if kind == "event" else "Steps")


def _event_on_view(view: RunView) -> int | None:
    """Return the chosen event, or else the one at which the run is paused."""
    return view.session.paused_event if view.event is None else view.event


def _chosen(view: RunView, found: FilteredTimeline) -> tuple[int | None, bool]:
    event = _event_on_view(view)
    return (None, False) if event is None else found.row_of(event, view.projections)


def _table(view: RunView, found: FilteredTimeline, page: Pager) -> None:
    first, end, _ = page
    chosen, is_shown = _chosen(view, found)
    times = state.widget(TIME_KEY) or TIMES[0]
    table = view.memo(
        ("rows", id(found), first, end, times),
        lambda: _drawn(view, found.density, found.places[first:end], times),
    )
    near = chosen - first if chosen is not None and first <= chosen < end else None
    rows_list(
        TABLE_KEY,
        table,
        chosen=near if is_shown else None,
        on_choose=refresh.refreshing("look", _choose),
        fills=True,
        later=range(max(_first_later(view, found) - first, 0), end - first) if view.is_past else (),
        near=near,
        page=(id(view.session), found.density, first),
        follows=end == len(found.places),
    )
    draw_pager("timeline_pages", page)


def _first_later(view: RunView, found: FilteredTimeline) -> int:
    """Return the place of the first row after that of the cursor."""
    place, _ = found.row_of(view.last, view.projections)
    return 0 if place is None else place + 1


def _drawn(view: RunView, density: Density, places: Sequence[int], times: str) -> Table:
    run = view.projections
    if density == "Turns":
        return turns_table([run.turn_rows[at] for at in places], times)
    if density == "Steps":
        return steps_table([run.steps[at] for at in places], times)
    steps = {run.step_of_event[at] for at in places} - {-1}
    calls = (call for at in steps for call in run.steps[at].calls)
    latencies = {call.index: call.latency_ms for call in calls if call.latency_ms is not None}
    return events_table([view.rows[at] for at in places], times, latencies)


def _choose(value: Any) -> None:
    target = Target.from_browser(value)
    if target is None:
        actions.select_event(None)
        return
    actions.select_event(target.event)
    state.record(Selection).node, state.record(Selection).edge = target.node, None
    if state.widget(state.TAB_KEY) not in ("Variables", "Why", "Event"):
        state.set_widget_from_callback(state.TAB_KEY, "Event")


TIME_KEY = "timeline_times"
_MORE = Disclosure(
    "timeline_more",
    "Filter",
    ":material/filter_list:",
    "secondary",
    help="Turn and thread alone hide failures",
)
_TEXT_KEY, _DENSITY_KEY = "timeline_text", "timeline_density"
_BEHIND_BUTTON = (
    "timeline_types",
    "timeline_turns",
    "timeline_node",
    "timeline_thread",
    "timeline_failures",
    "timeline_only_node",
    TIME_KEY,
)
TIMES = ("Relative", "Elapsed", "UTC")
_ALL, _LATEST, _CHOSEN = "All turns", "Latest turn", "Chosen event's turn"
_ANY_NODE, _ANY_THREAD = "All nodes", "All threads"
_TIMES_HELP = "Relative: since the run started. Elapsed: since the turn started. UTC: the clock."


def keep_filters() -> None:
    """Preserve the filters' values while they are not drawn."""
    state.begin_widget(_DENSITY_KEY, "Key events")
    state.begin_widget(TIME_KEY, TIMES[0])
    state.keep_widgets(_BEHIND_BUTTON)


def timeline_filters(view: RunView, found: FilteredTimeline) -> list[Item]:
    """Return the density with its number of rows, the search and the filters."""
    held = state.widget(_DENSITY_KEY)
    names: dict[str, str] = {
        density: f"{density} · {_count(found)}" if density == held else density for density in DENSITIES
    }
    density = Select(_DENSITY_KEY, "Density", names, "")
    find = TextInput(_TEXT_KEY, "Find in timeline", "Find …", ":material/search:", shortcut=keys("search"))
    active = _active()
    badge = [Badge(f"{active} on", colour="violet")] if active else []
    troubles = " · ".join(count(found.trouble[kind], kind) for kind in TROUBLES if found.trouble[kind])
    return [density, find, _MORE, *badge, *([Text(troubles)] if troubles else [])]


def more_filters(view: RunView) -> None:
    """Draw the filters behind the button while they are open."""
    if _MORE.is_open:
        with st.container(horizontal=True, vertical_alignment="bottom", key="timeline_more_filters"):
            _more_filters(view)


def found_rows(view: RunView) -> FilteredTimeline:
    """Return the rows that all filters let through, and that of the event at which the run is paused."""
    wanted, density = _filter(view), state.widget(_DENSITY_KEY, "Key events")
    paused = view.session.paused_event

    def filtered() -> FilteredTimeline:
        found = filter_timeline(view.projections, wanted, density, view.session.index.texts)
        if paused is None or paused >= len(view.rows):
            return found
        return found.including(paused, view.projections)

    return view.memo(("timeline", wanted, density, paused), filtered)


def shown_events(view: RunView) -> Sequence[int]:
    """Return the events that the rows of the timeline are looked at by, in order."""
    found = found_rows(view)
    if found.density == "Turns":
        turns = view.projections.turn_rows
        return view.memo(
            ("shown turns", id(found)), lambda: [turns[at].last for at in found.places if turns[at].events]
        )
    if found.density == "Steps":
        steps = view.projections.steps
        return view.memo(("shown steps", id(found)), lambda: sorted({steps[at].last for at in found.places}))
    return found.places


def _count(found: FilteredTimeline) -> str:
    shown = f"{len(found.places):,}"
    return f"{shown} of {found.total:,}" if found.hidden else shown


def _filter(view: RunView) -> Filter:
    chosen = state.record(Selection).node
    only_chosen = chosen is not None and state.widget("timeline_only_node")
    node, thread = state.widget("timeline_node", _ANY_NODE), state.widget("timeline_thread", _ANY_THREAD)
    return Filter(
        text=state.widget(_TEXT_KEY, ""),
        types=frozenset(state.widget("timeline_types", ())),
        node=chosen if only_chosen else None if node == _ANY_NODE else node,
        thread=None if thread == _ANY_THREAD else thread,
        turn=_turn(view, state.widget("timeline_turns", _ALL)),
        failures_only=bool(state.widget("timeline_failures")),
    )


def _more_filters(view: RunView) -> None:
    st.multiselect(
        "Event types",
        sorted({*view.projections.types, *state.widget("timeline_types", ())}),
        key="timeline_types",
        format_func=lambda kind: f"{kind} ({view.projections.types.get(kind, 0):,})",
        placeholder="All types",
    )
    _one_of("Node", _ANY_NODE, view.projections.nodes, "timeline_node", view.names)
    _one_of("Thread", _ANY_THREAD, view.projections.threads, "timeline_thread", {"0": "0 (main)"})
    st.selectbox("Turns", (_ALL, _LATEST, _CHOSEN), key="timeline_turns")
    st.toggle("Failures and warnings only", key="timeline_failures")
    if state.record(Selection).node is not None:
        st.toggle("Chosen node only", key="timeline_only_node")
    st.segmented_control("Times", TIMES, key=TIME_KEY, required=True, help=_TIMES_HELP)


def _one_of(label: str, anything: str, found: Mapping[str, int], key: str, names: Mapping[str, str]) -> None:
    held = state.widget(key)
    options = dict.fromkeys([anything, *sorted(found), *([held] if held else [])])
    st.selectbox(
        label,
        list(options),
        key=key,
        format_func=lambda each: f"{names.get(each, each)} ({found[each]:,})" if each in found else each,
    )


def _active() -> int:
    return sum(
        [
            bool(state.widget("timeline_types")),
            state.widget("timeline_node") not in (None, _ANY_NODE),
            state.widget("timeline_thread") not in (None, _ANY_THREAD),
            state.widget("timeline_turns") not in (None, _ALL),
            bool(state.widget("timeline_failures")),
            bool(state.widget("timeline_only_node")) and state.record(Selection).node is not None,
        ]
    )


def _turn(view: RunView, turns: str) -> int | None:
    if turns == _ALL or not view.turns:
        return None
    return view.turns[-1].number if turns == _LATEST else view.turn_number
