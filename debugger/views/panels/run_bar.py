"""The bar above everything: what is on view, how it stands, and what can be done with the run."""

from __future__ import annotations

from debugger.session.session import DebugSession
from debugger.views import actions, refresh, state
from debugger.views.components.status_badges import shown_status, status_badge
from debugger.views.components.toolbar import Badge, Button, Item, Line, Space, Words, bars
from debugger.views.panels.background import background
from debugger.views.panels.export_menu import export_menu
from debugger.views.panels.fork_breadcrumb import lineage
from debugger.views.panels.live_edit import live_edit, live_edit_switch
from debugger.views.panels.policies import policies_of
from debugger.views.panels.stepping import stepping
from debugger.views.panels.turn_actions import turn_actions
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
