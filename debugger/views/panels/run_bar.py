"""Bars above the panes: title, run, background work, demo view."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.run_tables import place_label
from debugger.analysis.transitions import transition_reason, transition_title
from debugger.session.background import BackgroundScheduler
from debugger.session.session import DebugSession
from debugger.views import actions, refresh, state
from debugger.views.backends import CurrentBackend
from debugger.views.components.markdown import count, plain
from debugger.views.components.status_badges import shown_status, status_badge
from debugger.views.components.toolbar import Badge, Button, Item, Line, Spacer, Text, Toggle, bar, bars
from debugger.views.navigation import current_address
from debugger.views.panels.cursor import banner, lock
from debugger.views.panels.exports.menu import export_button
from debugger.views.panels.forks import fork_breadcrumb, turn_actions
from debugger.views.panels.notes import demo_notes
from debugger.views.panels.side_effects import policies_of
from debugger.views.panels.stepping import past_steps, resume, stepping, stop_reason
from debugger.views.panels.variable_edits import live_edit, live_edit_switch
from debugger.views.run_view import RunView
from debugger.views.shortcuts import keys
from debugger.views.state import PageLinks
from debugger.views.url_state import BackendName

_ICONS: dict[BackendName, str] = {
    "embedded": ":material/memory:",
    "hosted": ":material/cloud:",
    "recording": ":material/movie:",
}


def context_bar(view: RunView) -> None:
    """Draw the bar of a session."""
    session = view.session
    title = [*_title(view), Spacer(), *lock(_actions(session), view, _CHANGING), export_button(session)]
    about = [*_run(view), *turn_actions(view), *fork_breadcrumb(view)]
    if view.is_past:
        state_line = [*banner(view, has_keys=False), *about, Spacer(), *past_steps(view)]
    else:
        state_line = [*about, *_outside(view), Spacer(), *stepping(view), *live_edit_switch(view)]
    lines = [Line("title_bar", title), Line("run_bar", state_line, low=True)]
    work = background(view)
    if work:
        lines.append(Line("background", work, low=True))
    bars("context_bar", lines)
    if not view.is_past:
        live_edit(view)


_CHANGING = frozenset({"start", "stop", "resume_run", "pause_run"})
"""The buttons that change the run on view; to start another one is always possible."""


def _title(view: RunView) -> list[Item]:
    session = view.session
    version = [] if session.version_number is None else [Badge(f"v{session.version_number}")]
    return [
        Text(session.workflow.name, look="strong"),
        *version,
        Badge(session.backend.name, _ICONS[state.record(CurrentBackend).name]),
        status_badge(view.status if view.is_past else shown_status(session)),
        *([] if view.is_past else stop_reason(session)),
    ]


def _run(view: RunView) -> list[Item]:
    session = view.session
    parts: list[Item] = []
    if session.run_id:
        parts += [Text("Run", yields=True), Text(session.run_id, look="code")]
    elif not session.turns:
        parts.append(Text("No run yet: fill in the input on the left, then start."))
    if session.turns and not view.is_past:
        parts.append(Text(f"Turn {session.turns[-1].number}"))
    if session.elapsed and not view.is_past:
        parts.append(Text(_duration(session.elapsed), yields=True))
    if session.run_id and not session.busy and not session.turns_to_load and session.pending is None:
        parts.append(
            Button(
                "reload_run",
                "Reload",
                actions.reload_run,
                icon=":material/refresh:",
                look="tertiary",
                shows="icon where narrow",
                help="Read the run again: others may have gone on with it",
            )
        )
    return parts


def _outside(view: RunView) -> list[Item]:
    if view.effects:
        is_quiet = all(effect.outcome == "ok" for effect in view.effects)
        return [Badge(f"Outside: {view.outside}", ":material/output:", "gray" if is_quiet else "orange")]
    return [Text(policies_of(view))] if view.session.status == "not_started" else []


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _actions(session: DebugSession) -> list[Item]:
    no_run = session.backend.capabilities.reason_against("run_turns")
    can_stop = session.busy or (
        session.run_id is not None and not session.is_over and not session.turns_to_load
    )
    if session.status == "not_started" and not session.busy:
        begin = Button(
            "start",
            "Start",
            refresh.refreshing("bar", actions.start),
            icon=":material/play_arrow:",
            look="primary",
            disabled=no_run is not None,
            help=no_run or "Begin a run with the input on the left",
            shortcut=keys("start"),
        )
    else:
        begin = Button(
            "restart",
            "Restart",
            refresh.refreshing("bar", actions.restart),
            icon=":material/restart_alt:",
            shows="words" if session.stop_point is None else "icon where narrow",  # the reason takes the room
            disabled=session.busy or bool(session.turns_to_load) or no_run is not None,
            help=no_run or "Begin another run with the input on the left; this one stays on record",
        )
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else no_run
    stop = Button(
        "stop",
        "Stop",
        refresh.refreshing("bar", actions.stop),
        icon=":material/stop:",
        disabled=not can_stop or reason is not None,
        help=reason or "End the run",
        shortcut=keys("stop"),
    )
    return [begin, *_run_command(session, no_run), stop]


def _run_command(session: DebugSession, no_run: str | None) -> list[Item]:
    if session.status == "paused" and not session.busy:
        return [
            Button(
                "resume_run",
                "Resume run",
                refresh.refreshing("bar", actions.send_command),
                ("resume",),
                icon=":material/play_circle:",
                look="primary",
                disabled=no_run is not None,
                help=no_run or "Send the command resume: the run continues where it was paused",
            )
        ]
    is_at_rest = not session.busy and session.stop_point is None
    if session.status == "waiting_for_user_input" and is_at_rest and session.pending is None:
        return [
            Button(
                "pause_run",
                "Pause run",
                refresh.refreshing("bar", actions.send_command),
                ("pause",),
                icon=":material/pause_circle:",
                shows="icon where narrow",
                disabled=no_run is not None or bool(session.turns_to_load),
                help=no_run or "Send the command pause: the run waits until it is resumed",
            )
        ]
    return []


def background(view: RunView) -> list[Item]:
    """Return the items of background work; none without any."""
    session = view.session
    pace = session.background
    if view.is_past:
        where = " ".join(_companions(view))
        return [Badge("Background", ":material/autorenew:", "blue"), Text(where)] if where else []
    if session.busy or not pace.has_work:
        return []
    parts = Text(" ".join([*_companions(view), *_judged(pace), *_pace(view)]))
    badge = Badge("Background", ":material/autorenew:", "blue")
    return [badge, parts, Spacer(), *_controls(view)]


def _companions(view: RunView) -> list[str]:
    return [
        f"Companion {name} is at {place_label(view.position, place, view.names)}."
        for name, place in view.position.companions.items()
    ]


def _judged(pace: BackgroundScheduler) -> list[str]:
    return [f"Conditions judged {count(pace.evaluations, 'time')}."] if pace.evaluations else []


def _pace(view: RunView) -> list[str]:
    pace = view.session.background
    if view.session.stop_point is not None:
        return ["It is paused."]
    if view.session.is_stepping:
        return ["A step is under way."]
    if pace.halted and pace.automatic:
        return [pace.halted, "Press Advance to let it go on."]
    if pace.automatic:
        left = round(pace.seconds_left)
        return [f"Next step in {left} s."] if left > 1 else []
    return ["It stands still until you advance it."]


def _controls(view: RunView) -> list[Item]:
    pace = view.session.background
    no_run = view.session.backend.capabilities.reason_against("run_turns")
    state.set_widget(actions.AUTOMATIC_KEY, pace.automatic)
    by_itself = Toggle(
        actions.AUTOMATIC_KEY,
        "Advance background work by itself",
        on_change=actions.advance_by_itself,
        disabled=no_run is not None,
    )
    if pace.continues:
        return [by_itself]
    parts = "Companion threads that are due go one step each; then waiting conditions are judged"
    advance = Button(
        "advance",
        "Advance",
        actions.advance,
        icon=":material/step_over:",
        disabled=view.session.is_stepping or no_run is not None,
        help=no_run or parts,
    )
    return [advance, by_itself]


def demo_bar(view: RunView) -> None:
    """Draw the bar of a session."""
    session = view.session
    with st.container(gap="xxsmall", key="demo_bar"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            past = banner(view, has_keys=True)
            demo_actions = lock(_demo_actions(session), view, _CHANGING | {"resume"})
            bar("demo_actions", [*_demo_title(view), *past, Spacer(), *demo_actions])
            if session.run_id is not None:
                demo_notes(session.run_id)
                _present()
        st.caption(plain(_in_words(view)), width="stretch")


def _in_words(view: RunView) -> str:
    if not view.position.transitions or view.is_busy:
        return view.hint.sentence
    last = view.position.transitions[-1]
    title, reason = transition_title(last, view.names), transition_reason(last, view.graph)
    return f"{view.hint.sentence} Last move: {title}. {reason}"


def _demo_title(view: RunView) -> list[Item]:
    turn = [Text(f"Turn {view.turn_number}")] if view.turn_number and not view.is_past else []
    status = status_badge(view.status if view.is_past else shown_status(view.session))
    return [Text(view.session.workflow.name, look="strong"), status, *turn]


def _demo_actions(session: DebugSession) -> list[Item]:
    no_run = session.backend.capabilities.reason_against("run_turns")
    if session.status == "not_started" and not session.busy:
        start = Button(
            "start",
            "Start",
            refresh.refreshing("bar", actions.start),
            icon=":material/play_arrow:",
            look="primary",
            disabled=no_run is not None,
            help=no_run or "Begin the conversation",
            shortcut=keys("start"),
        )
        return [start]
    again = Button(
        "restart",
        "Begin again",
        refresh.refreshing("bar", actions.restart),
        icon=":material/restart_alt:",
        disabled=session.busy or bool(session.turns_to_load) or no_run is not None,
        help=no_run or "Begin another conversation; this one stays on record",
    )
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else no_run
    stop = Button(
        "stop",
        "Stop",
        refresh.refreshing("bar", actions.stop),
        icon=":material/stop:",
        disabled=session.is_over or bool(session.turns_to_load) or reason is not None,
        help=reason or "End the conversation",
        shortcut=keys("stop"),
    )
    return [*_go_on(session), again, stop]


def _go_on(session: DebugSession) -> list[Item]:
    if session.stop_point is None:
        return []
    go_on = Button(
        "resume",
        "Go on",
        refresh.refreshing("bar", resume),
        icon=":material/play_arrow:",
        look="primary",
        help="It was made to stand still here",
        shortcut=keys("resume"),
    )
    return [go_on]


def _present() -> None:
    st.page_link(
        state.record(PageLinks).by_name["present"],
        label="Present",
        icon=":material/slideshow:",
        query_params=current_address().to_parameters(),
        help="Play this run step by step, full screen",
    )
