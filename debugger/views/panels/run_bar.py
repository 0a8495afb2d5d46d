"""Header of a run: status or cursor, steps, scrubber, and a menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from debugger.analysis.run_tables import place_label
from debugger.protocol.runs import Command
from debugger.session.session import DebugSession
from debugger.views import actions, refresh, state
from debugger.views.components.markdown import count
from debugger.views.components.status_badges import shown_status, status_badge
from debugger.views.components.toolbar import (
    Badge,
    Button,
    Copy,
    FullScreen,
    Item,
    Line,
    Menu,
    MenuItem,
    Spacer,
    Text,
    Toggle,
    bars,
)
from debugger.views.navigation import ViewMode
from debugger.views.panels import setup
from debugger.views.panels.cursor import PAST, banner, cursor_buttons, cursor_scrubber, turn_buttons
from debugger.views.panels.demo import demo_script_button, demo_script_dialog, simulated_badge
from debugger.views.panels.exports.dialog import export_button
from debugger.views.panels.fork_dialog import fork_dialog
from debugger.views.panels.forks import fork_button, replay_progress, run_turns_again_button
from debugger.views.panels.playback import play_buttons, played_turns
from debugger.views.panels.scenarios.menu import scenario_dialogs, scenario_items
from debugger.views.panels.scenarios.open import open_scenario_button
from debugger.views.panels.scenarios.script import script_button
from debugger.views.panels.stepping import (
    missed_stops,
    resume_button,
    step_notice,
    stepping,
    stop_reason,
)
from debugger.views.panels.variable_edits import live_edit, live_edit_switch
from debugger.views.run_view import RunView
from debugger.views.shortcuts import keys

_OVERFLOW = (
    "fork_turn",
    "live_edit",
    "export",
    "cursor_place",
    "new_events",
    "stop_reason",
    "step_notice",
    "viewing",
    "turn",
    "stop",
    "resume",
)
"""The last three are of the demo view alone: what steps a run never gives way."""


def run_bar(view: RunView) -> None:
    """Draw the bar of a run, with the dialogs that it opens where they are open.

    In the demo view it has other steps, and of the dialogs the demo script alone. Elsewhere the editor of
    variables follows, unless the past is on view.
    """
    is_demo = state.record(ViewMode).is_demo
    place = cursor_scrubber(view)
    if is_demo:
        steps = [] if view.is_past else _demo_steps(view)
        line = [*_demo_state(view), *steps, *(cursor_buttons(view) if place else []), *place, *_ends(view)]
    else:  # what changes has a fixed width, or is behind what is pressed again and again
        line = [_status(view), *stepping(view), _stop(view), *_moment(view, place), *_ends(view)]
    bars("context_bar", [Line("run_bar", line, overflow=_OVERFLOW)])
    demo_script_dialog(view)
    if not is_demo:
        scenario_dialogs()
        fork_dialog(view)
        if not view.is_past:
            live_edit(view)


def _status(view: RunView) -> Badge:
    badge = status_badge(view.status if view.is_past else shown_status(view.session))
    turn, hint = _turn(view)
    return replace(badge, detail=turn, help=hint, key="status")


def _turn(view: RunView) -> tuple[str, str]:
    """Return the turn on view and the duration of the turn, in words.

    The first is empty before the first turn, the second in the past and where no time is known.
    """
    seconds = 0.0 if view.is_past else view.session.elapsed
    words = f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    number = view.turn_number if view.is_past else view.turns[-1].number if view.turns else 0
    return f"Turn {number}" if number else "", f"Duration of the turn: {words}" if seconds else ""


def _demo_state(view: RunView) -> list[Item]:
    """Return the status, turn and reason of a pause for the demo view; in the past the banner alone."""
    if view.is_past:
        return banner(view)
    turn, hint = _turn(view)
    shown = [Text(turn, key="turn", help=hint)] if turn else []
    return [status_badge(shown_status(view.session)), *shown, *stop_reason(view.session)]


def _moment(view: RunView, place: list[Item]) -> list[Item]:
    """Return the cursor, and what is to be said and done at its place.

    In the past that is the banner and the fork button, else the reason of a pause, the pending step, and what
    continues the run. Without a place the cursor's buttons are left out.
    """
    session = view.session
    if view.is_past:
        fork = fork_button(session, view.turn_number or None, "fork_turn", "Fork from here")
        reason = [*banner(view), fork]
    else:
        reason = [*stop_reason(session), *step_notice(session), *_goes_on(view)]
    return [*(cursor_buttons(view) if place else []), *place, *reason]


def _goes_on(view: RunView) -> list[Item]:
    """Return what goes on with a run that has ended or stands still.

    An ended run has the restart alone. Else it is the command that resumes a run whose status is paused, and
    while a turn is held the switch of the variables' editor; empty otherwise.
    """
    session = view.session
    if session.is_over and not session.busy:
        return [_restart(session)]
    resume = []
    if session.status == "paused" and not session.busy:
        resume = [_command(session, "resume", "the run continues where it was paused", "play_circle")]
    return [*resume, *live_edit_switch(view)]


def _demo_steps(view: RunView) -> list[Item]:
    """Return the buttons of the demo view: the restart of an ended run, else resuming a pause, and the end.

    Empty before the first turn.
    """
    session = view.session
    if session.is_over and not session.busy:
        return [_restart(session)]
    resume = [resume_button(session)] if session.stop_point is not None else []
    return [*resume, _stop(view)] if session.turns else []


def _restart(session: DebugSession) -> Button:
    """Return the button that starts another run with the same input; disabled, with the reason, if none can.

    It is the primary one, with a shorter label, where the run is over.
    """
    no_run = _no_restart(session)
    return Button(
        "restart",
        "Restart" if session.is_over else "Restart with the same input",
        refresh.refreshing("bar", actions.restart),
        icon=":material/restart_alt:",
        look="primary" if session.is_over else "secondary",
        disabled=no_run is not None,
        help=no_run or "Start another run with the same input; this one stays on record",
        awaits_message=True,
    )


def _no_restart(session: DebugSession) -> str | None:
    """Return why no other run can be started: a turn runs, the run is being read, the backend runs none.

    ``None`` where one can.
    """
    if session.busy:
        return "The turn is still running."
    if session.turns_to_load:
        return "The run is being read."
    return session.backend.capabilities.reason_against("run_turns")


def _stop(view: RunView) -> Button:
    """Return the button that ends the run.

    It is disabled in the past, where there is nothing to end, as before the start, and where the backend
    cannot stop a turn or runs none.
    """
    session, past = view.session, PAST if view.is_past else None
    no_run = session.backend.capabilities.reason_against("run_turns")
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else no_run
    can_stop = session.busy or (
        session.run_id is not None and not session.is_over and not session.turns_to_load
    )
    return Button(
        "stop",
        "Stop",
        refresh.refreshing("bar", actions.stop),
        icon=":material/stop:",
        look="tertiary",
        disabled=not can_stop or (reason or past) is not None,
        shows="icon",
        help=reason or past or "End the run",
        shortcut=keys("stop"),
        names_keys=False,
    )


def _command(session: DebugSession, command: Command, effect: str, icon: str) -> Button:
    """Return the button that sends a command to the run.

    It is disabled where the backend runs no turns and while turns are to be loaded.
    """
    no_run = session.backend.capabilities.reason_against("run_turns")
    return Button(
        f"{command}_run",
        f"{command.capitalize()} run",
        refresh.refreshing("bar", actions.send_command),
        (command,),
        icon=f":material/{icon}:",
        look="primary" if command == "resume" else "secondary",
        disabled=no_run is not None or bool(session.turns_to_load),
        help=no_run or f"Send the command {command}: {effect}",
    )


def _ends(view: RunView) -> list[Item]:
    """Return the right end of the bar: export and menu, in the demo view the badge, full screen and menu.

    Before the run is stored there is no export.
    """
    if state.record(ViewMode).is_demo:
        spacer = [] if view.rows else [Spacer()]
        return [*spacer, *simulated_badge(view), FullScreen("full_screen", keys("full_screen")), _menu(view)]
    if view.session.run_id is None:
        return [Spacer(), _menu(view)]
    export = replace(export_button(view.session), look="tertiary", shows="icon")
    return [Spacer(), export, _menu(view)]


def _menu(view: RunView) -> Menu:
    """Return the menu of the run: run again, fork, commands, turns, scenarios, demo script, and run id.

    In the past fork and commands are left out, in the demo view play, fork, scenarios and run id. Before the
    run is stored it has the demo script and, outside the demo view, the scenario buttons alone.
    """
    session = view.session
    if session.run_id is None:
        first = [] if state.record(ViewMode).is_demo else [script_button(session), open_scenario_button()]
        return _more([*first, demo_script_button()])
    no_run = _no_restart(session)
    changed = Button(
        "restart_changed",
        "Restart with changes …",
        setup.open_restart,
        icon=":material/edit_note:",
        disabled=no_run is not None,
        help=no_run or "Edit the run input, then start another run",
    )
    is_in_bar = session.is_over and not session.busy and not view.is_past
    again = [] if is_in_bar else [_restart(session)]
    again_with = [*again, changed, run_turns_again_button(view)]
    begin: list[MenuItem] = [Text("Run again", look="heading"), *again_with]
    present: list[MenuItem] = [Text("Present", look="heading"), demo_script_button()]
    commands = [] if view.is_past else _commands(session)
    if state.record(ViewMode).is_demo:
        return _more([*begin, *commands, *turn_buttons(view), *present])
    fork = [] if view.is_past else [fork_button(session, view.turn_number or None, "fork_turn")]
    run_id = session.run_id
    named: list[MenuItem] = [
        Text("Run id", look="heading"),
        Text(run_id, look="code", key="run_id"),
        Copy("copy_run_id", "Copy the run id", run_id),
    ]
    begin += play_buttons(session)
    return _more([*begin, *fork, *commands, *turn_buttons(view), *scenario_items(view), *present, *named])


def _more(items: Sequence[MenuItem]) -> Menu:
    return Menu("more", "More", items, icon=":material/more_horiz:", shows="icon", look="tertiary")


def _commands(session: DebugSession) -> list[Button | Text]:
    """Return the heading and the commands for a run at rest: to pause it, and to read it again.

    Pausing needs a run that waits for the user, reading one that is wholly loaded. Empty without a command.
    """
    is_at_rest = not session.busy and session.stop_point is None and session.pending is None
    found: list[Button | Text] = []
    if is_at_rest and session.status == "waiting_for_user_input" and session.playback is None:
        found.append(_command(session, "pause", "the run waits until it is resumed", "pause_circle"))
    if is_at_rest and not session.turns_to_load:
        found.append(
            Button(
                "reload_run",
                "Reload",
                actions.reload_run,
                icon=":material/refresh:",
                help="Read the run again: other clients may have continued it",
            )
        )
    return [Text("This run", look="heading"), *found] if found else []


def work_bar(view: RunView) -> None:
    """Draw the bar of background work and of repeated inputs, if any.

    It has up to four lines: how a played run compares with its record, the repeated inputs, the breakpoints
    that the last turn could not pause at, and background work. Nothing is drawn without a line.
    """
    work, missed = background(view), missed_stops(view.session)
    forward = view.session.input_replay
    is_played = view.session.playback is not None
    progress = replay_progress(forward, is_played=is_played) if forward is not None else []
    notes = [Text(missed, look="note")] if missed else []
    lines = [items for items in (played_turns(view.session), progress, notes, work) if items]
    if lines:
        bars("work_bar", [Line("background" if items is work else "", items, low=True) for items in lines])


def background(view: RunView) -> list[Item]:
    """Return the items of background work; none without any, or while a turn is under way.

    In the past they are a badge and the places of the companions, or nothing without companions. In the demo
    view work that continues has the badge alone. Elsewhere the switch's session key is set to the session's.
    """
    session = view.session
    pace = session.background
    badge = Badge("Background", ":material/autorenew:", "blue")
    if view.is_past:
        where = " ".join(_companions(view))
        return [badge, Text(where)] if where else []
    if session.busy or not pace.has_work:
        return []
    if session.playback is not None:
        return [badge, Text(" ".join([*_companions(view), pace.halted]))]
    if state.record(ViewMode).is_demo and pace.continues:
        return [badge]
    judged = [f"Conditions judged {count(pace.evaluations, 'time')}."] if pace.evaluations else []
    parts = Text(" ".join([*_companions(view), *judged, *_pace(view)]))
    return [badge, parts, Spacer(), *_controls(view)]


def _companions(view: RunView) -> list[str]:
    return [
        f"Companion {name} is at {place_label(view.position, place, view.names)}."
        for name, place in view.position.companions.items()
    ]


def _pace(view: RunView) -> list[str]:
    """Return when background work continues, as sentences; none where the next step is due at once."""
    pace = view.session.background
    if view.session.stop_point is not None:
        return ["It is paused."]
    if view.session.is_stepping:
        return ["A step is under way."]
    if pace.halted and pace.automatic:
        return [pace.halted, "Press Advance to continue it."]
    if pace.automatic:
        left = round(pace.seconds_left)
        when = f" in {left} s" if left > 1 else ""
        if pace.retrying:
            return [f"The last step failed and is executed again{when}: {pace.retrying}"]
        return [f"Next step{when}."] if when else []
    return ["It is paused until you advance it."]


def _controls(view: RunView) -> list[Item]:
    """Return the switch of background work that advances by itself and, unless it does, a step's button.

    Sets the session key of the switch. Both are disabled where the backend runs no turns, the button also
    while a step is under way.
    """
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
        actions.start_background_step,
        icon=":material/step_over:",
        disabled=view.session.is_stepping or no_run is not None,
        help=no_run or parts,
    )
    return [advance, by_itself]
