"""What can be done with the turn on view: fork from it, or send the inputs up to it again."""

from __future__ import annotations

from debugger.session.input_replay import FastForward
from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.components.toolbar import Button, Item, Meter, Words
from debugger.views.panels import fork_actions
from debugger.views.panels.fork_dialog import fork_dialog
from debugger.views.run_view import Reading


def turn_actions(now: Reading) -> list[Item]:
    """The buttons for a bar; the dialog that one of them opens is drawn."""
    session = now.session
    forward = session.forward
    if forward is not None and forward.is_under_way and forward.total > 1:
        return _progress(forward)
    number = session.turn_of(state.page().event)
    reason = _reason(session, number)
    told = f"Fast-forward: a new run is given the recorded inputs up to turn {number}, then it is yours"
    again = Button(
        "send_again",
        "Send again",
        fork_actions.send_again,
        (number,),
        icon=":material/fast_forward:",
        look="tertiary",
        shows="icon where narrow",
        disabled=reason is not None,
        help=reason or told,
    )
    fork_dialog(now)
    problem = [Words(forward.problem)] if forward is not None and forward.problem else []
    return [fork_button(session, number, "fork_turn"), again, *problem]


def fork_button(session: DebugSession, number: int | None, key: str) -> Button:
    """The button that prepares a fork.

    Args:
        session: The run on view.
        number: The turn that the fork begins with; ``None`` before there is one.
        key: The button's.
    """
    reason = _reason(session, number)
    exact = session.backend.capabilities.reason_against("exact_fork")
    told = "Another run from here, with the same or changed input; this one is kept"
    return Button(
        key,
        f"Fork from turn {number}" if number else "Fork",
        fork_actions.open_fork,
        (number,),
        icon=":material/fork_right:",
        look="tertiary",
        disabled=reason is not None,
        help=reason or (f"{told}. {exact}" if exact else told),
    )


def _reason(session: DebugSession, number: int | None) -> str | None:
    """Why nothing can be done with the turn; ``None`` where it can."""
    if reason := session.backend.capabilities.reason_against("run_turns"):
        return reason
    if number is None or session.run_id is None:
        return "Once a turn is over, it can be forked and sent again."
    if session.pending is not None:
        return "The outcome of the last message is not known yet."
    return "The turn is still running." if session.busy else None


def _progress(forward: FastForward) -> list[Item]:
    word = "Stopping after" if forward.stopping else "Fast-forward: input"
    told = f"{word} {min(forward.done + 1, forward.total)} of {forward.total}"
    stop = Button(
        "take_over",
        "Take over",
        fork_actions.take_over,
        icon=":material/front_hand:",
        look="tertiary",
        disabled=forward.stopping,
        help="Send nothing more; after the turn under way the run is yours",
    )
    return [Meter(told, forward.done / forward.total), stop]
