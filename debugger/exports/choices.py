"""Choices of a person about an export, and the one way from them to its options, for command and dialog."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from debugger.analysis.timeline import shorten
from debugger.boundary import MaskingOptions
from debugger.errors import InputError
from debugger.exports.columns import COLUMNS, VARIABLE, column_of, columns_of
from debugger.exports.csv_files import CsvOptions
from debugger.exports.formats import ExportOptions, check_options
from debugger.exports.presets import PRESET_SHAPES, PRESETS, preset_columns
from debugger.exports.rows import Shape
from debugger.exports.saved_options import options_from_json
from debugger.exports.table import TableOptions
from debugger.protocol.base import JsonObject

SEPARATOR_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t"}
FIRST_PRESET = "qa-review"
"""The preset of someone who has chosen none."""


@dataclass(frozen=True)
class ExportChoices:
    """Choices of a person; those that are ``None`` are as the preset has it."""

    preset: str = ""
    """A preset of the program, or the name of a saved one; empty where the columns are listed."""
    format: str | None = None
    shape: Shape | None = None
    columns: tuple[str, ...] | None = None
    masking: MaskingOptions | None = None
    """The variables that a saved preset hides are added, unless masking is off."""
    csv: CsvOptions | None = None
    title: str = "Runs"

    @classmethod
    def of(cls, options: ExportOptions) -> ExportChoices:
        """Return the choices that make these options again."""
        table = options.table
        chosen = options.preset, options.format, table.shape, table.columns, table.masking, options.csv
        return cls(*chosen, options.title)


def build_options(choices: ExportChoices, saved: Mapping[str, JsonObject]) -> ExportOptions:
    """Return the options of an export, checked.

    Args:
        choices: What is asked for.
        saved: The saved presets by name; one that has the name of a preset of the program goes before it.

    Raises:
        InputError: There is no such preset, column, format, separator or rule, or they do not go together.
    """
    options = assemble_options(choices, saved)
    check_options(options)
    return options


def assemble_options(choices: ExportChoices, saved: Mapping[str, JsonObject]) -> ExportOptions:
    """Return the options of an export as a form shows them while they are chosen; `check_options` is due.

    What is not chosen is as the preset has it, and of another shape the columns that `fit_columns` gives. The
    variables that a saved preset hides stay hidden, unless masking is off.

    Raises:
        InputError: There is no such preset, or the saved one cannot be read.
    """
    base = _preset_options(choices.preset, saved)
    shape = choices.shape or base.table.shape
    columns = choices.columns
    if columns is None:
        columns = base.table.columns if shape == base.table.shape else fit_columns(base, shape)
    masking = choices.masking or base.table.masking
    hidden = base.table.masking.variables if base.table.masking.listed else ()
    if choices.preset in saved and hidden and not masking.is_off:  # what its user hides stays hidden
        masking = MaskingOptions(
            masking.rules | {"variable"}, tuple(dict.fromkeys((*masking.variables, *hidden)))
        )
    return replace(
        base,
        format=choices.format or base.format,
        table=TableOptions(shape, columns, masking),
        csv=choices.csv or base.csv,
        title=choices.title,
    )


def fit_columns(options: ExportOptions, shape: Shape) -> tuple[str, ...]:
    """Return the columns of the options for rows of another shape.

    A preset of the program has its own, before those that were made for a name, as of a variable or a check.
    What the shape does not have is left out.
    """
    chosen = [
        name for name in options.table.columns if (column := column_of(name)) and shape in column.shapes
    ]
    if options.preset in PRESETS:
        made = (name for name in chosen if name not in COLUMNS)
        return (*preset_columns(options.preset, shape), *made)
    return tuple(chosen or columns_of(shape))


def read_columns(text: str, saved: Collection[str]) -> ExportChoices:
    """Return the choice of columns that a text says: a preset's name, or columns separated by commas.

    Raises:
        InputError: It is one name, which neither a preset nor a column has.
    """
    if text in PRESETS or text in saved:
        return ExportChoices(text)
    names = split_names(text)
    if names == (text,) and column_of(text) is None:
        raise InputError(
            f"There is no preset or column {text!r}.",
            advice=f"The presets are {', '.join((*PRESETS, *saved))}; the columns are "
            f"{', '.join(dict.fromkeys((*columns_of('message'), *columns_of('event'))))}, variable:NAME and "
            "check:NAME.",
        )
    return ExportChoices(columns=names)


def variable_columns(text: str) -> tuple[str, ...]:
    """Return the columns of variables, whose names are separated by commas."""
    return tuple(VARIABLE + name for name in split_names(text))


def read_separator(text: str) -> str:
    """Return the separator that a word or the character itself names.

    Raises:
        InputError: There is no such separator.
    """
    found = SEPARATOR_NAMES.get(text.lower(), text)
    if found not in SEPARATOR_NAMES.values():
        raise InputError(f"There is no separator {text!r}.", advice="Use comma, semicolon or tab.")
    return found


def split_names(text: str) -> tuple[str, ...]:
    """Return names that are separated by commas, each once; one with a comma is in quotes.

    Raises:
        InputError: The quotes are wrong, or a name is endless.
    """
    reader = csv.reader(io.StringIO(text), skipinitialspace=True, strict=True)
    try:
        parts = [part.strip() for line in reader for part in line]
    except csv.Error as error:
        raise InputError(
            f"The names {shorten(text)} cannot be read: {error}.",
            advice='Separate names by commas; one that has a comma is in quotes: "name, first", city.',
        ) from error
    return tuple(dict.fromkeys(filter(None, parts)))


def join_names(names: Iterable[str]) -> str:
    """Return names as a text from which `split_names` reads them."""
    return ", ".join(
        '"' + each.replace('"', '""') + '"' if "," in each or '"' in each else each for each in names
    )


def _preset_options(name: str, saved: Mapping[str, JsonObject]) -> ExportOptions:
    """Return the options of a saved preset, else of the program's; of no name the defaults.

    Raises:
        InputError: There is no such preset, or the saved one cannot be read.
    """
    if name in saved:
        return options_from_json(saved[name])
    if name in PRESETS:
        shape = PRESET_SHAPES[name]
        return ExportOptions(preset=name, table=TableOptions(shape, tuple(preset_columns(name, shape))))
    if name:
        raise InputError(
            f"There is no preset {name!r}.", advice=f"The presets are {', '.join((*PRESETS, *saved))}."
        )
    return ExportOptions()
