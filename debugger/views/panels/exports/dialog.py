"""The export dialog: its button, scope, options, preview and download."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import streamlit as st

from debugger.errors import DebuggerError
from debugger.exports.columns import column_of
from debugger.exports.file_names import export_file_name
from debugger.exports.formats import EXPORTS, ExportOptions, check_options, write_export
from debugger.exports.presets import LEX, PRESET_LABELS
from debugger.exports.saved_options import options_to_json
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.views import backends, state
from debugger.views.actions import action
from debugger.views.audit import audited_file
from debugger.views.auth.permissions import on_click
from debugger.views.components.error_box import show_error, show_failures, show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Column, Row, Table, estimate_width, rows_list
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.toolbar import Button
from debugger.views.confirmations import OpenQuestions
from debugger.views.edits import DELETED, json_words, store_edit
from debugger.views.panels.exports.options import export_options, export_preset_place
from debugger.views.panels.exports.progress import export_progress, show_rowless, start_export
from debugger.views.panels.exports.record import (
    ExportRecord,
    Preview,
    make_preview,
    masked_words,
    sample_key,
    size_words,
)
from debugger.views.panels.exports.scope import THIS_RUN, ExportScope, Sample
from debugger.views.panels.notes import author
from debugger.views.panels.picture import picture_options
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import run_view
from debugger.views.state import PageLinks

MAX_DIRECT_RUNS = 50
MAX_DIRECT_BYTES = 4_000_000
"""An export of so few runs and bytes is made by the click that downloads it; a larger one has progress."""

MAX_SHOWN_ROWS = 6
_POLL_SECONDS = 1.0
_WIDEST = 260
"""Pixels of a column of the preview, at most."""


def open_export_dialog(*scopes: ExportScope) -> None:
    """Open the export dialog with the next drawing of the page, and drop the export before.

    Args:
        scopes: The runs to choose from, the preferred ones first; without any the dialog stays closed.
    """
    record = state.record(ExportRecord)
    record.drop_job()
    record.scopes, record.place, record.page = scopes, 0, state.record(PageLinks).on_view
    record.preview = record.sample = None
    record.checks, record.written = (), None
    record.generation += 1


def close_export_dialog() -> None:
    """Leave the dialog; an export under way is cancelled."""
    record = state.record(ExportRecord)
    record.drop_job()
    record.scopes, record.preview, record.sample, record.written = (), None, None, None


def is_export_open() -> bool:
    """Return whether the dialog is on view."""
    return bool(state.record(ExportRecord).scopes)


def export_dialog() -> None:
    """Draw the export dialog of this page while it is open; one that was opened on another page is closed.

    Nothing is drawn while a question is open.
    """
    if state.record(ExportRecord).page != state.record(PageLinks).on_view:
        close_export_dialog()
    if not is_export_open() or state.record(OpenQuestions).is_open:
        return  # a page shows one dialog at a time
    side_dialog("Export", icon=":material/download:", on_dismiss=close_export_dialog)(_body)()


@show_unexpected_errors("The export dialog")
def _body() -> None:
    """Draw the options, the preview and the download of an export, or the progress of one that is under way.

    Options that cannot be used and runs that cannot be read are shown as an error in place of the preview.
    Where the dialog was closed, or a question opened, the page is rerun.
    """
    record = state.record(ExportRecord)
    if not record.scopes or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    if record.job is not None:
        export_progress()
        return
    with st.container(key="export_dialog", gap="small"):
        _scope(record)
        try:
            sample = record.read_sample()
        except DebuggerError as error:
            show_error(error)
            return
        try:
            options = export_options(sample.checks)
            check_options(options)
            preview = _preview(record, options, sample)
        except DebuggerError as error:
            show_error(error)
            return
        _show_preview(preview, options)
        if EXPORTS[options.format].has_table:  # a download is no event of the page
            st.fragment(_show_written, run_every=_POLL_SECONDS)(_made_of(record, options))
        show_failures("export")
    with dialog_footer():
        _draw_download(record, options, preview)
        _save_preset(record)
        _picture(record)


def _scope(record: ExportRecord) -> None:
    """Draw the choice of the runs and store it in the record; nothing where there is only one scope.

    The record gets the place of the chosen scope; a scope without a label is named by its number.
    """
    if len(record.scopes) == 1:
        return
    record.place = st.segmented_control(
        "Runs",
        range(len(record.scopes)),
        default=record.place,
        key=f"export_{record.generation}_scope",
        required=True,
        format_func=lambda place: plain(record.scopes[place].label or f"Runs {place + 1}"),
    )


def _preview(record: ExportRecord, options: ExportOptions, sample: Sample) -> Preview:
    """Return the preview of the chosen runs and options, made again only where one of them has changed.

    Raises:
        DebuggerError: The runs cannot be read, or the options cannot be used.
    """
    key = _made_of(record, options)
    if record.preview is None or record.preview[0] != key:
        record.preview = key, make_preview(options, sample)
    return record.preview[1]


def _made_of(record: ExportRecord, options: ExportOptions) -> tuple[Any, ...]:
    """Return what a file or a preview is made of."""
    return sample_key(record.scope), options


def _show_written(key: tuple[Any, ...]) -> None:
    """Draw which runs have no row in the file that a click has downloaded, if it was made of the same."""
    written = state.record(ExportRecord).written
    if written is not None and written[0] == key:
        show_rowless(written[1])


def _show_preview(preview: Preview, options: ExportOptions) -> None:
    """Draw a caption on the file (runs, estimated size, what is masked), and its first rows.

    Without a run a hint is drawn instead. In place of rows, a caption names the columns of the preset of
    Amazon Lex, or says what a format without a table holds.
    """
    scope = state.record(ExportRecord).scope
    if preview.total == 0:
        st.info("No run is in this scope. Close the dialog and change the filter or the ticks.")
        return
    words = [scope.words(preview.total), f"about {size_words(preview.size)}"]
    if preview.rows:
        words.append(f"first {count(len(preview.rows), 'row')} below")
    if not options.table.masking.is_off:
        words.append(f"masked in the sample: {masked_words(preview.masked)}")
    st.caption(plain(" · ".join(words)))
    if options.preset == LEX:
        st.caption("The columns of Amazon Lex: line, conversation, source, input, expected intent and slots.")
    elif not preview.header:
        st.caption(plain(f"{EXPORTS[options.format].help}."))
    else:
        rows_list("export_preview", _preview_table(preview), most=MAX_SHOWN_ROWS)


def _preview_table(preview: Preview) -> Table:
    """Return the first rows of the file as a table of texts; without rows it has only its head.

    A column is as wide as its longest text, up to `_WIDEST`.
    """
    rows = [[_shown(value) for value in row] for row in preview.rows]
    columns = [
        Column(
            name,
            name,
            min(estimate_width([name, *(row[at] for row in rows)]), _WIDEST),
            help=column.help if (column := column_of(name)) else "",
        )
        for at, name in enumerate(preview.header)
    ]
    return Table(columns, [Row(row) for row in rows], "The first rows of the file")


def _shown(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _draw_download(record: ExportRecord, options: ExportOptions, preview: Preview) -> None:
    """Draw the button that downloads the file, or of a large export starts its writing in the background.

    Above `MAX_DIRECT_RUNS` runs or `MAX_DIRECT_BYTES` bytes it is a large one. A direct download is audited;
    without a run the button is disabled.
    """
    scope, total = record.scope, preview.total
    title = count(total, "run").capitalize()
    if len(preview.workflow_names) == 1:
        title = f"{preview.workflow_names[0]}: {count(total, 'run')}"
    final = replace(options, title=title, is_single=scope.wanted is None and total == 1)
    name, words = _file_name(record, final, preview), f"Export {count(total, 'run')}"
    if total > MAX_DIRECT_RUNS or preview.size > MAX_DIRECT_BYTES:
        st.button(
            words,
            key="export_start",
            type="primary",
            icon=":material/download:",
            args=(scope, final, name, total),
            **on_click(start_export, help="Write the file in the background; it can be cancelled"),
        )
        return
    read = scope.read_runs()

    made_of = _made_of(record, options)

    def render() -> bytes:
        """Return the file, and keep what was written; this runs outside of a session."""
        file = BytesIO()
        record.written = made_of, write_export(file, read(), final)
        return file.getvalue()

    target = scope.run_ids[0] if final.is_single else count(total, "run")
    st.download_button(
        words,
        key="export_download",
        type="primary",
        data=audited_file(render, target, format=final.format, masked=not final.table.masking.is_off),
        file_name=name,
        mime=final.media_type,
        icon=":material/download:",
        on_click="ignore",
        disabled=total == 0,
        help=plain(name),
    )


def _file_name(record: ExportRecord, options: ExportOptions, preview: Preview) -> str:
    """Return the name of the file, from workflows, runs, preset, time (UTC), and whether it is masked.

    A single run is named by the last six characters of its id, several by their number. The name of a saved
    preset goes before that of the program's; a table also names what a row is of.
    """
    scope = f"run {record.scope.run_ids[0][-6:]}" if options.is_single else count(preview.total, "run")
    preset = record.saved or PRESET_LABELS.get(options.preset, "")
    return export_file_name(
        list(preview.workflow_names),
        scope,
        f"{options.table.shape}s {preset}" if options.has_table else preset if options.preset == LEX else "",
        datetime.now(UTC),
        options.extension,
        is_masked=not options.table.masking.is_off,
    )


def _picture(record: ExportRecord) -> None:
    """Draw the menu that saves a picture of the run on view on the page Debug; it is filled while it is open.

    Nothing is drawn unless the scope is that run alone: a run on view on the page Review is another one.
    """
    session = state.record(CurrentRun).session
    scope = record.scope
    if session is None or (scope.backend, scope.run_ids) != (session.backend, (session.run_id,)):
        return
    shown = st.popover(
        "Picture", icon=":material/image:", key="export_picture", type="tertiary", on_change="rerun"
    )
    if shown.open:
        with shown:
            picture_options(run_view(session), "export_picture")


def _save_preset(record: ExportRecord) -> None:
    """Draw the menu that saves the options under a name, and deletes the chosen saved preset.

    Both buttons are disabled without the role of their actions, the first also while the name is blank; the
    second is drawn only where a saved preset is chosen.
    """
    with st.popover("Save preset", icon=":material/bookmark_add:", key="export_save", type="tertiary"):
        key = _name_key(record)
        name = st.text_input("Name", record.saved, key=key, placeholder="Weekly review")
        st.button(
            "Save",
            key="export_save_preset",
            icon=":material/save:",
            args=(key,),
            **on_click(save_preset, disabled=not name.strip(), help="All users of this store see it"),
        )
        if record.saved:
            st.button(
                "Delete this preset",
                key="export_delete_preset",
                icon=":material/delete:",
                args=(record.saved,),
                **on_click(delete_preset, help=plain(f"“{record.saved}” is deleted for all users")),
            )


def _name_key(record: ExportRecord) -> str:
    return f"export_{record.generation}_name"


@action(role=Role.REVIEW)
def save_preset(key: str) -> None:
    """Save the options as a preset for all users and choose it; one of the same name is replaced.

    Where another user has changed it meanwhile, the user is asked first. An error, as of a name that the
    store refuses, is stored in `LastAction`, not raised.

    Args:
        key: The key of the box with the name.
    """
    record, presets = state.record(ExportRecord), backends.embedded_backend().store.export_presets
    name, settings = " ".join((state.widget(key) or "").split()), options_to_json(record.options)

    def store(expected: int) -> int:
        saved = presets.save(name, settings, by=author(), expected=expected)
        record.saved = saved.content
        record.generation += 1
        return saved.revision

    def go_on() -> None:
        state.set_widget_from_callback(_name_key(record), name)

    store_edit(
        export_preset_place(name),
        Role.REVIEW,
        store,
        subject=f"The preset “{name}”",
        mine=json_words(settings),
        words=json_words,
        go_on=go_on,
    )


@action(role=Role.REVIEW)
def delete_preset(name: str) -> None:
    """Delete a saved preset for all users; the options of the dialog stay as they are.

    Where another user has changed it since it was chosen, the user is asked first. An error is stored in
    `LastAction`, not raised.
    """
    record, presets = state.record(ExportRecord), backends.embedded_backend().store.export_presets

    def delete(expected: int) -> int:
        presets.delete(name, expected=expected)
        record.saved = ""
        record.generation += 1
        return NEVER_WRITTEN

    store_edit(
        export_preset_place(name),
        Role.REVIEW,
        delete,
        subject=f"The preset “{name}”",
        mine=DELETED,
        words=json_words,
    )


def export_button(session: DebugSession) -> Button:
    """Return the button that opens the export of the run on view, and draw the dialog while that is open.

    It is disabled, and no dialog is drawn, before a run is stored, in a turn, and while turns are being read.
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
    open_export_dialog(ExportScope.here(session.backend, [session.run_id or ""], THIS_RUN))
