"""Controls that step a run, with the reason of a pause."""

from __future__ import annotations

from debugger.engine.mocks import Pin
from debugger.session.session import DebugSession
from debugger.session.stepping import StepKind
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import command
from debugger.views.auth.permissions import requires
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Badge, Button, Item, Text
from debugger.views.run_view import RunView
from debugger.views.shortcuts import keys

_STEPS: tuple[tuple[StepKind, str, str, str], ...] = (
    ("event", "Event", ":material/step_into:", "Go on to the next event"),
    ("node", "Node", ":material/step_over:", "Go on until the next node is about to run"),
    ("turn", "Turn", ":material/step_out:", "Go on to the next turn: stand still as it begins"),
)


def stepping(view: RunView) -> list[Item]:
    """Return the controls."""
    session = view.session
    reason = session.backend.capabilities.reason_against("pause_mid_turn")
    steps = [
        Button(
            f"step_{kind}",
            word,
            refresh.refreshing("bar", step),
            (kind,),
            icon=icon,
            disabled=reason is not None or not _can_go(session),
            help=reason or hint,
            shortcut=keys(f"step_{kind}"),
        )
        for kind, word, icon, hint in _STEPS
    ]
    return [Text("Step", yields=True), *steps, _flow(session, reason), *_where(session, reason)]


def _can_go(session: DebugSession) -> bool:
    return session.stop_point is not None or session.status == "not_started"


def _flow(session: DebugSession, reason: str | None) -> Button:
    is_paused = session.stop_point is not None
    if (session.busy or session.is_stepping) and not is_paused:
        return Button(
            "pause",
            "Pause",
            refresh.refreshing("bar", pause),
            icon=":material/pause:",
            disabled=reason is not None,
            help=reason or "Stand still at the next event",
            shortcut=keys("pause"),
        )
    return Button(
        "resume",
        "Resume",
        refresh.refreshing("bar", resume),
        icon=":material/play_arrow:",
        look="primary" if is_paused else "secondary",
        disabled=not is_paused and session.stepping.mode is None,
        help=reason or "Go on until a breakpoint, the user's turn or the end",
        shortcut=keys("resume"),
    )


def _where(session: DebugSession, reason: str | None) -> list[Item]:
    stop = session.stop_point
    if stop is not None:
        return [Badge("Stands still", ":material/pause_circle:", "yellow"), Text(stop.text)]
    hint: list[Item] = []
    if session.stepping.missed_stops:
        noted = " ".join(noted.text for noted in session.stepping.missed_stops[:3])
        hint = [Badge("Met in the last turn", ":material/flag:", "yellow"), Text(f"{noted} {reason or ''}")]
    elif session.stepping.mode is not None:
        hint = [Text(f"Each turn goes on by one {session.stepping.mode}.")]
    return [*hint, *_pins(session), *_breakpoints(session)]


def _breakpoints(session: DebugSession) -> list[Item]:
    points = [point for point in session.breakpoints.points if point.is_enabled]
    if not points:
        return []
    words, icon = count(len(points), "breakpoint"), ":material/radio_button_checked:"
    return [_to("Breakpoints", "to_breakpoints", words, icon, "See them below")]


def _pins(session: DebugSession) -> list[Item]:
    active = [one for one in session.mocks.all if one.is_enabled]
    asks = session.human_input.asks_all or bool(session.human_input.nodes)
    if not active and not asks:
        return []
    pins = sum(isinstance(one, Pin) for one in active)
    hint = [count(pins, "pin")] if pins else []
    hint += [count(len(active) - pins, "fault")] if len(active) > pins else []
    hint += ["you answer for models"] if asks else []
    help_ = "Not everything in this run is real: see what below"
    return [_to("Pins", "to_pins", ", ".join(hint), ":material/push_pin:", help_)]


def _to(view_name: str, key: str, words: str, icon: str, hint: str) -> Button:
    return Button(
        key, words, refresh.refreshing("bar", _show), (view_name,), icon=icon, look="tertiary", help=hint
    )


def _show(view_name: str) -> None:
    state.set_widget_from_callback(state.LOWER_KEY, view_name)


WAIT_SECONDS = 0.25
"""Seconds that a click waits for what it has set going, so that a quick step is there at once."""


@command
@requires(Role.RUN)
def step(kind: StepKind) -> None:
    """Continue by one step; start the run if necessary."""
    session = state.page().session
    if session is None:
        return
    session.stepping.step(kind)
    if session.status == "not_started":
        actions.start()
    _settle(session)


@command
@requires(Role.RUN)
def resume() -> None:
    """Continue until something stops the run."""
    session = state.page().session
    if session is not None:
        session.stepping.resume()
        _settle(session)


@command
@requires(Role.RUN)
def pause() -> None:
    """Pause at the next event."""
    session = state.page().session
    if session is not None:
        session.stepping.pause()
        _settle(session)


@command
@requires(Role.RUN)
def run_to(node_id: str) -> None:
    """Continue until a node is about to run; start if necessary."""
    session = state.page().session
    if session is None:
        return
    session.stepping.run_to(node_id)
    if session.status == "not_started":
        actions.start()
    _settle(session)


def _settle(session: DebugSession) -> None:
    # The user who goes on follows the run again.
    state.page().event = None
    session.wait_until_idle(WAIT_SECONDS)
