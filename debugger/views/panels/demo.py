"""Demo view: the run in words for an audience, its events and its script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from debugger.analysis.chat import TECHNICAL_ROLES, ChatMessage
from debugger.analysis.event_fields import node_name_of, values_of
from debugger.analysis.steps import MODEL_TYPES
from debugger.analysis.transitions import Transition, author_reason
from debugger.errors import DebuggerError
from debugger.graph.graph import Graph
from debugger.graph.labels import shorten
from debugger.graph.node_types import NODE_FACTS, UNKNOWN_TYPE
from debugger.protocol.base import JsonObject
from debugger.protocol.event_values import NAMES_OF_RULES
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.store.demo_scripts import MAX_LINES
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth.permissions import explain_denial, on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_failures
from debugger.views.components.graph.props import version_of
from debugger.views.components.markdown import listed
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.text_box import text_box
from debugger.views.components.toolbar import Badge, Button
from debugger.views.confirmations import OpenQuestions
from debugger.views.edits import see, store_edit
from debugger.views.navigation import ViewMode
from debugger.views.panels.notes import author
from debugger.views.panels.runs.scope import connection_of_runs
from debugger.views.panels.timeline import shown_events
from debugger.views.run_view import RunView, scripted_conversations

_NO_PROVIDER = "embedded"
"""The provider in the usage of what answers in a model's place."""
_RULES_LABEL = re.compile(rf"^\[({'|'.join(NAMES_OF_RULES)})(:| for) .+?\] ")
"""Label of what the built-in rules say, also in runs before 2026-12."""
_MAX_NAMES = 4
_LONGEST_REASON = 90
_WAIT_WORDS = {
    "not_started": "The conversation has not started.",
    "paused": "The conversation is paused.",
    "completed": "The conversation is over.",
    "failed": "The conversation has ended: something went wrong.",
    "cancelled": "The conversation was stopped.",
    "aborted_looping_risk": "The conversation was stopped: it went in circles.",
}
"""By the status of a run that is at rest."""
_SHORTEST_SECONDS, _LONGEST_SECONDS, _WORD_SECONDS = 1.6, 7.0, 0.28


def cursor_events(view: RunView) -> Sequence[int]:
    """Return the events that the cursor stops at, in order.

    For an audience these are messages and transitions, else what the timeline shows.
    """
    if not state.record(ViewMode).is_demo:
        return shown_events(view)
    return view.memo("demo events", lambda: _audience_events(view))


def _audience_events(view: RunView) -> list[int]:
    """Return the events of messages and of transitions, in order; without those of technical messages.

    Each event is there once; a message without an event has none.
    """
    said = {message.event_index for message in view.messages if message.role not in TECHNICAL_ROLES}
    moved = {
        found.event_index for found in view.projections.position.position(view.session.status).transitions
    }
    return sorted(event for event in said | moved if event is not None)


def moment_sentence(view: RunView) -> str:
    """Return the last transition with its reason, and what the run waits for, for an audience.

    In the past it is the transition alone; while the run works or has ended, only what it waits for.
    """
    if view.is_busy or view.hint.kind == "ended":
        return wait_words(view)
    transitions = view.position.transitions
    last = _transition_words(view, transitions[-1]) if transitions else ""
    return last if view.is_past and last else f"{last} {wait_words(view)}".strip()


def wait_words(view: RunView) -> str:
    """Return what the run waits for, in words for an audience; "One moment …" where no other text applies.

    A pause is left out in the past; the input hint goes before the status.
    """
    if view.session.stop_point is not None and not view.is_past:
        return "The conversation is paused."
    if view.is_busy:
        return "One moment …"
    if view.hint.kind == "message":
        return "Now it is your turn."
    if view.hint.kind == "background":
        return "Work continues in the background."
    return _WAIT_WORDS.get(view.status, "One moment …")


def _transition_words(view: RunView, made: Transition) -> str:
    """Return a transition as sentences for an audience, with its reason cut to `_LONGEST_REASON` characters.

    Direct edges have no reason.
    """
    source, destination = (
        view.names.get(node_id, node_id) for node_id in (made.source or "", made.destination or "")
    )
    if made.kind == "self_loop_edge":
        return f"{source} continues."
    if made.kind == "companion_edge":
        return f"{destination} continues in the background."
    if made.kind == "force_transfer_to_node":
        return f"The presenter moved to {destination}."
    arrival = f"{destination} comes next." if made.destination else "That was the last step."
    reason = shorten(author_reason(made, view.graph), _LONGEST_REASON).rstrip(".")
    if reason and made.kind != "direct_edge":
        return f"{source}: {reason}. {arrival}"
    return f"{source} is done. {arrival}"


def audience_messages(view: RunView) -> list[ChatMessage]:
    """Return all messages, in order, those of the agent without the label of the built-in rules.

    Worked out once per revision.
    """

    def cleaned(message: ChatMessage) -> ChatMessage:
        """Return a message without the label; one of another role as it is."""
        if message.role != "agent":
            return message
        return replace(message, text=without_label(message.text))

    return view.memo("demo messages", lambda: list(map(cleaned, view.messages)))


def without_label(text: str) -> str:
    """Return what the agent said without the label of the built-in rules."""
    return _RULES_LABEL.sub("", text)


def simulated_badge(view: RunView) -> list[Badge]:
    """Return the badge of a run in which something was simulated, else nothing."""
    words = view.memo("simulated", lambda: _simulated_words(view))
    return [Badge("simulated", help=f"Simulated in this run: {words}", key="simulated")] if words else []


def _simulated_words(view: RunView) -> str:
    """Return what was simulated in the run: model answers, external calls and mocked results, with nodes.

    Empty where nothing was; of each kind at most `_MAX_NAMES` nodes are named.
    """
    models, mocks = [], []
    for event in (event for turn in view.turns for event in turn.events):
        values = values_of(event)
        if event.type in MODEL_TYPES and values.llm_usage_info.provider == _NO_PROVIDER:
            models.append(node_name_of(event) or "")
        elif event.type == "end_node_run" and values.intervened:
            mocks.append(node_name_of(event) or "")
    calls = [effect.node_name for effect in view.effects if effect.how == "simulated"]
    kinds = (("model answers", models), ("external calls", calls), ("mocked results", mocks))
    return "; ".join(
        f"{kind} ({listed(list(dict.fromkeys(names)), _MAX_NAMES)})" for kind, names in kinds if names
    )


def reading_seconds(view: RunView) -> float:
    """Return the seconds for which the moment on view is shown when played at normal speed.

    It is 1 outside of the demo view, else it grows with the words of the messages, or of the moment's
    sentence.
    """
    if not state.record(ViewMode).is_demo:
        return 1.0
    here = [message.text for message in view.messages if message.event_index == view.event]
    words = len(" ".join(here or [moment_sentence(view)]).split())
    return min(_LONGEST_SECONDS, _SHORTEST_SECONDS + words * _WORD_SECONDS)


def caption_for_audience(shape: JsonObject, graph: Graph) -> None:
    """Replace the captions of the nodes in a shape by words for an audience, and renew its version.

    A node that the graph does not have, or whose type is unknown, gets an empty caption.

    Args:
        shape: The graph's geometry, which is changed, see `debugger.views.components.graph.props.geometry`.
        graph: The graph.
    """
    for node in shape["nodes"]:
        config = graph.nodes.get(node["id"])
        node["caption"] = NODE_FACTS.get((config.type or "") if config else "", UNKNOWN_TYPE).caption
    shape["version"] = version_of(shape)


_TEXT_KEY = "demo_script_text"
_HEIGHT = 260


@dataclass
class DemoScriptDialog:
    """State of the dialog."""

    session: DebugSession | None = None
    """The session that it is open for; ``None`` while it is closed."""


def demo_script_button() -> Button:
    """Return the button that opens the dialog, with the saved lines, else those of the models' script."""
    return Button(
        "demo_script",
        "Demo script …",
        _open,
        icon=":material/article:",
        help="The messages that the demo view offers one after the other",
    )


def next_line(view: RunView) -> str:
    """Return the line that follows the messages sent so far; empty past the end.

    Also empty where the lines cannot be read.
    """
    try:
        lines = _lines(view.session)
    except DebuggerError:
        return ""  # the dialog shows it
    sent = len(_messages(view))
    return lines[sent] if sent < len(lines) else ""


def is_demo_script_open() -> bool:
    """Return whether the dialog is open."""
    return state.record(DemoScriptDialog).session is not None


def demo_script_dialog(view: RunView) -> None:
    """Draw the dialog while it is open.

    Nothing is drawn where it is closed or open for another session, or while a question to the user is open.
    """
    dialog = state.record(DemoScriptDialog)
    if dialog.session is not view.session or state.record(OpenQuestions).is_open:
        return
    side_dialog("Demo script", icon=":material/article:", on_dismiss=_close)(_body)(view)


def _body(view: RunView) -> None:
    """Draw the box with the messages, and the buttons that save it or fill it with the messages of this run.

    Saving writes the local store. Both need the role to run; the second needs a message in the run. Where the
    dialog is not open for the run on view, or a question is, the page is rerun, which closes the dialog.
    """
    if state.record(DemoScriptDialog).session is not view.session or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    show_failures("script")
    st.caption(
        f"One message a line, {MAX_LINES} at most, for every version of this workflow. In the demo view the "
        "message box shows the next one: Tab takes it over, Enter sends it."
    )
    text_box(
        "Messages in order",
        _TEXT_KEY,
        height=_HEIGHT,
        placeholder="Good morning.\nI need an appointment.",
        disabled=bool(explain_denial(_save)),
    )
    messages = _messages(view)
    with dialog_footer():
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


@action(takes_session=True)
def _open(session: DebugSession) -> None:
    stored = local_store().demo_scripts.stored(connection_of_runs(), session.workflow_id)
    see(_question(session), stored.revision)
    state.set_widget_from_callback(_TEXT_KEY, "\n".join(stored.content or _scripted(session)))
    state.replace_record(DemoScriptDialog(session))


def _close() -> None:
    state.record(DemoScriptDialog).session = None


@action(role=Role.RUN)
def _fill(messages: list[str]) -> None:
    state.set_widget_from_callback(_TEXT_KEY, "\n".join(messages))


@action(role=Role.RUN)
def _save(session: DebugSession) -> None:
    """Save the typed lines as the workflow's demo script in the local store, and close the dialog.

    Blank lines are left out, and blanks in a line become one. Where another user was faster, the user is
    asked instead, and the dialog stays open. An error is kept in `LastAction`.
    """
    text: str = state.widget(_TEXT_KEY) or ""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    place = _question(session)

    def store(expected: int) -> int:
        """Store the lines in place of a revision, close the dialog, and return the new revision."""
        _, connection, workflow_id = place
        scripts = local_store().demo_scripts
        revision = scripts.save(connection, workflow_id, lines, by=author(), expected=expected)
        finish()
        return revision

    def finish() -> None:
        """Let the cached lines expire, and close the dialog."""
        state.record(BackendCache).expire(place)
        _close()

    is_stored = store_edit(
        place,
        Role.RUN,
        store,
        subject="The demo script",
        mine="\n".join(lines),
        words="\n".join,
        keep_theirs=lambda _: finish(),
        go_on=lambda: state.set_widget_from_callback(_TEXT_KEY, text),
    )
    if is_stored:
        finish()


def _lines(session: DebugSession) -> list[str]:
    """Return the saved lines, else those of the script of the workflow's models.

    Raises:
        DebuggerError: The store cannot be read.
    """
    saved = state.record(BackendCache).ask(_question(session), partial(_read, session))
    return saved or _scripted(session)


def _read(session: DebugSession) -> list[str]:
    return local_store().demo_scripts.lines(connection_of_runs(), session.workflow_id)


def _scripted(session: DebugSession) -> list[str]:
    return list(next(iter(scripted_conversations(session)), ()))


def _question(session: DebugSession) -> tuple[str, str, str]:
    return "demo script", connection_of_runs(), session.workflow_id


def _messages(view: RunView) -> list[str]:
    return [" ".join(turn.message.split()) for turn in view.turns if turn.message.strip()]
