"""One row in the table of a scenario's expectations: its comparison and its text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, assert_never

from pydantic import ValidationError

from debugger.engine.outbound.secrets import MARK
from debugger.errors import InputError
from debugger.expressions.limits import LimitError
from debugger.expressions.patterns import compile_pattern
from debugger.protocol.base import JsonObject, first_problem
from debugger.protocol.json_codec import encode
from debugger.scenarios.loading import escaped, unescaped
from debugger.scenarios.model import KINDS, Expectation, ExpectationKind

Match = Literal["exact", "contains", "regex", "similar", "has a value", "as written"]
"""The ways to compare, the strictest first; the last one is for what the table cannot loosen."""

BETWEEN = " > "
ANY = "..."
_MAX_PART = 80
"""Characters of a part of a message that is expected."""
_MIN_PART = 8
_DATE_WORDS = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_VOLATILE = re.compile(
    r"\[(?:key|e-mail|phone|card|id|birth date|hidden)\]"
    rf"|{re.escape(MARK)}"
    r"|\d{4}-\d{2}-\d{2}(?:[T ][\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?|\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?"
    rf"|\b{_DATE_WORDS}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?|\b\d{{1,2}}\.?\s+{_DATE_WORDS}(?:\s+\d{{4}})?"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=\w*\d)(?=\w*[a-z])\w{8,}\b|\b\d{4,}(?:\.\d+)?\b"
    r"|\b\d+\.\d{3,}\b",
    re.IGNORECASE,
)
"""Masked values, dates, times, ids and long numbers."""
_TRIMMED = " \t\n.,;:!?-–—()[]{}\"'“”"


@dataclass(frozen=True)
class Proposal:
    """One expectation in the table."""

    turn: int | None
    """The turn of the scenario, from 1; ``None`` at the end."""
    kind: ExpectationKind
    subject: str
    """The node that speaks or waits, or the variable; empty for the others."""
    value: Any
    """The value that the run had."""
    match: Match
    text: str
    """The text to compare with, as the table shows it."""
    is_ticked: bool
    is_volatile: bool = False
    """The value has a date, an id, a long number or something masked in it."""
    original: JsonObject | None = None
    """The expectation as the opened file has it."""
    volatile: frozenset[str] = frozenset()
    """Texts of the run that another run has not."""
    has_failed: bool = False
    """The opened file has it, and it does not hold for the run."""

    @property
    def matches(self) -> tuple[Match, ...]:
        """Return the ways in which it can be compared."""
        facts = ROWS[self.kind]
        return ("as written",) if self.match == "as written" or facts is None else facts.matches

    def with_match(self, match: Match) -> Self:
        """Return a copy with another comparison and the text for that.

        Raises:
            InputError: Its kind has no such comparison.
        """
        if match not in self.matches:
            raise InputError(
                f"{self.kind} cannot be compared by {match!r}.",
                advice=f"Choose one of {', '.join(self.matches)}, or untick the row.",
            )
        text = text_for(self.kind, self.value, match, self.volatile)
        return replace(self, match=match, text=text, original=None)

    def with_text(self, text: str) -> Self:
        """Return a copy with another text to compare with."""
        return replace(self, text=text, original=None)

    def to_json(self) -> JsonObject:
        """Return the expectation as a file has it.

        One that was not changed since the file is returned as it is.

        Raises:
            InputError: The text cannot be compared with.
        """
        facts = ROWS[self.kind]
        if self.original is not None or facts is None:
            return self.original or {self.kind: self.value}
        found = facts.write(self)
        try:
            Expectation.model_validate(found)
        except ValidationError as error:
            raise InputError(
                f"The expectation {self.kind} of {self.place} cannot be used: {first_problem(error)}.",
                advice="Correct its text, or untick it.",
            ) from error
        return found

    @property
    def place(self) -> str:
        """Return its turn in words."""
        return "the end" if self.turn is None else f"turn {self.turn}"


def _says(one: Proposal) -> JsonObject:
    """Return an expectation on what is said; its text alone where it is contained.

    Raises an error without a text.
    """
    if not one.text:
        raise _empty(one)
    if one.match == "contains":
        return {"says": one.text}
    return {"says": {_operator(one): one.text}}


def _variable(one: Proposal) -> JsonObject:
    """Return the expectation on a variable as a file has it.

    Raises:
        InputError: It has no text for its comparison, or one that is no pattern.
    """
    if one.match == "has a value":
        return {"variable": {"name": one.subject, "absent": False}}
    value = _typed(one.value, one.text) if one.match == "exact" else one.text
    if value == "" and one.match != "exact":
        raise _empty(one)
    return {"variable": {"name": one.subject, _operator(one): value}}


def _operator(one: Proposal) -> str:
    """Return the key of a proposal's comparison, such as ``equals``.

    Raises:
        InputError: It compares by a pattern, and its text is none.
    """
    if one.match == "regex":
        try:
            compile_pattern(one.text)
        except (ValueError, LimitError) as error:
            raise InputError(
                f"The expression of {one.place} cannot be used: {error}.",
                advice="Correct it, or compare by contains.",
            ) from error
    return "equals" if one.match == "exact" else one.match


def _empty(one: Proposal) -> InputError:
    return InputError(
        f"The expectation {one.kind} of {one.place} has no text.", advice="Give it one, or untick it."
    )


def _typed(value: Any, text: str) -> Any:
    """Return a text as a value of the type that the run had; as a text where it is no JSON."""
    if isinstance(value, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _path(one: Proposal) -> JsonObject:
    return {"path": [part.strip() for part in one.text.split(BETWEEN.strip()) if part.strip()]}


def text_for(kind: str, value: Any, match: Match, volatile: frozenset[str]) -> str:
    """Return the text with which a value is compared in one of the ways.

    It is empty for ``has a value``, and for ``contains`` where too little of the value is stable.

    Args:
        kind: The kind of expectation; the value of ``path`` is a list of nodes.
        value: The value that the run had.
        match: The way to compare.
        volatile: Texts of the run that another run has not.
    """
    if kind == "path":
        if match == "contains":
            return BETWEEN.join([ANY, *[node for node in value if node != ANY][-1:], ANY])
        return BETWEEN.join(value)
    text = value if isinstance(value, str) else encode(value).decode()
    if match == "contains":
        return str(escaped(stable_part(unescaped(text), volatile)))
    if match == "regex":
        return pattern_of(unescaped(text), volatile)
    return "" if match == "has a value" else text


def stable_part(text: str, volatile: Iterable[str] = ()) -> str:
    """Return the longest part of a text that other runs repeat.

    It is empty where that is too short.
    """
    parts = [part for each in stable_parts(text, volatile) for part in each.splitlines()]
    best = max((part.strip(_TRIMMED) for part in parts), key=len, default="")
    if len(best) > _MAX_PART:
        best = best[:_MAX_PART].rsplit(None, 1)[0].rstrip(_TRIMMED)
    return best if len(best) >= _MIN_PART or best == text.strip(_TRIMMED) else ""


def pattern_of(text: str, volatile: Iterable[str] = ()) -> str:
    """Return a regular expression that fits a text whatever its volatile parts are."""
    parts = [re.escape(part).replace("\\ ", " ") for part in stable_parts(text, volatile)]
    return f"^{'.+'.join(parts)}$"


def stable_parts(text: str, volatile: Iterable[str]) -> list[str]:
    """Return the text between the values that differ from run to run."""
    known = "|".join(rf"\b{re.escape(each)}\b" for each in sorted(volatile, key=len, reverse=True))
    pattern = re.compile(f"{known}|{_VOLATILE.pattern}", re.IGNORECASE) if known else _VOLATILE
    return pattern.split(text)


def parse_expectation(expectation: JsonObject, turn: int | None) -> Proposal:
    """Return an expectation of a file as a row of the table."""
    kind = next(name for name in KINDS if expectation.get(name) is not None)
    value, facts = expectation[kind], ROWS[kind]
    cells = facts.read(value) if facts is not None else None
    subject, value, match, text = cells or ("", value, "as written", encode(value).decode())
    return Proposal(turn, kind, subject, value, match, text, is_ticked=True, original=expectation)


Cells = tuple[str, Any, Match, str]
"""Subject, value, comparison and text of a row."""


@dataclass(frozen=True)
class RowFacts:
    """The way in which a kind of expectation is edited in the table."""

    matches: tuple[Match, ...]
    """The ways to compare, the strictest first."""
    write: Callable[[Proposal], JsonObject]
    """Returns the expectation as a file has it."""
    read: Callable[[Any], Cells | None]
    """Returns the row of a value in a file; ``None`` where the table cannot loosen it."""


def _row_of(kind: ExpectationKind) -> RowFacts | None:
    """Return how a kind is edited; ``None`` where it stays as it is written."""
    match kind:
        case "says":
            return RowFacts(("exact", "contains", "regex", "similar"), _says, _read_says)
        case "variable":
            return RowFacts(("exact", "contains", "regex", "has a value"), _variable, _read_variable)
        case "path":
            return RowFacts(("exact", "contains"), _path, _read_path)
        case "status":
            return RowFacts(("exact",), lambda one: {"status": one.text}, _read_text)
        case "hint":
            return RowFacts(("exact",), lambda one: {"hint": {"node": one.text}}, _read_hint)
        case "edge_taken":
            return RowFacts(("exact",), lambda one: {"edge_taken": one.text}, _read_text)
        case "reached" | "not_reached" | "edge_not_taken" | "no_side_effect" | "at_most" | "events" | "judge":
            return None
        case _:
            assert_never(kind)


def _read_says(value: Any) -> Cells | None:
    return _read_operator("", value if isinstance(value, dict) else {"contains": str(value)})


def _read_variable(value: Any) -> Cells | None:
    return _read_operator(value["name"], {key: inner for key, inner in value.items() if key != "name"})


def _read_path(value: Any) -> Cells:
    nodes = [str(node) for node in value]
    return "", nodes, "contains" if ANY in nodes else "exact", BETWEEN.join(nodes)


def _read_text(value: Any) -> Cells | None:
    return ("", value, "exact", value) if isinstance(value, str) else None


def _read_hint(value: Any) -> Cells | None:
    node = value.get("node")
    return ("", node, "exact", str(node)) if set(value) == {"node"} and node is not None else None


def _read_operator(subject: str, value: JsonObject) -> Cells | None:
    """Return the row of a comparison that a file has.

    ``None`` where it has several keys or the table lacks it.
    """
    if len(value) != 1:
        return None
    [(operator, operand)] = value.items()
    if operator == "absent" and operand is False:
        return subject, "", "has a value", ""
    match: Match | None = {
        "equals": "exact",
        "contains": "contains",
        "regex": "regex",
        "similar": "similar",
    }.get(operator)  # type: ignore[assignment]
    if match is None:
        return None
    return subject, operand, match, operand if isinstance(operand, str) else encode(operand).decode()


ROWS: dict[ExpectationKind, RowFacts | None] = {kind: _row_of(kind) for kind in KINDS}
"""Facts by which each kind is edited; ``None`` where it stays as it is written."""
