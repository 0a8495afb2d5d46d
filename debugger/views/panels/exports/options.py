"""The controls of the export dialog that make its options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from debugger.boundary import RULES, MaskingOptions
from debugger.errors import DebuggerError
from debugger.exports.choices import (
    ExportChoices,
    assemble_options,
    fit_columns,
    join_names,
    split_names,
    variable_columns,
)
from debugger.exports.columns import CHECK, VARIABLE, Column, column_of, columns_of
from debugger.exports.csv_files import SEPARATORS, CsvOptions
from debugger.exports.formats import EXPORTS, ExportOptions
from debugger.exports.presets import LEX, PRESET_LABELS, PRESETS
from debugger.exports.rows import Shape
from debugger.exports.saved_options import SHAPES
from debugger.store.edited_tables import NEVER_WRITTEN, Stored
from debugger.views import backends, state
from debugger.views.actions import action
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import plain
from debugger.views.components.rows import Column as RowColumn
from debugger.views.components.rows import Columns, rows_list, table
from debugger.views.edits import Place, see
from debugger.views.panels.exports.record import ExportRecord

_SAVED = "saved:"
_MOST_EXPLAINED = 12
"""Columns whose explanations are in sight at once."""
_SHAPE_WORDS: dict[Shape, str] = {"turn": "Turn", "message": "Message", "event": "Event"}


def export_options(checks: Sequence[str] = ()) -> ExportOptions:
    """Draw the controls of the options; return the options that they say, and store them in the record.

    Columns stay as they are for a format without a table, and the options of CSV for another format.

    Args:
        checks: The checks that the runs have results of, which are offered as columns.

    Raises:
        InputError: The preset of the options, or names in a box, cannot be used.
    """
    record = state.record(ExportRecord)
    lead = f"export_{record.generation}"
    left, right = st.columns(2)
    with left:
        _preset(record, lead)
    with right:
        shown = _format(record, lead)
    record.options = replace(record.options, format=shown)
    is_table = record.options.has_table
    shape = _shape(record, lead, disabled=not is_table)
    choices = replace(
        ExportChoices.of(record.options),
        shape=shape,
        columns=_columns(record, lead, shape, checks) if is_table else record.options.table.columns,
        masking=_masking(record, lead),
        csv=_csv(record, lead) if shown == "csv" else record.options.csv,
    )
    record.options = assemble_options(choices, {})
    return record.options


def _preset(record: ExportRecord, lead: str) -> None:
    """Draw the choice of a preset, the program's first and then the saved ones.

    Where saved presets cannot be read, the error is shown above and only the program's are offered.
    """
    try:
        saved = [_SAVED + name for name in backends.embedded_backend().store.export_presets.all()]
    except DebuggerError as error:
        show_error(error)
        saved = []
    current = _SAVED + record.saved if record.saved else record.options.preset
    options = [*PRESETS, *saved]
    key = f"{lead}_preset"
    st.selectbox(
        "Preset",
        options,
        index=options.index(current) if current in options else 0,
        key=key,
        format_func=_preset_words,
        help="Columns for a purpose; those below can be changed and saved",
        on_change=_take_preset,
        args=(key,),
    )


def export_preset_place(name: str) -> Place:
    """Return the place of a saved preset among what users edit."""
    return "export preset", name


def _preset_words(name: str) -> str:
    saved = name.removeprefix(_SAVED)
    # Streamlit knows an option by its words alone.
    return PRESET_LABELS.get(name) or (f"{saved} (saved)" if saved in PRESET_LABELS.values() else saved)


@action()
def _take_preset(key: str) -> None:
    """Set the options to those of the chosen preset, and make the controls begin anew with them.

    A saved preset brings all options; one of the program brings the shape of rows and their columns, and the
    format only where it is Amazon Lex.

    Args:
        key: The key of the box with the choice.
    """
    name: str = state.widget(key)
    record = state.record(ExportRecord)
    record.generation += 1
    if name.startswith(_SAVED):
        saved = name.removeprefix(_SAVED)
        known = backends.embedded_backend().store.export_presets.stored()
        see(export_preset_place(saved), known.get(saved, Stored({}, NEVER_WRITTEN)).revision)
        presets = {name: each.content for name, each in known.items()}
        record.options, record.saved = assemble_options(ExportChoices(saved), presets), saved
    else:
        file_format = None if name == LEX else record.options.format
        choices = replace(
            ExportChoices.of(record.options), preset=name, format=file_format, shape=None, columns=None
        )
        record.options, record.saved = assemble_options(choices, {}), ""
    own = [each for each in record.options.table.columns if each.startswith(VARIABLE)]
    record.variables = join_names(each.removeprefix(VARIABLE) for each in own)
    record.checks = ()


def _format(record: ExportRecord, lead: str) -> str:
    """Draw the choice of the format and return its name; for the preset of Amazon Lex only CSV is offered.

    The first format is chosen where that of the options is not offered.
    """
    formats = ["csv"] if record.options.preset == LEX else list(EXPORTS)
    current = record.options.format
    return st.selectbox(
        "Format",
        formats,
        index=formats.index(current) if current in formats else 0,
        key=f"{lead}_format",
        format_func=lambda name: EXPORTS[name].label,
        help="\n".join(f"- {each.label}: {each.help}" for each in EXPORTS.values()),
    )


def _shape(record: ExportRecord, lead: str, *, disabled: bool) -> Shape:
    """Draw the choice between a row per turn, message or event, and return it.

    A change calls `_take_shape`, which stores it with the columns fitted to it.
    """
    key = f"{lead}_shape"
    shape: Shape = st.segmented_control(
        "One row for each",
        SHAPES,
        default=record.options.table.shape,
        key=key,
        required=True,
        format_func=_SHAPE_WORDS.__getitem__,
        disabled=disabled,
        on_change=_take_shape,
        args=(key,),
    )
    return shape


@action()
def _take_shape(key: str) -> None:
    """Set what a row is, with the columns fitted to it, and make the controls begin anew.

    Args:
        key: The key of the control.
    """
    shape: Shape = state.widget(key)
    record = state.record(ExportRecord)
    record.generation += 1
    columns = fit_columns(record.options, shape)
    choices = replace(ExportChoices.of(record.options), shape=shape, columns=columns)
    record.options = assemble_options(choices, {})


def _columns(record: ExportRecord, lead: str, shape: Shape, checks: Sequence[str]) -> tuple[str, ...]:
    """Draw the choice and order of the columns and the box of variables; return them in the file's order.

    Variables have columns after the others. For a row per event the box is not drawn and they have none. A
    check is offered where the runs have results of it, or where it is or was among the options.
    """
    own = (each for each in record.options.table.columns if each.startswith(CHECK))
    record.checks = tuple(dict.fromkeys((*record.checks, *own)))
    names = list(dict.fromkeys((*columns_of(shape), *(CHECK + name for name in checks), *record.checks)))
    key = f"{lead}_columns_{record.moves}"
    chosen = [each for each in record.options.table.columns if each in names]
    title = f"Columns: {len(state.widget(key, chosen))} of {len(names)}"
    with st.expander(title, type="compact", key=f"{lead}_columns_box"):
        ticked: list[str] = st.multiselect(
            "Columns",
            names,
            chosen,  # a default: a value set beforehand is lost where another run follows before it is drawn
            key=key,
            format_func=_label,
            help="In the order of the file; removed ones are in the list below",
            label_visibility="collapsed",
        )
        _order(ticked, lead)
        _explain(names)
        if shape != "event":
            record.variables = st.text_input(
                "Variables as columns of their own",
                record.variables,
                key=f"{lead}_variables",
                placeholder="full_name, appointment.day",
                help="Their values after the turns that change them",
            )
    return (*ticked, *(variable_columns(record.variables) if shape != "event" else ()))


def _label(name: str) -> str:
    column = column_of(name)
    return column.label if column else name


def _explain(names: list[str]) -> None:
    """Draw the menu that explains columns; its table is drawn only while it is open."""
    shown = st.popover("What columns hold", icon=":material/help:", key="export_explained", on_change="rerun")
    if not shown.open:
        return
    columns: Columns[Column] = [
        (RowColumn("label", "Column", 140), lambda each: each.label),
        (RowColumn("help", "What it holds", 300, grows=True), lambda each: each.help),
        (RowColumn("name", "Name in files", 140), lambda each: each.name),
    ]
    with shown:
        explained = table("What columns hold", list(filter(None, map(column_of, names))), columns)
        rows_list("export_explanations", explained, most=_MOST_EXPLAINED)


def _order(ticked: list[str], lead: str) -> None:
    """Draw the choice of a column with buttons that move it up and down; nothing below two columns.

    A button at its end of the order is disabled; a press stores the new order in the options.
    """
    if len(ticked) < 2:
        return
    key = f"{lead}_moved"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="export_order"):
        moved = st.selectbox(
            "Move a column",
            ticked,
            key=key,
            format_func=lambda name: f"{ticked.index(name) + 1}. {_label(name)}",
            width=260,
        )
        for words, icon, step in (("Up", "arrow_upward", -1), ("Down", "arrow_downward", 1)):
            at = ticked.index(moved) + step if moved in ticked else -1
            st.button(
                words,
                key=f"export_{words.lower()}",
                icon=f":material/{icon}:",
                disabled=not 0 <= at < len(ticked),
                help=f"Move the column {words.lower()} in the file",
                on_click=_move,
                args=(ticked, moved, step),
            )


@action()
def _move(columns: list[str], name: str, step: int) -> None:
    """Move a column among the others and store their order in the options; their control begins anew.

    Args:
        columns: The columns in their order, which is not changed.
        name: The column to move.
        step: 1 for later, -1 for earlier.
    """
    record = state.record(ExportRecord)
    order = list(columns)
    at = order.index(name)
    order.insert(at + step, order.pop(at))
    record.options = replace(record.options, table=replace(record.options.table, columns=tuple(order)))
    record.moves += 1


def _masking(record: ExportRecord, lead: str) -> MaskingOptions:
    """Draw the choice of masking rules and variables to hide; return it.

    Without a rule a warning is drawn.
    """
    masking, key = record.options.table.masking, f"{lead}_rules"
    first = [rule for rule in RULES if rule in masking.rules]
    on = len(state.widget(key, first))
    words = f"Masking: {on} of {len(RULES)} rules" if on else "Masking: off"
    with st.expander(words, type="compact", key=f"{lead}_masking_box"):
        rules = st.pills(
            "Mask",
            list(RULES),
            selection_mode="multi",
            default=first,
            key=key,
            format_func=RULES.__getitem__,
            help="Without any rule, masking is off, and the file says so. Secrets are masked in any case.",
        )
        listed = st.text_input(
            "Variables to hide wherever their values are",
            join_names(masking.variables),
            key=f"{lead}_hidden",
            placeholder="full_name, member_number",
            disabled="variable" not in rules,
        )
    if not rules:
        st.warning("Masking is off: the file will hold personal data.", icon=":material/visibility:")
    return MaskingOptions(frozenset(rules), split_names(listed))


def _csv(record: ExportRecord, lead: str) -> CsvOptions:
    """Draw the options of CSV (separator, byte order mark, guard against formulas) and return them.

    Without the guard a caption warns of formulas.
    """
    csv = record.options.csv
    current = state.widget(f"{lead}_separator", csv.separator)
    with st.expander(
        f"CSV: separated by {SEPARATORS[current].lower()}", type="compact", key=f"{lead}_csv_box"
    ):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="export_csv"):
            separator = st.segmented_control(
                "Separator",
                list(SEPARATORS),
                default=csv.separator,
                key=f"{lead}_separator",
                required=True,
                format_func=SEPARATORS.__getitem__,
            )
            has_bom = st.toggle(
                "Byte order mark",
                csv.has_bom,
                key=f"{lead}_bom",
                help="Lets Excel recognise UTF-8; some programs show it as text",
            )
            is_guarded = st.toggle(
                "Formula guard",
                csv.is_guarded,
                key=f"{lead}_guard",
                help="An apostrophe before texts that a spreadsheet would run as formulas",
            )
        if not is_guarded:
            st.caption(plain("Without the guard, a text such as =HYPERLINK(…) runs when the file is opened."))
    return CsvOptions(has_bom, separator, is_guarded)
