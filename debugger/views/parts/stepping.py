"""The controls of stepping, and where the run stands still."""

from __future__ import annotations

import streamlit as st

from debugger.engine.interventions import Pin
from debugger.session.session import DebugSession
from debugger.session.stepping import StepKind
from debugger.views import panes, state, stepping_commands
from debugger.views.parts.live_edit import live_edit
from debugger.views.parts.plain import count, plain
from debugger.views.reading import Reading
from debugger.views.shortcuts import keys

_STEPS: tuple[tuple[StepKind, str, str, str], ...] = (
    ("event", "Event", ":material/step_into:", "Go on to the next event"),
    ("node", "Node", ":material/step_over:", "Go on until the next node is about to run"),
    ("turn", "Turn", ":material/step_out:", "Go on to the next turn: stand still as it begins"),
)


def stepping(now: Reading) -> None:
    """Draw the controls, with the reason where the run stands still."""
    session = now.session
    reason = session.backend.capabilities.reason_against("pause_mid_turn")
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xxsmall", key="stepping", width="content"
    ):
        st.caption("Step", width="content")
        for kind, word, icon, told in _STEPS:
            st.button(
                word,
                key=f"step_{kind}",
                icon=icon,
                on_click=panes.redrawing("bar", stepping_commands.step),
                args=(kind,),
                disabled=reason is not None or not _can_go(session),
                help=plain(reason) if reason else told,
                shortcut=keys(f"step_{kind}"),
            )
        _flow(session, reason)
        _where(now, reason)


def _can_go(session: DebugSession) -> bool:
    return session.stop_point is not None or session.status == "not_started"


def _flow(session: DebugSession, reason: str | None) -> None:
    stands = session.stop_point is not None
    moves = (session.busy or session.is_stepping) and not stands
    if moves:
        st.button(
            "Pause",
            key="pause",
            icon=":material/pause:",
            on_click=panes.redrawing("bar", stepping_commands.pause),
            disabled=reason is not None,
            help=plain(reason) if reason else "Stand still at the next event",
            shortcut=keys("pause"),
        )
    else:
        st.button(
            "Resume",
            key="resume",
            icon=":material/play_arrow:",
            type="primary" if stands else "secondary",
            on_click=panes.redrawing("bar", stepping_commands.resume),
            disabled=not stands and session.gate.mode is None,
            help=plain(reason) if reason else "Go on until a breakpoint, the user's turn or the end",
            shortcut=keys("resume"),
        )


def _where(now: Reading, reason: str | None) -> None:
    """Say where the run stands still and why, or what breakpoints have noted."""
    session = now.session
    stop = session.stop_point
    if stop is not None:
        st.badge("Stands still", icon=":material/pause_circle:", color="yellow")
        st.caption(plain(stop.text), width="content")
        live_edit(now)
        return
    if session.gate.noted:
        st.badge("Met in the last turn", icon=":material/flag:", color="yellow")
        told = " ".join(noted.text for noted in session.gate.noted[:3])
        st.caption(plain(f"{told} {reason or ''}"), width="content")
    elif session.gate.mode is not None:
        st.caption(f"Each turn goes on by one {session.gate.mode}.", width="content")
    _pins(session)
    points = [point for point in session.breakpoints.points if point.is_enabled]
    if points:
        st.button(
            count(len(points), "breakpoint"),
            key="to_breakpoints",
            type="tertiary",
            icon=":material/radio_button_checked:",
            on_click=panes.redrawing("bar", _show),
            args=("Breakpoints",),
            help="See them below",
        )


def _pins(session: DebugSession) -> None:
    """Say that not all is real: which pins and faults are on, and whether a person answers for models."""
    active = [one for one in session.interventions.all if one.is_enabled]
    asks = session.desk.asks_all or bool(session.desk.nodes)
    if not active and not asks:
        return
    pins = sum(isinstance(one, Pin) for one in active)
    told = [count(pins, "pin")] if pins else []
    told += [count(len(active) - pins, "fault")] if len(active) > pins else []
    told += ["you answer for models"] if asks else []
    st.button(
        ", ".join(told),
        key="to_pins",
        type="tertiary",
        icon=":material/push_pin:",
        on_click=panes.redrawing("bar", _show),
        args=("Pins",),
        help="Not everything in this run is real: see what below",
    )


def _show(view: str) -> None:
    state.give_widget(state.LOWER_KEY, view)
