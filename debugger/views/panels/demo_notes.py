"""The notes on the run on view, for whoever watches a demonstration: one popover, opened when wanted."""

from __future__ import annotations

import streamlit as st

from debugger.errors import DebuggerError
from debugger.views.backends import notebook
from debugger.views.components.error_box import show_error
from debugger.views.panels.marks_form import marks_form


def demo_notes(run_id: str) -> None:
    """Draw the popover of a run."""
    notes = st.popover("Notes", key="demo_notes", icon=":material/edit_note:", on_change="rerun")
    if not notes.open:
        return
    with notes:
        try:
            marks_form(run_id, notebook().notes(run_id))
        except DebuggerError as error:
            show_error(error)
