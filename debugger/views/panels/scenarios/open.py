"""Dialog that opens scenarios and Lex-shaped sheets."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import partial

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import InputError
from debugger.exports.csv_files import CsvOptions
from debugger.exports.file_names import plain_name
from debugger.protocol.file_limits import SCENARIO_FILE
from debugger.scenarios.archives import read_archive, write_archive
from debugger.scenarios.editing import read_plain, write_yaml
from debugger.scenarios.lex import scenarios_from_lex, write_lex
from debugger.scenarios.loading import SUFFIX
from debugger.scenarios.opening import (
    MAX_FILES,
    OpenedScenario,
    UploadedScenario,
    open_scenario,
    read_uploads,
)
from debugger.scenarios.preparation import EMBEDDED
from debugger.scenarios.runner import ScenarioRunner
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.audit import audit_run, audited_file
from debugger.views.auth.permissions import explain_denial, on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import current_backend, embedded_backend
from debugger.views.components.error_box import show_error, show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.toolbar import Button
from debugger.views.components.uploads import content_of, upload_files
from debugger.views.confirmations import OpenQuestions, confirm_turn
from debugger.views.panels.scenarios.record import SCENARIO_VIEW, ScenarioRecord, scenario_of
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction

_TYPES = ["yaml", "yml", "csv", "tsv", "xlsx", "json", "zip"]
_SHEETS = (".csv", ".tsv", ".xlsx")
_WAIT_SECONDS = 0.25


def open_scenario_button() -> Button:
    """Return the button that opens the dialog of `show_open`."""
    return Button(
        "open_scenario",
        "Open scenario …",
        show_open,
        icon=":material/file_open:",
        help="Open a scenario file as a session, or a test set with the columns of Amazon Lex",
    )


def show_open() -> None:
    """Open the dialog that opens a scenario, without the files chosen before.

    The error of the last action is dropped.
    """
    held = state.record(ScenarioRecord)
    held.is_opening, held.uploaded, held.refused, held.file_ids = True, [], [], ()
    held.generation += 1
    state.record(LastAction).error = None


def close_open() -> None:
    """Leave the dialog."""
    state.record(ScenarioRecord).is_opening = False


def open_dialog() -> None:
    """Draw the dialog while it is open."""
    if state.record(ScenarioRecord).is_opening and not state.record(OpenQuestions).is_open:
        side_dialog("Open scenario", icon=":material/file_open:", on_dismiss=close_open)(_body)()


@show_unexpected_errors("The dialog")
def _body() -> None:
    """Draw the upload of files, the errors in them, and the choice among their scenarios.

    Files are read once for each choice of them. Where the dialog was closed, the page is rerun.
    """
    held = state.record(ScenarioRecord)
    if not held.is_opening:
        st.rerun()  # only that closes a dialog
    with st.container(key="open_scenario_dialog", gap="small"):
        files = upload_files(
            "Scenario files (YAML) with what they name, a ZIP archive of them, or a Lex test set",
            SCENARIO_FILE,
            _TYPES,
            f"scenario_files_{held.generation}",
        )
        ids = tuple(file.file_id for file in files)
        if ids != held.file_ids:
            held.file_ids, held.uploaded, held.refused = ids, [], []
            state.record(LastAction).error = None
            if files:
                _read(files)
                state.record(LastAction).field = "scenario_files"  # it is shown here
        error = state.record(LastAction).error
        for each in (*held.refused, *([error] if error is not None else ())):
            show_error(each)
        chosen = _choice(held.uploaded) if held.uploaded else None
    if chosen is not None:
        with dialog_footer():
            _buttons(chosen, sheet=_sheet_among(file.name for file in files))


def _sheet_among(names: Iterable[str]) -> str:
    return next((name for name in names if name.lower().endswith(_SHEETS)), "")


@action()
def _read(uploaded: Sequence[UploadedFile]) -> None:
    """Read the uploaded files into `ScenarioRecord.uploaded`; a file with mistakes stops no other.

    A single sheet becomes scenarios of the workflow on view, where there is one. Errors of files are in
    `refused`; any other, as of too many files, is stored in `LastAction`.
    """
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    if len(uploaded) > MAX_FILES:
        raise InputError(f"These are {len(uploaded)} files.", advice=f"Choose at most {MAX_FILES} at once.")
    files: dict[str, bytes] = {}
    for file in uploaded:
        try:
            files |= files_of(file)
        except InputError as error:
            held.refused.append(error)
    if not files:
        return
    own = "" if session is None else session.workflow.config.logical_id or session.workflow_id
    sheet = _sheet_among(files)
    if len(files) == 1 and sheet and session is not None:
        conversations = scenarios_from_lex(files[sheet], sheet, session.workflow, own)
        files = {}
        for number, each in enumerate(conversations, start=1):
            name = plain_name(str(each.get("name") or "scenario"))
            files[f"{number:03d}-{name}{SUFFIX}"] = write_yaml(each).encode()
    found = read_uploads(files, own)
    held.uploaded = found.scenarios
    held.refused += found.errors


def files_of(file: UploadedFile) -> dict[str, bytes]:
    """Return what was uploaded by name: the files of an archive, or the file itself.

    Raises:
        InputError: It is too large, or an archive that cannot be read.
    """
    content = content_of(file, SCENARIO_FILE)
    is_archive = file.name.lower().endswith(".zip")
    return read_archive(content, file.name) if is_archive else {file.name: content}


def _lead() -> str:
    """Return the beginning of the keys of the choice among the files on view."""
    return f"scenario_{state.record(ScenarioRecord).generation}"


def _choice(uploaded: list[UploadedScenario]) -> UploadedScenario:
    """Draw the choice of a scenario and its row, and the number of turns to send; return the scenario.

    A choice among one is not drawn.
    """
    lead = _lead()
    chosen = uploaded[0]
    if len(uploaded) > 1:
        place = st.selectbox(
            "Scenario",
            range(len(uploaded)),
            key=f"{lead}_which",
            format_func=lambda at: f"{at + 1}. {uploaded[at].label}",
        )
        chosen = uploaded[place]
    found = chosen.loaded
    st.markdown(f"**{plain(found.scenario.name)}** · {count(len(found.scenario.turns), 'turn')}")
    for words in (found.scenario.description, ", ".join(found.scenario.tags), chosen.note):
        if words:
            st.caption(plain(words))
    cases = list(found.cases())
    if len(cases) > 1:
        st.selectbox(
            "Row",
            range(len(cases)),
            key=f"{lead}_row",
            format_func=lambda at: (
                f"{at + 1}. " + ", ".join(f"{key}: {value}" for key, value in cases[at][1].items())[:80]
            ),
        )
    turns = len(found.scenario.turns)
    st.number_input(
        "Send the turns up to",
        0,
        turns,
        turns,
        key=f"{lead}_up_to",
        help="After that turn you continue by hand; 0 sends none",
        width=220,
    )
    return chosen


def _buttons(chosen: UploadedScenario, sheet: str) -> None:
    """Draw the button that opens a scenario; for a sheet also its scenario files and its results."""
    st.button(
        "Open",
        key="scenario_open_now",
        type="primary",
        icon=":material/play_arrow:",
        args=(chosen, _lead()),
        **on_click(
            _open, help="Choose the workflow, set input, mocks, script, clock and seed, send the turns"
        ),
    )
    if sheet and not chosen.loaded.rows:
        _sheet_files(state.record(ScenarioRecord).uploaded, sheet)


def _sheet_files(uploaded: list[UploadedScenario], sheet: str) -> None:
    """Draw the downloads of a sheet: as scenario files, and as the sheet with results.

    The second is not drawn without the role of `_open`; its click runs the scenarios, which is audited.
    """
    stem = sheet.rpartition(".")[0]
    st.download_button(
        "Scenario files",
        partial(_zipped, uploaded),
        key="lex_scenarios",
        file_name=f"{stem}.zip",
        mime="application/zip",
        icon=":material/folder_zip:",
        on_click="ignore",
        help="Each conversation as a scenario file",
    )
    if explain_denial(_open):
        return  # the file is made by running the scenarios
    st.download_button(
        "Sheet with results",
        audited_file(
            partial(_with_results, uploaded, embedded_backend()),
            sheet,
            "run scenarios",
            scenarios=len(uploaded),
        ),
        key="lex_results",
        file_name=f"{stem}-results.csv",
        mime="text/csv",
        icon=":material/rule:",
        on_click="ignore",
        help="Run each conversation on the embedded engine; the sheet gets the columns Result and Got",
    )


def _zipped(uploaded: list[UploadedScenario]) -> bytes:
    return write_archive({each.loaded.path.name: each.loaded.text for each in uploaded})


def _with_results(uploaded: list[UploadedScenario], backend: EmbeddedBackend) -> bytes:
    """Run the scenarios of a sheet on the embedded engine; return the sheet with their results as CSV."""
    out = io.BytesIO()
    with ScenarioRunner(lambda _: backend, backend.settings) as runner:
        results = [result for each in uploaded for result in runner.run(each.loaded, backend=EMBEDDED)]
    write_lex(out, [read_plain(each.loaded.text) for each in uploaded], CsvOptions(), results)
    return out.getvalue()


@action(role=Role.RUN)
def _open(uploaded: UploadedScenario, lead: str) -> None:
    """Switch to the backend of the chosen row, open the scenario there, and send turns up to the chosen one.

    The values are those of the widgets of `lead`. An error is stored in `LastAction`, not raised; where the
    backend cannot be chosen, nothing is opened.
    """
    row, up_to = state.widget(f"{lead}_row", 0), state.widget(f"{lead}_up_to")
    case = list(uploaded.loaded.cases())[row][2]
    if case.connection == EMBEDDED:
        actions.choose_backend("embedded")
    else:
        actions.choose_backend("hosted", case.connection)
    if state.record(LastAction).error is None:
        on_view = state.record(CurrentRun).session
        start_scenario(open_scenario(uploaded, case, current_backend(), on_view), up_to)


def start_scenario(opened: OpenedScenario, up_to: int) -> None:
    """Show a scenario's session with its checks, and send its turns up to one.

    The dialog is closed, and the session has the scenario's mocks alone; with a clock its background work
    does not continue by itself. An error of the turns is stored in `LastAction`, not raised.
    """
    held, session = state.record(ScenarioRecord), opened.session
    held.is_opening, held.opened = False, opened
    mocks = session.mocks.to_json()
    actions.show(session)
    session.mocks.take(mocks)  # and not those of the workflow's last run
    if opened.case.clock is not None:
        session.background.automatic = False
    state.set_widget_from_callback(state.LOWER_KEY, SCENARIO_VIEW)
    send_turns(up_to)


@action(role=Role.RUN, takes_session=True)
def send_turns(session: DebugSession, up_to: int) -> None:
    """Send the scenario's turns after those that were sent, up to one; a failed expectation stops them.

    The user is asked first where that is needed, and the sending is audited. Nothing happens during a turn,
    for a session without a scenario, or where all of them were sent. After the turns the cursor goes to the
    first failure. An error is stored in `LastAction`, not raised.
    """
    opened = scenario_of(session)
    if opened is None or up_to <= opened.sent or session.busy:
        return
    if not confirm_turn(session, partial(send_turns, up_to)):
        return
    actions.set_run_by(session).replay_inputs(opened.replay(up_to))
    audit_run("run scenario", session, up_to_turn=up_to)
    state.record(BackendCache).expire()
    state.record(CurrentRun).after_turns = show_failure
    session.wait_until_idle(_WAIT_SECONDS)


def show_failure() -> None:
    """Move the cursor to the first expectation that failed, where one did.

    One without an event lets the cursor follow the run; without a failure it stays.
    """
    session = state.record(CurrentRun).session
    opened = scenario_of(session) if session is not None else None
    failed = opened.failure() if opened is not None else None
    if failed is not None:
        actions.select_event(failed.event)
