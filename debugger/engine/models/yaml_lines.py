"""YAML values with their line numbers.

Plain words mean what they look like: only ``true`` and ``false`` are booleans, so that a user may answer
"no", and a date or a time stays a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from debugger.errors import InputError

_QUOTES = "Put a text in quotes where it holds ': ' or ' #', or begins with one of [ { * & ! | > % @."
_NO_ALIASES = "Write the value out where it is used."


@dataclass(frozen=True)
class LocatedValue:
    """A value and its line, counted from 1."""

    value: Any
    """A scalar, a list of `Lined`, or a dict of text to `Lined`."""
    line: int

    def plain(self) -> Any:
        """Return the value without lines, as JSON has it."""
        if isinstance(self.value, dict):
            return {key: inner.plain() for key, inner in self.value.items()}
        if isinstance(self.value, list):
            return [inner.plain() for inner in self.value]
        return self.value

    def mapping(self, what: str, known: tuple[str, ...] = ()) -> dict[str, LocatedValue]:
        """Return the value as a mapping; ``what`` names it in an error.

        Args:
            what: What this is, for the message.
            known: The keys that it may have; empty means any.

        Raises:
            InputError: It is none, or has a key that is not known.
        """
        if not isinstance(self.value, dict):
            raise self.error(f"{what} must be a mapping of keys to values, not {self._told()}")
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
                f"{what} must be a list, not {self._told()}", "Begin each of its lines with '- '."
            )
        return self.value

    def text(self, what: str) -> str:
        """Return the value as a text.

        Raises:
            InputError: It is none.
        """
        if not isinstance(self.value, str):
            raise self.error(f"{what} must be a text, not {self._told()}", "Put it in quotes.")
        return self.value

    def pattern(self, what: str) -> re.Pattern[str]:
        """Return the value as a regular expression, ignoring case.

        Raises:
            InputError: It is none.
        """
        text = self.text(what)
        try:
            return re.compile(text, re.IGNORECASE)
        except re.error as error:
            raise self.error(f"{text!r} is not a regular expression: {error}") from error

    def error(self, message: str, advice: str = "") -> InputError:
        """Return an error about this value, with its line."""
        return InputError(f"line {self.line}: {message}.", advice=advice)

    def _told(self) -> str:
        if isinstance(self.value, dict | list):
            return "a mapping" if isinstance(self.value, dict) else "a list"
        return "nothing" if self.value is None else str(self.value).lower()


def read_yaml(text: str) -> LocatedValue:
    """Read one document.

    Raises:
        InputError: It is not YAML, names a key twice, or uses an alias or a tag; the message has the line.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = error.problem or error.context
        raise InputError(f"line {line}: this is not YAML: {problem}.", advice=_QUOTES) from error
    except yaml.YAMLError as error:
        raise InputError(f"This is not YAML: {' '.join(str(error).split())}.") from error
    except RecursionError as error:
        raise InputError("This is nested too deeply to be read.") from error
    return LocatedValue(None, 1) if node is None else _Reader().read(node)


class _Loader(yaml.SafeLoader):
    """A loader of YAML 1.2 scalars, apart from octal and hexadecimal numbers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


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
    ("int", r"^[-+]?(?:0|[1-9]\d*)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?$", list("-+.0123456789")),
)
for _name, _pattern, _first in _PATTERNS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(_pattern), _first)


class _Reader:
    """A reader of YAML nodes."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def read(self, node: yaml.Node) -> LocatedValue:
        """One node and all below it."""
        line = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        if id(node) in self._seen:
            raise InputError(f"line {line}: aliases are not read here.", advice=_NO_ALIASES)
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return LocatedValue([self.read(inner) for inner in node.value], line)
        return LocatedValue(dict(self._pairs(node)), line)

    def _scalar(self, node: yaml.ScalarNode, line: int) -> LocatedValue:
        read = _SCALARS.get(node.tag)
        if read is None:
            raise InputError(f"line {line}: the tag {node.tag!r} is not read here.", advice="Leave it out.")
        try:
            return LocatedValue(read(node.value), line)
        except ValueError as error:  # more digits than Python reads
            raise InputError(
                f"line {line}: the number is too long to be read.", advice="Shorten it, or put it in quotes."
            ) from error

    def _pairs(self, node: yaml.Node) -> Iterator[tuple[str, LocatedValue]]:
        names: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"line {line}: a key must be a text.")
            if key.value in names:
                raise InputError(f"line {line}: the key {key.value!r} is there twice.", advice="Keep one.")
            names.add(key.value)
            # An empty value has no place of its own, so its key's line stands for it.
            read = self.read(value)
            yield key.value, LocatedValue(read.value, line)
