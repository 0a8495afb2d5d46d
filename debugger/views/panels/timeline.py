"""Timeline of events, with its filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import streamlit as st

from debugger.analysis.event_fields import iso_utc
from debugger.analysis.filtered_timeline import DENSITIES, Density, Filter, FilteredTimeline, filter_timeline
from debugger.analysis.side_effects import SideEffect
from debugger.analysis.steps import Step, TurnRow
from debugger.analysis.timeline import TimelineRow
from debugger.analysis.trouble import SEVERITIES
from debugger.session.stepping import StepKind
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count, milliseconds
from debugger.views.components.rows import Cell, Column, Columns, Table, estimate_width, rows_list, table
from debugger.views.components.tables import Pager, draw_pager, pager
from debugger.views.components.toolbar import Badge, Disclosure, Item, Select, Text, TextInput
from debugger.views.help_links import empty_state
from debugger.views.run_state import Selection
from debugger.views.run_view import RunView
from debugger.views.shortcuts import keys

TABLE_KEY = "timeline"


def timeline_pager(view: RunView, found: FilteredTimeline) -> Pager:
    """Return the page with the selected event, or the turned one."""
    event, chosen, _ = _chosen(view, found)
    looked_at = (view.session, found.density, found.hidden, event)
    return pager(TABLE_KEY, len(found.places), looked_at, chosen)


def timeline(view: RunView, found: FilteredTimeline, page: Pager) -> None:
    """Draw the rows of a page, or say why there are none.

    The reasons are that the run is being read, that it has no event, and that no event matches.
    """
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
    """Choose a density in which each step of a kind has a row."""
    coarse = {"event": ("Turns", "Steps"), "node": ("Turns",), "turn": ()}[kind]
    if state.widget(_DENSITY_KEY) in coarse:
        state.set_widget_from_callback(_DENSITY_KEY, "Key events" if kind == "event" else "Steps")


def _chosen(view: RunView, found: FilteredTimeline) -> tuple[int | None, int | None, bool]:
    """Return the chosen or paused event, its row, and whether that holds it.

    The cursor goes before the pause. Without either event it is ``(None, None, False)``.
    """
    event = view.session.paused_event if view.event is None else view.event
    if event is None:
        return None, None, False
    return event, *found.row_of(event, view.projections)


def _table(view: RunView, found: FilteredTimeline, page: Pager) -> None:
    """Draw the rows of a page as a list that fills its pane, with the buttons that turn the page.

    In the past the rows after the cursor are marked as later. A row without the event itself is only kept in
    sight. A click moves the cursor and chooses the row's node.
    """
    first, end, _ = page
    _, chosen, is_shown = _chosen(view, found)
    until, _ = found.row_of(view.last, view.projections) if view.is_past else (None, False)
    first_later = 0 if until is None else until + 1
    times = state.widget(TIME_KEY) or TIMES[0]
    drawn = view.memo(
        ("rows", id(found), first, end, times),
        lambda: _drawn(view, found.density, found.places[first:end], times),
    )
    near = chosen - first if chosen is not None and first <= chosen < end else None
    rows_list(
        TABLE_KEY,
        drawn,
        chosen=near if is_shown else None,
        on_choose=refresh.refreshing("look", _choose),
        fills=True,
        later=range(max(first_later - first, 0), end - first) if view.is_past else (),
        near=near,
        page=(id(view.session), found.density, first),
        follows=end == len(found.places),
    )
    draw_pager("timeline_pages", page)


def _drawn(view: RunView, density: Density, places: Sequence[int], times: str) -> Table:
    """Return the table of the rows at some places: turns or steps by the density, else events."""
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
    """Move the cursor to the event of a row, choose its node, and let no edge be chosen.

    The inspector shows the tab Event unless it has a tab of that moment. A value that names no row lets the
    cursor follow the run and changes nothing else.
    """
    target = Target.from_browser(value)
    if target is None:
        actions.select_event(None)
        return
    actions.select_event(target.event)
    state.record(Selection).node, state.record(Selection).edge = target.node, None
    if state.widget(state.TAB_KEY) not in ("Variables", "Changes", "Watch", "Why", "Event"):
        state.set_widget_from_callback(state.TAB_KEY, "Event")


TIME_KEY = "timeline_times"
_MORE = Disclosure(
    "timeline_more",
    "Filter",
    ":material/filter_list:",
    "secondary",
    help="Turn and thread alone hide failures",
    yields=True,
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


def timeline_filters(found: FilteredTimeline) -> list[Item]:
    """Return the density with its number of rows, the search and the filters.

    A badge with the number of active filters and a text with the numbers of failures and warnings follow,
    each only where it is not zero.
    """
    held = state.widget(_DENSITY_KEY)
    shown = f"{len(found.places):,}" + (f" of {found.total:,}" if found.hidden else "")
    names: dict[str, str] = {
        density: f"{density} · {shown}" if density == held else density for density in DENSITIES
    }
    density = Select(_DENSITY_KEY, "Density", names, "")
    find = TextInput(
        _TEXT_KEY, "Find in timeline", "Find …", ":material/search:", shortcut=keys("search"), is_live=True
    )
    active = sum(
        [
            bool(state.widget("timeline_types")),
            state.widget("timeline_node") not in (None, _ANY_NODE),
            state.widget("timeline_thread") not in (None, _ANY_THREAD),
            state.widget("timeline_turns") not in (None, _ALL),
            bool(state.widget("timeline_failures")),
            bool(state.widget("timeline_only_node")) and state.record(Selection).node is not None,
        ]
    )
    badge = [Badge(f"{active} on", colour="violet")] if active else []
    troubles = " · ".join(count(found.trouble[kind], kind) for kind in SEVERITIES if found.trouble[kind])
    return [density, find, _MORE, *badge, *([Text(troubles)] if troubles else [])]


def more_filters(view: RunView) -> None:
    """Draw the filters behind the button while they are open.

    They are held in session keys that begin with `timeline_`. The filter by the chosen node is drawn only
    while a node is chosen.
    """
    if not _MORE.is_open:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="timeline_more_filters"):
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


def found_rows(view: RunView) -> FilteredTimeline:
    """Return the rows that match all filters, and that of the paused event.

    The filters are read from the session state; the result is worked out once per revision and filters.
    """
    wanted, density = _filter(view), state.widget(_DENSITY_KEY, "Key events")
    paused = view.session.paused_event

    def filtered() -> FilteredTimeline:
        found = filter_timeline(view.projections, wanted, density, view.session.index.texts)
        if paused is None or paused >= len(view.rows):
            return found
        return found.including(paused, view.projections)

    return view.memo(("timeline", wanted, density, paused), filtered)


def shown_events(view: RunView) -> Sequence[int]:
    """Return the events that the rows of the timeline select, in order.

    Of a turn or a step that is its last event; a turn without events has none. Empty where nothing matches.
    """
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


def _filter(view: RunView) -> Filter:
    """Return the filter that the session state holds; keys that are not set filter nothing.

    The chosen node goes before the node filter where its switch is on. Without turns no turn is filtered.
    """
    chosen = state.record(Selection).node
    only_chosen = chosen is not None and state.widget("timeline_only_node")
    node, thread = state.widget("timeline_node", _ANY_NODE), state.widget("timeline_thread", _ANY_THREAD)
    turns, turn = state.widget("timeline_turns", _ALL), None
    if turns != _ALL and view.turns:
        turn = view.turns[-1].number if turns == _LATEST else view.turn_number
    return Filter(
        text=state.widget(_TEXT_KEY, ""),
        types=frozenset(state.widget("timeline_types", ())),
        node=chosen if only_chosen else None if node == _ANY_NODE else node,
        thread=None if thread == _ANY_THREAD else thread,
        turn=turn,
        failures_only=bool(state.widget("timeline_failures")),
    )


def _one_of(label: str, anything: str, found: Mapping[str, int], key: str, names: Mapping[str, str]) -> None:
    """Draw a choice of one name, or of anything, with the number of events of each.

    A chosen name that is not found stays an option, without a number.
    """
    held = state.widget(key)
    options = dict.fromkeys([anything, *sorted(found), *([held] if held else [])])
    st.selectbox(
        label,
        list(options),
        key=key,
        format_func=lambda each: f"{names.get(each, each)} ({found[each]:,})" if each in found else each,
    )


Of = TypeVar("Of", TimelineRow, Step, TurnRow)
Threaded = TypeVar("Threaded", TimelineRow, Step)
Placed = TypeVar("Placed", TimelineRow, Step, TurnRow, SideEffect)

_FAILURES = frozenset({"workflow_error", "node_expired"})
"""Types that always tell of a failure."""
_TYPE_COLOURS = {
    "workflow_error": "red",
    "node_expired": "red",
    "workflow_warning": "orange",
    "force_transfer_to_node": "green",
    "waiting_condition_matched": "green",
    "user_messages": "violet",
    "busy_wait_for_user_message": "violet",
    "assistant_response": "blue",
    "say_static": "blue",
    "say_llm": "blue",
    "worker_llm": "blue",
}
_STEP_CHIPS = {"node": "ran", "user": "user", "wait": "your turn", "note": "note"}
_STEP_COLOURS = {"ran": "green", "failure": "red", "warning": "orange", "user": "blue", "your turn": "violet"}


class Target(NamedTuple):
    """Target of a row: its event and node."""

    event: int
    """The event that it is looked at by, by its place in the run from 0."""
    node: str | None
    """The node that is chosen with it."""

    @classmethod
    def from_browser(cls, value: Any) -> Target | None:
        """Read the list's value; ``None`` where no row is selected."""
        if not isinstance(value, list) or len(value) != len(cls._fields) or not isinstance(value[0], int):
            return None
        return cls(value[0], None if value[1] is None else str(value[1]))


def turns_table(rows: Sequence[TurnRow], times: str) -> Table:
    """Return the table with a row for each turn; a row selects the turn's last event and no node."""
    columns: Columns[TurnRow] = [
        (_TURN, lambda row: str(row.number)),
        *background_column(rows),
        (_time(times), lambda row: _at(times, row.at_ms, row.at_ms, row.time)),
        (Column("trouble", "Problems", 112, "chip"), _trouble),
        (Column("user", "User", 130, grows=True), lambda row: row.user),
        (Column("agent", "Agent", 130, grows=True), lambda row: row.agent),
        (Column("path", "Path", 110, help="The nodes that ran, in order", grows=True), lambda row: row.path),
        (_TOKENS, lambda row: _number(row.tokens)),
        (Column("calls", "Calls", 52, "number", help="Model calls"), lambda row: _number(row.calls)),
        (Column("events", "Events", 58, "number"), lambda row: _number(row.events)),
        *_duration(rows, "Of the turn, end to end"),
    ]
    what = "one row per turn, with user and agent messages, path, duration, tokens and failures"
    return table(f"Timeline: {what}", rows, columns, lambda row: list(Target(row.last, None)))


def steps_table(steps: Sequence[Step], times: str) -> Table:
    """Return the table with a row for each step; a row selects the step's last event and its node.

    The first row of each later turn has a line above it.
    """
    columns: Columns[Step] = [
        (Column("#", "#", 46, "number", help="The step's place in the run"), lambda step: str(step.index)),
        (_TURN, lambda step: str(step.turn_number)),
        *background_column(steps),
        *_threads(steps),
        (_time(times), lambda step: _at(times, step.at_ms, step.since_turn_ms, step.time)),
        (_NODE, lambda step: step.node_name or ""),
        (Column("status", "Status", 88, "chip"), _status),
        (_SUMMARY, lambda step: step.summary),
        (_TOKENS, lambda step: _number(step.tokens or None)),
        *_duration(steps, "Of the node run"),
    ]
    what = "one row per step, with turn, time, node, status, summary, tokens and duration"
    drawn = table(f"Timeline: {what}", steps, columns, lambda step: list(Target(step.last, step.drawn_node)))
    return _by_turn(drawn, [step.turn_number for step in steps])


def events_table(rows: Sequence[TimelineRow], times: str, latencies: Mapping[int, float]) -> Table:
    """Return a row for each event.

    Args:
        rows: The events.
        times: The kind of the times.
        latencies: Milliseconds of the model calls, by their events.
    """
    columns: Columns[TimelineRow] = [
        (Column("#", "#", 46, "number", help="The event's place in the run"), lambda row: str(row.index)),
        (_TURN, lambda row: str(row.turn_number)),
        *background_column(rows),
        *_threads(rows),
        (_time(times), lambda row: _at(times, row.at_ms, row.since_turn_ms, row.time)),
        (_NODE, lambda row: row.node_name or row.node_logical_id or ""),
        (Column("type", "Type", 136, "chip", fits=estimate_width(map(_type_text, rows))), _type),
        (_SUMMARY, lambda row: row.summary),
        (
            Column("ms", "Duration", 76, "number", help="Of the node run or the model call"),
            lambda row: milliseconds(
                latencies.get(row.index) if row.duration_ms is None else row.duration_ms
            ),
        ),
    ]
    what = "one row per event, with turn, time, node, type, summary and duration"
    drawn = table(f"Timeline: {what}", rows, columns, lambda row: list(Target(row.index, row.drawn_node)))
    return _by_turn(drawn, [row.turn_number for row in rows])


_TURN = Column("turn", "Turn", 44, "number")
_NODE = Column("node", "Node", 124)
_SUMMARY = Column("summary", "Summary", 180, grows=True)
_TOKENS = Column("tokens", "Tokens", 60, "number", help="Of the model calls")


def _by_turn(drawn: Table, turns: Sequence[int]) -> Table:
    """Return a table with a line above the first row of each later turn."""
    rows = [
        row._replace(begins=place > 0 and turns[place] != turns[place - 1])
        for place, row in enumerate(drawn.rows)
    ]
    return replace(drawn, rows=rows)


def _time(times: str) -> Column:
    if times == "UTC":
        return Column("time", "Time (UTC)", 190)
    since = "Since the turn started" if times == "Elapsed" else "Since the run started"
    return Column("time", "Time", 84, "number", help=since)


def _at(times: str, at_ms: float | None, since_turn_ms: float | None, clock: float | None) -> Cell:
    if times == "UTC":
        return iso_utc(clock)
    milliseconds = since_turn_ms if times == "Elapsed" else at_ms
    return None if milliseconds is None else f"{milliseconds / 1000:+,.3f} s"


def background_column(rows: Sequence[Placed]) -> Columns[Placed]:
    """Return the column that tells background work from turns; empty where no row is of background work."""
    if not any(row.is_background for row in rows):
        return []
    column = Column("background", "Background", 84, help="Happened in background work after the turn")
    return [(column, lambda row: "✓" if row.is_background else None)]


def _threads(rows: Sequence[Threaded]) -> Columns[Threaded]:
    if len({row.thread for row in rows} - {None}) < 2:
        return []
    column = Column("thread", "Thread", 84, help="0 is the thread that talks with the user")
    return [(column, lambda row: row.thread)]


def _duration(rows: Sequence[Of], hint: str) -> Columns[Of]:
    """Return the column of durations as bars, in proportion to the longest of the rows.

    A cell is empty without a duration or for one that is shown as zero.
    """
    longest = max((row.duration_ms or 0.0 for row in rows), default=0.0) or 1.0

    def cell(row: Of) -> Cell:
        took = row.duration_ms
        words = milliseconds(took)
        return None if took is None or words is None else (words, round(took / longest, 3))

    return [(Column("ms", "Duration", 132, "bar", help=hint), cell)]


def _number(number: int | None) -> Cell:
    return None if number is None else f"{number:,}"


def _status(step: Step) -> Cell:
    chip = step.trouble or _STEP_CHIPS[step.kind]
    return chip, _STEP_COLOURS.get(chip, "gray")


def _type_text(row: TimelineRow) -> str:
    if row.trouble is not None and row.trouble.is_failure and row.type not in _FAILURES:
        return f"{row.type} · {'injected' if row.trouble.is_faulted else 'failed'}"
    return row.type


def _type(row: TimelineRow) -> Cell:
    text = _type_text(row)
    if text != row.type:
        return text, "red"
    return text, _TYPE_COLOURS.get(row.type, "green" if row.type.endswith("_edge") else "gray")


def _trouble(row: TurnRow) -> Cell:
    counts = [(row.failures, "failure"), (row.warnings, "warning")]
    chip = ", ".join(count(number, kind) for number, kind in counts if number)
    return (chip, "red" if row.failures else "orange") if chip else None
