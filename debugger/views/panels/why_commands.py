"""What the controls do that ask about a run's past: why it went there, what is watched."""

from __future__ import annotations

from debugger.analysis.variable_history import read_watch
from debugger.views import actions, state
from debugger.views.actions import command

WATCH_KEY = "new_watch"
"""The box in which a person writes what to watch."""
WATCHES_KEY = "watches"
"""The table of what is watched."""


def show_decision(index: int) -> None:
    """Choose the event of a decision, and show why it went so."""
    actions.select_event(index)
    state.give_widget(state.TAB_KEY, "Why")


def leave_edge() -> None:
    """Show all decisions again instead of those at one edge."""
    state.page().edge = None


@command
def add_watch(text: str | None = None) -> None:
    """Watch what was written, or what is named."""
    wanted = text if text is not None else str(state.widget(WATCH_KEY) or "")
    watch = read_watch(wanted)
    if watch.text not in state.page().watches:
        state.page().watches.append(watch.text)
    if text is None:
        state.give_widget(WATCH_KEY, "")


def remove_watch(text: str) -> None:
    """Watch something no more."""
    page = state.page()
    page.watches = [each for each in page.watches if each != text]
    state.forget_widget(WATCHES_KEY)
