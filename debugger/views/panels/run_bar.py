"""The bar above everything: what is on view, how it stands, and what can be done with the run."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.run_tables import place_label
from debugger.analysis.transitions import transition_reason, transition_title
from debugger.session.background import BackgroundScheduler
from debugger.session.session import DebugSession
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count, plain
from debugger.views.components.status_badges import shown_status, status_badge
from debugger.views.components.toolbar import Badge, Button, Item, Line, Space, Toggle, Words, bar, bars
from debugger.views.navigation import current_address
from debugger.views.panels.export_menu import export_menu
from debugger.views.panels.forks import lineage, turn_actions
from debugger.views.panels.notes import demo_notes
from debugger.views.panels.side_effects import policies_of
from debugger.views.panels.stepping import resume, stepping
from debugger.views.panels.variable_edits import live_edit, live_edit_switch
from debugger.views.run_view import Reading
from debugger.views.shortcuts import keys
from debugger.views.state import BackendName

_ICONS: dict[BackendName, str] = {
    "embedded": ":material/memory:",
    "hosted": ":material/cloud:",
    "recording": ":material/movie:",
}


def context_bar(now: Reading) -> None:
    """Draw the bar of a session."""
    session = now.session
    title = [*_title(session), Space(), *_actions(session), export_menu(session)]
    about = [*_run(session), *turn_actions(now), *lineage(now), *_outside(now)]
    lines = [
        Line("title_bar", title),
        Line("run_bar", [*about, Space(), *stepping(now), *live_edit_switch(now)], low=True),
    ]
    work = background(now)
    if work:
        lines.append(Line("background", work, low=True))
    bars("context_bar", lines)
    live_edit(now)


def _title(session: DebugSession) -> list[Item]:
    version = [] if session.version_number is None else [Badge(f"v{session.version_number}")]
    return [
        Words(session.workflow.name, look="strong"),
        *version,
        Badge(session.backend.name, _ICONS[state.page().backend_name]),
        status_badge(shown_status(session)),
    ]


def _run(session: DebugSession) -> list[Item]:
    told: list[Item] = []
    if session.run_id:
        told += [Words("Run"), Words(session.run_id, look="code")]
    elif not session.turns:
        told.append(Words("No run yet: fill in the input on the left, then start."))
    if session.turns:
        told.append(Words(f"Turn {session.turns[-1].number}"))
    if session.elapsed:
        told.append(Words(_duration(session.elapsed)))
    if session.run_id and not session.busy and not session.turns_to_load and session.pending is None:
        told.append(
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
    return told


def _outside(now: Reading) -> list[Item]:
    """The calls outside: their totals, or before a run what will happen to them."""
    if now.effects:
        is_quiet = all(effect.outcome == "ok" for effect in now.effects)
        return [Badge(f"Outside: {now.outside}", ":material/output:", "gray" if is_quiet else "orange")]
    return [Words(policies_of(now))] if now.session.status == "not_started" else []


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
            refresh.redrawing("bar", actions.start),
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
            refresh.redrawing("bar", actions.restart),
            icon=":material/restart_alt:",
            disabled=session.busy or bool(session.turns_to_load) or no_run is not None,
            help=no_run or "Begin another run with the input on the left; this one stays on record",
        )
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else no_run
    stop = Button(
        "stop",
        "Stop",
        refresh.redrawing("bar", actions.stop),
        icon=":material/stop:",
        disabled=not can_stop or reason is not None,
        help=reason or "End the run",
        shortcut=keys("stop"),
    )
    return [begin, *_run_command(session, no_run), stop]


def _run_command(session: DebugSession, no_run: str | None) -> list[Item]:
    """Return the button that resumes a paused run, or pauses one that waits."""
    if session.status == "paused" and not session.busy:
        return [
            Button(
                "resume_run",
                "Resume run",
                refresh.redrawing("bar", actions.send_command),
                ("resume",),
                icon=":material/play_circle:",
                look="primary",
                disabled=no_run is not None,
                help=no_run or "Send the command resume: the run continues where it was paused",
            )
        ]
    if session.status == "waiting_for_user_input" and not session.busy and session.pending is None:
        return [
            Button(
                "pause_run",
                "Pause run",
                refresh.redrawing("bar", actions.send_command),
                ("pause",),
                icon=":material/pause_circle:",
                shows="icon where narrow",
                disabled=no_run is not None or bool(session.turns_to_load),
                help=no_run or "Send the command pause: the run waits until it is resumed",
            )
        ]
    return []


def background(now: Reading) -> list[Item]:
    """What a bar tells of it; nothing while a run has no background work."""
    session = now.session
    pace = session.background
    if session.busy or not pace.has_work:
        return []
    told = Words(" ".join([*_companions(now), *_judged(pace), *_pace(now)]))
    badge = Badge("Background", ":material/autorenew:", "blue")
    return [badge, told, Space(), *_controls(now)]


def _companions(now: Reading) -> list[str]:
    """Where each companion thread stands, a sentence each."""
    return [
        f"Companion {name} is at {place_label(now.position, place, now.names)}."
        for name, place in now.position.companions.items()
    ]


def _judged(pace: BackgroundScheduler) -> list[str]:
    return [f"Conditions judged {count(pace.evaluations, 'time')}."] if pace.evaluations else []


def _pace(now: Reading) -> list[str]:
    pace = now.session.background
    if now.session.is_stepping:
        return ["A step is under way."]
    if pace.halted and pace.automatic:
        return [pace.halted, "Press Advance to let it go on."]
    if pace.automatic:
        left = round(pace.seconds_left)
        return [f"Next step in {left} s."] if left > 1 else []
    return ["It stands still until you advance it."]


def _controls(now: Reading) -> list[Item]:
    pace = now.session.background
    no_run = now.session.backend.capabilities.reason_against("run_turns")
    state.set_widget(actions.AUTOMATIC_KEY, pace.automatic)
    by_itself = Toggle(
        actions.AUTOMATIC_KEY,
        "Advance background work by itself",
        on_change=actions.advance_by_itself,
        disabled=no_run is not None,
    )
    if pace.continues:
        return [by_itself]
    told = "Companion threads that are due go one step each; then waiting conditions are judged"
    advance = Button(
        "advance",
        "Advance",
        actions.advance,
        icon=":material/step_over:",
        disabled=now.session.is_stepping or no_run is not None,
        help=no_run or told,
    )
    return [advance, by_itself]


def demo_bar(now: Reading) -> None:
    """Draw the bar of a session."""
    session = now.session
    with st.container(gap="xxsmall", key="demo_bar"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            bar("demo_actions", [*_demo_title(session), Space(), *_demo_actions(session)])
            if session.run_id is not None:
                demo_notes(session.run_id)
                _present()
        st.caption(plain(_in_words(now)), width="stretch")


def _in_words(now: Reading) -> str:
    """Who waits for what, and how it came there."""
    if not now.position.transitions or now.session.busy:
        return now.hint.sentence
    last = now.position.transitions[-1]
    title, reason = transition_title(last, now.names), transition_reason(last, now.graph)
    return f"{now.hint.sentence} Last move: {title}. {reason}"


def _demo_title(session: DebugSession) -> list[Item]:
    turn = [Words(f"Turn {session.turns[-1].number}")] if session.turns else []
    return [Words(session.workflow.name, look="strong"), status_badge(shown_status(session)), *turn]


def _demo_actions(session: DebugSession) -> list[Item]:
    no_run = session.backend.capabilities.reason_against("run_turns")
    if session.status == "not_started" and not session.busy:
        start = Button(
            "start",
            "Start",
            refresh.redrawing("bar", actions.start),
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
        refresh.redrawing("bar", actions.restart),
        icon=":material/restart_alt:",
        disabled=session.busy or bool(session.turns_to_load) or no_run is not None,
        help=no_run or "Begin another conversation; this one stays on record",
    )
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else no_run
    stop = Button(
        "stop",
        "Stop",
        refresh.redrawing("bar", actions.stop),
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
        refresh.redrawing("bar", resume),
        icon=":material/play_arrow:",
        look="primary",
        help="It was made to stand still here",
        shortcut=keys("resume"),
    )
    return [go_on]


def _present() -> None:
    st.page_link(
        state.page().links["present"],
        label="Present",
        icon=":material/slideshow:",
        query_params=current_address().to_parameters(),
        help="Play this run step by step, full screen",
    )
