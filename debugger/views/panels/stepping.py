"""Controls that step a run, with the reason of a pause."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import streamlit as st

from debugger.analysis.filtered_timeline import next_event
from debugger.graph.labels import shorten
from debugger.session.session import DebugSession
from debugger.session.stepping import StepKind
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.components.toolbar import Button, Item, Text
from debugger.views.panels.cursor import PAST
from debugger.views.panels.timeline import show_steps, shown_events
from debugger.views.run_state import Cursor
from debugger.views.run_view import RunView, run_view
from debugger.views.shortcuts import keys

_STEPS: tuple[tuple[StepKind, str, str, str, str], ...] = (
    (
        "event",
        "Step event",
        ":material/step_into:",
        "Continue to the next event",
        "Pauses at the first event of your next message",
    ),
    (
        "node",
        "Step node",
        ":material/step_over:",
        "Continue until the next node is about to run",
        "Pauses before the first node of your next message",
    ),
    (
        "turn",
        "Step turn",
        ":material/step_out:",
        "Continue to the end of the turn",
        "Pauses after the turn of your next message",
    ),
)
_ARMED: dict[StepKind, str] = {kind: armed for kind, *_, armed in _STEPS}
_RECEIVED: dict[StepKind, str] = {
    "event": "Move to the next event received: the platform has already continued",
    "node": "Move to the start of the next node run received: the platform has already continued",
    "turn": "Move to the last event of the turn: the platform has already continued",
}


MAX_REASON = 76
"""Characters of a reason that two lines of the bar hold; the conversation shows all of it."""
_RUN_ON = "The platform has already continued: steps move through the events received."


@dataclass
class ReceivedSteps:
    """Steps over received events, of a run that cannot be paused."""

    session: DebugSession | None = None
    """The session in which the notice was shown last."""


def stepping_state(session: DebugSession) -> Hashable:
    """Return what the controls show besides the run."""
    steps = session.stepping
    return session.is_stepping, steps.pending, steps.is_pausing, session.background.continues


def stepping(view: RunView) -> list[Item]:
    """Return the controls for steps, resuming and pausing, disabled where they do nothing.

    Where the backend cannot pause in a turn, the steps move the cursor through the events received, also in
    the past; the other two are disabled with its reason. Elsewhere all are disabled in the past.
    """
    session, past = view.session, PAST if view.is_past else ""
    no_pause = session.backend.capabilities.reason_against("pause_mid_turn")
    if no_pause is None:
        steps = _steps(session, step, past or _blocked(session), _hints(session))
    else:
        steps = _received_steps(session, no_pause)
    reason = no_pause or past or None
    return [*steps, resume_button(session, reason), _pause_button(session, reason)]


def _received_steps(session: DebugSession, no_pause: str) -> list[Item]:
    """Return the buttons that move the cursor through the events received.

    They are disabled, with the reason, while the run is being read and before any event.
    """
    blocked = ""
    if session.turns_to_load:
        blocked = "The run is being read."
    elif session.event_count == 0:
        blocked = f"{no_pause} Steps move through the events once there are some."
    return _steps(session, step_received, blocked, _RECEIVED)


def _steps(
    session: DebugSession, do: Callable[[StepKind], None], blocked: str, hints: Mapping[StepKind, str]
) -> list[Item]:
    """Return a button for each kind of step; the one that is armed for the next message is primary.

    A reason disables all and is their help in place of the hints.
    """
    return [
        Button(
            f"step_{kind}",
            word,
            refresh.refreshing("bar", do),
            (kind,),
            icon=icon,
            look="primary" if _is_armed(session, kind) else "tertiary",
            disabled=bool(blocked),
            shows="icon",
            help=blocked or hints[kind],
            shortcut=keys(f"step_{kind}"),
            names_keys=False,
            message_step=kind if do is step else "",
        )
        for kind, word, icon, *_ in _STEPS
    ]


def _hints(session: DebugSession) -> dict[StepKind, str]:
    """Return the help of each step: what it does in a turn, at the start, or to the next message."""
    if _is_under_way(session):
        return {kind: hint for kind, _, _, hint, _ in _STEPS}
    if session.status == "not_started":
        return {
            kind: f"Start the run. {armed.removesuffix(' of your next message')}"
            for kind, armed in _ARMED.items()
        }
    return {kind: f"{armed}; what is typed in the box is sent at once" for kind, armed in _ARMED.items()}


def _is_under_way(session: DebugSession) -> bool:
    return session.busy or session.stop_point is not None


def _is_armed(session: DebugSession, kind: StepKind) -> bool:
    pending = session.stepping.pending
    return pending is not None and pending.kind == kind and pending.awaits_turn and not session.busy


def _blocked(session: DebugSession) -> str:
    """Return why no step can be made; empty where one can.

    The reasons, in order: the run is being read, the last message's outcome is unknown, the run was deleted,
    it has ended, the backend runs no turns.
    """
    if session.turns_to_load:
        return "The run is being read."
    if session.pending is not None:
        return "It is not known whether the last message was executed: decide that first."
    if session.is_deleted:
        return "The run was deleted."
    if session.is_over:
        return f"The run has ended ({session.status}). Restart starts a new one."
    return session.backend.capabilities.reason_against("run_turns") or ""


def _pause_button(session: DebugSession, no_pause: str | None) -> Button:
    """Return the button that pauses at the next event; disabled with a reason, or where nothing is running.

    A run that is paused already has nothing running; background work that continues counts.
    """
    is_under_way = session.busy or session.is_stepping or session.background.continues
    can_pause = is_under_way and session.stop_point is None
    hint = "Pause at the next event" if session.busy else "Pause background work at its next event"
    return Button(
        "pause",
        "Pause",
        refresh.refreshing("bar", pause),
        icon=":material/pause:",
        look="tertiary",
        shows="icon",
        disabled=no_pause is not None or not can_pause,
        help=no_pause or (hint if can_pause else "Nothing is running"),
        shortcut=keys("pause"),
        names_keys=False,
    )


def resume_button(session: DebugSession, no_pause: str | None = None) -> Button:
    """Return the button that continues a paused run.

    Args:
        session: The run on view.
        no_pause: Why the run cannot be paused, or not from here.
    """
    is_paused = session.stop_point is not None
    hint = "Continue until a breakpoint, the user's turn or the end"
    return Button(
        "resume",
        "Resume",
        refresh.refreshing("bar", resume),
        icon=":material/play_arrow:",
        look="primary" if is_paused and not no_pause else "tertiary",
        disabled=not is_paused or no_pause is not None,
        shows="icon",
        help=no_pause or (hint if is_paused else "Nothing is paused"),
        shortcut=keys("resume"),
        names_keys=False,
    )


def stop_reason(session: DebugSession) -> list[Item]:
    """Return why the run is paused, cut to 76 characters, with all of it as help; nothing otherwise."""
    stop = session.stop_point
    if stop is None:
        return []
    return [Text(shorten(stop.text, MAX_REASON), look="two lines", key="stop_reason", help=stop.text)]


def missed_stops(session: DebugSession) -> str:
    """Return the breakpoints that the last turn reached and could not pause at.

    At most three are named, followed by the backend's reason. Empty without any, and in a paused run.
    """
    if session.stop_point is not None or not session.stepping.missed_stops:
        return ""
    places = " ".join(missed.text for missed in session.stepping.missed_stops[:3])
    reason = session.backend.capabilities.reason_against("pause_mid_turn") or ""
    return f"Reached in the last turn: {places} {reason}".strip()


def step_notice(session: DebugSession) -> list[Item]:
    """Return where the run will pause, and the button that forgets it; nothing without a pending step.

    A press, or Escape, disarms the step.
    """
    notice = pending_notice(session)
    if not notice:
        return []
    return [
        Text(notice, look="two lines", key="step_notice"),
        Button(
            "disarm",
            "Do not pause",
            refresh.refreshing("bar", disarm),
            icon=":material/close:",
            look="tertiary",
            shows="icon",
            help="Do not pause there (Esc)",
            shortcut="Escape",
            names_keys=False,
        ),
    ]


def pending_notice(session: DebugSession) -> str:
    """Return where the run will pause, as a sentence; empty where nothing is pending.

    Also empty for a step, but not for a pause, while a turn is under way or the run is over.
    """
    is_background = session.background.continues and not session.busy
    if session.stepping.is_pausing and (session.busy or is_background):
        return f"Pauses at the next event{' of background work' if is_background else ''}."
    pending = session.stepping.pending
    if pending is None or session.busy or session.is_over:
        return ""
    if not pending.awaits_turn:
        return "Pauses before background work continues." if is_background else ""
    if is_background and not pending.is_armed:
        place = "at the next event" if pending.kind == "event" else "before the next node"
        return f"Pauses {place}, of background work or of your next message."
    return f"{_ARMED[pending.kind]}."


WAIT_SECONDS = 0.25
"""Seconds that a click waits for what it has set going, so that a quick step is there at once."""


@action(role=Role.RUN, takes_session=True)
def step(session: DebugSession, kind: StepKind) -> None:
    """Step the run, or arm the next message; start the run if necessary.

    The timeline gets a density that has a row for each step. Between turns it only arms the step, or disarms
    it again, and the cursor stays; else the cursor follows the run and the click waits briefly. Errors are
    kept in `LastAction`.
    """
    is_armed = _is_armed(session, kind)
    show_steps(kind)
    if _is_under_way(session):
        session.stepping.step(kind)
    elif session.status != "not_started":
        session.stepping.disarm() if is_armed else session.stepping.arm(kind)
        return
    else:
        session.stepping.arm(kind)
        actions.start()
    _settle(session)


@action(takes_session=True)
def step_received(session: DebugSession, kind: StepKind) -> None:
    """Move the chosen event by a step, of a run that cannot be paused.

    At the first step in a session a toast says that the platform has already continued. A step by event goes
    through the rows of the timeline. Where there is no further event, the cursor follows the run.
    """
    view, received = run_view(session), state.record(ReceivedSteps)
    if received.session is not session:
        received.session = session
        st.toast(_RUN_ON, icon=":material/cloud_done:")
    actions.select_event(next_event(view.rows, shown_events(view), view.event, kind))


@action(role=Role.RUN, takes_session=True)
def send_stepped(session: DebugSession, text: str, kind: StepKind) -> None:
    """Send a message and step its turn."""
    session.stepping.arm(kind)
    show_steps(kind)
    actions.send(text)


@action(role=Role.RUN, takes_session=True)
def disarm(session: DebugSession) -> None:
    """Forget a step, or a pause, that has not come about."""
    session.stepping.disarm()


@action(role=Role.RUN, takes_session=True)
def resume(session: DebugSession) -> None:
    """Continue until something stops the run."""
    session.stepping.resume()
    _settle(session)


@action(role=Role.RUN, takes_session=True)
def pause(session: DebugSession) -> None:
    """Pause at the next event."""
    session.stepping.pause()
    _settle(session)


@action(role=Role.RUN, takes_session=True)
def run_to(session: DebugSession, node_id: str) -> None:
    """Continue until a node is about to run, in this or a later turn; start if necessary.

    The cursor follows the run, and the click waits briefly. Errors are kept in `LastAction`.
    """
    session.stepping.run_to(node_id)
    if session.status == "not_started":
        actions.start()
    _settle(session)


def _settle(session: DebugSession) -> None:
    # The user who goes on follows the run again.
    state.record(Cursor).event = None
    session.wait_until_idle(WAIT_SECONDS)
