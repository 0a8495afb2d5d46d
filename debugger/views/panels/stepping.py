"""The controls that step a run, with the reason where it stands still."""

from __future__ import annotations

from debugger.engine.mocks import Pin
from debugger.session.session import DebugSession
from debugger.session.stepping import StepKind
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import command
from debugger.views.auth.permissions import requires
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Badge, Button, Item, Words
from debugger.views.run_view import Reading
from debugger.views.shortcuts import keys

_STEPS: tuple[tuple[StepKind, str, str, str], ...] = (
    ("event", "Event", ":material/step_into:", "Go on to the next event"),
    ("node", "Node", ":material/step_over:", "Go on until the next node is about to run"),
    ("turn", "Turn", ":material/step_out:", "Go on to the next turn: stand still as it begins"),
)


def stepping(now: Reading) -> list[Item]:
    """The controls for a bar."""
    session = now.session
    reason = session.backend.capabilities.reason_against("pause_mid_turn")
    steps = [
        Button(
            f"step_{kind}",
            word,
            refresh.redrawing("bar", step),
            (kind,),
            icon=icon,
            disabled=reason is not None or not _can_go(session),
            help=reason or told,
            shortcut=keys(f"step_{kind}"),
        )
        for kind, word, icon, told in _STEPS
    ]
    return [Words("Step", yields=True), *steps, _flow(session, reason), *_where(session, reason)]


def _can_go(session: DebugSession) -> bool:
    return session.stop_point is not None or session.status == "not_started"


def _flow(session: DebugSession, reason: str | None) -> Button:
    stands = session.stop_point is not None
    if (session.busy or session.is_stepping) and not stands:
        return Button(
            "pause",
            "Pause",
            refresh.redrawing("bar", pause),
            icon=":material/pause:",
            disabled=reason is not None,
            help=reason or "Stand still at the next event",
            shortcut=keys("pause"),
        )
    return Button(
        "resume",
        "Resume",
        refresh.redrawing("bar", resume),
        icon=":material/play_arrow:",
        look="primary" if stands else "secondary",
        disabled=not stands and session.stepping.mode is None,
        help=reason or "Go on until a breakpoint, the user's turn or the end",
        shortcut=keys("resume"),
    )


def _where(session: DebugSession, reason: str | None) -> list[Item]:
    """Where the run stands still and why, or what breakpoints have noted."""
    stop = session.stop_point
    if stop is not None:
        return [Badge("Stands still", ":material/pause_circle:", "yellow"), Words(stop.text)]
    told: list[Item] = []
    if session.stepping.missed_stops:
        noted = " ".join(noted.text for noted in session.stepping.missed_stops[:3])
        told = [Badge("Met in the last turn", ":material/flag:", "yellow"), Words(f"{noted} {reason or ''}")]
    elif session.stepping.mode is not None:
        told = [Words(f"Each turn goes on by one {session.stepping.mode}.")]
    return [*told, *_pins(session), *_breakpoints(session)]


def _breakpoints(session: DebugSession) -> list[Item]:
    points = [point for point in session.breakpoints.points if point.is_enabled]
    if not points:
        return []
    words, icon = count(len(points), "breakpoint"), ":material/radio_button_checked:"
    return [_to("Breakpoints", "to_breakpoints", words, icon, "See them below")]


def _pins(session: DebugSession) -> list[Item]:
    """That not all is real: which pins and faults are on, and whether a person answers for models."""
    active = [one for one in session.mocks.all if one.is_enabled]
    asks = session.human_input.asks_all or bool(session.human_input.nodes)
    if not active and not asks:
        return []
    pins = sum(isinstance(one, Pin) for one in active)
    told = [count(pins, "pin")] if pins else []
    told += [count(len(active) - pins, "fault")] if len(active) > pins else []
    told += ["you answer for models"] if asks else []
    help_ = "Not everything in this run is real: see what below"
    return [_to("Pins", "to_pins", ", ".join(told), ":material/push_pin:", help_)]


def _to(view: str, key: str, words: str, icon: str, told: str) -> Button:
    """The button that leads to a view of the lower pane."""
    return Button(key, words, refresh.redrawing("bar", _show), (view,), icon=icon, look="tertiary", help=told)


def _show(view: str) -> None:
    state.give_widget(state.LOWER_KEY, view)


WAIT_SECONDS = 0.25
"""Seconds that a click waits for what it has set going, so that a quick step is there at once."""


@command
@requires(Role.RUN)
def step(kind: StepKind) -> None:
    """Go one step on; begin the run where it has not begun."""
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
    """Let the run go on until something stops it."""
    session = state.page().session
    if session is not None:
        session.stepping.resume()
        _settle(session)


@command
@requires(Role.RUN)
def pause() -> None:
    """Stand still at the next event."""
    session = state.page().session
    if session is not None:
        session.stepping.pause()
        _settle(session)


@command
@requires(Role.RUN)
def run_to(node_id: str) -> None:
    """Go on until a node is about to run; begin the run where it has not begun."""
    session = state.page().session
    if session is None:
        return
    session.stepping.run_to(node_id)
    if session.status == "not_started":
        actions.start()
    _settle(session)


def _settle(session: DebugSession) -> None:
    # Whoever goes on follows the run again.
    state.page().event = None
    session.wait_until_idle(WAIT_SECONDS)
