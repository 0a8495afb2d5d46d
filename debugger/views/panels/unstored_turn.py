"""The question on a turn that ran and is not on record, with the calls that it made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from debugger.engine.outbound.gateway import STARTED
from debugger.errors import TurnNotStoredError
from debugger.protocol.json_codec import decode
from debugger.protocol.runs import BACKGROUND, TurnInput
from debugger.session.session import DebugSession
from debugger.store import UnfinishedTurn
from debugger.views import actions, refresh
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Break, Button, Disclosure, Item, Line, Text, bars
from debugger.views.run_view import RunView

_SHOWN_CALLS = 3
_LONGEST = 60
_ALL_KEY = "unstored_calls"


def unstored_turn(view: RunView) -> None:
    """Draw the bar of a turn that ran and was not stored: its calls, *Send again* and *Discard*.

    Three calls are named; while the details are open, the reason and every call. *Send again* is disabled in
    a run that is over. Nothing is drawn without such a turn.
    """
    turn = view.session.unstored_turn
    if turn is None:
        return
    shows_all = Disclosure(
        _ALL_KEY,
        "Show calls",
        help="Show why, and every call with its node and its error",
        disabled=not turn.calls,
    )
    why, more = reason(view.session), len(turn.calls) - _SHOWN_CALLS
    items: list[Item] = [Text(sentence(view.session, turn), look="message", help=why)]
    if not shows_all.is_open:
        items += [Text(call_words(call), look="note") for call in turn.calls[:_SHOWN_CALLS]]
        if more > 0:
            items.append(Text(f"and {count(more, 'more call')}", look="note"))
    over = "The run has ended; restart to start another one" if view.session.is_over else ""
    items += [
        Break(),
        Button(
            "send_unstored",
            "Send again",
            refresh.refreshing("workbench", actions.send_unstored_again),
            icon=":material/redo:",
            disabled=bool(over),
            help=over or "Execute the turn again, which makes its calls again",
        ),
        Button(
            "discard_unstored",
            "Discard",
            refresh.refreshing("workbench", actions.discard_unstored),
            icon=":material/close:",
            help="Continue without the turn; what it has called stays done",
        ),
        shows_all,
    ]
    if shows_all.is_open:
        details = [why, *(call_details(call, view.names) for call in turn.calls)]
        items += [Text(text, look="note") for text in details if text]
    # One line: its parts break, and have the colour of the box.
    bars("turn_warning", [Line("unstored_turn", items, low=True)])


def sentence(session: DebugSession, turn: UnfinishedTurn) -> str:
    """Return what happened to the turn: whether it ran or was interrupted, and how many calls it made.

    It is named by its message, cut to 60 characters, or as background work.
    """
    turn_input = TurnInput.from_wire(decode(turn.input_json))
    message = turn_input.message
    cut = message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
    named = f"The turn “{cut}”" if message else "A turn"
    if turn_input.miscellaneous.get(BACKGROUND):
        named = "A step of the background work"
    made = f"made {count(len(turn.calls), 'call')}" if turn.calls else "called nothing"
    if session.ran_unstored:
        return f"{named} ran, {made} and could not be stored."
    return f"{named} was interrupted, had {made} and is not on record."


def reason(session: DebugSession) -> str:
    """Return why the turn is not on record, where that is known."""
    return session.error.advice if isinstance(session.error, TurnNotStoredError) else ""


def call_words(call: Mapping[str, Any]) -> str:
    """Return a call in words: its target and outcome.

    A call that was only started has an unknown outcome; a missing target reads ``None``, a missing success is
    a failure, and a missing status is left out.
    """
    if call.get("error") == STARTED:
        return f"{call.get('target')} · started, outcome unknown"
    outcome = "ok" if call.get("success") else "failed"
    return f"{call.get('target')} · {outcome} {call.get('status_code') or ''}".rstrip()


def call_details(call: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a call in words, with its node and its error."""
    node, error = str(call.get("node_logical_id")), call.get("error")
    details = [call_words(call), names.get(node) or node, "" if error == STARTED else str(error or "")]
    return " · ".join(filter(None, details))
