from __future__ import annotations

import csv
import inspect
from dataclasses import fields, replace
from typing import get_args, get_type_hints

import pytest

from debugger.boundary import MaskingOptions
from debugger.cli.export import export
from debugger.errors import InputError
from debugger.exports.choices import (
    SEPARATOR_NAMES,
    ExportChoices,
    assemble_options,
    build_options,
    fit_columns,
    join_names,
    read_columns,
    read_separator,
    split_names,
    variable_columns,
)
from debugger.exports.columns import columns_of
from debugger.exports.csv_files import SEPARATORS, CsvOptions
from debugger.exports.formats import EXPORTS, ExportOptions
from debugger.exports.presets import PRESET_SHAPES, PRESETS, preset_columns
from debugger.exports.saved_options import SHAPES, options_to_json
from debugger.exports.table import TableOptions
from tests.support.exports import options

_ARGUMENTS = {
    "preset": {"columns"},
    "columns": {"columns"},
    "format": {"file_format", "out"},
    "shape": {"shape"},
    "masking": {"no_mask", "rules", "hidden"},
    "csv": {"bom", "separator", "no_guard"},
    "title": set(),
}
"""The arguments of the command by choice; the title is of the file's place."""


def test_command_asks_for_every_choice():
    assert set(_ARGUMENTS) == {field.name for field in fields(ExportChoices)}
    assert set().union(*_ARGUMENTS.values()) <= set(inspect.signature(export).parameters)
    assert len(fields(CsvOptions)) == len(_ARGUMENTS["csv"])


def test_command_and_tables_have_the_same_formats_shapes_and_separators():
    hints = get_type_hints(export)
    formats, shapes = (set(get_args(get_args(hints[name])[0])) for name in ("file_format", "shape"))

    assert formats == set(EXPORTS)
    assert shapes == set(SHAPES)
    assert set(SEPARATOR_NAMES.values()) == set(SEPARATORS)


def test_choices_of_options_make_them_again():
    masking = MaskingOptions(frozenset({"email", "variable"}), ("full_name",))
    chosen = replace(
        options("xlsx", shape="turn", masking=masking, csv=CsvOptions(False, ";", False)), title="x"
    )

    assert build_options(ExportChoices.of(chosen), {}) == chosen


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("shape", [None, *SHAPES])
def test_preset_fits_every_shape(preset, shape):
    found = build_options(ExportChoices(preset, shape=shape), {})

    assert found.table.shape == (shape or PRESET_SHAPES[preset])
    assert set(found.table.columns) <= {*PRESETS[preset], *columns_of(found.table.shape)}


def test_saved_preset_is_as_it_was_saved():
    saved = options("jsonl", shape="turn", columns=["turn"], csv=CsvOptions(False, ";", False))

    assert build_options(ExportChoices("Weekly"), {"Weekly": options_to_json(saved)}) == saved


def test_saved_preset_is_told_from_one_of_the_program():
    saved = {"minimal": options_to_json(options(preset="", columns=["text"]))}

    assert build_options(ExportChoices("minimal"), saved).table.columns == ("text",)
    assert "run_id" in build_options(ExportChoices("minimal"), {}).table.columns


def test_saved_preset_keeps_columns_that_another_shape_has():
    saved = {"Weekly": options_to_json(options(preset="", columns=["text", "run_id"]))}

    assert build_options(ExportChoices("Weekly", shape="event"), saved).table.columns == ("run_id",)


def test_columns_of_names_stay_in_another_shape():
    table = TableOptions("message", ("run_id", "variable:tea", "check:Greets"))

    fitted = fit_columns(ExportOptions(preset="minimal", table=table), "turn")

    assert fitted == (*preset_columns("minimal", "turn"), "variable:tea", "check:Greets")
    assert fit_columns(ExportOptions(preset="minimal", table=table), "event")[-1] == "check:Greets"
    assert "variable:tea" not in fit_columns(ExportOptions(preset="minimal", table=table), "event")


def test_saved_preset_hides_its_variables_with_other_rules():
    saved = options(columns=["text"], masking=MaskingOptions(variables=("full_name",)))
    presets = {"Weekly": options_to_json(saved)}
    email = MaskingOptions(frozenset({"email"}), ("city",))

    masked = build_options(ExportChoices("Weekly", masking=email), presets).table.masking
    whole = build_options(ExportChoices("Weekly", masking=MaskingOptions(frozenset())), presets).table.masking

    assert (masked.rules, masked.variables) == ({"email", "variable"}, ("city", "full_name"))
    assert whole.is_off


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (ExportChoices("lex-test-set", format="xlsx"), "A Lex test set is a CSV file."),
        (ExportChoices("gone"), "There is no preset 'gone'."),
        (ExportChoices(columns=("mood",)), "There is no column 'mood'."),
        (ExportChoices(columns=()), "No column was chosen."),
        (ExportChoices("minimal", format="pdf"), "There is no format 'pdf'."),
        (ExportChoices("minimal", csv=CsvOptions(separator="|")), "'|' cannot separate columns."),
    ],
)
def test_impossible_choice_has_one_error(choices, words):
    with pytest.raises(InputError) as caught:
        build_options(choices, {})

    assert words in str(caught.value)


def test_form_shows_choices_that_are_not_finished():
    assert assemble_options(ExportChoices(columns=()), {}).table.columns == ()


def test_text_names_preset_or_columns():
    assert read_columns("minimal", ()) == ExportChoices("minimal")
    assert read_columns("Weekly", {"Weekly"}) == ExportChoices("Weekly")
    assert read_columns("text, text,run_id", ()) == ExportChoices(columns=("text", "run_id"))
    assert variable_columns(" name,  day ") == ("variable:name", "variable:day")
    with pytest.raises(InputError, match="There is no preset or column 'lex'"):
        read_columns("lex", ())


@pytest.mark.parametrize(("text", "separator"), [("Comma", ","), (";", ";"), ("tab", "\t"), ("\t", "\t")])
def test_separator_is_a_word_or_itself(text, separator):
    assert read_separator(text) == separator


def test_unclosed_quote_hides_no_fewer_variables():
    """``--hide '"full_name, email'`` would else hide neither, and say nothing."""
    try:
        found = split_names('"full_name, email')
    except InputError:
        return  # refused, which is as good

    assert "email" in found


def test_endless_name_in_quotes_is_refused():
    before = csv.field_size_limit(100_000)  # of the whole process: an import of sheets has raised it
    try:
        with pytest.raises(InputError, match="cannot be read"):
            split_names(f'"{"a" * 200_000}"')
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("name", ["name, first", 'say "hi"', "first\u2028second"])
def test_joined_names_are_read_again(name):
    """Else a preset that hides a variable hides two others in its place."""
    assert split_names(join_names(["city", name])) == ("city", name)
