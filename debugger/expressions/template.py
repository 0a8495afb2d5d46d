"""Texts whose placeholders are filled in.

Source: ``platform.md#substitution`` and ``platform.md#tool-argument-types``.

``{{ }}`` holds a Liquid expression, of which paths and filters are supported; ``[[ ]]`` a runtime variable,
which may have filters too. Nothing else in a text means anything: tags such as ``{% if %}`` stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from debugger.errors import RunError
from debugger.expressions.bounded_cache import BoundedCache
from debugger.expressions.limits import (
    MAX_SHOWN_CHARACTERS,
    LimitError,
    exceeds,
    measure,
    time_limit,
)
from debugger.expressions.placeholders import (
    Placeholder,
    iter_placeholders,
    may_have_placeholders,
    strict_reader,
)
from debugger.expressions.references import ABSENT, Reader, Scope, reader_bytes
from debugger.expressions.values import shortened, unwritable, write_bounded

MAX_RENDERED_CHARACTERS = 10_000_000
"""Characters of a text with its placeholders filled in; a longer one would only fill the memory."""


class RenderedText(NamedTuple):
    """A text with its placeholders filled in."""

    text: str
    unresolved: tuple[str, ...] = ()
    """The placeholders that stayed, as written: without a value, or no Liquid expression."""


_SHOWN = 80
"""Characters of a text that an error shows."""

_QUOTE_IN_JSON = re.compile(r"\\.|(\")", re.DOTALL)
"""An escaped character of a JSON text, or a quotation mark, which is group 1."""

_MAX_FAULTS = 20
"""Placeholders that cost too much and are named, of the texts of one request."""

MAX_ARGUMENT_DEPTH = 100
"""Objects and lists within one another in the arguments of a tool."""

MAX_TEMPLATES_BYTES = 32_000_000

_MAX_STORED_CHARACTERS = 100_000
"""Of a text whose pieces are held together in memory; a longer one is read piece by piece, each time."""


class _Slot(NamedTuple):
    placeholder: Placeholder
    read: Reader


_templates: BoundedCache[str, tuple[str | _Slot, ...]] = BoundedCache(MAX_TEMPLATES_BYTES)


def render(
    text: str, scope: Scope, *, faults: list[str] | None = None, is_json: bool = False
) -> RenderedText:
    """Fill in the placeholders of a text.

    Everything is filled in one pass, so an inserted value that looks like a placeholder stays. Null gives
    nothing, booleans ``true`` or ``false``, lists and objects what Python's ``repr`` gives.

    Args:
        text: The text.
        scope: Where references are looked up.
        faults: Receives a sentence for each placeholder that stayed because it costs too much.
        is_json: Whether the text is one of JSON. What is filled in between its quotation marks is escaped;
            elsewhere lists, objects and null are written as JSON, and a text as it is.

    Raises:
        RunError: It would be longer than `MAX_RENDERED_CHARACTERS`, or takes too long to read.

    Source: ``platform.md#substitution``.
    """
    if not may_have_placeholders(text):
        return RenderedText(text)
    try:
        with time_limit:
            return _fill(text, scope, [] if faults is None else faults, is_json=is_json)
    except LimitError as fault:
        raise RunError(
            f"The placeholders of the text {shortened(text, _SHOWN)!r} cannot be filled in: {fault}.",
            advice="Use fewer placeholders in it, or compute the text in a tool node.",
        ) from fault


def _fill(text: str, scope: Scope, faults: list[str], *, is_json: bool) -> RenderedText:
    """Fill in the placeholders of a text, piece by piece.

    Adds a sentence to the faults for each placeholder that costs too much. Raises RunError when the result is
    too long, and LimitError when the text takes too long to read.
    """
    unresolved: list[str] = []
    parts: list[str] = []
    length = 0
    is_quoted = False
    for piece in _compile(text):
        if isinstance(piece, str):
            written = piece
            if is_json:
                is_quoted ^= sum(found[1] is not None for found in _QUOTE_IN_JSON.finditer(piece)) % 2 == 1
        else:
            value = _read(piece, scope, faults)
            if isinstance(value, (dict, list)) and exceeds(value, MAX_RENDERED_CHARACTERS - length):
                raise _too_long(text, MAX_RENDERED_CHARACTERS - length + 1)
            written = piece.placeholder.text if value is ABSENT else write_plain(value)
            if value is ABSENT:
                unresolved.append(written)
            if is_json:
                written = _write_json(value, written, is_quoted=is_quoted)
        length += len(written)
        if length > MAX_RENDERED_CHARACTERS:
            raise _too_long(text, len(written))
        parts.append(written)
    return RenderedText("".join(parts), tuple(unresolved))


class RenderBudget:
    """The common limit on characters of several texts, as of one request.

    Args:
        faults: Receives a sentence for each placeholder that stayed because it costs too much, but not more
            than a user reads.
    """

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults
        self._left = MAX_RENDERED_CHARACTERS
        self._faults_left = _MAX_FAULTS
        self._sizes: dict[int, int] = {}

    def fill(self, text: str, scope: Scope, *, is_json: bool = False) -> RenderedText:
        """Fill in the placeholders of a text, also of one of JSON, and count its characters.

        Raises:
            RunError: It costs too much, or the texts are too long together.
        """
        faults: list[str] = []
        filled = render(text, scope, faults=faults, is_json=is_json)
        self._faults += faults[: self._faults_left]
        self._faults_left -= min(len(faults), self._faults_left)
        self.spend(len(filled.text))
        return filled

    def spend_value(self, value: Any) -> None:
        """Count the characters and items of a value that outlives the budget.

        It is measured once, because one argument of a tool may be in many places.

        Raises:
            RunError: The texts are too long together.
        """
        size = self._sizes.get(id(value))
        if size is None:
            size = self._sizes[id(value)] = sum(measure(value, self._left, self._left))
        self.spend(size)

    def spend(self, characters: int) -> None:
        """Count characters.

        Raises:
            RunError: The texts are too long together.
        """
        self._left -= characters
        if self._left < 0:
            raise RunError(
                f"The texts of the request would be longer than {MAX_RENDERED_CHARACTERS / 1e6:.0f} million "
                "characters together with their placeholders and slots filled in.",
                advice="Use fewer placeholders and slots in them, or shorter values.",
            )


def render_value(
    value: Any, scope: Scope, *, preserve_types: bool, fill: Callable[[str], str] | None = None
) -> Any:
    """Fill in the placeholders of a tool's arguments, at any depth.

    Args:
        value: Any JSON value; objects and lists are copied, keys are left alone.
        scope: Where references are looked up.
        preserve_types: Whether a text that is one placeholder and no more becomes the value itself, null when
            it has none. Otherwise it becomes a text, and stays as written when it has no value.
        fill: Fills in a text from the same scope, and notes what stays; by default nothing is noted.

    Raises:
        RunError: It would be longer than `MAX_RENDERED_CHARACTERS`, takes too long, or is nested too deep.

    Source: ``platform.md#tool-argument-types``.
    """
    fill = fill or (lambda text: render(text, scope).text)
    try:
        with time_limit:
            filled = _fill_value(value, scope if preserve_types else None, fill, MAX_ARGUMENT_DEPTH)
    except LimitError as fault:
        raise RunError(
            f"The placeholders of the tool's arguments cannot be filled in: {fault}.", advice=fault.advice
        ) from fault
    if sum(measure(filled, MAX_RENDERED_CHARACTERS, MAX_RENDERED_CHARACTERS)) > MAX_RENDERED_CHARACTERS:
        raise RunError(
            f"The arguments of the tool would be longer than {MAX_RENDERED_CHARACTERS / 1e6:.0f} million "
            "characters with their placeholders filled in.",
            advice="Use fewer placeholders in them, or shorter values.",
        )
    return filled


def _fill_value(value: Any, preserving: Scope | None, fill: Callable[[str], str], depth: int) -> Any:
    """Return a copy of a value whose texts are filled in, also as the values that they name, within a scope.

    Without a scope every text stays a text. Raises RunError when objects and lists are nested deeper than
    `depth`; else as `fill`.
    """
    if isinstance(value, str):
        return fill(value) if preserving is None else _fill_argument(value, preserving, fill)
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        raise RunError(
            f"The arguments of the tool are nested deeper than {MAX_ARGUMENT_DEPTH} objects and lists.",
            advice="Pass the inner ones as a text.",
        )
    if isinstance(value, list):
        return [_fill_value(each, preserving, fill, depth - 1) for each in value]
    return {key: _fill_value(each, preserving, fill, depth - 1) for key, each in value.items()}


def hydrate(text: str, scope: Scope) -> str:
    """Fill in a condition's placeholders, written as in its language.

    The condition need not parse.

    It is made for people only: a value that does not fit into `MAX_SHOWN_CHARACTERS` is named by its type,
    and a text that cannot be read in time stays.
    """
    parts: list[str] = []
    room = MAX_SHOWN_CHARACTERS
    with time_limit:
        try:
            for piece in _compile(text):
                if isinstance(piece, str):
                    written = piece
                else:
                    value = _read(piece, scope, [])
                    written = piece.placeholder.text if value is ABSENT else write_bounded(value, room)
                room -= len(written)
                parts.append(written)
        except LimitError:
            return text
    return "".join(parts)


def write_plain(value: Any) -> str:
    """Write a value as text.

    Null is empty, a boolean in lower case, a list or an object as Python writes it. A value that cannot be
    written is named by its type.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return str(value).lower() if isinstance(value, bool) else str(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list in a thousand lists
        return unwritable(value)


def _write_json(value: Any, written: str, *, is_quoted: bool) -> str:
    """Write a filled-in value into a text of JSON.

    Within quotation marks the written text is escaped. Outside of them null, lists and objects are JSON, and
    anything else is as it was written, as is a value that has no JSON form.
    """
    if is_quoted:
        return json.dumps(written)[1:-1]
    if value is not None and not isinstance(value, (dict, list)):
        return written
    try:
        return json.dumps(value)
    except (ValueError, RecursionError):  # as for a plain text
        return written


def _read(slot: _Slot, scope: Scope, faults: list[str]) -> Any:
    """Return the value of a placeholder; `ABSENT` where it costs too much, with a sentence in the faults."""
    try:
        return slot.read(scope)
    except LimitError as fault:
        shown = shortened(slot.placeholder.text, _SHOWN)
        faults.append(f"The placeholder {shown!r} is left as it is written: {fault}. {fault.advice}")
        return ABSENT


def _too_long(text: str, characters: int) -> RunError:
    """Return the error for a text that is too long with its placeholders filled in."""
    return RunError(
        f"The text {shortened(text, _SHOWN)!r} would be longer than {MAX_RENDERED_CHARACTERS / 1e6:.0f} "
        f"million characters with its placeholders filled in; the part that was one too many has "
        f"{characters}.",
        advice="Use fewer placeholders in it, or shorter values.",
    )


def _fill_argument(text: str, scope: Scope, fill: Callable[[str], str]) -> Any:
    """Return the value that a text names by being one placeholder, null without one; else the text filled in.

    A text of more than `_MAX_STORED_CHARACTERS` always stays a text. What costs too much is null, too.
    """
    if not may_have_placeholders(text) or len(text) > _MAX_STORED_CHARACTERS:
        return fill(text)
    pieces = tuple(_compile(text))
    if len(pieces) != 1 or isinstance(pieces[0], str):
        return fill(text)
    value = _read(pieces[0], scope, [])
    return None if value is ABSENT else value


def _compile(text: str) -> Iterable[str | _Slot]:
    """Split a text into literal pieces and placeholders.

    Raises:
        LimitError: Its expressions take too long to read.
    """
    if len(text) > _MAX_STORED_CHARACTERS:
        return _pieces(text)
    pieces = _templates.get(text)
    if pieces is None:
        pieces = tuple(_pieces(text))
        _templates.put(text, pieces, sum(map(_piece_bytes, pieces)))
    return pieces


def _pieces(text: str) -> Iterator[str | _Slot]:
    """Yield the literal pieces and the placeholders of a text, in order; nothing for an empty text.

    Raises LimitError when the time of the evaluation is over.
    """
    end = 0
    for placeholder in iter_placeholders(text):
        if placeholder.start > end:
            yield text[end : placeholder.start]
        yield _Slot(placeholder, strict_reader(placeholder))
        end = placeholder.end
    if end < len(text):
        yield text[end:]


def _piece_bytes(piece: str | _Slot) -> int:
    if isinstance(piece, str):
        return 100 + 8 * len(piece)
    return 1_000 + 100 * len(piece.placeholder.text) + reader_bytes(piece.placeholder.path)
