"""Background work: what goes on, at which pace, and the controls of it."""

from __future__ import annotations

from debugger.analysis.run_tables import place_label
from debugger.session.background import BackgroundScheduler
from debugger.views import actions, state
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Badge, Button, Item, Space, Toggle, Words
from debugger.views.run_view import Reading


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
    return [f"Conditions judged {count(pace.judged, 'time')}."] if pace.judged else []


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
    if pace.goes_on:
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
