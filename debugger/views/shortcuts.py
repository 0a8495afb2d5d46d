"""Keyboard shortcuts of buttons, and the list for the help.

Streamlit keeps C and R for itself, with or without modifiers, and takes no punctuation. Alt with an arrow is
the browser's way back. A key that is typed into a field is never taken for a shortcut unless Ctrl is held.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from debugger.views import state


@dataclass
class ShortcutState:
    """The user's choice of shortcuts."""

    has_plain_keys: bool = True
    """Whether shortcuts without Ctrl work."""


@dataclass(frozen=True)
class Shortcut:
    """One shortcut as it is listed."""

    group: str
    """Where it works."""
    keys: str
    """As Streamlit reads it: ``Ctrl+Enter``."""
    does: str

    @property
    def is_plain(self) -> bool:
        """Return whether it is typed like text (WCAG 2.1.4).

        Then it must be possible to switch it off.

        Shift does not change that: it makes capitals.
        """
        return "Ctrl" not in self.keys


_RUN, _LOOK, _REVIEW, _ANYWHERE = "Run", "Cursor", "Review", "Anywhere"

SHORTCUTS = {
    "start": Shortcut(_RUN, "Ctrl+Enter", "Start the run"),
    "step_event": Shortcut(
        _RUN, "S", "Step by one event, or send what is typed and pause at its first event"
    ),
    "step_node": Shortcut(
        _RUN, "N", "Step to the next node, or send what is typed and pause at its first node"
    ),
    "step_turn": Shortcut(_RUN, "T", "Step to the end of the turn, or send what is typed and pause after it"),
    "resume": Shortcut(_RUN, "G", "Resume until something pauses the run"),
    "pause": Shortcut(_RUN, "P", "Pause"),
    "stop": Shortcut(_RUN, "Shift+X", "End the run"),
    "message": Shortcut(_RUN, "M", "Go to the message box"),
    "next_event": Shortcut(_LOOK, "Right", "Next event on view"),
    "previous_event": Shortcut(_LOOK, "Left", "Previous event on view"),
    "next_turn": Shortcut(_LOOK, "Shift+Right", "Next turn"),
    "previous_turn": Shortcut(_LOOK, "Shift+Left", "Previous turn"),
    "live": Shortcut(_LOOK, "Escape", "Back to live"),
    "search": Shortcut(_LOOK, "Shift+S", "Find in the timeline"),
    "play": Shortcut(_LOOK, "Space", "Play the events, or pause the play"),
    "verdict_pass": Shortcut(_REVIEW, "1", "Pass"),
    "verdict_fail": Shortcut(_REVIEW, "2", "Fail"),
    "verdict_unsure": Shortcut(_REVIEW, "3", "Unsure"),
    "next_open": Shortcut(_REVIEW, "O", "Next open run"),
    "previous_reviewed": Shortcut(_REVIEW, "B", "Back to the run before"),
    "undo_verdict": Shortcut(_REVIEW, "Z", "Undo the last verdict"),
    "next_target": Shortcut(_REVIEW, "M", "Judge the next turn or message"),
    "previous_target": Shortcut(_REVIEW, "Shift+M", "Judge the one before"),
    "whole_run": Shortcut(_REVIEW, "W", "Judge the whole run"),
    "skin": Shortcut(_ANYWHERE, "Shift+E", "Switch between the demo and engineer views"),
    "full_screen": Shortcut(_ANYWHERE, "F", "Full screen, in the demo view; again to leave it"),
    "help": Shortcut(_ANYWHERE, "Shift+H", "Open Help"),
}
"""By the name of what they do, grouped for the help."""

BUILT_IN = (
    Shortcut("Run", "Escape", "Cancel the step that waits for your next message"),
    Shortcut("Message box", "Enter", "Send the message"),
    Shortcut("Message box", "Alt+Enter", "Send the message and pause at its first event"),
    Shortcut("Message box", "Shift+Enter", "New line"),
    Shortcut(
        "Message box", "Tab or Right", "Take over the next message of the demo script, in the empty box"
    ),
    Shortcut("Message box", "Space", "Play the events of a demo, in the empty box"),
    Shortcut("Conversation", "Up and Down", "Move through the messages"),
    Shortcut("Conversation", "Enter", "Show the run as of the message"),
    Shortcut("Graph", "Arrow keys", "Move through the nodes and edges"),
    Shortcut("Graph", "Shift and arrow keys", "Move the view"),
    Shortcut("Graph", "Enter", "Choose the node or edge, or deselect it"),
    Shortcut("Graph", "B", "Set a breakpoint, or remove it"),
    Shortcut("Graph", "U", "Open a super node, or close it"),
    Shortcut("Graph", "+ and -", "Zoom"),
    Shortcut("Graph", "0", "Show the whole graph"),
)
"""What works where the keyboard is, without a button; for the help."""


def keys(name: str) -> str | None:
    """Return the keys of a shortcut; ``None`` while switched off."""
    found = SHORTCUTS[name]
    return None if found.is_plain and not state.record(ShortcutState).has_plain_keys else found.keys


PLAIN_KEYS_KEY = "has_plain_keys"
"""The switch of the shortcuts that are typed like text."""


def keys_table() -> str:
    """Return all shortcuts as Markdown, a table by each place where they work.

    Those that are switched off are listed as well.
    """
    parts = []
    for group in dict.fromkeys(each.group for each in (*SHORTCUTS.values(), *BUILT_IN)):
        listed = (each for each in (*SHORTCUTS.values(), *BUILT_IN) if each.group == group)
        rows = [f"| `{each.keys}` | {each.does} |" for each in listed]
        parts += [f"## {group}", "", "| Key | Does |", "| --- | --- |", *rows, ""]
    return "\n".join(parts)


def plain_keys_switch() -> None:
    """Draw the switch of the shortcuts without Ctrl; a change of it is kept for the tab."""
    state.begin_widget(PLAIN_KEYS_KEY, state.record(ShortcutState).has_plain_keys)
    st.toggle(
        "Shortcuts without Ctrl",
        key=PLAIN_KEYS_KEY,
        on_change=allow_plain_keys,
        help="Switch them off where speech input or another aid types single keys",
    )


def allow_plain_keys() -> None:
    """Let shortcuts without Ctrl work or not, as the switch says."""
    state.record(ShortcutState).has_plain_keys = bool(state.widget(PLAIN_KEYS_KEY))
