"""Why the run went there: the decision that the chosen event belongs to, and the way to its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.decisions import DecisionLog, DecisionRecord
from debugger.views import refresh, state
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Button, Space, Switch, Words, bar
from debugger.views.history_cache import decisions, past
from debugger.views.panels import why_commands
from debugger.views.panels.decision_box import decision_box
from debugger.views.panels.decision_list import decision_list
from debugger.views.panels.latest_button import latest_button
from debugger.views.run_view import Reading

_SPANS = ("This turn", "The run")
_SPAN_KEY = "decisions_of"


def why_tab(now: Reading) -> None:
    """Draw the decision of the chosen event, or the latest one; of a chosen edge only decisions for it."""
    log = decisions(now)
    at_edge = _of_edge(now, log)
    chosen = _chosen(log, at_edge)
    if chosen is None:
        st.caption(
            "For each hop this shows every way out of the node, in the order in which they are asked, "
            "and why one was taken: "
            + ("this edge was not taken yet." if at_edge is not None else "start the run to see some.")
        )
        return
    steps = at_edge if at_edge is not None else log.all
    _steps(steps, chosen)
    explainer = past(now).explainer
    decision_box(explainer.explain(chosen))
    _listed(log, at_edge, chosen, now)


def _of_edge(now: Reading, log: DecisionLog) -> Sequence[DecisionRecord] | None:
    """The decisions at the chosen edge, told in a line; ``None`` where no edge is chosen."""
    edge_id = state.page().edge
    if edge_id is None:
        return None
    found = log.of_edge(edge_id)
    edge = now.graph.edges.get(edge_id)
    named = (edge.label if edge else "") or edge_id
    leave = Button(
        "leave_edge",
        "All decisions",
        refresh.redrawing("look", why_commands.leave_edge),
        icon=":material/close:",
        look="tertiary",
    )
    bar("edge_line", [Words(f"Edge “{named}”: taken {count(len(found), 'time')}"), leave], low=True)
    if edge is not None and edge.condition is not None and edge.condition.text:
        st.code(edge.condition.text, language=None, wrap_lines=True)
    return found


def _chosen(log: DecisionLog, at_edge: Sequence[DecisionRecord] | None) -> DecisionRecord | None:
    found = log.of_event(state.page().event)
    if at_edge is None or found in at_edge:
        return found
    return at_edge[-1] if at_edge else None


def _steps(steps: Sequence[DecisionRecord], chosen: DecisionRecord) -> None:
    """Say which decision it is, with the way to the one before and the one after."""
    place = next(at for at, record in enumerate(steps) if record is chosen)
    hop = f" · hop {chosen.hop_number}" if chosen.hop_number is not None else ""
    bar(
        "decision_moment",
        [
            Words(f"Decision {place + 1} of {len(steps)}{hop} · turn {chosen.turn_number}"),
            Space(),
            _step("previous", ":material/chevron_left:", steps, place - 1),
            _step("next", ":material/chevron_right:", steps, place + 1),
            latest_button("latest_decision"),
        ],
        low=True,
    )


def _step(name: str, icon: str, steps: Sequence[DecisionRecord], place: int) -> Button:
    is_there = 0 <= place < len(steps)
    return Button(
        f"{name}_decision",
        f"{name.capitalize()} decision",
        refresh.redrawing("look", why_commands.show_decision),
        (steps[place].index if is_there else 0,),
        icon=icon,
        look="tertiary",
        shows="icon",
        disabled=not is_there,
    )


def _listed(
    log: DecisionLog, at_edge: Sequence[DecisionRecord] | None, chosen: DecisionRecord, now: Reading
) -> None:
    state.begin_widget(_SPAN_KEY, _SPANS[0])
    span = Switch(_SPAN_KEY, "Decisions of", _SPANS)
    bar("decision_span", [Words("Decisions", look="heading"), *([span] if at_edge is None else [])], low=True)
    shown = at_edge if at_edge is not None else log.all
    if at_edge is None and state.widget(_SPAN_KEY) == _SPANS[0]:
        shown = [record for record in log.all if record.turn_number == chosen.turn_number]
    decision_list(shown, chosen, past(now).explainer)
