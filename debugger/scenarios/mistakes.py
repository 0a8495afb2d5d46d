"""Mistakes in scenario files, in words and with their places."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

from pydantic import BaseModel

from debugger.engine.models.yaml_lines import LocatedValue, YamlError
from debugger.errors import InputError
from debugger.scenarios.model import Scenario

_MOMENT = "a date with a time, such as 2026-03-02T09:00:00Z"
_CASES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "float_type": "a number",
    "bool_type": "true or false",
    "datetime_from_date_parsing": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_type": _MOMENT,
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
"""Expected values in words, by the type of pydantic's error."""


@dataclass(frozen=True)
class Problem:
    """A mistake in a file."""

    line: int
    column: int
    """Both count from 1."""
    message: str
    """One or two sentences: what was found, what was expected."""

    @classmethod
    def of(cls, error: YamlError) -> Self:
        """Return the mistake that an error reports."""
        message = f"{error.problem[:1].upper()}{error.problem[1:]} {error.advice}".rstrip()
        return cls(error.line, error.column, message)


class ScenarioFileError(InputError):
    """All mistakes of a scenario file: ``file:line:column: message``, one a line."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda each: (each.line, each.column))
        super().__init__(
            "\n".join(f"{file}:{each.line}:{each.column}: {each.message}" for each in self.problems)
        )


def own_path(root: LocatedValue, error: Any) -> tuple[str | int, ...]:
    """Return the path in the file of one of pydantic's errors, without the names of types put in between.

    A step stays if it is a key of the object, or any number in the list, that the path has reached. The last
    step of an error of the type ``missing`` stays always, though the file lacks it. An error of the whole
    file has an empty path.
    """
    path: list[str | int] = []
    for step in error["loc"]:
        inside = root.at(path).value
        if step in inside if isinstance(inside, dict) else isinstance(inside, list) and isinstance(step, int):
            path.append(step)
    return (*path, error["loc"][-1]) if error["type"] == "missing" else tuple(path)


def describe_error(error: Any, path: tuple[str | int, ...]) -> str:
    """Return one of pydantic's errors as a sentence that begins with the last key of its path."""
    kind, found = error["type"], error["input"]
    place = next((step for step in reversed(path) if isinstance(step, str)), "")
    if kind == "extra_forbidden":
        return f"{place}: this key is unknown. {nearest(place, _keys_at(path[:-1]))}"
    if kind == "missing":
        return f"{place}: this key is missing."
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "value_error":
        return f"{place or 'This'}: {message}."
    if kind == "too_short":
        return f"{place}: expected at least {error['ctx']['min_length']} item, found a list of 0."
    expected = _CASES.get(kind, message)
    return f"{place or 'This'}: expected {expected}, found {_shown(found)}."


def _keys_at(path: Sequence[str | int]) -> list[str]:
    """Return the keys that the format has at a path."""
    model: type[BaseModel] = Scenario
    for step in path:
        found = (each for name, each in model.model_fields.items() if step in (name, each.alias))
        model = next((inner for each in found for inner in _models_in(each.annotation)), model)
    return [each.alias or name for name, each in model.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the advice for an unknown name."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known are {', '.join(names)}."


def _shown(value: Any) -> str:
    """Return a found value in words, objects and lists by their type alone, others cut to 80 characters."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:80]}…"
