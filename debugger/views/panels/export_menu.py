"""The run on view as a file, in each of the formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from debugger.analysis.transcript import RunFacts, TranscriptRow, transcript
from debugger.errors import StoreError
from debugger.exports import EXPORTS, Export
from debugger.exports.json_files import build_run_file, event_lines
from debugger.protocol.notes import RunNotes
from debugger.protocol.run_file import RunFile
from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.audit import audited_file
from debugger.views.backends import notebook
from debugger.views.components.toolbar import Button

_HELP = {
    "csv": "A row for each message, with all that is known of it",
    "csv_review": "A row for each message, with what a reviewer reads",
    "json": "Record, workflow and notes; the page Runs opens it again",
    "jsonl": "An object a line, one for each event",
}


def export_menu(session: DebugSession) -> Button:
    """Return the button of the export menu; draw the open menu.

    It is disabled until something is on record.
    """
    is_ready = session.run_id is not None and not session.busy and not session.turns_to_load
    if state.page().shows_exports and is_ready:
        shown = st.dialog("Export the run", icon=":material/download:", on_dismiss=close_exports)
        shown(_formats)(session)
    return Button(
        "export",
        "Export",
        open_exports,
        icon=":material/download:",
        disabled=not is_ready,
        help="Save the run as a file; secrets are masked"
        if is_ready
        else "Once a turn is over, it can be saved as a file",
    )


def _formats(session: DebugSession) -> None:
    st.caption("Secrets are masked in each of them.")
    sources: dict[str, Callable[[], Any]] = {
        "transcript": lambda: _transcript(session),
        "run": lambda: _run_file(session),
        "events": lambda: event_lines(session.run_id or "", session.turns),
    }
    for name, export in EXPORTS.items():
        if export.source in sources:
            _format(session, name, export, sources[export.source])


def _format(session: DebugSession, name: str, export: Export, source: Callable[[], Any]) -> None:
    st.download_button(
        export.label,
        key=f"download_{name}",
        data=audited_file(lambda: export.render(source()), session.run_id or "", format=name),
        file_name=f"run-{session.run_id}{export.extension}",
        mime=export.media_type,
        icon=":material/download:",
        on_click="ignore",
        help=_HELP[name],
        width="stretch",
    )


def _transcript(session: DebugSession) -> list[TranscriptRow]:
    facts = RunFacts(
        run_id=session.run_id or "",
        workflow_id=session.workflow_id,
        workflow_name=session.workflow.name,
        version_number=session.version_number,
        engine=session.backend.name,
        status=session.status,
    )
    return transcript(facts, session.turns, session.workflow)


def _run_file(session: DebugSession) -> RunFile:
    run_id = session.run_id or ""
    try:
        notes = notebook().notes(run_id)
    except StoreError:
        notes = RunNotes()  # a run of another backend is saved without the local store, too
    return build_run_file(session.backend.run(run_id), session.workflow, notes, engine=session.backend.name)


def open_exports() -> None:
    """Show the formats in which the run on view can be saved."""
    state.page().shows_exports = True


def close_exports() -> None:
    """Leave them."""
    state.page().shows_exports = False
