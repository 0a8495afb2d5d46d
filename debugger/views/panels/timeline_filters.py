"""The filters of the timeline: density, search, and what else narrows it down."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from debugger.analysis.filtered_timeline import DENSITIES, Filter, FilteredTimeline, filter_timeline
from debugger.analysis.timeline import TROUBLES
from debugger.views import state
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Badge, Break, Disclosure, Field, Item, Switch, Words
from debugger.views.run_view import Reading
from debugger.views.shortcuts import keys

TIME_KEY = "timeline_times"
_MORE = Disclosure("timeline_more", "Filters", ":material/filter_list:", "secondary")
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
_DENSITY_HELP = (
    "Turns: a row a turn. Steps: a row a node run, with what came of it. "
    "Events: without the bookkeeping. Raw: every event as it was recorded. "
    "Failures are never hidden by it."
)
_TIMES_HELP = "Relative: since the run began. Elapsed: since the turn began. UTC: the clock."


def keep_filters() -> None:
    """Let the filters hold what they hold though they may not be drawn this time."""
    state.begin_widget(_DENSITY_KEY, "Events")
    state.begin_widget(TIME_KEY, TIMES[0])
    state.keep_widgets(_BEHIND_BUTTON)


def timeline_filters(now: Reading, found: FilteredTimeline) -> list[Item]:
    """The filters that are always at hand, and how many rows there are, for a bar."""
    density = Switch(_DENSITY_KEY, "Density", DENSITIES, help=_DENSITY_HELP)
    find = Field(_TEXT_KEY, "Find in timeline", "Find …", ":material/search:", shortcut=keys("search"))
    active = _active()
    badge = [Badge(f"{active} on", colour="violet")] if active else []
    rows: list[Item] = [Break(), Words(_words(found), key="timeline_line")] if now.rows else []
    return [density, find, _MORE, *badge, *rows]


def more_filters(now: Reading) -> None:
    """Draw the filters behind the button while they are open."""
    if _MORE.is_open:
        with st.container(horizontal=True, vertical_alignment="bottom", key="timeline_more_filters"):
            _more_filters(now)


def found_rows(now: Reading) -> FilteredTimeline:
    """The rows that all filters let through."""
    wanted, density = _filter(now), state.widget(_DENSITY_KEY)
    return now.once(
        ("timeline", wanted, density),
        lambda: filter_timeline(now.told, wanted, density, now.session.index.texts),
    )


def _words(found: FilteredTimeline) -> str:
    """How many rows there are, and how many are hidden."""
    number = len(found.places)
    told = f"{number:,} of {count(found.total, found.noun)}" if found.hidden else count(number, found.noun)
    hidden = [f"{found.hidden:,} hidden"] if found.hidden else []
    wrong = [count(found.trouble[kind], kind) for kind in TROUBLES if found.trouble[kind]]
    return " · ".join([told, *hidden, *wrong])


def _filter(now: Reading) -> Filter:
    chosen = state.page().node
    only_chosen = chosen is not None and state.widget("timeline_only_node")
    node, thread = state.widget("timeline_node", _ANY_NODE), state.widget("timeline_thread", _ANY_THREAD)
    return Filter(
        text=state.widget(_TEXT_KEY, ""),
        types=frozenset(state.widget("timeline_types", ())),
        node=chosen if only_chosen else None if node == _ANY_NODE else node,
        thread=None if thread == _ANY_THREAD else thread,
        turn=_turn(now, state.widget("timeline_turns", _ALL)),
        failures_only=bool(state.widget("timeline_failures")),
    )


def _more_filters(now: Reading) -> None:
    """Draw what is behind the button; it holds while it is not drawn, too."""
    st.multiselect(
        "Event types",
        sorted({*now.told.types, *state.widget("timeline_types", ())}),
        key="timeline_types",
        format_func=lambda kind: f"{kind} ({now.told.types.get(kind, 0):,})",
        placeholder="All types",
    )
    _one_of("Node", _ANY_NODE, now.told.nodes, "timeline_node", now.names)
    _one_of("Thread", _ANY_THREAD, now.told.threads, "timeline_thread", {"0": "0 (main)"})
    st.selectbox("Turns", (_ALL, _LATEST, _CHOSEN), key="timeline_turns")
    st.toggle("Failures and warnings only", key="timeline_failures")
    if state.page().node is not None:
        st.toggle("Chosen node only", key="timeline_only_node")
    st.segmented_control("Times", TIMES, key=TIME_KEY, required=True, help=_TIMES_HELP)


def _one_of(label: str, anything: str, found: Mapping[str, int], key: str, names: Mapping[str, str]) -> None:
    """Draw a choice of one of what the run has; what was chosen stays, though it has none of it yet."""
    held = state.widget(key)
    options = dict.fromkeys([anything, *sorted(found), *([held] if held else [])])
    st.selectbox(
        label,
        list(options),
        key=key,
        format_func=lambda each: f"{names.get(each, each)} ({found[each]:,})" if each in found else each,
    )


def _active() -> int:
    """How many of the filters behind the button narrow the timeline down."""
    held = [
        bool(state.widget("timeline_types")),
        state.widget("timeline_node") not in (None, _ANY_NODE),
        state.widget("timeline_thread") not in (None, _ANY_THREAD),
        state.widget("timeline_turns") not in (None, _ALL),
        bool(state.widget("timeline_failures")),
        bool(state.widget("timeline_only_node")) and state.page().node is not None,
    ]
    return sum(held)


def _turn(now: Reading, turns: str) -> int | None:
    if turns == _ALL or not now.turns:
        return None
    event = state.page().event
    if turns == _LATEST or event is None:
        return now.turns[-1].number
    return now.rows[event].turn_number
