"""What the controls of stepping, breakpoints and edits of a run that stands still do."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.engine.variable_edits import VariableEdit
from debugger.session.breakpoints import Breakpoint, PlaceKind
from debugger.session.session import DebugSession
from debugger.session.stepping import StepKind
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.auth.permissions import requires
from debugger.views.backends import notebook

_SOON = 0.25
"""Seconds that a click waits for what it has set going, so that a quick step is there at once."""


@command
@requires(Role.RUN)
def step(kind: StepKind) -> None:
    """Go one step on; begin the run where it has not begun."""
    session = state.page().session
    if session is None:
        return
    session.gate.step(kind)
    if session.status == "not_started":
        actions.start()
    _settle(session)


@command
@requires(Role.RUN)
def resume() -> None:
    """Let the run go on until something stops it."""
    session = state.page().session
    if session is not None:
        session.gate.resume()
        _settle(session)


@command
@requires(Role.RUN)
def pause() -> None:
    """Stand still at the next event."""
    session = state.page().session
    if session is not None:
        session.gate.pause()
        _settle(session)


@command
@requires(Role.RUN)
def run_to(node_id: str) -> None:
    """Go on until a node is about to run; begin the run where it has not begun."""
    session = state.page().session
    if session is None:
        return
    session.gate.run_to(node_id)
    if session.status == "not_started":
        actions.start()
    _settle(session)


@command
@requires(Role.RUN)
def apply_edits(edits: Sequence[VariableEdit]) -> None:
    """Change variables of a run that stands still."""
    session = state.page().session
    if session is not None:
        session.edit(edits)
        session.wait_until_idle(_SOON)
        state.renew_editors()


@command
@requires(Role.RUN)
def toggle_breakpoint(kinds: Sequence[PlaceKind], target: str) -> None:
    """Take away what is set somewhere, or set a breakpoint of the first kind."""
    session = state.page().session
    if session is not None:
        session.breakpoints.toggle(kinds, target)
        actions.keep_kit()


@command
@requires(Role.RUN)
def put_breakpoint(point: Breakpoint) -> None:
    """Set a breakpoint, or change the one with its id."""
    session = state.page().session
    if session is not None:
        session.breakpoints.put(point)
        actions.keep_kit()


@command
@requires(Role.RUN)
def remove_breakpoint(breakpoint_id: str) -> None:
    """Take a breakpoint away."""
    session = state.page().session
    if session is not None:
        session.breakpoints.remove(breakpoint_id)
        actions.keep_kit()


@command
@requires(Role.RUN)
def write_again(message: str) -> None:
    """Put the message of a turn that was cut off into the box, to be sent again."""
    state.set_widget(actions.DRAFT_KEY, message)
    forget_turn()


@command
@requires(Role.RUN)
def forget_turn() -> None:
    """Let go of a turn that was cut off."""
    session = state.page().session
    if session is not None and session.interrupted_turn is not None:
        notebook().forget_unfinished(session.interrupted_turn.run_id)
        session.interrupted_turn = None


def _settle(session: DebugSession) -> None:
    # Whoever goes on follows the run again.
    state.page().event = None
    session.wait_until_idle(_SOON)
