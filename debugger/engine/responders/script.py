r"""A script: what stands in for the models of one workflow says and does, written by hand.

It is a YAML file beside the workflow. Rules are tried from top to bottom, the first that fits answers. ::

    version: 1
    workflow: workflow_tea           # the workflow's logical_id
    demo:                            # messages that show the workflow at its best
      - Two cups of Assam, please.
    alternatives:                    # more conversations, by name
      just a question:
        - Do you have cake?
    anywhere:                        # tried first at every node, where the hop is offered
      - when: human|person
        take: node_handover
    nodes:
      node_order:                    # a node by logical_id or by name
        - when: (?P<cups>\d+) cups of (?P<tea>\w+)
          fill: {tea: "${tea}", cups: $1}
          take: order complete       # an edge by name, id or condition, or a node by name or id
        - if: isAbsent([[tea]])      # a condition on runtime variables
          visit: 2                   # the node's second run in this run
          say: Which tea would you like?

``when`` is a regular expression that is searched for in the user's message, upper and lower case alike.
``fill`` gives the fields of the structured output and ``args`` the arguments of the hop; ``$1`` and
``${name}`` in them are the groups of ``when``, ``$$`` is a dollar sign. ``say`` may hold ``[[name]]``, also
of what the rule fills. Where a rule has both ``take`` and ``say`` the hop is taken, and the text said only
when no hop is offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from debugger.engine.responders.lined_yaml import Lined, read_yaml
from debugger.errors import ExpressionError
from debugger.expressions import Condition, parse
from debugger.protocol.base import JsonObject

VERSION = 1

GROUP = re.compile(r"\$(?:(?P<dollar>\$)|(?P<number>\d+)|\{(?P<name>\w+)\})")
"""A reference to a group of ``when`` in ``fill`` and ``args``."""

_SCRIPT_KEYS = ("version", "workflow", "demo", "alternatives", "anywhere", "nodes")
_RULE_KEYS = ("when", "if", "visit", "take", "say", "fill", "args")
_ANSWERS = ("take", "say", "fill")


@dataclass(frozen=True)
class Rule:
    """When it fits, and what it answers."""

    label: str
    """Its place, for people: ``rule 2 of 'node_order' (line 14)``."""
    when: re.Pattern[str] | None = None
    condition: Condition | None = None
    visit: int | None = None
    take: str | None = None
    say: str | None = None
    fill: JsonObject | None = None
    args: JsonObject | None = None


@dataclass(frozen=True)
class Script:
    """What a script file says."""

    workflow: str
    """The ``logical_id`` of the workflow that it belongs to."""
    demo: tuple[str, ...] = ()
    """User messages that show the workflow, in order."""
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """More such conversations, by name."""
    anywhere: tuple[Rule, ...] = ()
    nodes: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    """Rules by the node's logical id or name."""

    @classmethod
    def load(cls, text: str) -> Self:
        """Read a script file.

        Raises:
            InputError: It is not YAML or not a script; the message has the line.
        """
        root = read_yaml(text)
        keys = root.mapping("a script", _SCRIPT_KEYS)
        _check_version(root, keys)
        if "workflow" not in keys:
            raise root.error(
                "a script must say its workflow", "Add 'workflow:' and the workflow's logical_id."
            )
        return cls(
            workflow=keys["workflow"].text("workflow"),
            demo=_messages(keys, "demo"),
            alternatives={name: _messages(listed, name) for name, listed in _named(keys, "alternatives")},
            anywhere=_rules(keys["anywhere"], "anywhere") if "anywhere" in keys else (),
            nodes={name: _rules(listed[name], repr(name)) for name, listed in _named(keys, "nodes")},
        )

    def rules_of(self, logical_id: str, name: str) -> tuple[Rule, ...]:
        """A node's own rules: those under its logical id, else those under its name."""
        return self.nodes.get(logical_id) or self.nodes.get(name) or ()


def _check_version(root: Lined, keys: Mapping[str, Lined]) -> None:
    if "version" not in keys:
        raise root.error("a script must say its version", f"Add 'version: {VERSION}'.")
    found = keys["version"]
    if found.value != VERSION or isinstance(found.value, bool):
        raise found.error(
            f"this is version {found.value!r} of the script format", f"Version {VERSION} is read."
        )


def _named(keys: Mapping[str, Lined], key: str) -> Iterator[tuple[str, Mapping[str, Lined]]]:
    """The names in a mapping, each with the mapping that holds it."""
    listed = keys[key].mapping(key) if key in keys else {}
    return ((name, listed) for name in listed)


def _messages(keys: Mapping[str, Lined], key: str) -> tuple[str, ...]:
    return tuple(one.text(f"a message of {key}") for one in keys[key].items(key)) if key in keys else ()


def _rules(listed: Lined, place: str) -> tuple[Rule, ...]:
    found = listed.items(f"the rules of {place}")
    return tuple(_rule(one, f"rule {number} of {place}") for number, one in enumerate(found, start=1))


def _rule(given: Lined, place: str) -> Rule:
    keys = given.mapping(place, _RULE_KEYS)
    if not any(key in keys for key in _ANSWERS):
        raise given.error(f"{place} answers nothing", f"Give it one of {', '.join(_ANSWERS)}.")
    if "args" in keys and "take" not in keys:
        raise keys["args"].error(f"{place} has args and takes no hop", "Add 'take', or remove 'args'.")
    when = _pattern(keys["when"]) if "when" in keys else None
    return Rule(
        label=f"{place} (line {given.line})",
        when=when,
        condition=_condition(keys["if"]) if "if" in keys else None,
        visit=_visit(keys["visit"]) if "visit" in keys else None,
        take=keys["take"].text("take") if "take" in keys else None,
        say=_say(keys["say"]) if "say" in keys else None,
        fill=_object(keys["fill"], "fill", when) if "fill" in keys else None,
        args=_object(keys["args"], "args", when) if "args" in keys else None,
    )


def _pattern(given: Lined) -> re.Pattern[str]:
    text = given.text("when")
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise given.error(f"{text!r} is no regular expression: {error}") from error


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
