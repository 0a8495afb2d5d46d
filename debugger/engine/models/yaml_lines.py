"""YAML values with their line numbers.

Plain words mean what they look like: only ``true`` and ``false`` are booleans, so that a user may answer
"no", and a date, a time or a phone number with a plus sign stays a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from debugger.errors import InputError
from debugger.expressions.limits import LimitError
from debugger.expressions.patterns import Pattern, compile_pattern

_QUOTES = (
    "Put a text in quotes where it holds ': ' or ' #', or begins with one of [ { * & ! | > % @, or where it "
    "is within brackets and holds , or ?."
)
_NO_ALIASES = "Write the value out where it is used."
_SPLIT = "Split the file, or keep the rows of a scenario in a CSV file."

MAX_YAML_CHARACTERS = 500_000
MAX_YAML_VALUES = 20_000
"""Keys, texts, numbers, lists and mappings; reading them takes half a second (PyYAML 6.0.4)."""
MAX_YAML_DEPTH = 200
"""Levels of lists and mappings."""


class YamlError(InputError):
    """A mistake in a YAML file; ``line`` and ``column`` count from 1."""

    def __init__(self, problem: str, line: int, column: int, advice: str = "") -> None:
        """Put the place before the problem in the message, and keep both."""
        super().__init__(f"line {line}, column {column}: {problem}", advice=advice)
        self.problem = problem
        """The message without the place."""
        self.line = line
        self.column = column


@dataclass(frozen=True)
class LocatedValue:
    """A value and its place, from 1; in a mapping that of its key."""

    value: Any
    """A scalar, a list of `LocatedValue`, or a dict of text to `LocatedValue`."""
    line: int
    column: int
    written: str = ""
    """A scalar as the file has it."""

    def plain(self) -> Any:
        """Return the value without lines, as JSON has it."""
        if isinstance(self.value, dict):
            return {key: inner.plain() for key, inner in self.value.items()}
        if isinstance(self.value, list):
            return [inner.plain() for inner in self.value]
        return self.value

    def mapping(self, what: str, known: tuple[str, ...] = ()) -> dict[str, LocatedValue]:
        """Return the value as a mapping, the same object.

        Args:
            what: Its name for the message.
            known: The keys that it may have; empty means any.

        Raises:
            InputError: It is none, or has a key that is not known.
        """
        if not isinstance(self.value, dict):
            raise self.error(f"{what} must be a mapping of keys to values, not {self._description()}")
        for key, inner in self.value.items():
            if known and key not in known:
                raise inner.error(f"{what} has the unknown key {key!r}", f"It takes {', '.join(known)}.")
        return self.value

    def items(self, what: str) -> list[LocatedValue]:
        """Return the value as a list.

        Raises:
            InputError: It is none.
        """
        if not isinstance(self.value, list):
            raise self.error(
                f"{what} must be a list, not {self._description()}", "Begin each of its lines with '- '."
            )
        return self.value

    def text(self, what: str) -> str:
        """Return the value as a text.

        Raises:
            InputError: It is none.
        """
        if not isinstance(self.value, str):
            raise self.error(f"{what} must be a text, not {self._description()}", "Put it in quotes.")
        return self.value

    def pattern(self, what: str) -> Pattern:
        """Return the value as a compiled regular expression, ignoring case.

        Raises:
            InputError: It is no text or no expression, or costs too much.
        """
        try:
            return compile_pattern(self.text(what), ignores_case=True)
        except LimitError as error:
            raise self.error(str(error), error.advice) from error
        except ValueError as error:
            raise self.error(str(error)) from error

    def error(self, message: str, advice: str = "") -> YamlError:
        """Return an error about this value, with its place."""
        return YamlError(f"{message}.", self.line, self.column, advice)

    def at(self, path: Sequence[object]) -> LocatedValue:
        """Return the value at a path; a step that leads nowhere is passed over.

        Args:
            path: Keys and indexes, outermost first.
        """
        found = self
        for step in path:
            inside = found.value
            if (step in inside) if isinstance(inside, dict) else _is_index(inside, step):
                found = inside[step]
        return found

    def _description(self) -> str:
        if isinstance(self.value, dict | list):
            return "a mapping" if isinstance(self.value, dict) else "a list"
        return "nothing" if self.value is None else str(self.value).lower()


def read_yaml(text: str) -> LocatedValue:
    """Read one document; an empty one is ``None`` at line 1.

    Raises:
        InputError: It is not YAML, is larger than a limit allows, names a key twice, or uses an alias or a
            tag; the message has the line.
    """
    if len(text) > MAX_YAML_CHARACTERS:
        raise YamlError(
            f"this has {len(text):,} characters, and {MAX_YAML_CHARACTERS:,} is the most.", 1, 1, _SPLIT
        )
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line, column = _place(error.problem_mark) if error.problem_mark else (1, 1)
        problem = error.problem or error.context
        raise YamlError(f"this is not YAML: {problem}.", line, column, _QUOTES) from error
    except yaml.YAMLError as error:
        raise YamlError(f"this is not YAML: {' '.join(str(error).split())}.", 1, 1) from error
    except RecursionError as error:
        raise YamlError("this is nested too deeply to be read.", 1, 1) from error
    return LocatedValue(None, 1, 1) if node is None else _Reader().read(node)


def _is_index(value: object, step: object) -> bool:
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _place(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


class _Loader(yaml.SafeLoader):
    """A loader of YAML 1.2 scalars, apart from octal, hexadecimal and signed positive integers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012
    _values = 0
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node with all that is below it.

        Raises:
            YamlError: It is an alias, one value too many, or nested too deep; raised before it is read.
        """
        place = _place(self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise YamlError("aliases are not read here.", *place, _NO_ALIASES)
        self._values += 1
        if self._values > MAX_YAML_VALUES:
            raise YamlError(f"there are more than {MAX_YAML_VALUES:,} values.", *place, _SPLIT)
        self._depth += 1
        if self._depth > MAX_YAML_DEPTH:
            raise YamlError("this is nested too deeply.", *place)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda _text: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}

_PATTERNS = (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^-?(?:0|[1-9]\d*)$", list("-0123456789")),
    ("float", r"^[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?$", list("-+.0123456789")),
)
for _name, _pattern, _first in _PATTERNS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(_pattern), _first)


class _Reader:
    """A reader of YAML nodes."""

    def read(self, node: yaml.Node, place: tuple[int, int] | None = None) -> LocatedValue:
        """Return one node and all below it.

        In a mapping its key has the place.
        """
        place = place or _place(node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return LocatedValue(_scalar(node, place), *place, node.value)
        if isinstance(node, yaml.SequenceNode):
            return LocatedValue([self.read(inner) for inner in node.value], *place)
        return LocatedValue(dict(self._pairs(node)), *place)

    def _pairs(self, node: yaml.Node) -> Iterator[tuple[str, LocatedValue]]:
        """Yield name and value of each pair of a mapping, the value with the key's place.

        Raises:
            YamlError: A key is no text or is there twice, or a value cannot be read.
        """
        names: set[str] = set()
        for key, value in node.value:
            place = _place(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError("a key must be a text.", *place)
            if key.value in names:
                raise YamlError(f"the key {key.value!r} is there twice.", *place, "Keep one.")
            names.add(key.value)
            yield key.value, self.read(value, place)


def _scalar(node: yaml.ScalarNode, place: tuple[int, int]) -> Any:
    """Return the Python value of a scalar by its tag.

    Raises:
        YamlError: The tag is none of YAML's plain ones, or the number is too long.
    """
    read = _SCALARS.get(node.tag)
    if read is None:
        raise YamlError(f"the tag {node.tag!r} is not read here.", *place, "Leave it out.")
    try:
        return read(node.value)
    except ValueError as error:  # more digits than Python reads
        raise YamlError(
            "the number is too long to be read.", *place, "Shorten it, or put it in quotes."
        ) from error
