"""One rule of a script: when it fits, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from debugger.engine.models.lined_yaml import Lined
from debugger.errors import ExpressionError
from debugger.expressions import Condition, parse
from debugger.protocol.base import JsonObject

GROUP = re.compile(r"\$(?:(?P<dollar>\$)|(?P<number>\d+)|\{(?P<name>\w+)\})")
"""A reference to a group of ``when`` in ``fill``, ``args`` and ``call``."""

_KEYS = ("when", "if", "visit", "after", "take", "say", "fill", "args", "call")
_ANSWERS = ("take", "say", "fill", "call")
_BESIDE_CALL = ("take", "fill", "args")


@dataclass(frozen=True)
class ScriptedCall:
    """A call of a tool."""

    tool: str
    """The tool's name, as the author wrote it or as a model knows it."""
    args: JsonObject


@dataclass(frozen=True)
class Rule:
    """When it fits, and what it answers."""

    label: str
    """Its place, for people: ``rule 2 of 'node_order' (line 14)``."""
    when: re.Pattern[str] | None = None
    condition: Condition | None = None
    visit: int | None = None
    after: str | None = None
    """The tool whose result has to have come in just now."""
    take: str | None = None
    say: str | None = None
    fill: JsonObject | None = None
    args: JsonObject | None = None
    calls: tuple[ScriptedCall, ...] = ()
    """Calls of tools, made together."""


def read_rules(listed: Lined, place: str) -> tuple[Rule, ...]:
    """The rules of one place of a script.

    Args:
        listed: A list of rules.
        place: Where it is, for people.

    Raises:
        InputError: It is no list of rules; the message has the line.
    """
    found = listed.items(f"the rules of {place}")
    return tuple(_rule(one, f"rule {number} of {place}") for number, one in enumerate(found, start=1))


def _rule(given: Lined, place: str) -> Rule:
    keys = given.mapping(place, _KEYS)
    _check_answers(given, keys, place)
    when = keys["when"].pattern("when") if "when" in keys else None
    return Rule(
        label=f"{place} (line {given.line})",
        when=when,
        condition=_condition(keys["if"]) if "if" in keys else None,
        visit=_visit(keys["visit"]) if "visit" in keys else None,
        after=keys["after"].text("after") if "after" in keys else None,
        take=keys["take"].text("take") if "take" in keys else None,
        say=_say(keys["say"]) if "say" in keys else None,
        fill=_object(keys["fill"], "fill", when) if "fill" in keys else None,
        args=_object(keys["args"], "args", when) if "args" in keys else None,
        calls=tuple(_calls(keys["call"], when)) if "call" in keys else (),
    )


def _check_answers(given: Lined, keys: Mapping[str, Lined], place: str) -> None:
    if not any(key in keys for key in _ANSWERS):
        raise given.error(f"{place} answers nothing", f"Give it one of {', '.join(_ANSWERS)}.")
    if "args" in keys and "take" not in keys:
        raise keys["args"].error(f"{place} has args and takes no hop", "Add 'take', or remove 'args'.")
    beside = next((key for key in _BESIDE_CALL if key in keys), None)
    if "call" in keys and beside is not None:
        raise keys["call"].error(
            f"{place} has both call and {beside}",
            f"Put {beside!r} into a rule of its own, which says with 'after' what it follows.",
        )


def _condition(given: Lined) -> Condition:
    try:
        return parse(given.text("if"))
    except ExpressionError as error:
        raise given.error(f"the condition of 'if' cannot be read: {error}", error.advice) from error


def _visit(given: Lined) -> int:
    if isinstance(given.value, bool) or not isinstance(given.value, int) or given.value < 1:
        raise given.error(f"visit must be a whole number from 1, not {given.value!r}")
    return given.value


def _say(given: Lined) -> str:
    text = given.text("say")
    if "{{" in text:
        raise given.error("say cannot fill {{ }}", "A script sees runtime variables only: [[name]].")
    return text


def _calls(given: Lined, when: re.Pattern[str] | None) -> Iterator[ScriptedCall]:
    """A tool by name, tools with their arguments, or a list of such."""
    if isinstance(given.value, list):
        if not given.value:
            raise given.error("call names no tool")
        for one in given.value:
            yield from _calls(one, when)
    elif isinstance(given.value, dict) and given.value:
        for tool, args in given.value.items():
            yield ScriptedCall(tool, {} if args.value is None else _object(args, f"call of {tool}", when))
    else:
        yield ScriptedCall(given.text("call"), {})


def _object(given: Lined, what: str, when: re.Pattern[str] | None) -> JsonObject:
    plain: JsonObject = {key: value.plain() for key, value in given.mapping(what).items()}
    for text in _texts(plain):
        for reference in GROUP.finditer(text):
            if not _has_group(when, reference):
                raise given.error(f"{what} uses {reference[0]}, which 'when' has no group for")
    return plain


def _has_group(when: re.Pattern[str] | None, reference: re.Match[str]) -> bool:
    if reference["dollar"]:
        return True
    if when is None:
        return False
    if reference["name"]:
        return reference["name"] in when.groupindex
    return int(reference["number"]) <= when.groups


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
