"""The export button of the debug page."""

from __future__ import annotations

from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.backends import CurrentBackend
from debugger.views.components.toolbar import Button
from debugger.views.connections import HostedConnection
from debugger.views.panels.exports.dialog import export_dialog, open_export_dialog
from debugger.views.panels.exports.scope import THIS_RUN, ExportScope


def export_button(session: DebugSession) -> Button:
    """Return the export button; draw the open dialog.

    It is disabled until something is on record.
    """
    is_ready = session.run_id is not None and not session.busy and not session.turns_to_load
    if is_ready:
        export_dialog()
    return Button(
        "export",
        "Export",
        open_export_of_run,
        (session,),
        icon=":material/download:",
        disabled=not is_ready,
        help="Save the run as a file: CSV, Excel, JSON Lines, HTML or run file"
        if is_ready
        else "A turn can be saved as a file when it has ended",
    )


def open_export_of_run(session: DebugSession) -> None:
    """Show the export dialog for the run on view."""
    hosted = state.record(HostedConnection)
    is_hosted = state.record(CurrentBackend).name == "hosted"
    open_export_dialog(
        ExportScope(
            session.backend,
            (session.run_id or "",),
            label=THIS_RUN,
            connection=hosted.name if is_hosted else "",
            environment=hosted.settings.environment if is_hosted else "",
        )
    )
