"""An export in the background: its progress, its end and its file."""

from __future__ import annotations

import time

import streamlit as st

from debugger.errors import InputError
from debugger.exports.formats import ExportOptions, ExportProgress
from debugger.exports.jobs import ExportJob
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import action
from debugger.views.audit import audit
from debugger.views.auth.permissions import on_click
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count, plain
from debugger.views.components.side_dialog import dialog_footer
from debugger.views.downloads import download_url, downloads, session_owner
from debugger.views.panels.exports.record import ExportRecord, masked_words, size_words
from debugger.views.panels.exports.scope import ExportScope

_POLL_SECONDS = 0.5
_QUIET_SECONDS = 1.0
"""An export that is over in this time shows no progress."""


@action(role=Role.READ)
def start_export(scope: ExportScope, options: ExportOptions, file_name: str, total: int) -> None:
    """Start writing an export in the background in place of the one before, and audit it.

    The call waits up to `_QUIET_SECONDS`; a file finished by then is offered for download at once. An error,
    as of a browser that has no cookie to fetch the file with, is stored in `LastAction`, not raised.
    """
    owner = session_owner()
    if not owner:
        raise InputError(
            "The file could not be fetched: this browser has no cookie of the page.",
            advice="Allow cookies for this page and reload it.",
        )
    record = state.record(ExportRecord)
    record.drop_job()
    record.job = ExportJob(scope.read_runs(), total, options, file_name)
    record.job.start()
    masked = not options.table.masking.is_off
    audit("export runs", count(total, "run"), format=options.format, masked=masked)
    if record.job.wait(_QUIET_SECONDS):
        _offer(record, owner)


@action(role=Role.READ)
def leave_export() -> None:
    """Show the options again and cancel an export; a finished file stays available."""
    state.record(ExportRecord).drop_job()


def export_progress() -> None:
    """Draw the export that is under way, or its result."""
    job = state.record(ExportRecord).job
    is_running = job is not None and job.state == "running"
    st.fragment(_progress, run_every=_POLL_SECONDS if is_running else None)(is_running)


def _progress(was_running: bool) -> None:
    """Draw the progress of the export, its finished file, or its error.

    The page is rerun where there is no export any more, and once after the end, which stops the polling. A
    finished file is offered for download.

    Args:
        was_running: Whether the export was running when the dialog was drawn.
    """
    record = state.record(ExportRecord)
    job = record.job
    if job is None:
        st.rerun()  # the options take its place
    if job.state == "running":
        _running(job)
        return
    if was_running:
        st.rerun()  # ends the polling
    if job.state == "done":
        if not record.token:
            _offer(record, session_owner())
        _finished(record, job)
    else:
        _broken(job)


def _offer(record: ExportRecord, owner: str) -> None:
    if record.job is not None and record.job.state == "done":
        record.token = downloads.offer(record.job, owner)


def _running(job: ExportJob) -> None:
    """Draw the progress in runs, rows and seconds, with the button that cancels the export.

    A press of the button leads back to the options.
    """
    done, total = job.progress.runs, max(job.total, job.progress.runs, 1)
    seconds = time.monotonic() - job.begun_at
    words = f"{done:,} of {count(total, 'run')} · {job.progress.rows:,} rows · {seconds:.0f} s"
    st.progress(min(done / total, 1.0), words)
    with dialog_footer():
        st.button(
            "Cancel",
            key="export_cancel",
            icon=":material/close:",
            **on_click(leave_export, help="Stop writing; nothing is saved"),
        )


def _finished(record: ExportRecord, job: ExportJob) -> None:
    """Draw the size of a finished file, its masking, its download link, and the button for another export.

    Runs without a row are named.

    Without masking a warning is drawn in place of what was masked. The button leads back to the options; the
    file can still be downloaded.
    """
    rows = f", {job.progress.rows:,} rows" if job.progress.rows else ""
    st.success(
        plain(
            f"{count(job.progress.runs, 'run')}{rows}, {size_words(job.size)}. "
            "It can be downloaded once, within an hour."
        ),
        icon=":material/check:",
    )
    show_rowless(job.progress)
    if job.options.table.masking.is_off:
        st.warning("Masking is off: the file holds personal data.", icon=":material/visibility:")
    else:
        st.caption(plain(f"Masked: {masked_words(job.progress.masked)}."))
    with dialog_footer():
        st.link_button(
            "Download",
            download_url(record.token),
            icon=":material/download:",
            type="primary",
            help=plain(job.file_name),
        )
        st.button(
            "Another export",
            key="export_again",
            icon=":material/tune:",
            type="tertiary",
            **on_click(leave_export),
        )


def show_rowless(written: ExportProgress) -> None:
    """Draw which runs of a written export have no row; nothing where each has one."""
    if written.rowless_words:
        st.info(plain(written.rowless_words), icon=":material/info:")


def _broken(job: ExportJob) -> None:
    """Draw the error of a failed export, or that it was cancelled, with the button back to the options."""
    if job.error is not None:
        show_error(job.error)
    else:
        st.info("The export was cancelled; nothing was saved.", icon=":material/close:")
    with dialog_footer():
        st.button("Back", key="export_back", icon=":material/arrow_back:", **on_click(leave_export))
