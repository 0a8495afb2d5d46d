"""Conversation and message box."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.chat import TECHNICAL_ROLES, ChatMessage
from debugger.analysis.run_end import run_end
from debugger.views import actions, drafts, refresh, state
from debugger.views.components.chat import Line, ShowEarlier, chat_box
from debugger.views.components.markdown import count
from debugger.views.components.message_box import message_box
from debugger.views.components.toolbar import Button, Item, Text, bar, bars
from debugger.views.components.toolbar import Line as BarLine
from debugger.views.navigation import ViewMode
from debugger.views.panels.cursor import PAST
from debugger.views.panels.demo import audience_messages, next_line, wait_words
from debugger.views.panels.forks import fork_breadcrumb
from debugger.views.panels.manual_answer import manual_answer
from debugger.views.panels.next_steps import draw_missing_values, draw_undecided, show_why
from debugger.views.panels.run_bar import work_bar
from debugger.views.panels.run_input import input_state
from debugger.views.panels.setup import is_setup_beside_graph, setup_panel, start_bar
from debugger.views.panels.stepping import pending_notice, send_stepped
from debugger.views.panels.turn_outcome import mark_of, outcome_of, progress_text, turn_outcome
from debugger.views.run_view import RunView
from debugger.views.shortcuts import keys

_HEIGHT = 240
_WHOLE_KEY = "whole_conversation"
_MAX_MESSAGES = 80
_CUT_OFF = 20
_FIRST_MESSAGE = "Say something, or start without"
_MOST_FIRST_OFFERS = 3
"""Before the start they stand in lines of their own."""


def conversation(view: RunView) -> None:
    """Draw the messages, or the setup before a start, the turn's outcome, the work bar and the message box.

    A form is drawn above the box while the run waits for the user's answer in a model's place, and the start
    bar below it before the run starts.
    """
    with st.container(key="talk"):
        if is_setup_beside_graph(view.session):
            refresh.Pane("setup", setup_panel, input_state).draw()
        else:
            _messages(view)
        turn_outcome(view)
        work_bar(view)
        with st.container(key="answer_form"):  # always there: the box keeps its place, and takes the keyboard
            if view.session.human_input.pending is not None and not view.is_past:
                manual_answer(view)
        with st.container(key="say"):
            _message_box(view)
            if view.session.status == "not_started" and not view.session.turns_to_load:
                start_bar(view)


def _messages(view: RunView) -> None:
    """Draw the fork's breadcrumb, the messages on view, why the run has ended, and notices of next steps.

    Earlier messages are shown on demand, and all of them stay shown until the conversation is another one.
    """
    is_demo = state.record(ViewMode).is_demo
    origin = [] if is_demo else fork_breadcrumb(view)
    if origin:
        bars("origin_bar", [BarLine("", origin, low=True)])
    shown, later = _shown(view)
    earlier, end = _window(view, later)
    if not _earlier(len(shown)):
        state.forget_widget(_WHOLE_KEY)  # another conversation is requested anew
    is_whole = bool(state.widget(_WHOLE_KEY))
    first = 0 if is_whole else earlier
    words = f"Show {count(earlier, 'earlier message')}"
    chat_box(
        "conversation",
        shown[first:end],
        height=_HEIGHT,
        earlier=ShowEarlier(words, is_whole, _show_whole) if earlier else None,
        under_way=_under_way(view, len(shown) - end),
        empty=_empty(view),
        mark=mark_of(view.session),
        page=view.session.run_id,
        later=None if view.event is None else later[first:end],
        names_turns=not is_demo,
        on_choose=None if is_demo else refresh.refreshing("workbench", actions.select_event),
    )
    _end(view)
    draw_missing_values(view)
    draw_undecided(view)


def _end(view: RunView) -> None:
    """Draw why the run is over, with the button "Why" where a node decided it.

    Nothing while the run is not over, in the past, or in the demo view.
    """
    if view.is_past or not view.session.is_over or state.record(ViewMode).is_demo:
        return  # above the graph an audience reads it in other words
    errors = (message.text for message in reversed(view.messages) if message.role == "error")
    end = run_end(view.session.status, view.position, view.graph, next(errors, ""))
    if end is None:
        return
    items: list[Item] = [Text(end.text, look="message", key="end_reason")]
    if end.node_id is not None:
        why = "Show the last decision, edge by edge"
        show = refresh.refreshing("workbench", show_why)
        items.append(Button("why_ended", "Why", show, look="tertiary", help=why))
    bar("run_end", items, low=True)


def _window(view: RunView, later: list[bool]) -> tuple[int, int]:
    """Return the bounds of the shown messages: the latest, or those around the cursor.

    The latter are shown in the past only, where the last one up to the cursor is before the latest, unless
    the whole conversation is requested.
    """
    first, said = _earlier(len(later)), later.count(False)
    if not view.is_past or state.widget(_WHOLE_KEY) or said > first:
        return first, len(later)
    first = max(said - _MAX_MESSAGES // 2, 0)
    return first, min(first + _MAX_MESSAGES, len(later))


def _under_way(view: RunView, hidden: int) -> Line | None:
    """Return the line below the messages; ``None`` for a run at rest without hidden later messages.

    At rest it has the number of those. In a turn it says that an answer of the user is awaited, why the run
    is paused, what it waits for, or that it works; the first that applies.

    Args:
        view: The view of the run.
        hidden: The number of later messages that are not shown.
    """
    if not view.is_busy:
        return Line(f"{count(hidden, 'later message')} not shown") if hidden else None
    if view.session.human_input.pending is not None:
        return Line("Answer as the model below.", "edit")
    if view.session.stop_point is not None:
        return Line(_pause_words(view), "pause_circle")
    waiting = progress_text(view.session)
    if waiting:
        return Line(waiting, "sync_problem")
    if state.record(ViewMode).is_demo:
        return Line(wait_words(view), "progress_activity")
    reason = view.session.backend.capabilities.reason_against("live_events")
    return Line(f"The workflow is working … {reason or ''}", "progress_activity")


def _pause_words(view: RunView) -> str:
    stop = view.session.stop_point
    return wait_words(view) if stop is None or state.record(ViewMode).is_demo else f"Paused. {stop.text}"


def _announcement(view: RunView) -> str:
    """Return the text for screen readers: outcome of the turn, else pause, else notice, else the next step.

    The next step is announced only in the graph's table view; empty where nothing applies.
    """
    outcome = outcome_of(view.session)
    if outcome is not None:
        return outcome.text
    if view.session.stop_point is not None:
        return _pause_words(view)
    notice = pending_notice(view.session)
    if notice and not view.is_past:
        return notice
    is_table = state.widget(state.GRAPH_VIEW_KEY) == "Table" and not state.record(ViewMode).is_demo
    return view.hint.sentence if is_table else ""


def _empty(view: RunView) -> Line | None:
    """Return the line in place of messages: that turns are being read, or that messages appear here.

    ``None`` where there are messages or a turn is under way.
    """
    if view.messages or view.session.busy:
        return None
    if view.session.turns_to_load:
        return Line(f"Reading {count(view.session.turns_to_load, 'turn')} …", "progress_activity")
    whose = "" if state.record(ViewMode).is_demo else " of user and agent"
    return Line(f"The messages{whose} appear here.")


def _shown(view: RunView) -> tuple[list[ChatMessage], list[bool]]:
    """Return the messages to show, and which of them came after the cursor.

    For an audience there are no warnings, and none that came after it.
    """
    if not state.record(ViewMode).is_demo:
        return view.messages, view.later_flags
    pairs = zip(audience_messages(view), view.later_flags, strict=True)
    shown = [message for message, is_later in pairs if message.role not in TECHNICAL_ROLES and not is_later]
    return shown, [False] * len(shown)


def _earlier(messages: int) -> int:
    """Return the number of messages that are shown on demand.

    Where the others begin moves on by many at once, so that the first of them stay the same for some turns.
    """
    return max((messages - _MAX_MESSAGES) // _CUT_OFF * _CUT_OFF, 0)


def _show_whole(is_whole: bool) -> None:
    state.set_widget(_WHOLE_KEY, is_whole)


def _message_box(view: RunView) -> None:
    """Draw the message box with its draft and suggestions; locked with the reason while nothing can be sent.

    Sending and stepping are actions of the box. In the demo view it suggests the next line of the script.
    """
    reasons, lock = view.session.backend.capabilities, _lock(view)
    takes_message = not lock and (view.hint.kind == "message" or view.session.status == "not_started")
    last_turn = view.turns[-1].number if view.turns else 0
    # In the past as well, so that the box does not take the keyboard once live is on view again.
    is_over = takes_message or (view.is_past and not view.session.busy)
    is_demo = state.record(ViewMode).is_demo
    offers = view.suggestions if view.is_busy or takes_message else []
    most = _MOST_FIRST_OFFERS if view.session.status == "not_started" else None
    waiting = wait_words(view) if is_demo else view.hint.sentence
    can_step = reasons.reason_against("pause_mid_turn") is None and not is_demo
    message_box(
        "message",
        lock or (_FIRST_MESSAGE if view.session.status == "not_started" else waiting),
        refresh.refreshing("workbench", actions.send),
        on_step=refresh.refreshing("workbench", send_stepped) if can_step else None,
        disabled=not takes_message,
        offers=offers[:most] if view.is_scripted else None,
        suggestion=next_line(view) if is_demo and takes_message else "",
        draft=drafts.draft(),
        place=drafts.box_place(),
        takes=drafts.is_for_run_on_view,
        on_refuse=drafts.keep_at,
        is_running=view.session.busy and view.session.stop_point is None and not view.is_past,
        turn=last_turn if is_over else None,
        aria_label=_announcement(view),
        shortcut=keys("message"),
    )


def _lock(view: RunView) -> str:
    """Return the reason why no message can be sent; empty where there is none but the run's status.

    The first reason that applies is returned: the backend's first, then the past, reading, an unknown
    outcome, a deleted run, recovery, a pause, and a turn under way.
    """
    no_run = view.session.backend.capabilities.reason_against("run_turns")
    if no_run:
        return no_run
    is_demo = state.record(ViewMode).is_demo
    if view.is_past:
        return "An earlier moment is on view: Esc goes back." if is_demo else PAST
    if view.session.turns_to_load:
        return "The run is being read."
    if view.session.pending is not None:
        return "Locked until the last message is found, sent again or discarded."
    if view.session.is_deleted:
        return "The run was deleted and takes no more messages."
    if progress_text(view.session):
        return "Locked until the outcome of the last message is known."
    if is_demo and view.session.busy:
        return wait_words(view)
    if view.session.stop_point is not None:
        return "The run is paused: Resume or Step continues it."
    if view.session.playback is not None and not view.session.busy and not view.session.is_over:
        return "The run is played with recorded answers: fork it from a turn to continue it with other input."
    return "The turn is still running." if view.session.busy else ""
