"""Tags and note of a run, to be edited."""

from __future__ import annotations

import streamlit as st

from debugger.errors import DebuggerError
from debugger.protocol.notes import RunLabels
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth.permissions import on_change, requires
from debugger.views.backends import notebook
from debugger.views.panels import note_commands

_NOTE_HEIGHT = 90


def marks_form(run_id: str, mark: RunLabels) -> None:
    """Draw the editor; each change is kept at once.

    Args:
        run_id: The run.
        mark: What it has.
    """
    tags_key, note_key = f"tags_{run_id}", f"note_{run_id}"
    st.multiselect(
        "Tags",
        sorted({*mark.tags, *_known_tags()}),
        mark.tags,
        key=tags_key,
        accept_new_options=True,
        placeholder="Choose or type a tag",
        args=(run_id, tags_key),
        **on_change(_tags_changed),
    )
    st.text_area(
        "Note",
        mark.note,
        key=note_key,
        height=_NOTE_HEIGHT,
        max_chars=5_000,
        placeholder="What this run is for, or what it shows",
        args=(run_id, note_key),
        **on_change(_note_changed),
    )


def _known_tags() -> list[str]:
    try:
        return notebook().tags()
    except DebuggerError:
        return []


@command
@requires(Role.REVIEW)
def _tags_changed(run_id: str, key: str) -> None:
    note_commands.tag(run_id, state.widget(key))


@command
@requires(Role.REVIEW)
def _note_changed(run_id: str, key: str) -> None:
    note_commands.write(run_id, state.widget(key))
