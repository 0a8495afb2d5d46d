from __future__ import annotations

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
    read_columns,
    read_separator,
    variable_columns,
)
from debugger.exports.columns import columns_of
from debugger.exports.csv_files import SEPARATORS, CsvOptions
from debugger.exports.formats import EXPORTS
from debugger.exports.presets import PRESET_SHAPES, PRESETS
from debugger.exports.saved_options import SHAPES, options_to_json
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
