"""The conversation, and the box to answer in."""

from __future__ import annotations

from debugger.analysis.chat import ChatMessage
from debugger.views import actions, refresh, state
from debugger.views.components.chat import Earlier, Line, Start, bubbles_box
from debugger.views.components.markdown import count
from debugger.views.components.message_box import message_box
from debugger.views.panels.manual_answer import desk
from debugger.views.panels.turn_outcome import mark_of, outcome_of, progress_text, turn_outcome
from debugger.views.run_view import Reading

_HEIGHT = 240
_WHOLE_KEY = "whole_conversation"
_MOST_BUBBLES = 80
_CUT_OFF = 20


def conversation(now: Reading) -> None:
    """Draw what was said."""
    shown = _shown(now)
    earlier = _earlier(shown)
    if not earlier:
        state.forget_widget(_WHOLE_KEY)  # another conversation is asked for anew
    mark = mark_of(now.session)
    is_empty = not now.bubbles and not now.session.busy
    bubbles_box(
        "conversation",
        shown if state.widget(_WHOLE_KEY) else shown[earlier:],
        height=_HEIGHT,
        earlier=_switch(earlier) if earlier else None,
        under_way=_at_work(now) if now.session.busy else None,
        empty=_empty(now) if is_empty else None,
        start=_start(now) if is_empty and not now.session.turns_to_load else None,
        mark=(mark.turn_number, mark.text) if mark else None,
        page=now.session.run_id,
    )
    turn_outcome(now)
    if now.session.human_input.pending is not None:
        desk(now)
    else:
        _message_box(now)


def _at_work(now: Reading) -> Line:
    """What a turn under way does."""
    if now.session.human_input.pending is not None:
        return Line("A model's answer is asked of you below.", "edit")
    if now.session.stop_point is not None:
        return Line("The run stands still.", "pause_circle")
    waiting = progress_text(now.session)
    if waiting:
        return Line(waiting, "sync_problem")
    reason = now.session.backend.capabilities.reason_against("live_events")
    return Line(f"The workflow is working … {reason or ''}", "progress_activity")


def _told(now: Reading) -> str:
    """Return what is read aloud: an unusual outcome, else the hint where the graph does not report it."""
    outcome = outcome_of(now.session)
    if outcome is not None:
        return outcome.text
    return now.hint.sentence if state.widget(state.GRAPH_VIEW_KEY) == "Table" else ""


def _last_turn(now: Reading) -> int:
    return now.turns[-1].number if now.turns else 0


def _empty(now: Reading) -> Line:
    """What stands there before anything is said."""
    if now.session.turns_to_load:
        return Line(f"Reading {count(now.session.turns_to_load, 'turn')} …", "progress_activity")
    return Line("What user and agent say appears here.")


def _start(now: Reading) -> Start | None:
    if now.session.status != "not_started":
        return None
    no_run = now.session.backend.capabilities.reason_against("run_turns")
    return Start(refresh.redrawing("workbench", actions.start), no_run or "")


def _shown(now: Reading) -> list[ChatMessage]:
    """The bubbles; in the demo view without the warnings, which are for whoever builds the workflow."""
    if not state.page().is_demo:
        return now.bubbles
    return [bubble for bubble in now.bubbles if bubble.role != "warning"]


def _earlier(bubbles: list[ChatMessage]) -> int:
    """How many of a long conversation are shown on demand only.

    Where the others begin moves on by many at once, so that the first of them stay the same for some turns.
    """
    return max((len(bubbles) - _MOST_BUBBLES) // _CUT_OFF * _CUT_OFF, 0)


def _switch(earlier: int) -> Earlier:
    is_whole = bool(state.widget(_WHOLE_KEY))
    return Earlier(f"Show {count(earlier, 'earlier message')}", is_whole, _show_whole)


def _show_whole(is_whole: bool) -> None:
    state.set_widget(_WHOLE_KEY, is_whole)


def _message_box(now: Reading) -> None:
    no_run = now.session.backend.capabilities.reason_against("run_turns")
    takes_message = _takes_message(now)
    offers = now.suggestions if now.session.busy or takes_message else []
    message_box(
        "message",
        no_run or _asks(now),
        refresh.redrawing("workbench", actions.send),
        disabled=not takes_message,
        offers=offers if now.is_scripted else None,
        given=state.widget(actions.DRAFT_KEY) or "",
        turn=_last_turn(now) if takes_message else None,
        told=_told(now),
    )


def _asks(now: Reading) -> str:
    """What the empty box says."""
    if now.session.turns_to_load:
        return "The run is being read."
    if now.session.pending is not None:
        return "Locked until the last message is found, sent again or discarded."
    if now.session.is_deleted:
        return "The run was deleted and takes no more messages."
    if progress_text(now.session):
        return "Locked until the outcome of the last message is known."
    return "The turn is still running." if now.session.busy else now.hint.sentence


def _takes_message(now: Reading) -> bool:
    if now.session.backend.capabilities.reason_against("run_turns"):
        return False
    if now.session.busy or now.session.turns_to_load or now.session.is_deleted:
        return False
    if now.session.pending is not None:
        return False
    return now.hint.kind == "message" or now.session.status == "not_started"
