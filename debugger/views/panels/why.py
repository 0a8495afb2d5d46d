"""Explanation of a routing decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final

import streamlit as st

from debugger.analysis.decisions import (
    EDGE_OUTCOME_LABELS,
    OUTCOME_LABELS,
    DecisionLog,
    DecisionRecord,
    EdgeOutcome,
    ExplainedEdge,
    Explainer,
    Explanation,
)
from debugger.protocol.events import COMPANION, reference_id
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count, json_cell
from debugger.views.components.rows import Column, Columns, rows_list, table
from debugger.views.components.toolbar import Button, Colour, SegmentedControl, Spacer, Text, bar
from debugger.views.help_links import empty_state
from debugger.views.panels.drawn_graph import drawn_graph
from debugger.views.panels.next_steps import draw_next_steps
from debugger.views.run_state import CurrentRun, Selection
from debugger.views.run_view import RunView, decisions, run_history, run_view

_SPANS = ("This turn", "The run")
_SPAN_KEY = "decisions_of"


def why_tab(view: RunView) -> None:
    """Draw the last decision up to the cursor, or that of the edge.

    Above it are the buttons that step through the decisions, below it the possible next steps and the list.
    Without a decision a sentence says why, and the possible next steps follow.
    """
    log = decisions(view)
    at_edge = _of_edge(view, log)
    chosen = _chosen(view, log, at_edge)
    if chosen is None:
        reason = "start the run to see some."
        if at_edge is not None:
            reason = "this edge was not taken yet."
        elif log.all:
            reason = f"the first decision of this run is made later, at event {log.all[0].index}."
        empty_state(
            "For each transition this shows every outgoing edge of the node, in the order of evaluation, "
            f"and why one was taken: {reason}",
            "stepping#why",
        )
        draw_next_steps(view)
        return
    steps = at_edge if at_edge is not None else log.all
    _steps(steps, chosen)
    explainer = run_history(view).explainer
    decision_box(explainer.explain(chosen))
    draw_next_steps(view)
    _draw_list(log, at_edge, chosen, view)


def _of_edge(view: RunView, log: DecisionLog) -> Sequence[DecisionRecord] | None:
    """Draw how often the chosen edge was taken, and its condition; return all decisions that took it.

    The number is as of the cursor, but the decisions are those of the whole run. ``None``, and nothing drawn,
    where no edge is chosen.
    """
    edge_id = state.record(Selection).edge
    if edge_id is None:
        return None
    every = log.of_edge(edge_id)
    found = _taken_until(view, every)
    later = f", later {count(len(every) - len(found), 'more time')}" if len(every) > len(found) else ""
    edge = drawn_graph(view).graph.edges.get(edge_id)
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


def _chosen(
    view: RunView, log: DecisionLog, at_edge: Sequence[DecisionRecord] | None
) -> DecisionRecord | None:
    """Return the last decision up to the cursor; with decisions at an edge, the last of those up to it.

    ``None`` without any.
    """
    found = log.find_last_decision(view.event)
    if at_edge is None or found in at_edge:
        return found
    taken = _taken_until(view, at_edge)
    return taken[-1] if taken else None


def _steps(steps: Sequence[DecisionRecord], chosen: DecisionRecord) -> None:
    """Draw the place of a decision among others, with the buttons to the previous and the next one.

    The decision itself has to be among them, else `StopIteration` is raised.
    """
    place = next(at for at, record in enumerate(steps) if record is chosen)
    number = f" · transition {chosen.transition_number}" if chosen.transition_number is not None else ""
    bar(
        "decision_moment",
        [
            Text(f"Decision {place + 1} of {len(steps)}{number} · turn {chosen.turn_number}"),
            Spacer(),
            _step("previous", ":material/chevron_left:", steps, place - 1),
            _step("next", ":material/chevron_right:", steps, place + 1),
        ],
        low=True,
    )


def _step(name: str, icon: str, steps: Sequence[DecisionRecord], place: int) -> Button:
    """Return the icon button to the previous or next decision; disabled where there is none at that place."""
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
    """Choose the next or previous decision of those that are stepped through.

    They are those at the chosen edge, else all of the run. Moves the cursor and shows the tab Why. Nothing
    happens without a session on view, without a decision, and beyond the first or last one.
    """
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


def _draw_list(
    log: DecisionLog, at_edge: Sequence[DecisionRecord] | None, chosen: DecisionRecord, view: RunView
) -> None:
    """Draw the decisions at an edge; without one those of the turn or of the run, as the user chooses.

    The session key of that choice, `decisions_of`, begins with the turn.
    """
    state.begin_widget(_SPAN_KEY, _SPANS[0])
    span = SegmentedControl(_SPAN_KEY, "Decisions of", _SPANS)
    bar("decision_span", [Text("Decisions", look="heading"), *([span] if at_edge is None else [])], low=True)
    shown = at_edge if at_edge is not None else log.all
    if at_edge is None and state.widget(_SPAN_KEY) == _SPANS[0]:
        shown = [record for record in log.all if record.turn_number == chosen.turn_number]
    decision_list(shown, chosen, run_history(view).explainer)


_MOST_SHOWN = 12
_TELLING = frozenset({"retry", "gave_up", "escalated", "beside"})
"""Outcomes whose event says more than the explanation does."""
_COLOURS: Final[dict[EdgeOutcome, Colour]] = {
    "taken": "green",
    "redirected": "orange",
    "held": "blue",
    "false": "gray",
    "error": "red",
    "not_chosen": "gray",
    "not_offered": "gray",
    "judged_yes": "blue",
    "judged_no": "gray",
    "not_asked": "gray",
    "not_armed": "blue",
    "blocked": "orange",
    "disabled": "gray",
    "dangling": "red",
    "forked": "violet",
    "exhausted": "orange",
    "not_needed": "gray",
}


def decision_box(found: Explanation) -> None:
    """Draw the decision with each outgoing edge, as one element.

    After twelve edges the others are in a part that is closed at first.
    """
    shown, rest = found.candidates[:_MOST_SHOWN], found.candidates[_MOST_SHOWN:]
    parts = [*_outcome(found), *_doubts(found), _edges(shown, 1)]
    if rest:
        more = _edges(rest, len(shown) + 1)
        parts.append(f"<details><summary>{count(len(rest), 'more edge')}</summary>{more}</details>")
    st.html(f'<div class="why">{"".join(parts)}</div>')


def _outcome(found: Explanation) -> Iterator[str]:
    """Yield the outcome as HTML: nodes, result, reason, and arguments other than the justification.

    Reason and arguments are left out where there are none.
    """
    record = found.record
    where = f" → {found.destination_label}" if found.destination_label else ""
    stage = "" if record.stage == "after_run" else _chip(record.stage.replace("_", " "), "gray")
    outcome = _chip(OUTCOME_LABELS[record.outcome], "blue")
    yield f"<p><b>{escape(found.source_label + where)}</b> {outcome} {stage}</p>"
    if record.words and not any(candidate.won for candidate in found.candidates):
        yield f"<p>Reason of the model, or of its mock: {escape(record.words)}</p>"
    elif record.reason and record.outcome in _TELLING:
        yield f"<p>{escape(record.reason)}</p>"
    filled = {name: value for name, value in record.args.items() if name != "justification"}
    if filled:
        yield f"<p>Filled in with the choice</p><code>{escape(json_cell(filled))}</code>"


def _doubts(found: Explanation) -> Iterator[str]:
    """Yield a paragraph of HTML where the variables lead to another edge, and one for an unknown node.

    Nothing where both agree and the version has the node and the edge.
    """
    if not found.agrees and found.expected is not None:
        yield (
            f'<p class="doubt">By the recorded variables the rules lead to {escape(_name(found.expected))}, '
            "but the run took another edge: another version may have run, or a variable that no event shows "
            "decided.</p>"
        )
    if not found.is_known:
        yield (
            '<p class="doubt">This version of the workflow does not have the node or the edge. '
            "The event says no more.</p>"
        )


def _edges(candidates: Sequence[ExplainedEdge], first: int) -> str:
    return f'<ol start="{first}">{"".join(map(_edge, candidates))}</ol>'


def _edge(candidate: ExplainedEdge) -> str:
    """Return the list item of an edge as HTML: label, outcome, reason and condition, if it has one.

    A condition whose placeholders were filled in has the filled text below it.
    """
    verdict = _chip(EDGE_OUTCOME_LABELS[candidate.outcome], _COLOURS[candidate.outcome])
    condition = candidate.condition
    if condition and candidate.filled and candidate.filled != condition:
        condition += f"\n→ {candidate.filled}"
    code = f"<code>{escape(condition)}</code>" if condition else ""
    return f"<li><b>{escape(_name(candidate))}</b> {verdict}{code}<p>{escape(candidate.why)}</p></li>"


def _chip(text: str, colour: Colour) -> str:
    return f'<span class="chip {colour}">{escape(text)}</span>'


def _name(candidate: ExplainedEdge) -> str:
    leads_away = candidate.destination_label and candidate.kind not in ("self_loop", "retry")
    return f"{candidate.label} → {candidate.destination_label}" if leads_away else candidate.label


_WINDOW = 200


def decision_list(shown: Sequence[DecisionRecord], chosen: DecisionRecord, explainer: Explainer) -> None:
    """Draw the decisions around the selected one; selection moves the cursor.

    Args:
        shown: The decisions in their order, the chosen one among them.
        chosen: The one that is explained.
        explainer: Knows the labels of the nodes.
    """
    records = _window(shown, chosen)
    if len(records) < len(shown):
        st.caption(f"{len(records)} of {len(shown)} decisions, around the chosen one")
    columns: Columns[DecisionRecord] = [
        (
            Column("transition", "#", 40, "number", help="The transition's number in the graph"),
            lambda record: str(record.transition_number or ""),
        ),
        (Column("turn", "Turn", 44, "number"), lambda record: str(record.turn_number)),
        *_threads(records),
        (Column("from", "From", 90, grows=True), lambda record: explainer.label(record.source)),
        (
            Column("to", "To", 90, grows=True),
            lambda record: explainer.label(record.destination) if record.destination else "",
        ),
        (Column("how", "How", 90, grows=True), lambda record: OUTCOME_LABELS[record.outcome]),
    ]
    drawn = table(
        "Decisions: transition, turn, from, to, and how each was made",
        records,
        columns,
        lambda record: [record.index],
    )
    rows_list(
        "decisions",
        drawn,
        chosen=drawn.place_of([chosen.index]),
        on_choose=refresh.refreshing("look", _choose),
        most=6,
    )


def _window(shown: Sequence[DecisionRecord], chosen: DecisionRecord) -> Sequence[DecisionRecord]:
    """Return at most 200 decisions, around the chosen one; all where there are no more.

    One that is not among them counts as the first.
    """
    if len(shown) <= _WINDOW:
        return shown
    middle = next((at for at, record in enumerate(shown) if record is chosen), 0)
    first = max(0, min(middle - _WINDOW // 2, len(shown) - _WINDOW))
    return shown[first : first + _WINDOW]


def _threads(
    records: Sequence[DecisionRecord],
) -> Columns[DecisionRecord]:
    """Return the column with the thread of each decision; empty where none is of a companion."""
    if not any(COMPANION in record.thread_id for record in records):
        return []
    return [(Column("thread", "Thread", 70), lambda record: reference_id(record.thread_id))]


def _choose(target: Any) -> None:
    if target:
        show_decision(target[0])


def show_decision(index: int) -> None:
    """Choose the event of a decision, and show why it went so."""
    actions.select_event(index)
    state.set_widget_from_callback(state.TAB_KEY, "Why")


def leave_edge() -> None:
    """Show all decisions again instead of those at one edge."""
    state.record(Selection).edge = None
