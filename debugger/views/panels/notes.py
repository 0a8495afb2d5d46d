"""What people note on the run on view: marks of the run, comments and ratings of its parts."""

from __future__ import annotations

import streamlit as st

from debugger.errors import DebuggerError
from debugger.protocol.notes import RunLabels, RunNotes, Target
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth import identity
from debugger.views.auth.permissions import on_change, on_click, requires
from debugger.views.backends import notebook
from debugger.views.components.error_box import show_error
from debugger.views.panels import note_commands
from debugger.views.panels.comments import remarks
from debugger.views.panels.marks_form import marks_form
from debugger.views.run_view import Reading

_SUBJECT_KEY = "notes_about"
_AUTHOR_KEY = "notes_author"


def notes_tab(now: Reading) -> None:
    """Draw the notes."""
    run_id = now.session.run_id
    if run_id is None:
        st.caption("A run can be starred, tagged, commented and rated here once it has begun.")
        return
    try:
        notes = notebook().notes(run_id)
    except DebuggerError as error:
        show_error(error)
        return
    _head(run_id, notes)
    marks_form(run_id, RunLabels(starred=notes.starred, tags=notes.tags, note=notes.note))
    _about(now, run_id, notes)
    if state.page().backend_name == "hosted":
        st.caption("Notes stay on this machine; the API is not told of them.")


def _head(run_id: str, notes: RunNotes) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="notes_head"):
        st.button(
            "Unstar the run" if notes.starred else "Star the run",
            key="star_run",
            icon=":material/star:",
            type="secondary",
            args=([run_id],),
            kwargs={"starred": not notes.starred},
            **on_click(
                note_commands.star, help="Starred runs are found with “Starred only” on the page Runs"
            ),
        )
        st.space("stretch")
        state.set_widget(_AUTHOR_KEY, note_commands.author())
        st.text_input(
            "Your name",
            key=_AUTHOR_KEY,
            icon=":material/person:",
            max_chars=80,
            width=140,
            **on_change(
                _author_changed,
                disabled=not identity.current_user().is_local,
                help="Written at your comments and ratings",
            ),
        )


@command
@requires(Role.REVIEW)
def _author_changed() -> None:
    note_commands.call_author(state.widget(_AUTHOR_KEY) or "")


def _about(now: Reading, run_id: str, notes: RunNotes) -> None:
    """Comments and ratings of one of: the run, the turn that is looked at, the event that is looked at."""
    targets = _targets(now)
    if state.widget(_SUBJECT_KEY) not in targets:
        state.set_widget(_SUBJECT_KEY, "Run")
    subject = st.segmented_control(
        "Comments and ratings of",
        list(targets),
        key=_SUBJECT_KEY,
        required=True,
        format_func=lambda name: _label(*targets[name], notes),
        width="stretch",
    )
    remarks(run_id, targets[subject or "Run"][1], notes)


def _label(words: str, target: Target, notes: RunNotes) -> str:
    number = len(notes.comments_on(target))
    return f"{words} · {number}" if number else words


def _targets(now: Reading) -> dict[str, tuple[str, Target]]:
    """What can be commented on, by its kind: how it is called, and what it is."""
    targets = {"Run": ("The run", Target())}
    if not now.rows:
        return targets
    index = state.page().event
    row = now.rows[-1 if index is None else index]
    targets["Turn"] = (f"Turn {row.turn_number}", Target.turn(row.turn_number))
    logical_id = now.turns[row.place].events[row.position].logical_id
    if index is not None and logical_id:
        targets["Event"] = (f"Event {index}", Target.event(logical_id))
    return targets
