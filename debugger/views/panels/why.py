"""Explanation of a routing decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from debugger.analysis.decisions import (
    OUTCOME_LABELS,
    VERDICT_LABELS,
    DecisionLog,
    DecisionRecord,
    ExplainedEdge,
    Explainer,
    Explanation,
    Verdict,
)
from debugger.protocol.events import COMPANION, reference_id
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count, plain
from debugger.views.components.tables import ROW, table_height
from debugger.views.components.toolbar import Button, Colour, SegmentedControl, Spacer, Text, bar
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView, decisions, run_history, run_view
from debugger.views.selection import Selection

_SPANS = ("This turn", "The run")
_SPAN_KEY = "decisions_of"


def why_tab(view: RunView) -> None:
    """Draw the last decision up to the cursor, or that of the edge."""
    log = decisions(view)
    at_edge = _of_edge(view, log)
    chosen = _chosen(view, log, at_edge)
    if chosen is None:
        st.caption(
            "For each transition this shows every way out of the node, in the order in which they are asked, "
            "and why one was taken: "
            + ("this edge was not taken yet." if at_edge is not None else _nothing(log))
        )
        return
    steps = at_edge if at_edge is not None else log.all
    _steps(steps, chosen)
    explainer = run_history(view).explainer
    decision_box(explainer.explain(chosen))
    _listed(log, at_edge, chosen, view)


def _of_edge(view: RunView, log: DecisionLog) -> Sequence[DecisionRecord] | None:
    edge_id = state.record(Selection).edge
    if edge_id is None:
        return None
    every = log.of_edge(edge_id)
    found = _taken_until(view, every)
    later = f", later {count(len(every) - len(found), 'more time')}" if len(every) > len(found) else ""
    edge = view.graph.edges.get(edge_id)
    named = (edge.label if edge else "") or edge_id
    leave = Button(
        "leave_edge",
        "All decisions",
        refresh.refreshing("look", leave_edge),
        icon=":material/close:",
        look="tertiary",
    )
    bar("edge_line", [Text(f"Edge “{named}”: taken {count(len(found), 'time')}{later}"), leave], low=True)
    if edge is not None and edge.condition is not None and edge.condition.text:
        st.code(edge.condition.text, language=None, wrap_lines=True)
    return every


def _nothing(log: DecisionLog) -> str:
    if log.all:
        return f"the first decision of this run is made later, at event {log.all[0].index}."
    return "start the run to see some."


def _chosen(
    view: RunView, log: DecisionLog, at_edge: Sequence[DecisionRecord] | None
) -> DecisionRecord | None:
    found = log.until(view.event)
    if at_edge is None or found in at_edge:
        return found
    taken = _taken_until(view, at_edge)
    return taken[-1] if taken else None


def _steps(steps: Sequence[DecisionRecord], chosen: DecisionRecord) -> None:
    place = next(at for at, record in enumerate(steps) if record is chosen)
    hop = f" · hop {chosen.transition_number}" if chosen.transition_number is not None else ""
    bar(
        "decision_moment",
        [
            Text(f"Decision {place + 1} of {len(steps)}{hop} · turn {chosen.turn_number}"),
            Spacer(),
            _step("previous", ":material/chevron_left:", steps, place - 1),
            _step("next", ":material/chevron_right:", steps, place + 1),
        ],
        low=True,
    )


def _step(name: str, icon: str, steps: Sequence[DecisionRecord], place: int) -> Button:
    is_there = 0 <= place < len(steps)
    return Button(
        f"{name}_decision",
        f"{name.capitalize()} decision",
        refresh.refreshing("look", step_decision),
        (1 if name == "next" else -1,),
        icon=icon,
        look="tertiary",
        shows="icon",
        disabled=not is_there,
        counts=True,
    )


def step_decision(by: int) -> None:
    """Choose the next or previous decision of those that are stepped through."""
    run, selection = state.record(CurrentRun), state.record(Selection)
    if run.session is None:
        return
    view = run_view(run.session)
    log = decisions(view)
    at_edge = None if selection.edge is None else log.of_edge(selection.edge)
    steps, chosen = log.all if at_edge is None else at_edge, _chosen(view, log, at_edge)
    place = next((at for at, record in enumerate(steps) if record is chosen), -1) + by
    if chosen is not None and 0 <= place < len(steps):
        show_decision(steps[place].index)


def _taken_until(view: RunView, records: Sequence[DecisionRecord]) -> list[DecisionRecord]:
    return [record for record in records if view.event is None or record.index <= view.event]


def _listed(
    log: DecisionLog, at_edge: Sequence[DecisionRecord] | None, chosen: DecisionRecord, view: RunView
) -> None:
    state.begin_widget(_SPAN_KEY, _SPANS[0])
    span = SegmentedControl(_SPAN_KEY, "Decisions of", _SPANS)
    bar("decision_span", [Text("Decisions", look="heading"), *([span] if at_edge is None else [])], low=True)
    shown = at_edge if at_edge is not None else log.all
    if at_edge is None and state.widget(_SPAN_KEY) == _SPANS[0]:
        shown = [record for record in log.all if record.turn_number == chosen.turn_number]
    decision_list(shown, chosen, run_history(view).explainer)


_MOST_SHOWN = 12
_TELLING = frozenset({"retry", "gave_up", "escalated", "beside"})
"""Outcomes whose event says more than the box does."""
_LOOKS: Final[dict[Verdict, tuple[str, Colour]]] = {
    "taken": ("check_circle", "green"),
    "redirected": ("alt_route", "orange"),
    "held": ("check", "blue"),
    "false": ("close", "gray"),
    "error": ("dangerous", "red"),
    "not_chosen": ("psychology_alt", "gray"),
    "not_offered": ("do_not_disturb_on", "gray"),
    "judged_yes": ("check", "blue"),
    "judged_no": ("close", "gray"),
    "not_asked": ("more_horiz", "gray"),
    "not_armed": ("hourglass_empty", "blue"),
    "blocked": ("block", "orange"),
    "disabled": ("power_settings_new", "gray"),
    "dangling": ("link_off", "red"),
    "forked": ("fork_right", "violet"),
    "exhausted": ("timer_off", "orange"),
    "not_needed": ("more_horiz", "gray"),
}


def decision_box(found: Explanation) -> None:
    """Draw the decision."""
    _outcome(found)
    if not found.agrees and found.expected is not None:
        st.warning(
            f"By the recorded state the rules lead to {plain(_name(found.expected))}, but the run went "
            "another way: what ran may be another version, or a variable that no event shows decided.",
            icon=":material/help:",
        )
    if not found.is_known:
        st.info(
            "The workflow at hand does not have this node or this way out of it. The event tells no more.",
            icon=":material/help:",
        )
    for number, candidate in enumerate(found.candidates[:_MOST_SHOWN], 1):
        _candidate(number, candidate)
    rest = found.candidates[_MOST_SHOWN:]
    if rest:
        with st.expander(f"{len(rest)} more ways out", type="compact", key="more_ways"):
            for number, candidate in enumerate(rest, _MOST_SHOWN + 1):
                _candidate(number, candidate)


def _outcome(found: Explanation) -> None:
    record = found.record
    where = f" → {found.destination_label}" if found.destination_label else ""
    st.markdown(f"**{plain(found.source_label + where)}**")
    with st.container(horizontal=True, gap="xxsmall", key="outcome"):
        st.badge(OUTCOME_LABELS[record.outcome], icon=":material/call_split:", color="blue")
        if record.stage != "after_run":
            st.badge(record.stage.replace("_", " "), icon=":material/schedule:", color="gray")
    if record.words and not any(candidate.won for candidate in found.candidates):
        with st.container(border=True, gap="xxsmall", key="words"):
            st.caption("What the model, or its stand-in, gave as the reason")
            st.text(record.words)
    elif record.reason and record.outcome in _TELLING:
        st.caption(plain(record.reason))
    filled = {name: value for name, value in record.args.items() if name != "justification"}
    if filled:
        st.caption("Filled in with the choice")
        st.json(filled, expanded=1)


def _candidate(number: int, candidate: ExplainedEdge) -> None:
    icon, colour = _LOOKS[candidate.verdict]
    with st.container(border=True, gap="xxsmall", key=f"way_{number}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"{number}. **{plain(_name(candidate))}**", width="content")
            st.space("stretch")
            st.badge(VERDICT_LABELS[candidate.verdict], icon=f":material/{icon}:", color=colour)
        if candidate.condition:
            st.code(_condition(candidate), language=None, wrap_lines=True)
        st.caption(plain(candidate.why))


def _condition(candidate: ExplainedEdge) -> str:
    if not candidate.filled or candidate.filled == candidate.condition:
        return candidate.condition
    return f"{candidate.condition}\n→ {candidate.filled}"


def _name(candidate: ExplainedEdge) -> str:
    leads_away = candidate.destination_label and candidate.kind not in ("self_loop", "retry")
    return f"{candidate.label} → {candidate.destination_label}" if leads_away else candidate.label


TABLE_KEY = "decisions"
_INDEXES_KEY = "decision_indexes"
_MOST_ROWS = 6
_WINDOW = 200


def decision_list(shown: Sequence[DecisionRecord], chosen: DecisionRecord, explainer: Explainer) -> None:
    """Draw the decisions around the selected one; selection moves the event.

    Args:
        shown: The decisions in their order, the chosen one among them.
        chosen: The one whose box is drawn.
        explainer: Knows what people call the nodes.
    """
    records = _window(shown, chosen)
    _show_choice(records, chosen)
    state.set_widget(_INDEXES_KEY, (chosen.index, [record.index for record in records]))
    if len(records) < len(shown):
        st.caption(f"{len(records)} of {len(shown)} decisions, around the chosen one")
    st.dataframe(
        {
            "hop": [record.transition_number for record in records],
            "turn": [record.turn_number for record in records],
            **_threads(records),
            "from": [explainer.label(record.source) for record in records],
            "to": [explainer.label(record.destination) if record.destination else "" for record in records],
            "how": [OUTCOME_LABELS[record.outcome] for record in records],
        },
        key=TABLE_KEY,
        hide_index=True,
        row_height=ROW,
        height=table_height(len(records), _MOST_ROWS),
        on_select=refresh.refreshing("look", _choose),
        selection_mode="single-cell",
        column_config={
            "hop": st.column_config.NumberColumn("Hop", width=44, help="Its number in the graph"),
            "turn": st.column_config.NumberColumn("Turn", width=44),
            "thread": st.column_config.TextColumn("Thread", width=70),
            "from": st.column_config.TextColumn("From", width=100),
            "to": st.column_config.TextColumn("To", width=100),
            "how": st.column_config.TextColumn("How", width=104),
        },
        placeholder="",
        alt="Decisions: hop, turn, from, to, and how each was made",
    )


def _window(shown: Sequence[DecisionRecord], chosen: DecisionRecord) -> Sequence[DecisionRecord]:
    if len(shown) <= _WINDOW:
        return shown
    middle = next((at for at, record in enumerate(shown) if record is chosen), 0)
    first = max(0, min(middle - _WINDOW // 2, len(shown) - _WINDOW))
    return shown[first : first + _WINDOW]


def _threads(records: Sequence[DecisionRecord]) -> dict[str, list[str]]:
    if not any(COMPANION in record.thread_id for record in records):
        return {}
    return {"thread": [reference_id(record.thread_id) or "" for record in records]}


def _show_choice(records: Sequence[DecisionRecord], chosen: DecisionRecord) -> None:
    place = next((at for at, record in enumerate(records) if record is chosen), None)
    held = state.widget(TABLE_KEY)
    cells = held["selection"]["cells"] if held else []
    if place is not None and (not cells or cells[0][0] != place):
        column = cells[0][1] if cells else "hop"
        state.set_widget(TABLE_KEY, {"selection": {"rows": [], "columns": [], "cells": [[place, column]]}})


def _choose() -> None:
    cells = state.widget(TABLE_KEY)["selection"]["cells"]
    marked, indexes = state.widget(_INDEXES_KEY)
    # The table also tells of a row that was marked by the page itself.
    if cells and cells[0][0] < len(indexes) and indexes[cells[0][0]] != marked:
        show_decision(indexes[cells[0][0]])


def show_decision(index: int) -> None:
    """Choose the event of a decision, and show why it went so."""
    actions.select_event(index)
    state.set_widget_from_callback(state.TAB_KEY, "Why")


def leave_edge() -> None:
    """Show all decisions again instead of those at one edge."""
    state.record(Selection).edge = None
