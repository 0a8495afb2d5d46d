"""The ``{argument}`` slots of a text, by the rules of ``str.format`` (``platform/engine.md`` 10.4).

Variables are filled first, and what is filled in is never searched for slots.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from debugger.errors import InputError
from debugger.expressions import Scope
from debugger.expressions.literals import shortened
from debugger.expressions.placeholders import iter_placeholders
from debugger.expressions.template import FillBudget


def slot_names(value: Any) -> set[str]:
    """The arguments that a JSON value has slots for, in its texts, however deep they stand."""
    if isinstance(value, str):
        return {name for piece in _literals(value) for name in _names(piece)}
    if isinstance(value, Mapping):
        return {name for inner in value.values() for name in slot_names(inner)}
    return {name for inner in value for name in slot_names(inner)} if isinstance(value, list) else set()


def fill_text(text: str, scope: Scope, arguments: Mapping[str, Any], budget: FillBudget) -> str:
    """A text with variables and arguments in it; a placeholder that nothing fills stays as it is written.

    Raises:
        InputError: A slot has no argument, one that is no plain value, or is not written as a slot should be.
        RunError: It exceeds the budget, or takes too long.
    """
    return _filled(text, scope, arguments, _Formatter(budget))


def fill_known(text: str, scope: Scope, arguments: Mapping[str, Any], budget: FillBudget) -> str:
    """Return the same with the slots that cannot be filled left as braces.

    Raises:
        InputError: A slot is not written as one should be.
        RunError: As for a text.
    """
    return _filled(text, scope, arguments, _LenientFormatter(budget))


def fill_json(value: Any, scope: Scope, arguments: Mapping[str, Any], budget: FillBudget) -> Any:
    """A JSON value with the same in its texts; a text that is one slot becomes the argument itself.

    Raises:
        InputError: As for a text.
        RunError: As for a text.
    """
    if isinstance(value, str):
        whole = _only_slot(value)
        if whole is None:
            return fill_text(value, scope, arguments, budget)
        argument = _argument(whole, arguments)
        budget.spend_value(argument)
        return argument
    if isinstance(value, Mapping):
        return {key: fill_json(inner, scope, arguments, budget) for key, inner in value.items()}
    return [fill_json(each, scope, arguments, budget) for each in value] if isinstance(value, list) else value


def _filled(text: str, scope: Scope, arguments: Mapping[str, Any], formatter: _Formatter) -> str:
    return "".join(
        formatter.budget.fill(piece, scope).text
        if is_placeholder
        else _formatted(piece, arguments, formatter)
        for piece, is_placeholder in _pieces(text)
    )


class _Formatter(string.Formatter):
    """Reaches into arguments by ``[key]``, never by attribute: those are Python's own, not the workflow's."""

    def __init__(self, budget: FillBudget) -> None:
        self.budget = budget

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        # What fills the slots is counted as it is made, because a text may have many of them.
        self.budget.spend(len(format_string))
        return super().vformat(format_string, args, kwargs)

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        name = field_name.partition("[")[0]
        if "." in field_name:
            raise InputError(f"The slot {{{field_name}}} reaches into its argument with a dot.")
        _argument(name, kwargs)
        value, key = super().get_field(field_name, args, kwargs)
        if isinstance(value, dict | list):
            raise InputError(
                f"The argument {name!r} holds an object or a list, which cannot be a part of a text.",
                advice=f"Let {{{field_name}}} be the whole of a value in api_body, or reach into it.",
            )
        return value, key

    def format_field(self, value: Any, format_spec: str) -> Any:
        if _LONG_NUMBER.search(format_spec):
            raise InputError(f"The slot with {format_spec!r} in it would make too long a text.")
        formatted = str(super().format_field(value, format_spec))
        self.budget.spend(len(formatted))
        return formatted


class _LenientFormatter(_Formatter):
    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        try:
            return super().get_field(field_name, args, kwargs)
        except (InputError, KeyError, IndexError, TypeError, AttributeError):
            return _UNFILLED, field_name

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return value if value is _UNFILLED else super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> Any:
        return "{}" if value is _UNFILLED else super().format_field(value, format_spec)


_UNFILLED = object()
_LONG_NUMBER = re.compile(r"\d{4}")
_MAX_QUOTED = 80
"""Characters of a text that an error shows."""


def _formatted(piece: str, arguments: Mapping[str, Any], formatter: _Formatter) -> str:
    try:
        return formatter.vformat(piece, (), arguments)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(
            f"The slots of {shortened(piece, _MAX_QUOTED)!r} cannot be filled: {error}.",
            advice="Write {{ for a bracket that is no slot, and name each slot after an argument.",
        ) from None


def _argument(name: str, arguments: Mapping[str, Any]) -> Any:
    if name not in arguments:
        raise InputError(
            f"The slot {{{name}}} has no argument.", advice=f"Give the tool an argument named {name!r}."
        )
    return arguments[name]


def _only_slot(text: str) -> str | None:
    """The argument that a text is nothing but the slot of."""
    name = text[1:-1]
    return name if text == f"{{{name}}}" and name.isidentifier() else None


def _names(piece: str) -> Iterator[str]:
    try:
        for _literal, name, _spec, _conversion in string.Formatter().parse(piece):
            if name is not None:
                yield name.partition("[")[0].partition(".")[0]
    except ValueError:  # told when it is filled
        return


def _literals(text: str) -> list[str]:
    return [piece for piece, is_placeholder in _pieces(text) if not is_placeholder]


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """What stands between the placeholders of a text, and the placeholders."""
    end = 0
    for placeholder in iter_placeholders(text):
        yield text[end : placeholder.start], False
        yield placeholder.text, True
        end = placeholder.end
    yield text[end:], False
