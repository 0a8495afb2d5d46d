"""State of one browser tab.

Only this module uses `st.session_state`.

Everything here can vanish at any moment, as on a reload: the store is the truth, and the address names the
run and the turn from which a page is rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from debugger.errors import DebuggerError
from debugger.session.variable_rows import VariableRow

Record = TypeVar("Record")

GRAPH_KEY = "graph"
TAB_KEY = "inspector_tab"
LOWER_KEY = "lower_view"
GRAPH_VIEW_KEY = "graph_view"
INPUT_KEY = "input_for"


@dataclass
class LastAction:
    """The last thing that a person requested."""

    error: DebuggerError | None = None
    """The error that it ended in."""
    action: str = ""
    """The name of the action that ended in it."""
    field: str = ""
    """The key of the field that caused the error and shows it; empty where none does."""
    closed: DebuggerError | None = None
    """The error of a turn whose message the user has closed."""

    def fail(self, error: DebuggerError | None) -> None:
        """Hold an error that no field shows."""
        self.error, self.field = error, ""


@dataclass
class PageLinks:
    """The navigation's pages."""

    by_name: dict[str, Any] = field(default_factory=dict)
    on_view: str = ""
    """The name of the page that is drawn."""


@dataclass
class Editors:
    """Editors of run inputs and variables."""

    generation: int = 0
    """Counts how often editors got new content from elsewhere; part of their keys."""
    tables: dict[str, list[VariableRow]] = field(default_factory=dict)
    """The first content of each table under edit, by its key."""


@dataclass
class _CallbackValues:
    """Values that callbacks have set in widgets that have not been drawn since."""

    by_key: dict[str, Any] = field(default_factory=dict)


def record(kind: type[Record]) -> Record:
    """Return this tab's instance of a class of state; without one it is made with its defaults and kept."""
    key = record_key(kind)
    found: Record | None = st.session_state.get(key)
    if found is None:
        found = st.session_state[key] = kind()
    return found


def replace_record(value: object) -> None:
    """Replace this tab's instance of a class of state."""
    st.session_state[record_key(type(value))] = value


def record_key(kind: type[Any]) -> str:
    """Return the key of a class of state in the session state."""
    return f"{kind.__module__}.{kind.__qualname__}"


def renew_editors() -> None:
    """Let every editor begin anew with what its model holds now."""
    editors = record(Editors)
    editors.generation += 1
    editors.tables.clear()


def widget(key: str, default: Any = None) -> Any:
    """Return the value of a keyed widget."""
    return st.session_state.get(key, default)


def sent_by_browser(key: str, name: str) -> Any:
    """Return a value that a component of the app has sent; ``None`` without one."""
    held = widget(key)
    return held.get(name) if held else None


def set_widget(key: str, value: Any) -> None:
    """Give a keyed widget a value before it is drawn."""
    st.session_state[key] = value


def set_widget_from_callback(key: str, value: Any) -> None:
    """Set a widget from a callback, for its next drawing."""
    record(_CallbackValues).by_key[key] = value
    st.session_state[key] = value


def replay_widget_values() -> None:
    """Give widgets their values once more as a run begins.

    Where a callback, or a run that has not drawn them, ends in another run, Streamlit keeps a value and does
    not tell the browser.
    """
    for key, value in record(_CallbackValues).by_key.items():
        st.session_state[key] = value


def forget_callback_values() -> None:
    """Stop setting what callbacks have set, once it is drawn."""
    record(_CallbackValues).by_key.clear()


def begin_widget(key: str, value: Any) -> None:
    """Set the first value of a keyed widget.

    A widget that callbacks set, too, can have no default of its own.
    """
    st.session_state.setdefault(key, value)


def keep_widgets(keys: Iterable[str]) -> None:
    """Preserve values of widgets that may not be drawn."""
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def forget_widget(key: str) -> None:
    """Let a keyed widget begin anew when it is drawn next."""
    st.session_state.pop(key, None)
