"""Editor of a run input, as a form or as JSON."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Literal

import streamlit as st

from debugger.analysis.caller_input import NAMESPACE
from debugger.analysis.differences import differences
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.run_input_check import ANYWHERE
from debugger.errors import DebuggerError
from debugger.expressions.required_variables import unresolved_placeholders
from debugger.protocol.base import JsonObject
from debugger.protocol.first_turn_keys import FIRST_TURN_KEYS
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow
from debugger.session.input_preview import PreviewRow, input_preview
from debugger.session.input_warnings import KEY_HINTS, input_warnings
from debugger.session.json_input import excerpt
from debugger.session.run_input import JsonKey, RunInputModel, Tier
from debugger.session.session import DebugSession
from debugger.session.variable_rows import SourcedRow
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.auth.permissions import explain_denial, on_change, on_click
from debugger.views.components.markdown import count, json_cell, listed, plain
from debugger.views.components.rows import Cell, Column, Columns, estimate_width, rows_list, table
from debugger.views.components.toolbar import Button, Disclosure, Item, SegmentedControl, Spacer, Text, bar
from debugger.views.panels.presets import presets, state_copy
from debugger.views.panels.variable_edits import variable_grid
from debugger.views.run_state import RunInputs
from debugger.views.state import Editors

_TITLES: dict[Tier, str] = {
    "dynamic_variables": "Dynamic variables",
    "runtime_variables": "Runtime variables",
}
_HELP: dict[Tier, str] = {
    "dynamic_variables": "Replace {{name}} placeholders",
    "runtime_variables": "Replace [[name]] placeholders; the run can change them",
}
Which = Literal["next", "start"]
"""What the input is for: the next turn, or another run."""
_FOR = ("Next turn", "Restart")
_MODE_KEY, _MODES = "input_mode", ("Form", "JSON")
_MODE = SegmentedControl(_MODE_KEY, "Editor", _MODES)
_JSON_HEIGHT = 420
_MOST_NAMES = 12
_MAX_NUMBER = 2**53 - 1
"""The largest whole number that a number input takes."""


def input_state(_: DebugSession) -> Hashable:
    """Return what the editors show besides the run."""
    return state.widget(state.INPUT_KEY), state.record(Editors).generation


INPUTS_KEY = "edit_inputs"
"""Opens the run input before the start."""


def input_line(session: DebugSession) -> bool:
    """Draw the start input as one line that opens its editor; return whether that is open.

    While it is open, the tables of tiers that have variables begin in edit mode: their session keys
    `edit_start_…` are set first to true.
    """
    model = actions.start_input(session)
    edit = Disclosure(
        INPUTS_KEY,
        "Edit",
        help="Values that the run starts with, who answers for models, and what happens to calls",
    )
    items: list[Item] = [Text("Inputs", look="heading"), Text(_input_words(session, model), key="inputs")]
    bar("inputs_bar", [*items, Spacer(), edit], low=True)
    if edit.is_open:  # for its values: the tables take edits at once
        for tier in _TITLES:
            if model.rows(tier):
                state.begin_widget(f"edit_start_{tier}", True)
    return edit.is_open


def _input_words(session: DebugSession, model: RunInputModel) -> str:
    """Return in words how many values the start input has, how many are changed and how many missing.

    A count of zero is left out, except that of the values. An input with errors gives their number alone.
    """
    if model.problems:
        return count(len(model.problems), "error")
    tiers = [model.value.get(tier) or {} for tier in _TITLES]
    others = [key for key in model.value if key not in _TITLES]
    changed = len(differences(actions.first_input(session), model.value))
    missing = _missing_placeholders(session, model)
    parts = [count(sum(map(len, tiers)) + len(others), "value")]
    parts += [f"{changed} changed"] if changed else []
    parts += [f"{len(missing)} without a value"] if missing else []
    return ", ".join(parts)


def run_input(session: DebugSession, *, has_heading: bool = True) -> None:
    """Draw the editor of the start input, or of the next turn's.

    Args:
        session: The run on view.
        has_heading: Whether nothing above it says what it is.
    """
    is_open = session.run_id is not None and not session.is_over
    with st.container(key="run_input"):
        state.begin_widget(state.INPUT_KEY, _FOR[0])
        state.begin_widget(_MODE_KEY, _MODES[0])
        which: Which = "next" if is_open and state.widget(state.INPUT_KEY) == _FOR[0] else "start"
        model = state.record(RunInputs).next if which == "next" else actions.start_input(session)
        if has_heading:
            _heading(which, is_open=is_open)
        if which == "start":
            presets(session, model)
            bar("input_mode_bar", [_MODE], low=True)
        _problems(model)
        _warnings(session, model, which)
        if state.widget(_MODE_KEY) == "JSON":
            _json(model, which)
        else:
            _form(session, model, which)
        if which == "start":
            _placeholders(session, model)
            _preview(session.workflow, model)


def _heading(which: Which, *, is_open: bool) -> None:
    """Draw the bar above the editor; in a run that is open it has the choice of what the input is for.

    For the next turn it also has a note and the choice between form and JSON.
    """
    items: list[Item] = [Text("Run input", look="heading")]
    if is_open:
        items.append(SegmentedControl(state.INPUT_KEY, "Input for", _FOR))
    if which == "next":
        note = "Sent with the next message. If empty, only the message is sent."
        items += [Text(note, look="note"), _MODE]
    bar("run_input_bar", items, low=True)


def _problems(model: RunInputModel) -> None:
    """Draw why the input cannot be used, the place in its JSON text, and the button that discards the change.

    Nothing is drawn without a problem. The place is drawn only where the whole JSON text cannot be used.
    """
    if not model.problems:
        return
    st.error("  \n".join(plain(problem) for problem in model.problems), icon=":material/error:")
    if model.draft is not None and model.draft_error is not None:
        place = excerpt(model.draft, model.draft_error.line, model.draft_error.column)
        st.code(place, language=None)
    st.button(
        "Discard the change",
        key="discard_input",
        icon=":material/undo:",
        args=(model,),
        **on_click(_discard, help="Return to the last valid input"),
    )


def _warnings(session: DebugSession, model: RunInputModel, which: Which) -> None:
    """Draw warnings about keys of the input that is valid; nothing without any, or with a problem."""
    if model.problems:
        return  # they would be about the input before the change
    found = input_warnings(
        model.value,
        session.index.graph,
        workflow_id=session.workflow_id,
        version_number=session.version_number,
        is_first_turn=which == "start",
        position=session.waits_at if which == "next" else ANYWHERE,
    )
    if found:
        lines = [f"**{plain(warning.key)}** {plain(warning.text)}" for warning in found]
        st.warning("  \n".join(lines), icon=":material/warning:")


@action(role=Role.RUN)
def _discard(model: RunInputModel) -> None:
    model.discard_drafts()
    state.renew_editors()


def _json(model: RunInputModel, which: Which) -> None:
    """Draw the whole input as JSON for editing, and the list of its keys below.

    The session key ends with the generation of the editors. An edit is written into the model; a text that
    cannot be used stays there as a draft. The box is disabled while a table or an object has an error.
    """
    key = f"{which}_json_{state.record(Editors).generation}"
    st.text_area(
        "Run input as JSON",
        model.text,
        key=key,
        height=_JSON_HEIGHT,
        args=(model, key),
        **on_change(
            _json_edited,
            disabled=bool(model.row_errors or model.object_errors),
            help="Any key of the run input; the list below describes them",
        ),
    )
    _key_hints(model, which)


def _key_hints(model: RunInputModel, which: Which) -> None:
    """Draw the keys of a run input with their types; used ones are marked.

    They are in a box that begins closed; for the next turn the meanings of first-turn keys are replaced.
    """
    columns: Columns[str] = [
        (Column("key", "Key", 150, grows=True), lambda key: f"● {key}" if key in model.value else key),
        (Column("type", "Type", 58), lambda key: KEY_HINTS[key][0]),
        (
            Column("meaning", "Meaning", 110, grows=True),
            lambda key: (FIRST_TURN_KEYS.get(key) if which == "next" else None) or KEY_HINTS[key][1],
        ),
    ]
    with st.expander("Keys of the run input", type="compact", key=f"key_hints_{which}"):
        shown = table("Keys of the run input with type and meaning; ● is set", list(KEY_HINTS), columns)
        rows_list(f"key_hints_rows_{which}", shown)


@action(role=Role.RUN)
def _json_edited(model: RunInputModel, key: str) -> None:
    model.set_text(state.widget(key))


def _form(session: DebugSession, model: RunInputModel, which: Which) -> None:
    """Draw the input as a form: the two tiers of variables, and further keys in a box that begins closed.

    Start node, initial state, messages and labels of a run are drawn for the start input alone.
    """
    for tier in _TITLES:
        _tier(model, tier, which)
    if which == "start":
        _start_node(session, model)
        _initial_state(session, model)
    with st.expander("More keys", type="compact", key=f"more_keys_{which}"):
        if which == "start":
            _text_key(model, "welcome_message", "Welcome message", "The first message of the agent")
            _text_key(model, "run_by", "Run by", "A label of the run")
            _text_key(model, "team_id", "Team id", "The server sets it by the key")
            _version(model)
        _object_key(model, "miscellaneous", "Miscellaneous as JSON", '{"channel": "web"}', which)
        example = '{"0": {"node_run_inputs": [{"type": "llm", "dynamic_variables": {}}]}}'
        _object_key(model, "thread_to_node_inputs", "Inputs of threads as JSON", example, which)


def _text_key(model: RunInputModel, name: str, label: str, help_: str) -> None:
    """Draw the box of a key whose value is a text; disabled while the JSON text cannot be used.

    An edit is written into the model; an empty text takes the key out.
    """
    key = f"{name}_{state.record(Editors).generation}"
    st.text_input(
        label,
        model.value.get(name) or "",
        key=key,
        args=(model, name, key),
        **on_change(_key_edited, disabled=model.draft is not None, help=help_),
    )


@action(role=Role.RUN)
def _key_edited(model: RunInputModel, name: str, key: str) -> None:
    value = state.widget(key)
    model.set_key(name, None if value == "" else value)


def _version(model: RunInputModel) -> None:
    """Draw the box of the version number; disabled while the JSON text cannot be used.

    A number that the box cannot hold gives a caption instead; a value that is no whole number an empty box.
    An edit is written into the model; an empty box takes the key out.
    """
    key = f"version_number_{state.record(Editors).generation}"
    value = model.value.get("version_number")
    if isinstance(value, int) and value > _MAX_NUMBER:
        st.caption(f"Version {value} is too large for this field: change it under JSON.")
        return
    st.number_input(
        "Version",
        min_value=0,
        value=value if isinstance(value, int) else None,
        step=1,
        key=key,
        args=(model, "version_number", key),
        **on_change(
            _key_edited, disabled=model.draft is not None, help="Empty: the version that is chosen above"
        ),
    )


def _object_key(model: RunInputModel, name: JsonKey, label: str, example: str, which: Which) -> None:
    """Draw the box of a key whose value is an object, as JSON; disabled while the JSON text cannot be used.

    An edit is written into the model; a text that cannot be used stays there as a draft.
    """
    key = f"{which}_{name}_{state.record(Editors).generation}"
    st.text_area(
        label,
        model.object_text(name),
        key=key,
        height=120,
        placeholder=example,
        args=(model, name, key),
        **on_change(_object_edited, disabled=model.draft is not None),
    )


@action(role=Role.RUN)
def _object_edited(model: RunInputModel, name: JsonKey, key: str) -> None:
    model.set_object_text(name, state.widget(key))


def _tier(model: RunInputModel, tier: Tier, which: Which) -> None:
    """Draw the variables of one tier; without any, the box is closed.

    A closed box has no grid in it: what draws the first one takes the browser half a second to load.
    """
    key = f"{which}_{tier}_{state.record(Editors).generation}"
    box = Disclosure(f"box_{key}", _TITLES[tier])
    edit = Disclosure(
        f"edit_{which}_{tier}", "Edit", ":material/edit:", help="Change names, types and values"
    )
    rows = model.sourced_rows(tier)
    state.begin_widget(box.key, bool(rows))
    items: list[Item] = [box]
    is_grid = edit.is_open or tier in model.draft_rows or not rows
    if box.is_open and rows:
        items += [Spacer(), edit]
    if box.is_open and any(row.is_edited for row in rows):
        press = refresh.refreshing("setup", _revert)
        hint = "Return to the values before the changes"
        args = model, tier, None, is_grid
        items.append(Button(f"revert_{which}_{tier}", "Revert all", press, args, look="tertiary", help=hint))
    bar(f"{key}_bar", items, low=True)
    if box.is_open and is_grid:
        st.caption(_HELP[tier])
        variable_grid(
            key,
            _TITLES[tier],
            partial(model.rows, tier),
            partial(model.set_rows, tier),
            widths=(104, 66, 96),
            disabled=model.draft is not None,
        )
    elif box.is_open:
        _rows(model, tier, rows, f"{key}_rows")


def _rows(model: RunInputModel, tier: Tier, rows: Sequence[SourcedRow], key: str) -> None:
    """Draw the variables of a tier as a list with their sources, twelve in sight.

    Where one is edited, each edited row has a button that reverts it in the model; it is disabled, with the
    reason, for a user without the role to run.
    """
    reason, types = explain_denial(_revert) or "", {row.row.type for row in rows}

    def source(row: SourcedRow) -> Cell:
        if not row.is_edited:
            return model.origin
        return "− removed" if row.is_removed else "~ edited" if row.original else "+ added"

    columns: Columns[SourcedRow] = [
        (Column("name", "Name", 70, grows=True), lambda row: row.row.name),
        (Column("type", "Type", 52, fits=estimate_width(types)), lambda row: row.row.type),
        (Column("value", "Value", 62, grows=True), lambda row: "" if row.is_removed else row.row.value),
        (Column("source", "Source", 76), source),
    ]
    if any(row.is_edited for row in rows):
        columns.append((Column("revert", "", 32, "revert", reason=reason), _revert_cell))
    label = f"{_TITLES[tier]}: name, type, value and source"
    shown = table(label, rows, columns, lambda row: row.row.name)
    rows_list(key, shown, on_use=lambda name, *_: _revert(model, tier, name), most=12)


def _revert_cell(row: SourcedRow) -> Cell:
    """Return the words of the button that reverts a variable; ``None`` for one that is not edited."""
    if not row.is_edited:
        return None
    if row.original is None:
        return f"Revert: remove {row.row.name}", False
    return f"Revert {row.row.name} to {row.original.value or 'an empty text'}", False


@action(role=Role.RUN)
def _revert(model: RunInputModel, tier: Tier, name: str | None, is_grid: bool = False) -> None:
    model.revert(tier, name)
    if is_grid:  # what it shows is made anew; a list is drawn anew by itself
        state.renew_editors()


def _start_node(session: DebugSession, model: RunInputModel) -> None:
    """Draw the choice of the start node; disabled while the JSON text cannot be used.

    The first option is the workflow's own; a chosen id that the workflow lacks is an option, too. A choice is
    written into the model; the first option takes the key out.
    """
    names = {node.logical_id: node.label for node in session.workflow.node_configs}
    chosen = model.value.get("start_node_logical_id")
    options = ["", *names, *([chosen] if chosen and chosen not in names else [])]
    key = f"start_node_{state.record(Editors).generation}"
    st.selectbox(
        "Start node",
        options,
        index=options.index(chosen or ""),
        key=key,
        format_func=lambda node: names.get(node, node) or "The workflow's start node",
        args=(model, "start_node_logical_id", key),
        **on_change(_key_edited, disabled=model.draft is not None),
    )


def _initial_state(session: DebugSession, model: RunInputModel) -> None:
    """Draw the box of the initial state as JSON, open where there is one, with the copy of a recorded state.

    Where the backend has no initial state, the reason is drawn, the box is disabled, and the copy is missing.
    An edit is written into the model; a text that cannot be used stays there as a draft.
    """
    reason = session.backend.capabilities.reason_against("initial_state")
    text = model.object_text("initial_state")
    with st.expander("Initial state", expanded=bool(text), type="compact", key="initial_state"):
        if reason:
            st.caption(plain(reason))
        key = f"state_json_{state.record(Editors).generation}"
        st.text_area(
            "Initial state as JSON",
            text,
            key=key,
            height=180,
            placeholder='{"threads": {"0": {"node_logical_id": "…"}}}',
            args=(model, "initial_state", key),
            **on_change(_object_edited, disabled=reason is not None or model.draft is not None),
        )
        if reason is None:
            state_copy(session, model)


def _missing_placeholders(session: DebugSession, model: RunInputModel) -> list[str]:
    """Return the placeholders that have no value; none where the workflow cannot be read for it.

    Global variables are left out for any backend but the embedded one.
    """
    known = {**actions.known_variables(session), **(model.value.get("dynamic_variables") or {})}
    try:
        missing = unresolved_placeholders(session.workflow.to_wire(), known, system=SYSTEM_NAMES)
    except DebuggerError:
        return []  # a workflow without settings names none
    if isinstance(session.backend, EmbeddedBackend):
        return missing
    # The global variables of an API are not known here.
    return [path for path in missing if not path.startswith(f"{NAMESPACE}.")]


def _placeholders(session: DebugSession, model: RunInputModel) -> None:
    """Draw a warning with the placeholders that have no value, and a caption with the empty variables.

    Each names twelve at most, and is drawn only where there is one.
    """
    values: JsonObject = model.value.get("dynamic_variables") or {}
    missing = _missing_placeholders(session, model)
    if missing:
        named = listed([plain("{{" + name + "}}") for name in missing], _MOST_NAMES)
        st.warning(
            f"Without a value, these placeholders stay unchanged: {named}", icon=":material/data_object:"
        )
    empty = [name for name, value in values.items() if value == ""]
    if empty:
        st.caption(f"Empty: {plain(', '.join(empty[:_MOST_NAMES]))}")


def _preview(workflow: Workflow, model: RunInputModel) -> None:
    """Draw the variables that the run will get, if the input is valid; nothing otherwise.

    The box begins closed, with eight rows in sight.
    """
    if model.problems:
        return
    rows = input_preview(TurnInput.from_wire(model.value), workflow)
    with st.expander(f"Preview: {count(len(rows), 'variable')}", type="compact", key="input_preview"):
        shown = table(
            "Variables that the run starts with",
            rows,
            [
                (Column("name", "Name", 120), lambda row: _BRACKETS[row.scope].format(row.name)),
                (Column("value", "Value", 120, grows=True), _value),
                (Column("source", "From", 110), _source),
            ],
        )
        rows_list("input_preview_rows", shown, most=8)


_BRACKETS = {"dynamic": "{{{{{}}}}}", "runtime": "[[{}]]"}


def _value(row: PreviewRow) -> str:
    return "set when the turn begins" if row.source == "system" else json_cell(row.value)


def _source(row: PreviewRow) -> str:
    word = {"input": "run input", "state": "initial state", "default": "workflow", "system": "system"}[
        row.source
    ]
    return word if row.default is None else f"{word}, not {json_cell(row.default)}"
