"""Dialog that saves the run on view as a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded.model_selection import script_text
from debugger.errors import DebuggerError
from debugger.exports.file_names import plain_name
from debugger.exports.records import ExportedRun
from debugger.scenarios.expectation_rows import Match, Proposal
from debugger.scenarios.loading import SUFFIX
from debugger.scenarios.opening import merge_file
from debugger.scenarios.proposal import ScenarioDraft, masked_words, propose, write_bundle
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import action
from debugger.views.audit import audited_file
from debugger.views.auth.permissions import on_click
from debugger.views.backends import CurrentBackend
from debugger.views.components.error_box import show_error, show_failures, show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Column, Row, Table, estimate_width, rows_list
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.toolbar import Button
from debugger.views.confirmations import OpenQuestions
from debugger.views.connections import HostedConnection
from debugger.views.panels.scenarios.record import ScenarioRecord, scenario_of
from debugger.views.panels.suites.storing import begin_new, store_text
from debugger.views.panels.workflow_files import workflow_document
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView

_MOST_ROWS = 10
_KIND_WORDS = {
    "says": "says",
    "path": "path",
    "variable": "variable",
    "status": "status",
    "hint": "waits at",
    "edge_taken": "takes the edge",
}


def save_scenario_button(view: RunView) -> Button:
    """Return the button that opens the dialog of `open_save`.

    It is disabled before a run is stored, in a turn, and while turns are being read.
    """
    session = view.session
    is_ready = session.run_id is not None and not session.busy and not session.turns_to_load
    return Button(
        "save_scenario",
        "Save as scenario …",
        open_save,
        icon=":material/playlist_add_check:",
        disabled=not is_ready,
        help="Save the conversation as a test: a YAML file with what each turn is expected to do"
        if is_ready
        else "A turn can be saved when it has ended",
    )


@action()
def open_save() -> None:
    """Propose expectations for the run on view, and open the dialog with them.

    Nothing happens without a stored run, or in a turn. Personal data is masked for another backend than the
    embedded engine. An error, as of a run without a turn of a user, is stored in `LastAction`, not raised.
    """
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    if session is not None and session.run_id is not None and not session.busy:
        begin_new()
        held.masks = not isinstance(session.backend, EmbeddedBackend)
        held.freezes_clock = False
        held.draft = _proposed(session)
        held.chosen = None
        held.generation += 1


def _proposed(session: DebugSession, name: str = "") -> ScenarioDraft:
    """Return the run of a session as a scenario with proposed expectations, as masking and clock are chosen.

    Without a name it is that of the workflow with the first message. For a session that was opened from a
    scenario, what its file has is merged into it.

    Raises:
        DebuggerError: The run cannot be read, or has no turn of a user.
    """
    held = state.record(ScenarioRecord)
    own_id = session.workflow.config.logical_id
    draft = propose(
        ExportedRun(session.backend.record(session.run_id or ""), session.workflow),
        session.workflow,
        name=name or f"{session.workflow.name}: {session.turns[0].message}"[:80].strip(": "),
        reference=own_id if own_id and state.record(CurrentBackend).name != "hosted" else session.workflow_id,
        mocks=session.mocks.all,
        masks_personal_data=held.masks,
        freezes_clock=held.freezes_clock,
        is_embedded=state.record(CurrentBackend).name != "hosted",
    )
    if state.record(CurrentBackend).name == "hosted":
        draft.head["connection"] = state.record(HostedConnection).name or "hosted"
    opened = scenario_of(session)
    return draft if opened is None else merge_file(draft, opened)


def close_save() -> None:
    """Leave the dialog; nothing is saved."""
    state.record(ScenarioRecord).draft = None


def save_dialog() -> None:
    """Draw the dialog while it is open."""
    if state.record(ScenarioRecord).draft is None or state.record(OpenQuestions).is_open:
        return  # a page shows one dialog at a time
    side_dialog("Save as scenario", icon=":material/playlist_add_check:", on_dismiss=close_save)(_body)()


@show_unexpected_errors("The dialog")
def _body() -> None:
    """Draw the dialog: head, notes, expectations with ticks, comparison of the chosen one, and downloads.

    Where the dialog was closed, or a question opened, the page is rerun.
    """
    held = state.record(ScenarioRecord)
    draft = held.draft
    if draft is None or state.record(OpenQuestions).is_open:
        st.rerun()  # only that closes a dialog
    with st.container(key="scenario_dialog", gap="small"):
        _head(draft)
        _notes(draft)
        ticked = sum(one.is_ticked for one in draft.proposals)
        st.caption(
            f"{count(ticked, 'expectation')} ticked. Choose a row to loosen its comparison: the text "
            "then only has to contain a part, or to match a pattern."
        )
        shown = _table(draft)
        rows_list(
            "scenario_expectations",
            shown,
            chosen=shown.place_of(str(held.chosen)),
            on_choose=_choose,
            on_use=_use,
            most=_MOST_ROWS,
            page=id(draft),
        )
        if held.chosen is not None:
            _comparison(held.chosen, draft.proposals[held.chosen])
        show_failures("scenario")
    _download(draft)


def _head(draft: ScenarioDraft) -> None:
    """Draw name, tags, masking and clock of the draft; write name and tags into it.

    Masking and clock cannot be changed for a scenario out of a file, the clock only for the embedded engine;
    a change of them proposes anew. Without a tag the draft has no ``tags``.
    """
    held = state.record(ScenarioRecord)
    lead = f"scenario_{held.generation}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        draft.head["name"] = st.text_input(
            "Name", draft.head.get("name") or "", key=f"{lead}_name", max_chars=120
        )
        tags = st.text_input(
            "Tags",
            ", ".join(map(str, draft.head.get("tags") or ())),
            key=f"{lead}_tags",
            placeholder="smoke, booking",
            width=200,
        )
    is_new, session = draft.source is None, state.record(CurrentRun).session
    is_embedded = session is not None and isinstance(session.backend, EmbeddedBackend)
    with st.container(horizontal=True, gap="medium"):
        st.checkbox(
            "Mask personal data",
            held.masks,
            key=f"{lead}_masks",
            on_change=_propose_again,
            disabled=not is_new,
            width="content",
            help="Phone numbers, e-mail addresses, dates of birth and the like, in what the user says, too. "
            "Secrets are always masked.",
        )
        st.checkbox(
            "Freeze the clock",
            held.freezes_clock,
            key=f"{lead}_clock",
            on_change=_propose_again,
            disabled=not is_new or not is_embedded,
            width="content",
            help="The scenario always runs at the date and time at which this run started. "
            "Only the embedded engine can do that.",
        )
    found = _read_tags(tags)
    draft.head = {key: value for key, value in draft.head.items() if key != "tags"}
    if found:
        draft.head["tags"] = found


def _read_tags(text: str) -> list[str]:
    return list(dict.fromkeys(tag for each in text.split(",") if (tag := each.strip())))


@action()
def _propose_again() -> None:
    """Propose anew by what is chosen for masking and clock; name and tags stay, but for what is masked.

    Ticks and comparisons begin anew, and no expectation is chosen. An error is stored in `LastAction`, not
    raised.
    """
    held, session = state.record(ScenarioRecord), state.record(CurrentRun).session
    lead = f"scenario_{held.generation}"
    held.masks = bool(state.widget(f"{lead}_masks"))
    held.freezes_clock = bool(state.widget(f"{lead}_clock"))
    if session is not None and held.draft is not None:
        name, tags = state.widget(f"{lead}_name"), _read_tags(state.widget(f"{lead}_tags") or "")
        held.draft = _proposed(session, str(name or ""))
        held.draft.head |= {"tags": tags} if tags else {}
        held.generation += 1  # the name is masked, too
        held.chosen = None


def _notes(draft: ScenarioDraft) -> None:
    """Draw what was masked in the draft, and its notes; nothing where it has neither."""
    masked = masked_words(draft.masked)
    if masked:
        kept = (
            " The path can differ where the workflow needs them."
            if state.record(ScenarioRecord).masks
            else ""
        )
        st.caption(f":material/visibility_off: Masked: {plain(masked)}.{kept}")
    for note in draft.notes:
        st.caption(f":material/info: {plain(note)}")


def _table(draft: ScenarioDraft) -> Table:
    """Return the expectations under a heading for each turn that has some, and for the end.

    The column that marks varying texts, and what does not hold for the run, is there only with one.
    """
    columns = [
        Column("use", "Use", 40, "check"),
        Column("kind", "Expectation", 140, fits=estimate_width(map(_words, draft.proposals))),
        Column("match", "Compared", 84, "chip"),
        Column("text", "With", 190, grows=True),
    ]
    if any(one.is_volatile or one.has_failed for one in draft.proposals):
        columns.append(Column("varies", "", 68, "chip"))
    rows: list[Row] = []
    places = list(enumerate(draft.proposals))
    for number, turn in [*enumerate(draft.turns, start=1), (None, {})]:
        own = [(place, one) for place, one in places if one.turn == number]
        if own:
            rows.append(Row([_turn_words(number, turn)], is_heading=True))
        rows += [Row(_cells(one)[: len(columns)], str(place)) for place, one in own]
    return Table(columns, rows, "Expectations by turn: whether used, comparison and text")


def _cells(one: Proposal) -> Sequence[Any]:
    """Return the cells of an expectation: tick, kind, comparison, text in one line, and a mark."""
    words = _words(one)
    is_loose = one.match in ("contains", "regex", "similar", "has a value")
    return [
        (f"{words}, {one.place}", one.is_ticked),
        words,
        (one.match, "blue" if is_loose else "gray"),
        " ".join(one.text.split()),
        ("failed", "red") if one.has_failed else ("varies", "orange") if one.is_volatile else None,
    ]


def _words(one: Proposal) -> str:
    kind = _KIND_WORDS.get(one.kind, one.kind.replace("_", " "))
    return f"{kind} ({one.subject})" if one.subject else kind


def _turn_words(number: int | None, turn: Any) -> str:
    """Return the heading of a turn: its message, or its steps of background work; the end for ``None``."""
    if number is None:
        return "At the end"
    if "advance" in turn:
        return f"Turn {number}: {count(turn['advance'], 'step')} of background work"
    return f"Turn {number}: {turn.get('say') or 'without a message'}"


@action()
def _choose(target: Any) -> None:
    state.record(ScenarioRecord).chosen = None if target is None else int(target)


@action()
def _use(ticked: Any, _column: str, _: Any) -> None:
    draft = state.record(ScenarioRecord).draft
    if draft is not None and isinstance(ticked, list):
        for place in range(len(draft.proposals)):
            draft.proposals[place] = replace(draft.proposals[place], is_ticked=str(place) in ticked)


def _comparison(place: int, one: Proposal) -> None:
    """Draw how the chosen expectation is compared, and with which text; a change is stored in the draft.

    One that is kept as the file has it has a caption instead; one that only needs a value has no text.
    """
    held = state.record(ScenarioRecord)
    lead = f"scenario_{held.generation}_{place}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="scenario_comparison"):
        if one.match == "as written":
            st.caption("This expectation is kept as the file has it; edit it in the file.")
            return
        if len(one.matches) > 1:
            st.segmented_control(
                "Compare",
                one.matches,
                default=one.match,
                key=f"{lead}_match",
                required=True,
                width="content",
                on_change=_loosen,
                args=(place, f"{lead}_match"),
            )
        if one.match != "has a value":
            key = f"{lead}_{one.match}_text"
            st.text_area("Text", one.text, key=key, height="content", on_change=_edit, args=(place, key))


@action()
def _loosen(place: int, key: str) -> None:
    draft, match = state.record(ScenarioRecord).draft, state.widget(key)
    if draft is not None and match:
        chosen: Match = match
        draft.proposals[place] = replace(draft.proposals[place].with_match(chosen), is_ticked=True)


@action()
def _edit(place: int, key: str) -> None:
    draft = state.record(ScenarioRecord).draft
    if draft is not None:
        draft.proposals[place] = replace(draft.proposals[place].with_text(state.widget(key)), is_ticked=True)


def _download(draft: ScenarioDraft) -> None:
    """Draw the file of the draft, with the buttons that store it in the suite and that download it.

    An archive with workflow and script is offered for a new scenario of the embedded engine. Downloads are
    audited. Where the file cannot be made, only the error is drawn.
    """
    session, masks = state.record(CurrentRun).session, state.record(ScenarioRecord).masks
    backend = session.backend if session is not None and draft.source is None else None
    bundle = None
    try:
        text = draft.text()
        if session is not None and isinstance(backend, EmbeddedBackend):
            workflow, script = session.workflow, ""
            if backend.settings.responder != "rules":
                script = script_text(workflow.config.logical_id, backend.settings.scripts_folder)
            bundle = partial(write_bundle, draft, workflow.name, workflow_document(workflow), script)
    except DebuggerError as error:
        show_error(error)
        return
    with st.expander("The file", type="compact", key="scenario_file"):
        st.code(text, language="yaml", height=240)
    name = plain_name(str(draft.head["name"])) or "scenario"
    run_id = (session.run_id or "") if session else ""
    with dialog_footer():
        st.button(
            "Save to suite",
            key="save_to_suite",
            type="primary",
            icon=":material/playlist_add:",
            **on_click(_save_to_suite, help="Store it with the scenarios of the page Suites, for all users"),
        )
        st.download_button(
            "Download",
            key="download_scenario",
            data=audited_file(text.encode, run_id, format="scenario", masked=masks),
            file_name=f"{name}{SUFFIX}",
            mime="application/yaml",
            icon=":material/download:",
            on_click="ignore",
            help=plain(f"{name}{SUFFIX}"),
        )
        if bundle is not None:
            st.download_button(
                "Download with workflow and script",
                key="download_bundle",
                data=audited_file(bundle, run_id, format="scenario", masked=masks),
                file_name=f"{name}.zip",
                mime="application/zip",
                icon=":material/folder_zip:",
                on_click="ignore",
                help="A ZIP archive with the scenario, this version of the workflow without secret "
                "variables, and the script that answered. Unpacked, it runs on any machine",
            )


@action(role=Role.RUN)
def _save_to_suite() -> None:
    """Store the scenario, or ask where there is one of its name with another text.

    Once stored the dialog closes, with a notice; without a draft nothing happens. An error is stored in
    `LastAction`, not raised.
    """
    held = state.record(ScenarioRecord)
    draft = held.draft
    if draft is None:
        return  # a second press

    def finish() -> None:
        """Close the dialog and show the notice that the scenario is saved."""
        held.draft = None
        st.toast("Saved to the suite.", icon=":material/playlist_add_check:")

    def go_on() -> None:
        held.draft, held.generation = draft, held.generation + 1

    if store_text(draft.text(), finish=finish, go_on=go_on) and held.draft is not None:
        finish()  # it is stored already
