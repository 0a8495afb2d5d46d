"""A text with placeholders filled in (``platform/engine.md`` 5.5 and 5.6).

``{{ }}`` holds a Liquid expression, of which paths and filters are supported; ``[[ ]]`` a runtime variable,
which may have filters too. Nothing else in a text means anything: tags such as ``{% if %}`` stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from debugger.errors import RunError
from debugger.expressions.literals import unwritable, write_literal
from debugger.expressions.placeholders import (
    Placeholder,
    may_have_placeholders,
    placeholder_reader,
    placeholders,
)
from debugger.expressions.references import ABSENT, Reader
from debugger.expressions.scope import Scope

LONGEST_FILLED = 10_000_000
"""Characters of a text with its placeholders filled in; a longer one would only fill the memory."""


class Filled(NamedTuple):
    """A text with its placeholders filled in."""

    text: str
    unresolved: tuple[str, ...] = ()
    """The placeholders that stayed, as written: without a value, or no Liquid expression."""


_SHOWN = 80
"""Characters of a text that an error shows."""


class _Slot(NamedTuple):
    placeholder: Placeholder
    read: Reader


def fill(text: str, scope: Scope) -> Filled:
    """Fill the placeholders of a text in.

    Everything is filled in one pass, so an inserted value that looks like a placeholder stays. Null gives
    nothing, booleans ``true`` or ``false``, lists and objects what Python's ``repr`` gives.

    Raises:
        RunError: It would be longer than `LONGEST_FILLED`.

    Source: ``platform/engine.md`` 5.5.
    """
    if not may_have_placeholders(text):
        return Filled(text)
    unresolved: list[str] = []
    parts: list[str] = []
    length = 0
    for piece in _compile(text):
        if isinstance(piece, str):
            written = piece
        else:
            value = piece.read(scope)
            written = piece.placeholder.text if value is ABSENT else write_plain(value)
            if value is ABSENT:
                unresolved.append(written)
        length += len(written)
        if length > LONGEST_FILLED:
            raise _too_long(text, written)
        parts.append(written)
    return Filled("".join(parts), tuple(unresolved))


def fill_value(value: Any, scope: Scope, *, preserve_types: bool) -> Any:
    """Fill the placeholders of a tool's arguments in, however deep they stand.

    Args:
        value: Any JSON value; objects and lists are copied, keys are left alone.
        scope: Where references are looked up.
        preserve_types: Whether a text that is one placeholder and no more becomes the value itself, null when
            it has none. Otherwise it becomes a text, and stays as written when it has no value.

    Source: ``platform/engine.md`` 5.6.
    """
    if isinstance(value, str):
        return _fill_argument(value, scope) if preserve_types else fill(value, scope).text
    if isinstance(value, Mapping):
        return {key: fill_value(each, scope, preserve_types=preserve_types) for key, each in value.items()}
    if isinstance(value, list):
        return [fill_value(each, scope, preserve_types=preserve_types) for each in value]
    return value


def hydrate(text: str, scope: Scope) -> str:
    """Fill the placeholders of a condition in, values written as in its language; it need not parse."""
    return "".join(piece if isinstance(piece, str) else _hydrated(piece, scope) for piece in _compile(text))


def write_plain(value: Any) -> str:
    """Write a value as it stands in a text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return str(value).lower() if isinstance(value, bool) else str(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list in a thousand lists
        return unwritable(value)


def _too_long(text: str, written: str) -> RunError:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return RunError(
        f"The text {shown!r} would be longer than {LONGEST_FILLED / 1e6:.0f} million characters with its "
        f"placeholders filled in; the part that was one too many has {len(written)}.",
        advice="Use fewer placeholders in it, or shorter values.",
    )


def _fill_argument(text: str, scope: Scope) -> Any:
    pieces = _compile(text)
    if len(pieces) != 1 or isinstance(pieces[0], str):
        return fill(text, scope).text
    value = pieces[0].read(scope)
    return None if value is ABSENT else value


def _hydrated(slot: _Slot, scope: Scope) -> str:
    value = slot.read(scope)
    return slot.placeholder.text if value is ABSENT else write_literal(value)


@lru_cache(maxsize=1024)
def _compile(text: str) -> tuple[str | _Slot, ...]:
    pieces: list[str | _Slot] = []
    end = 0
    for placeholder in placeholders(text):
        pieces += [text[end : placeholder.start], _Slot(placeholder, placeholder_reader(placeholder))]
        end = placeholder.end
    pieces.append(text[end:])
    return tuple(piece for piece in pieces if piece)
