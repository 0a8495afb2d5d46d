"""Why the run went there: the decision that the chosen event belongs to, and the way to its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.decisions import DecisionLog, Record
from debugger.views import commands, panes, state, why_commands
from debugger.views.parts.decision_box import decision_box
from debugger.views.parts.decision_list import decision_list
from debugger.views.parts.plain import count, plain
from debugger.views.past import decisions, past
from debugger.views.reading import Reading

_SPANS = ("This turn", "The run")


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


def _of_edge(now: Reading, log: DecisionLog) -> Sequence[Record] | None:
    """The decisions at the chosen edge, told in a line; ``None`` where no edge is chosen."""
    edge_id = state.page().edge
    if edge_id is None:
        return None
    found = log.of_edge(edge_id)
    edge = now.graph.edges.get(edge_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="edge_line"):
        named = (edge.label if edge else "") or edge_id
        st.caption(plain(f"Edge “{named}”: taken {count(len(found), 'time')}"), width="content")
        st.button(
            "All decisions",
            key="leave_edge",
            icon=":material/close:",
            type="tertiary",
            on_click=panes.redrawing("look", why_commands.leave_edge),
        )
    if edge is not None and edge.condition is not None and edge.condition.text:
        st.code(edge.condition.text, language=None, wrap_lines=True)
    return found


def _chosen(log: DecisionLog, at_edge: Sequence[Record] | None) -> Record | None:
    found = log.of_event(state.page().event)
    if at_edge is None or found in at_edge:
        return found
    return at_edge[-1] if at_edge else None


def _steps(steps: Sequence[Record], chosen: Record) -> None:
    """Say which decision it is, with the way to the one before and the one after."""
    place = next(at for at, record in enumerate(steps) if record is chosen)
    hop = f" · hop {chosen.hop_number}" if chosen.hop_number is not None else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="decision_moment"):
        st.caption(
            f"Decision {place + 1} of {len(steps)}{hop} · turn {chosen.turn_number}",
            width="content",
        )
        st.space("stretch")
        _step("previous", ":material/chevron_left:", steps, place - 1)
        _step("next", ":material/chevron_right:", steps, place + 1)
        st.button(
            "Latest",
            key="latest_decision",
            icon=":material/last_page:",
            type="tertiary",
            on_click=panes.redrawing("look", commands.select_event),
            args=(None,),
            disabled=state.page().event is None,
            help="Follow the run again",
        )


def _step(name: str, icon: str, steps: Sequence[Record], place: int) -> None:
    is_there = 0 <= place < len(steps)
    st.button(
        f"{name.capitalize()} decision",
        key=f"{name}_decision",
        icon=icon,
        type="tertiary",
        on_click=panes.redrawing("look", why_commands.show_decision),
        args=(steps[place].index if is_there else 0,),
        disabled=not is_there,
    )


def _listed(log: DecisionLog, at_edge: Sequence[Record] | None, chosen: Record, now: Reading) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="decision_span"):
        st.markdown("###### Decisions", width="content")
        span = None
        if at_edge is None:
            span = st.segmented_control(
                "Decisions of",
                _SPANS,
                key="decisions_of",
                default=_SPANS[0],
                required=True,
                label_visibility="collapsed",
            )
    shown = at_edge if at_edge is not None else log.all
    if span == _SPANS[0]:
        shown = [record for record in log.all if record.turn_number == chosen.turn_number]
    decision_list(shown, chosen, past(now).explainer)
