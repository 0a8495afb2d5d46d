"""One decision: every way out of the node in order, what its condition came to, and why it won or lost."""

from __future__ import annotations

from typing import Final

import streamlit as st

from debugger.analysis.decisions import OUTCOME_LABELS, VERDICT_LABELS, ExplainedEdge, Explanation, Verdict
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Colour

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
    """The condition, and below it with its values where it has any."""
    if not candidate.filled or candidate.filled == candidate.condition:
        return candidate.condition
    return f"{candidate.condition}\n→ {candidate.filled}"


def _name(candidate: ExplainedEdge) -> str:
    leads_away = candidate.destination_label and candidate.kind not in ("self_loop", "retry")
    return f"{candidate.label} → {candidate.destination_label}" if leads_away else candidate.label
