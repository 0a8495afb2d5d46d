"""The parser of conditions, with diagnoses of those that do not parse."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from lark import Lark, Token, UnexpectedInput
from lark.exceptions import VisitError
from lark.parsers.lalr_interactive_parser import InteractiveParser
from lark.visitors import Transformer_NonRecursive

from debugger.errors import ExpressionError
from debugger.expressions.limits import path_problem
from debugger.expressions.syntax import (
    And,
    Call,
    Comparison,
    Constant,
    FilterCall,
    Node,
    Not,
    Or,
    Reference,
    Value,
)
from debugger.expressions.values import MAX_NUMBER_CHARACTERS, read_text

FILTERS = ("default", "downcase", "first", "join", "last", "size", "strip", "upcase")
"""The filters that a reference in a condition may have."""

FUNCTIONS = {name.lower(): name for name in ("isPresent", "isAbsent", "isEmpty", "isNonEmpty")}

MAX_CONDITION_CHARACTERS = 20_000
"""Characters; a text this long is no condition, and would only take time."""

MAX_DEPTH = 100
"""Unfinished parts at one moment, so that no recursion over the tree can overflow."""

_CONSTANTS = {"true": True, "false": False, "null": None}


def parse_tree(text: str) -> Node:
    """Read a condition.

    Raises:
        ExpressionError: It is not in the language, or far too long or too deep.
    """
    if len(text) > MAX_CONDITION_CHARACTERS:
        raise ExpressionError(
            f"The condition has {len(text):,} characters; {MAX_CONDITION_CHARACTERS:,} is the "
            "most that is read.",
            text=text,
            column=MAX_CONDITION_CHARACTERS + 1,
            advice="Compute the value in a tool node and compare its result.",
        )
    driver = _grammar().parse_interactive(text)
    try:
        return _drive(driver, text)
    except UnexpectedInput as error:
        end = len(text.rstrip())
        found = error.pos_in_stream if error.pos_in_stream is not None else end
        stack = [value for value in driver.parser_state.value_stack if isinstance(value, Token)]
        accepted = frozenset(driver.accepts())  # type: ignore[no-untyped-call]
        raise diagnose(SyntaxProblem(text, min(found, end), accepted, stack)) from None


def _drive(driver: InteractiveParser, text: str) -> Node:
    """Feed the whole text to the parser, and return the tree.

    Raises UnexpectedInput when it is not in the grammar, and ExpressionError when it is nested too deep or
    has a filter, a path or a number that cannot be.
    """
    for token in driver.iter_parse():
        if len(driver.parser_state.value_stack) > MAX_DEPTH:
            raise ExpressionError(
                "The condition is nested too deep here.",
                text=text,
                column=(token.start_pos or 0) + 1,
                advice="Split it over several edges, or compute it in a tool node.",
            )
    end = Token("$END", "", start_pos=len(text.rstrip()))
    try:
        return _Builder(text).transform(driver.feed_token(end))
    except VisitError as error:
        raise error.orig_exc from None


class _Builder(Transformer_NonRecursive[Token, Node]):
    """Makes a node of each rule of the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__(visit_tokens=False)
        self._text = text

    def disjunction(self, parts: list[Node]) -> Node:
        return Or(tuple(parts))

    def conjunction(self, parts: list[Node]) -> Node:
        return And(tuple(parts))

    def inversion(self, parts: list[Node]) -> Node:
        return Not(parts[0])

    def comparison(self, parts: list[Any]) -> Node:
        left, sign, right = parts
        return Comparison(str(sign), left, right)

    def call(self, parts: list[Any]) -> Node:
        function, reference = parts
        return Call(FUNCTIONS[function.lower()], reference)

    def reference(self, parts: list[Any]) -> Node:
        """Make a reference; its path has no trailing blanks.

        Raises ExpressionError when the path exceeds the limits.
        """
        opening, path, *filters, closing = parts
        problem = path_problem(path.rstrip())
        if problem:
            raise ExpressionError(
                f"The reference that begins here is too long: {problem}.",
                text=self._text,
                column=opening.start_pos + 1,
                advice="Write a shorter path, or compute the value in a tool node.",
            )
        return Reference(
            namespace="runtime" if opening.type == "OPEN_RUNTIME" else "dynamic",
            path=path.rstrip(),
            filters=tuple(filters),
            text=self._text[opening.start_pos : closing.end_pos],
            start=opening.start_pos,
        )

    def filter(self, parts: list[Any]) -> FilterCall:
        """Make a filter; raises ExpressionError when its name is not one of `FILTERS`."""
        name, *arguments = parts
        if name not in FILTERS:
            raise ExpressionError(
                f"Unknown filter {str(name)!r}.",
                text=self._text,
                column=name.start_pos + 1,
                advice=f"The filters of a condition are {', '.join(FILTERS)}.",
            )
        return FilterCall(str(name), tuple(arguments))

    def text(self, parts: list[Token]) -> Node:
        return Value(read_text(parts[0]))

    def number(self, parts: list[Token]) -> Node:
        """Make a number; raises ExpressionError when it is not finite or has too many digits."""
        token = parts[0]
        value = _read_number(token)
        if value is None:
            raise ExpressionError(
                "The number is too large.",
                text=self._text,
                column=(token.start_pos or 0) + 1,
                advice="Compare texts in quotes if it is an identifier.",
            )
        return Value(value)

    def keyword(self, parts: list[Token]) -> Node:
        return Constant(_CONSTANTS[parts[0].lower()])


def _read_number(written: str) -> int | float | None:
    if written.lstrip("-").isdigit():
        return int(written) if len(written) <= MAX_NUMBER_CHARACTERS else None
    value = float(written)
    return value if math.isfinite(value) else None


@cache
def _grammar() -> Lark:
    return Lark.open("grammar.lark", rel_to=__file__, parser="lalr")


_WORDS = (
    ("TEXT", "a value"),
    ("COMPARISON", "a comparison"),
    ("_AND", "AND"),
    ("_OR", "OR"),
    ("LPAR", "'('"),
    ("RPAR", "')'"),
    ("RUNTIME_PATH", "the name of a variable"),
    ("DYNAMIC_PATH", "the name of a variable"),
    ("FILTER_NAME", "the name of a filter"),
    ("COLON", "':'"),
    ("COMMA", "','"),
    ("VBAR", "'|'"),
    ("CLOSE_RUNTIME", "']]'"),
    ("CLOSE_DYNAMIC", "'}}'"),
    ("$END", "the end"),
)
_PAIRS = {"LPAR": "RPAR", "OPEN_RUNTIME": "CLOSE_RUNTIME", "OPEN_DYNAMIC": "CLOSE_DYNAMIC"}
_COMPARISONS = "== != < <= > >="
_VALUES = (
    "A value is a reference such as [[name]] or {{name}}, a text in quotes, a number, true, false or null."
)
_FUNCTIONS = "The functions are isPresent, isAbsent, isEmpty and isNonEmpty, each of one reference."
_SAMPLES = re.compile(r"\[\[|\]\]|\{\{|\}\}|[\w.-]+|[=!<>&|]+|\S")
_SIGNS = re.compile(r"[=!<>]+")
_CALL = re.compile(r"([\w.]+)\s*\(")
_WORD = re.compile(r"[^\W\d][\w.-]*")


@dataclass(frozen=True)
class SyntaxProblem:
    """The state of the parser at the unexpected token."""

    text: str
    position: int
    """Of what was found, counted from 0; the length of the text, less trailing blanks, at its end."""
    accepted: frozenset[str]
    """Names of the terminals that would have done."""
    unfinished: Sequence[Token]
    """Tokens of everything that has begun and not ended, outermost first."""

    @property
    def rest(self) -> str:
        """Return the text from the position on."""
        return self.text[self.position :]

    @property
    def found(self) -> str:
        """Return the unexpected text, for a message."""
        match = _SAMPLES.match(self.text, self.position)
        return repr(match[0][:30]) if match else "the end"

    @property
    def wants_value(self) -> bool:
        """Return whether a value was expected."""
        return "TEXT" in self.accepted and "FUNCTION" in self.accepted

    @property
    def opening(self) -> Token | None:
        """Return the innermost bracket that is still open; ``None`` where none is."""
        open_ones: list[Token] = []
        for token in self.unfinished:
            if token.type in _PAIRS:
                open_ones.append(token)
            elif token.type in _PAIRS.values():
                open_ones.pop()
        return open_ones[-1] if open_ones else None


class Diagnosis(NamedTuple):
    """The message, advice and position for the author."""

    message: str
    advice: str
    position: int


def diagnose(fault: SyntaxProblem) -> ExpressionError:
    """Return the error for a problem, by the first matching rule."""
    found = next(filter(None, (rule(fault) for rule in RULES)), None) or _unexpected(fault)
    return ExpressionError(found.message, text=fault.text, column=found.position + 1, advice=found.advice)


def _empty(fault: SyntaxProblem) -> Diagnosis | None:
    if fault.text.strip():
        return None
    return Diagnosis("The condition is empty.", "Write one such as [[count]] >= 3.", 0)


def _unclosed_reference(fault: SyntaxProblem) -> Diagnosis | None:
    """Explain a reference that is not closed.

    ``None`` where no reference is open, and where its closing bracket follows before another opening one.
    """
    opening = fault.opening
    if opening is None or opening.type == "LPAR":
        return None
    closing = "]]" if opening.type == "OPEN_RUNTIME" else "}}"
    before, found, _ = fault.rest.partition(closing)
    if found and opening not in before:
        return None
    return Diagnosis(
        f"The reference that begins here with {opening} is not closed.",
        f"Write {closing} behind the name.",
        opening.start_pos or 0,
    )


def _unclosed_quote(fault: SyntaxProblem) -> Diagnosis | None:
    """Explain a text that is not closed; ``None`` where no text begins here, or none may."""
    if not fault.rest.startswith(("'", '"')) or "TEXT" not in fault.accepted:
        return None
    quote = fault.rest[0]
    return Diagnosis(
        f"The text that begins here with {quote} is not closed.",
        f"Write {quote} at its end, and \\{quote} for one inside it.",
        fault.position,
    )


def _unknown_function(fault: SyntaxProblem) -> Diagnosis | None:
    match = _CALL.match(fault.rest)
    if match is None or not fault.wants_value:
        return None
    return Diagnosis(f"Unknown function {match[1]}(...).", _FUNCTIONS, fault.position)


def _odd_comparison(fault: SyntaxProblem) -> Diagnosis | None:
    """Explain signs that are no comparison, such as ``=`` or ``=>``; ``None`` for all else.

    It also finds them where the parser has read the beginning of them as a comparison.
    """
    start = fault.position
    if fault.unfinished and fault.unfinished[-1].type == "COMPARISON":
        start = fault.unfinished[-1].start_pos or 0
    match = _SIGNS.match(fault.text, start)
    if match is None or match[0] in _COMPARISONS.split() or not fault.accepted & {"COMPARISON", "TEXT"}:
        return None
    advice = f"The comparisons are {_COMPARISONS}."
    if match[0] == "=":
        return Diagnosis("Found a single '='.", f"Use == to compare. {advice}", start)
    return Diagnosis(f"There is no comparison {match[0]!r}.", advice, start)


def _unquoted_word(fault: SyntaxProblem) -> Diagnosis | None:
    """Explain a word in the place of a value; ``None`` elsewhere, and for AND, OR and NOT."""
    match = _WORD.match(fault.rest)
    if match is None or not fault.wants_value:
        return None
    word = match[0]
    if word.lower() in ("and", "or", "not"):
        return None
    return Diagnosis(
        f"Expected a value, found the word {word!r}.",
        f"Put quotes around a text, '{word}', and brackets around a variable, [[{word}]] or {{{{{word}}}}}.",
        fault.position,
    )


def _unknown_operator(fault: SyntaxProblem) -> Diagnosis | None:
    """Explain a word in the place of AND or OR; ``None`` elsewhere."""
    match = _WORD.match(fault.rest)
    if match is None or "_AND" not in fault.accepted:
        return None
    return Diagnosis(
        f"There is no operator {match[0]!r}.",
        f"The comparisons are {_COMPARISONS}; conditions are joined with AND and OR. {_FUNCTIONS}",
        fault.position,
    )


def _chain(fault: SyntaxProblem) -> Diagnosis | None:
    """Explain a second comparison behind the first; ``None`` for all else."""
    match = _SIGNS.match(fault.rest)
    if match is None or "_AND" not in fault.accepted or "COMPARISON" in fault.accepted:
        return None
    return Diagnosis(
        f"Found a second comparison, {match[0]!r}, behind the first.",
        "Join two comparisons with AND.",
        fault.position,
    )


def _unexpected(fault: SyntaxProblem) -> Diagnosis:
    """Explain what was expected and what was found, for what no rule explains."""
    expected = list(dict.fromkeys(words for name, words in _WORDS if name in fault.accepted))
    if fault.wants_value:
        expected = ["a value"]
    elif "OPEN_RUNTIME" in fault.accepted:
        expected = ["a reference"]
    listed = " or ".join(filter(None, (", ".join(expected[:-1]), expected[-1])))
    return Diagnosis(f"Expected {listed}, found {fault.found}.", _advice(fault), fault.position)


def _advice(fault: SyntaxProblem) -> str:
    """Return the advice on an unexpected token; empty where there is none."""
    opening = fault.opening
    if "RPAR" in fault.accepted and opening is not None and not fault.rest.strip():
        return f"The ( at column {(opening.start_pos or 0) + 1} is not closed."
    if fault.rest.startswith(")") and not fault.wants_value:
        return "This ) closes nothing."
    if fault.wants_value:
        return _VALUES
    if "COMPARISON" in fault.accepted:
        return f"The comparisons are {_COMPARISONS}; join conditions with AND, OR and NOT."
    return _FUNCTIONS if fault.accepted <= {"OPEN_RUNTIME", "OPEN_DYNAMIC", "LPAR"} else ""


RULES: Sequence[Callable[[SyntaxProblem], Diagnosis | None]] = (
    _empty,
    _unclosed_reference,
    _unclosed_quote,
    _unknown_function,
    _odd_comparison,
    _unquoted_word,
    _unknown_operator,
    _chain,
)
"""What is recognised, most telling first."""
