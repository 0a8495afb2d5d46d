"""Scripts: rules that answer for a workflow's models, in a YAML file beside it.

The format is in ``debugger/docs/scripts.md``. A rule whose calls were made does not fit a second time in one
run of a node, so that the rules below it answer; it does not fit either where no tool is offered. What it
says comes along with the calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from debugger.engine.json_paths import EVERY, Path, parse_path
from debugger.engine.models.yaml_lines import LocatedValue, read_yaml
from debugger.engine.outbound.gateway import RecordedAnswer
from debugger.engine.tools.simulation import ToolAnswer
from debugger.errors import ExpressionError, InputError
from debugger.expressions import Condition, parse
from debugger.expressions.patterns import Pattern
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
    """A rule: its conditions and its answer."""

    label: str
    """Its place, for people: ``rule 2 of 'node_order' (line 14)``."""
    when: Pattern | None = None
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


def _rules(listed: LocatedValue, place: str) -> tuple[Rule, ...]:
    found = listed.items(f"the rules of {place}")
    return tuple(_rule(one, f"rule {number} of {place}") for number, one in enumerate(found, start=1))


def _rule(node: LocatedValue, place: str) -> Rule:
    """Read one rule of a script.

    Raises:
        InputError: A key is unknown or cannot be read, or keys do not go together; the message has the line.
    """
    keys = node.mapping(place, _KEYS)
    _check_answers(node, keys, place)
    when = keys["when"].pattern("when") if "when" in keys else None
    return Rule(
        label=f"{place} (line {node.line})",
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


def _check_answers(node: LocatedValue, keys: Mapping[str, LocatedValue], place: str) -> None:
    """Check that a rule answers something, and that its answers go together.

    Raises:
        InputError: It has none of them, ``args`` without ``take``, or ``take`` or ``fill`` beside ``call``.
    """
    if not any(key in keys for key in _ANSWERS):
        raise node.error(f"{place} answers nothing", f"Give it one of {', '.join(_ANSWERS)}.")
    if "args" in keys and "take" not in keys:
        raise keys["args"].error(f"{place} has args and takes no transition", "Add 'take', or remove 'args'.")
    beside = next((key for key in _BESIDE_CALL if key in keys), None)
    if "call" in keys and beside is not None:
        raise keys["call"].error(
            f"{place} has both call and {beside}",
            f"Put {beside!r} into a rule of its own, which says with 'after' what it follows.",
        )


def _condition(node: LocatedValue) -> Condition:
    try:
        return parse(node.text("if"))
    except ExpressionError as error:
        raise node.error(f"the condition of 'if' cannot be read: {error}", error.advice) from error


def _visit(node: LocatedValue) -> int:
    if isinstance(node.value, bool) or not isinstance(node.value, int) or node.value < 1:
        raise node.error(f"visit must be a whole number from 1, not {node.value!r}")
    return node.value


def _say(node: LocatedValue) -> str:
    text = node.text("say")
    if "{{" in text:
        raise node.error("say cannot fill {{ }}", "A script sees runtime variables only: [[name]].")
    return text


def _calls(node: LocatedValue, when: Pattern | None) -> Iterator[ScriptedCall]:
    """Yield the calls of a rule: from a name, a mapping of names to arguments, or a list of these.

    Raises:
        InputError: It names no tool, or the arguments cannot be read.
    """
    if isinstance(node.value, list):
        if not node.value:
            raise node.error("call names no tool")
        for one in node.value:
            yield from _calls(one, when)
    elif isinstance(node.value, dict) and node.value:
        for tool, args in node.value.items():
            yield ScriptedCall(tool, {} if args.value is None else _object(args, f"call of {tool}", when))
    else:
        yield ScriptedCall(node.text("call"), {})


def _object(node: LocatedValue, what: str, when: Pattern | None) -> JsonObject:
    """Return a mapping as a JSON object.

    Raises:
        InputError: It is none, or a text in it refers to a group that ``when`` does not have.
    """
    plain: JsonObject = {key: value.plain() for key, value in node.mapping(what).items()}
    for text in _texts(plain):
        for reference in GROUP.finditer(text):
            if not _has_group(when, reference):
                raise node.error(f"{what} uses {reference[0]}, which 'when' has no group for")
    return plain


def _has_group(when: Pattern | None, reference: re.Match[str]) -> bool:
    """Return whether a reference is ``$$`` or names a group of the pattern, by number or name.

    Without a pattern only ``$$`` is one.
    """
    if reference["dollar"]:
        return True
    if when is None:
        return False
    if reference["name"]:
        return reference["name"] in when.groupindex
    return int(reference["number"]) <= when.groups


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a JSON value at any depth, without keys.

    A value of another type yields none.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


VERSION = 1

_SCRIPT_KEYS = ("version", "workflow", "demo", "alternatives", "anywhere", "nodes", "answers", "tools")


@dataclass(frozen=True)
class Script:
    """The contents of a script file."""

    workflow: str
    """The ``logical_id`` of the workflow that it belongs to."""
    demo: tuple[str, ...] = ()
    """User messages that show the workflow, in order."""
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """More such conversations, by name."""
    anywhere: tuple[Rule, ...] = ()
    nodes: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    """Rules by the node's logical id or name."""
    answers: tuple[RecordedAnswer, ...] = ()
    """What simulated calls to the outside are answered."""
    tool_answers: tuple[ToolAnswer, ...] = ()
    """What tools in inline Python answer where it is refused."""

    @classmethod
    def load(cls, text: str) -> Self:
        """Read the text of a script file; absent sections are empty.

        Raises:
            InputError: It is not YAML or not a script of this version; the message has the line.
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
            answers=read_answers(keys["answers"]) if "answers" in keys else (),
            tool_answers=read_tool_answers(keys["tools"]) if "tools" in keys else (),
        )

    def rules_of(self, logical_id: str, name: str) -> tuple[Rule, ...]:
        """Return a node's rules, by its logical id or else its name."""
        return self.nodes.get(logical_id) or self.nodes.get(name) or ()


def _check_version(root: LocatedValue, keys: Mapping[str, LocatedValue]) -> None:
    """Check that a script has the version that is read here.

    Raises:
        InputError: It has none or another.
    """
    if "version" not in keys:
        raise root.error("a script must say its version", f"Add 'version: {VERSION}'.")
    found = keys["version"]
    if found.value != VERSION or isinstance(found.value, bool):
        raise found.error(
            f"this is version {found.value!r} of the script format", f"Version {VERSION} is read."
        )


def _named(keys: Mapping[str, LocatedValue], key: str) -> Iterator[tuple[str, Mapping[str, LocatedValue]]]:
    listed = keys[key].mapping(key) if key in keys else {}
    return ((name, listed) for name in listed)


def _messages(keys: Mapping[str, LocatedValue], key: str) -> tuple[str, ...]:
    return tuple(one.text(f"a message of {key}") for one in keys[key].items(key)) if key in keys else ()


_STUB_KEYS = ("to", "status", "body", "error")
_TOOL_KEYS = ("with", "result", "error")


def read_answers(listed: LocatedValue) -> tuple[RecordedAnswer, ...]:
    """Read the section ``answers``.

    Raises:
        InputError: It is not one; the message has the line.
    """
    found = listed.items("answers")
    return tuple(_answer(one, f"answer {number}") for number, one in enumerate(found, start=1))


def read_tool_answers(section: LocatedValue) -> tuple[ToolAnswer, ...]:
    """Read the section ``tools``: answers of inline Python by the tool's name.

    Raises:
        InputError: It is not one; the message has the line.
    """
    return tuple(
        _tool_answer(tool, entry, f"answer {number} of {tool!r}")
        for tool, entries in section.mapping("tools").items()
        for number, entry in enumerate(entries.items(f"the answers of {tool!r}"), start=1)
    )


def _tool_answer(tool: str, entry: LocatedValue, place: str) -> ToolAnswer:
    """Read one recorded answer of a tool in inline Python.

    Raises:
        InputError: It has both a result and an error or neither, or a part cannot be read.
    """
    keys = entry.mapping(place, _TOOL_KEYS)
    if ("result" in keys) == ("error" in keys):
        raise entry.error(f"{place} needs either a result or an error", "Give it one of the two.")
    return ToolAnswer(
        tool,
        tuple(_conditions(keys["with"])) if "with" in keys else (),
        keys["result"].plain() if "result" in keys else None,
        _error(keys["error"]) if "error" in keys else None,
        label=f"{place} (line {entry.line})",
    )


def _conditions(listed: LocatedValue) -> Iterator[tuple[Path, Any]]:
    """Yield path and wanted value of each condition on arguments; a text is a pattern.

    Raises:
        InputError: A path cannot be read, or leads to many places.
    """
    for path, wanted in listed.mapping("with").items():
        try:
            steps = parse_path(path)
        except InputError as error:
            raise wanted.error(error.message.rstrip("."), error.advice) from error
        if EVERY in steps:
            raise wanted.error(f"{path!r} leads to many places", "Name one element by its index.")
        yield steps, wanted.pattern("with") if isinstance(wanted.value, str) else wanted.plain()


def _answer(node: LocatedValue, place: str) -> RecordedAnswer:
    """Read one recorded answer of a call to the outside.

    Raises:
        InputError: It has no target, an error beside a status or a body, or a part cannot be read.
    """
    keys = node.mapping(place, _STUB_KEYS)
    if "to" not in keys:
        raise node.error(f"{place} does not say which calls it is for", "Add 'to' and a regular expression.")
    if "error" in keys and len(keys) > 2:
        raise keys["error"].error(f"{place} has an error besides a status or a body", "Keep one of the two.")
    return RecordedAnswer(
        target=keys["to"].pattern("to"),
        status=_status(keys["status"]) if "status" in keys else None,
        body=keys["body"].plain() if "body" in keys else None,
        error=_error(keys["error"]) if "error" in keys else None,
        label=f"{place} (line {node.line})",
    )


def _status(node: LocatedValue) -> int:
    value: Any = node.value
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise node.error("status must be a whole number from 100 to 599")
    return value


def _error(node: LocatedValue) -> str:
    text = node.text("error")
    if not text.strip():
        raise node.error("error must say why no answer came")
    return text
