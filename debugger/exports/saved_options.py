"""Options of exports as JSON, to be saved under names."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from debugger.boundary import RULES, MaskingOptions
from debugger.errors import InputError
from debugger.exports.csv_files import CsvOptions
from debugger.exports.formats import ExportOptions, check_options
from debugger.exports.rows import Shape
from debugger.exports.table import TableOptions
from debugger.protocol.base import JsonObject, first_problem


class _Saved(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    format: str = "csv"
    preset: str = ""
    shape: Shape = "message"
    columns: list[str] = []
    rules: list[str] = list(RULES)
    variables: list[str] = []
    has_bom: bool = True
    separator: str = ","
    is_guarded: bool = True


SHAPES: tuple[Shape, ...] = get_args(Shape)


def options_to_json(options: ExportOptions) -> JsonObject:
    """Return options as JSON without what belongs to one file alone, its title and whether it has one run."""
    masking, csv = options.table.masking, options.csv
    saved = _Saved(
        format=options.format,
        preset=options.preset,
        shape=options.table.shape,
        columns=list(options.table.columns),
        rules=sorted(masking.rules),
        variables=list(masking.variables),
        has_bom=csv.has_bom,
        separator=csv.separator,
        is_guarded=csv.is_guarded,
    )
    return saved.model_dump(mode="json")


def options_from_json(data: JsonObject) -> ExportOptions:
    """Return saved options, checked; what they lack is as by default, and unknown keys are ignored.

    Raises:
        InputError: They were saved by another version, and cannot be used.
    """
    try:
        saved = _Saved.model_validate(data)
    except ValidationError as error:
        raise InputError(
            f"The saved export settings cannot be used: {first_problem(error)}.",
            advice="Choose them anew and save them again.",
        ) from error
    masking = MaskingOptions(frozenset(saved.rules), tuple(saved.variables))
    options = ExportOptions(
        saved.format,
        saved.preset,
        TableOptions(saved.shape, tuple(saved.columns), masking),
        CsvOptions(saved.has_bom, saved.separator, saved.is_guarded),
    )
    check_options(options)
    return options
