"""Demo script of the workflow on view: its dialog, and the line to say next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from debugger.errors import DebuggerError
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.store.demo_scripts import MAX_LINES
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth.permissions import explain_denial, on_click, requires
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_error
from debugger.views.components.toolbar import Button
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.runs.scope import connection_of_runs
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView, scripted_conversations
from debugger.views.state import LastAction

_TEXT_KEY = "demo_script_text"
_HEIGHT = 260


@dataclass
class DemoScriptDialog:
    """State of the dialog."""

    session: DebugSession | None = None
    """The session that it is open for; ``None`` while it is closed."""


def demo_script_button() -> Button:
    """Return the button that opens the dialog."""
    return Button(
        "demo_script",
        "Demo script …",
        _open,
        icon=":material/article:",
        help="The messages that the demo view offers one after the other",
    )


def next_line(view: RunView) -> str:
    """Return the line that follows the messages sent so far; empty past the end."""
    try:
        lines = _lines(view.session)
    except DebuggerError:
        return ""  # the dialog shows it
    sent = len(_messages(view))
    return lines[sent] if sent < len(lines) else ""


def demo_script_dialog(view: RunView) -> None:
    """Draw the dialog while it is open."""
    dialog = state.record(DemoScriptDialog)
    if dialog.session is not view.session or state.record(OpenQuestions).is_open:
        return
    st.dialog("Demo script", width="medium", icon=":material/article:", on_dismiss=_close)(_body)(view)


def _body(view: RunView) -> None:
    if state.record(DemoScriptDialog).session is not view.session:
        st.rerun()  # only that closes a dialog
    error = state.record(LastAction).error
    if error is not None:
        show_error(error)
    st.caption(
        f"One message a line, {MAX_LINES} at most, for every version of this workflow. In the demo view the "
        "message box shows the next one: Tab takes it over, Enter sends it."
    )
    st.text_area(
        "Messages in order",
        key=_TEXT_KEY,
        height=_HEIGHT,
        placeholder="Good morning.\nI need an appointment.",
        disabled=bool(explain_denial(_save)),
    )
    messages = _messages(view)
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Save", key="demo_script_save", type="primary", args=(view.session,), **on_click(_save))
        st.button(
            "Use this run's messages",
            key="demo_script_of_run",
            icon=":material/forum:",
            args=(messages,),
            **on_click(
                _fill,
                disabled=not messages,
                help="Replace the lines by the user's messages of this run"
                if messages
                else "No message was sent in this run",
            ),
        )


@command
def _open() -> None:
    session = state.record(CurrentRun).session
    if session is not None:
        state.set_widget_from_callback(_TEXT_KEY, "\n".join(_lines(session)))
        state.record(DemoScriptDialog).session = session


def _close() -> None:
    state.record(DemoScriptDialog).session = None


@command
@requires(Role.RUN)
def _fill(messages: list[str]) -> None:
    state.set_widget_from_callback(_TEXT_KEY, "\n".join(messages))


@command
@requires(Role.RUN)
def _save(session: DebugSession) -> None:
    lines = (state.widget(_TEXT_KEY) or "").splitlines()
    local_store().demo_scripts.save(connection_of_runs(), session.workflow_id, lines)
    state.record(BackendCache).expire(_question(session))
    _close()


def _lines(session: DebugSession) -> list[str]:
    """Return the saved lines, else those of the script of the workflow's models.

    Raises:
        DebuggerError: The store cannot be read.
    """
    read = partial(local_store().demo_scripts.lines, connection_of_runs(), session.workflow_id)
    saved = state.record(BackendCache).ask(_question(session), read)
    return saved or list(next(iter(scripted_conversations(session)), ()))


def _question(session: DebugSession) -> tuple[str, str, str]:
    return "demo script", connection_of_runs(), session.workflow_id


def _messages(view: RunView) -> list[str]:
    return [" ".join(turn.message.split()) for turn in view.turns if turn.message.strip()]
