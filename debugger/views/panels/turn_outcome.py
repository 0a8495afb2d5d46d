"""Unusual outcomes of the last turn, and turns of other clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from debugger.errors import DebuggerError, NotExecutedError, StaleTurnError, TurnNotStoredError
from debugger.protocol.json_codec import decode
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Break, Button, Item, Line, Text, Toggle, bars
from debugger.views.drafts import set_draft
from debugger.views.panels.unstored_turn import unstored_turn
from debugger.views.run_view import RunView, seconds_left


@dataclass(frozen=True)
class Outcome:
    """Sentence on the last turn, with actions."""

    text: str
    details: str = ""
    """The technical reason, shown as a tooltip."""
    actions: tuple[Item, ...] = ()
    is_warning: bool = False
    """Whether a message is not executed, or may not be."""


def turn_outcome(view: RunView) -> None:
    """Draw the outcome above the message box, where there is one.

    A turn that is not on record has its own bar, and no other outcome is drawn with it.
    """
    if view.session.unstored_turn is not None:
        unstored_turn(view)
        return
    outcome = outcome_of(view.session)
    if outcome is not None:
        items = [Text(outcome.text, look="message", help=outcome.details), *outcome.actions]
        key = "turn_warning" if outcome.is_warning else "turn_notice"
        bars(key, [Line("turn_outcome", items, low=True)])


def outcome_of(session: DebugSession) -> Outcome | None:
    """Return the most important outcome, or ``None``.

    In order: a deleted run, a message of unknown outcome, new turns, a message that was not executed, another
    client's turn, a notice, turns that are followed. Where it offers that switch, its session key is set.
    """
    error = session.error
    if session.is_deleted:
        return Outcome(
            "Another client has deleted this run. Its turns are still shown; no message can be sent.",
            is_warning=True,
        )
    if session.pending is not None:
        return _unknown(session)
    if session.sync.newer_turns:
        number = session.sync.newer_turns
        return Outcome(
            f"{count(number, 'new turn')} from another client. "
            f"Load {'it' if number == 1 else 'them'} before you send a message.",
            actions=(_button("load_newer", "Load", actions.load_newer, "download"), _follow_switch(session)),
        )
    if is_explained(session, error) and error is not None:
        return _not_executed(error)
    executing = session.sync.revision.turn_number if session.sync.revision is not None else None
    if executing is not None and not session.busy and not session.is_stepping:
        sentence = f"Another client is executing turn {executing}. You can load it when it has ended."
        return Outcome(f"{session.notice} {sentence}".strip(), actions=(_follow_switch(session),))
    if session.notice:
        return Outcome(session.notice, actions=_restore(session), is_warning=_is_doubled(session))
    if session.sync.follows:
        return Outcome(
            "Turns of other clients are loaded as they arrive.", actions=(_follow_switch(session),)
        )
    return None


def is_explained(session: DebugSession, error: DebuggerError | None) -> bool:
    """Return whether the outcome explains an error already.

    False without an error, and for one that is not the session's own.
    """
    if error is None or error is not session.error:
        return False
    if session.unstored_turn is not None and isinstance(error, TurnNotStoredError):
        return True
    if session.pending is not None:
        return error is session.pending.error
    return isinstance(error, StaleTurnError | NotExecutedError) and bool(session.unsent_message)


def mark_of(session: DebugSession) -> tuple[int, str] | None:
    """Return the turn of the message of unknown outcome, and the remark at it.

    Also of one that is not sent or not confirmed yet. ``None`` where there is none, and without turns.
    """
    if session.pending is not None:
        return session.pending.log.number, "Outcome unknown"
    progress, turns = session.progress, session.turns
    if progress is None or progress.phase == "executing" or not turns:
        return None
    return turns[-1].number, "Not sent yet" if progress.phase == "retrying" else "Not confirmed yet"


def progress_text(session: DebugSession) -> str:
    """Return the recovery state of the message; empty while executing.

    Also empty without any progress.
    """
    progress = session.progress
    if progress is None or progress.phase == "executing":
        return ""
    left = seconds_left(progress)
    if progress.phase == "retrying":
        return f"{progress.message} It is sent again {f'within {left} s' if left else 'now'}."
    limit = f" {left} s left." if left else ""
    return f"The answer was lost. Looking for the message in the run's record.{limit}"


def _unknown(session: DebugSession) -> Outcome:
    """Return the outcome of a message of unknown outcome: to check now, to send it again, or to discard it.

    A session without such a message raises `AssertionError`.
    """
    pending = session.pending
    assert pending is not None
    message = "message" if pending.message else "turn"
    looks = f" It has checked {count(pending.checks, 'time')}." if pending.checks else ""
    return Outcome(
        f"The answer was lost, and it is not known whether the {message} was executed. "
        f"The page keeps checking the run's record.{looks}",
        details=f"{pending.error.message} {pending.finding}".strip(),
        is_warning=True,
        actions=(
            Break(),
            _button("check_now", "Check now", actions.check_now, "refresh"),
            Button(
                "send_again_pending",
                "Send again (may run twice)",
                refresh.refreshing("workbench", actions.send_again),
                icon=":material/redo:",
                help="If the first one was executed after all, the workflow receives it twice",
            ),
            Button(
                "discard_pending",
                "Discard",
                refresh.refreshing("workbench", actions.discard_pending),
                icon=":material/close:",
                help=f"Stop looking for the {message}; if the record has it after all, it can be loaded",
            ),
        ),
    )


def _restore(session: DebugSession) -> tuple[Item, ...]:
    """Return the button that puts a message back which may be another client's.

    Empty where no message has arrived or it cannot be restored.
    """
    if session.arrival is None or not session.arrival.is_restorable:
        return ()
    button = Button(
        "restore_message",
        "Restore the message",
        refresh.refreshing("workbench", actions.restore_message),
        icon=":material/edit:",
        help="Put the message into the box, should the turn be another client's",
    )
    return (button,)


def _is_doubled(session: DebugSession) -> bool:
    return session.arrival is not None and session.arrival.outcome == "executed_twice"


def _not_executed(error: DebuggerError) -> Outcome:
    """Return the outcome of a message that was not executed, with the error's message as details.

    For a stale turn it says that newer turns are shown.
    """
    text = "Not executed: the message did not arrive. It is in the box below; send it again."
    if isinstance(error, StaleTurnError):
        text = (
            "Not executed: the run has newer turns, which are shown now. "
            "Your message is in the box below; send it again or change it."
        )
    return Outcome(text, details=error.message, is_warning=True)


def _button(key: str, label: str, do: Callable[[], None], icon: str) -> Button:
    return Button(key, label, refresh.refreshing("workbench", do), icon=f":material/{icon}:", look="primary")


def _follow_switch(session: DebugSession) -> Toggle:
    """Return the switch that loads turns of other clients as they arrive.

    Sets its session key to what the session does.
    """
    state.set_widget(actions.FOLLOW_KEY, session.sync.follows)
    return Toggle(
        actions.FOLLOW_KEY,
        "Follow",
        on_change=refresh.refreshing("workbench", actions.follow),
        help="Load turns of other clients as they arrive",
    )


_LONGEST = 120


def interrupted_turn(view: RunView) -> None:
    """Draw the bar of an interrupted turn: restore its message or discard it; nothing without one.

    Nothing is drawn, too, where a turn is known that is not on record. The first button is disabled without a
    message.
    """
    turn = view.session.interrupted_turn
    if turn is None or view.session.unstored_turn is not None:
        return
    message = TurnLog(0, TurnInput.from_wire(decode(turn.input_json))).message
    said = f" after “{message[:_LONGEST]}”" if message else ""
    number = len(decode(turn.events_json))
    text = f"A turn was started{said} and is not in the record. It got as far as {count(number, 'event')}."
    reason = (
        "Either it is still open in another tab, or the program ended before it did: "
        "the run is at its last finished turn."
    )
    again = Button(
        "write_again",
        "Restore the message",
        write_again,
        (message,),
        icon=":material/edit:",
        disabled=not message,
        help="Put the message into the box",
    )
    forget = Button("forget_turn", "Discard", forget_turn, icon=":material/close:")
    bars(
        "cut_off", [Line("cut_off_line", [Text(f"{text} {reason}", look="message"), again, forget], low=True)]
    )


@action(role=Role.RUN)
def write_again(message: str) -> None:
    """Put the message of the interrupted turn into the box."""
    set_draft(message)
    forget_turn()


@action(role=Role.RUN, takes_session=True)
def forget_turn(session: DebugSession) -> None:
    """Let go of a turn that was cut off."""
    session.discard_unstored()
