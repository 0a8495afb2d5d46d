"""The graph on view as a picture to download: a dialog of the graph's menu, and a part of the export."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from debugger.analysis.metrics import node_times
from debugger.errors import DebuggerError
from debugger.exports.file_names import plain_name
from debugger.exports.pictures.drawing import Drawing
from debugger.exports.pictures.formats import PICTURES, explain_refusal, make_picture
from debugger.exports.pictures.run_marks import RunMarks
from debugger.exports.pictures.themes import Theme, ThemeName
from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.actions import action
from debugger.views.audit import audited_file
from debugger.views.components.error_box import show_error
from debugger.views.components.graph.component import graph_direction
from debugger.views.components.markdown import plain
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.drawn_graph import drawn_graph
from debugger.views.run_view import RunView

_POLL_SECONDS = 2.0

_Choice = tuple[Drawing, str, ThemeName]
"""Content, format and colours of a picture."""


@dataclass
class FailedPictures:
    """Errors of pictures, which are made after the page was drawn and outside of its session."""

    errors: dict[_Choice, DebuggerError] = field(default_factory=dict)


@dataclass
class PictureDialog:
    """State of the dialog."""

    session: DebugSession | None = None
    """The session that it is open for; ``None`` while it is closed."""


@action(takes_session=True)
def open_picture_dialog(session: DebugSession) -> None:
    """Show the dialog at the next drawing."""
    state.record(PictureDialog).session = session


def is_picture_open() -> bool:
    """Return whether the dialog is open."""
    return state.record(PictureDialog).session is not None


def picture_dialog(view: RunView) -> None:
    """Draw the dialog while it is open.

    Nothing is drawn where it is closed or open for another session, or while a question to the user is open.
    """
    if state.record(PictureDialog).session is not view.session or state.record(OpenQuestions).is_open:
        return
    shown = st.dialog("Picture of the graph", width="small", icon=":material/image:", on_dismiss=_close)
    shown(_body)(view)


def _body(view: RunView) -> None:
    if state.record(PictureDialog).session is not view.session or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    picture_options(view, "picture")


def _close() -> None:
    state.record(PictureDialog).session = None


def picture_options(view: RunView, key: str) -> None:
    """Draw the choices of a picture and its download, which is made by the click.

    Args:
        view: The run, whose graph is drawn as it is on view.
        key: Begins the keys of the widgets.
    """
    name = st.segmented_control(
        "Format",
        list(PICTURES),
        default="svg",
        key=f"{key}_format",
        required=True,
        format_func=lambda each: PICTURES[each].label,
    )
    has_run = bool(view.turns)
    has_path = st.toggle("Path of the run", value=has_run, key=f"{key}_path", disabled=not has_run)
    has_heat = st.toggle(
        "Heat", key=f"{key}_heat", disabled=not has_run, help="Tint each node by its share of the run's time"
    )
    drawing = _drawing(view, has_path=has_path and has_run, has_heat=has_heat and has_run)
    theme = Theme("dark" if st.context.theme.type == "dark" else "light")
    choice, failed = (drawing, name, theme.name), state.record(FailedPictures)
    refusal = explain_refusal(drawing, name)
    words = refusal or PICTURES[name].explain_readers(drawing, theme)
    st.caption(plain(words or f"{PICTURES[name].help}. Opened super nodes are drawn opened."))
    target = view.session.run_id if drawing.has_path or drawing.has_heat else view.session.workflow_id
    st.download_button(
        "Download picture",
        key=f"{key}_download",
        type="primary",
        data=audited_file(lambda: _picture(choice, failed), target or "", "export picture", format=name),
        file_name=f"{plain_name(drawing.title) or 'workflow'}.{name}",
        mime=PICTURES[name].media_type,
        icon=":material/download:",
        on_click="ignore",
        disabled=bool(refusal),
        help=plain(refusal) or None,
    )
    st.fragment(_show_failure, run_every=_POLL_SECONDS)(choice)


def _picture(choice: _Choice, failed: FailedPictures) -> bytes:
    """Return a picture as a file.

    Raises `DebuggerError` when it cannot be made, and keeps that in `failed`; an earlier error of it is
    dropped.
    """
    drawing, name, theme = choice
    failed.errors.pop(choice, None)
    try:
        return make_picture(drawing, name, Theme(theme))
    except DebuggerError as error:
        failed.errors[choice] = error
        raise


def _show_failure(choice: _Choice) -> None:
    """Draw why the last download failed: of that the browser says no more than that it did."""
    error = state.record(FailedPictures).errors.get(choice)
    if error is not None:
        show_error(error)


def _drawing(view: RunView, *, has_path: bool, has_heat: bool) -> Drawing:
    """Return the drawn graph, with its opened super nodes, as of the cursor, as content of a picture.

    It has the path of the run and the tint by time only where these are wanted.
    """
    drawn = drawn_graph(view)
    times = node_times(view.rows_then, drawn.graph.nodes) if has_heat else None
    marks = RunMarks.of(drawn.position, drawn.graph, drawn.groups, times, has_path=has_path)
    return Drawing.of(
        drawn.graph,
        view.session.workflow.name,
        groups=drawn.groups,
        marks=marks,
        direction=graph_direction(drawn.graph),
    )
