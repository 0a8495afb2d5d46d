"""The filters of the timeline: density, search, and what else narrows it down."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from debugger.analysis.filtering import DENSITIES, Density, Filter
from debugger.analysis.shown import Shown, shown
from debugger.views import state
from debugger.views.parts.plain import count
from debugger.views.reading import Reading

TIME_KEY = "timeline_times"
FILTER_KEYS = (
    "timeline_text",
    "timeline_types",
    "timeline_turns",
    "timeline_density",
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
    "**Turns**: a row a turn. **Steps**: a row a node run, with what came of it. "
    "**Events**: without the bookkeeping. **Raw**: every event as it was recorded. "
    "Failures are never hidden by it."
)
_TIMES_HELP = "Relative: since the run began. Elapsed: since the turn began. UTC: the clock."


def timeline_filters(now: Reading) -> Shown:
    """Draw the filters in a line; the rows that they let through."""
    state.begin_widget("timeline_density", "Events")  # no default of its own: it is kept while not drawn
    density: Density | None = st.segmented_control(
        "Density",
        DENSITIES,
        key="timeline_density",
        required=True,
        label_visibility="collapsed",
        help=_DENSITY_HELP,
    )
    text = st.text_input(
        "Find in timeline",
        key="timeline_text",
        placeholder="Find …",
        icon=":material/search:",
        label_visibility="collapsed",
        width=150,
    )
    wanted = _filter(now, text)
    return now.once(
        ("timeline", wanted, density),
        lambda: shown(now.told, wanted, density or "Events", now.session.index.texts),
    )


def found_line(found: Shown) -> None:
    """Say how many rows there are, and how many are hidden."""
    number = len(found.places)
    told = f"{number:,} of {count(found.total, found.noun)}" if found.hidden else count(number, found.noun)
    hidden = [f"{found.hidden:,} hidden"] if found.hidden else []
    wrong = [count(each, kind) for kind, each in found.trouble.items()]
    st.caption(" · ".join([told, *hidden, *wrong]), width="content")


def _filter(now: Reading, text: str) -> Filter:
    active = _active()
    label = f"Filters ({active})" if active else "Filters"
    with st.popover(label, icon=":material/filter_list:", key="timeline_more", width="content"):
        types = st.multiselect(
            "Event types",
            sorted(now.told.types),
            key="timeline_types",
            format_func=lambda kind: f"{kind} ({now.told.types[kind]:,})",
            placeholder="All types",
        )
        node = _one_of("Node", _ANY_NODE, now.told.nodes, "timeline_node", now.names)
        thread = _one_of("Thread", _ANY_THREAD, now.told.threads, "timeline_thread", {"0": "0 (main)"})
        turns = st.selectbox("Turns", (_ALL, _LATEST, _CHOSEN), key="timeline_turns")
        failures = st.toggle("Failures and warnings only", key="timeline_failures")
        chosen = state.page().node
        only_chosen = chosen is not None and st.toggle("Chosen node only", key="timeline_only_node")
        state.begin_widget(TIME_KEY, TIMES[0])
        st.segmented_control("Times", TIMES, key=TIME_KEY, required=True, help=_TIMES_HELP)
    return Filter(
        text=text,
        types=frozenset(types),
        node=chosen if only_chosen else node,
        thread=thread,
        turn=_turn(now, turns),
        failures_only=failures,
    )


def _one_of(
    label: str, anything: str, found: Mapping[str, int], key: str, names: Mapping[str, str]
) -> str | None:
    """Draw a choice of one of what the run has; what was chosen stays, though it has none of it yet."""
    held = state.widget(key)
    options = dict.fromkeys([anything, *sorted(found), *([held] if held else [])])
    chosen = st.selectbox(
        label,
        list(options),
        key=key,
        format_func=lambda each: f"{names.get(each, each)} ({found[each]:,})" if each in found else each,
    )
    return None if chosen == anything else chosen


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
