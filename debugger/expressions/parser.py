"""The parser of conditions."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

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
from debugger.expressions.syntax_errors import SyntaxProblem, diagnose
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
