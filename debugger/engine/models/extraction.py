"""Typed values in a message: dates, numbers, phones, e-mails, choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from debugger.engine.models.word_overlap import is_same_word, words
from debugger.protocol.base import JsonObject

Kind = Literal["date", "time", "phone", "email", "number"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAY = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_NUMBER = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_ANSWERS = frozenset({"yes", "yeah", "yep", "sure", "ok", "okay", "correct", "not"})
_NEAR = 3
"""Words before a value among which its property's name may stand; behind it one fewer."""
_KIND_NAMES: dict[Kind, frozenset[str]] = {
    "email": frozenset({"email", "mail"}),
    "phone": frozenset({"phone", "mobile", "telephone", "callback"}),
    "date": frozenset({"date", "day", "weekday", "birthday"}),
    "time": frozenset({"time", "hour"}),
}
"""Words in a property's name or format that determine its kind."""


@dataclass(frozen=True)
class Value:
    """One value, and its place in the text."""

    kind: Kind
    start: int
    end: int
    value: Any
    """A number, or a text; a date or a time is in ISO form where it is explicit, else in the user's words."""


def find_values(text: str) -> list[Value]:
    """Return the values in a text, by place; empty where there are none.

    Of two that overlap, the one whose kind is looked for first counts, as an e-mail address before a number.
    """
    values: list[Value] = []
    taken = bytearray(len(text))
    for kind, pattern, read in _EXTRACTORS:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            start, end = match.span()
            if not any(taken[start:end]):
                values.append(Value(kind, start, end, read(match)))
                taken[start:end] = b"\1" * (end - start)
    return sorted(values, key=lambda value: value.start)


def fill_fields(schema: Mapping[str, Any] | None, message: str) -> JsonObject:
    """Fill an object schema's properties with the typed values of a message.

    Args:
        schema: A JSON Schema of type object; ``None`` gives nothing.
        message: The user's message.

    Returns:
        The properties that could be filled, in the schema's order; a text of no kind stays absent.
    """
    return _Message(message).object(schema) if schema and message.strip() else {}


class _Property:
    def __init__(self, name: str, schema: Any) -> None:
        """Read words of the name, type and options of a property; without a type it is a string."""
        self.schema: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
        self.words = [part.lower() for part in re.split(r"[\W_]+", spaced) if part]
        written = self.schema.get("type")
        types = written if isinstance(written, list) else [written]
        self.type = next((name for name in types if name not in (None, "null")), "string")
        options = self.schema.get("enum")
        self.options: list[Any] = options if isinstance(options, list) else []

    @property
    def kind(self) -> Kind | None:
        if self.type in ("integer", "number"):
            return "number"
        names = {*self.words, str(self.schema.get("format"))} if self.type == "string" else ()
        return next((kind for kind, known in _KIND_NAMES.items() if not known.isdisjoint(names)), None)


@dataclass
class _Message:
    """A user's message; a value in it goes to one property only."""

    text: str
    taken: set[Value] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.values = find_values(self.text)
        self.words = words(self.text)

    def object(self, schema: Mapping[str, Any]) -> JsonObject:
        """Return the properties of an object schema that the message fills, in the schema's order.

        A property whose name has no words is left out; a schema without properties gives an empty object.
        """
        named = schema.get("properties")
        listed = named.items() if isinstance(named, Mapping) else ()
        properties = {name: _Property(name, inner) for name, inner in listed}
        fields = {
            name: self._fill(one, list(properties.values())) for name, one in properties.items() if one.words
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _fill(self, wanted: _Property, properties: list[_Property]) -> Any:
        """Return a property's value in the message by its type; ``None`` where there is none.

        Of several options that are named, the one with the most words counts.
        """
        if wanted.type == "object":
            return self.object(wanted.schema) or None
        if wanted.type == "array":
            return self._options(_Property("items", wanted.schema.get("items"))) or None
        if wanted.options:
            return max(self._options(wanted), key=lambda option: len(words(str(option))), default=None)
        rivals = [one for one in properties if (one.type, one.kind) == (wanted.type, wanted.kind)]
        if wanted.type == "boolean":
            return self._boolean(wanted, is_alone=len(rivals) == 1)
        return self._value(wanted, is_alone=len(rivals) == 1)

    def _value(self, wanted: _Property, *, is_alone: bool) -> Any:
        """Return the value of the kind next to the property's name, else the first one if ``is_alone``.

        It is marked as taken, so that no other property gets it; ``None`` where there is none.
        """
        possible = [one for one in self.values if one.kind == wanted.kind and one not in self.taken]
        if wanted.type == "integer":
            possible = [one for one in possible if isinstance(one.value, int)]
        near = [one for one in possible if self._is_near(one, wanted)]
        value = next(iter(near or (possible if is_alone else [])), None)
        if value is None:
            return None
        self.taken.add(value)
        return value.value

    def _is_near(self, value: Value, wanted: _Property) -> bool:
        before = re.findall(r"\w+", self.text[: value.start].lower())[-_NEAR:]
        after = re.findall(r"\w+", self.text[value.end :].lower())[: _NEAR - 1]
        return any(is_same_word(one, part) for one in before + after for part in wanted.words)

    def _boolean(self, wanted: _Property, *, is_alone: bool) -> bool | None:
        """Return false where the property is named after a negation, and true where it is named without one.

        Where it is not named, a message of yes or no words alone answers it if ``is_alone``; else it is
        ``None``.
        """
        places = [place for word in wanted.words for place in self._places(word)]
        if places:
            return not self._is_denied(places[0])
        is_answer = is_alone and bool(self.words) and _ANSWERS.issuperset(self.words)
        return self.words[0] != "not" if is_answer else None

    def _options(self, wanted: _Property) -> list[Any]:
        return [option for option in wanted.options if self._is_named(option)]

    def _is_named(self, option: Any) -> bool:
        if isinstance(option, int | float) and not isinstance(option, bool):
            return any(one.kind == "number" and one.value == option for one in self.values)
        places = [self._places(word) for word in words(str(option).replace("_", " "))]
        return bool(places) and all(places) and not self._is_denied(places[0][0])

    def _places(self, word: str) -> list[int]:
        return [place for place, one in enumerate(self.words) if is_same_word(word, one)]

    def _is_denied(self, place: int) -> bool:
        """Return whether a negation precedes a word, as in "no milk"."""
        return place > 0 and self.words[place - 1] == "not"


def _as_written(match: re.Match[str]) -> str:
    return match[0]


def _named_date(match: re.Match[str]) -> str:
    month = match["month"].casefold()[:3]
    return _iso(
        match, match["year"], int(month) if month.isdigit() else _MONTHS.index(month) + 1, match["day"]
    )


def _slashed_date(match: re.Match[str]) -> str:
    """Return an ISO date if only one number can be the month, else the text as it is.

    A day that does not exist also gives the text.
    """
    first, second, year = match[0].split("/")
    if int(first) > 12 >= int(second):
        return _iso(match, year, int(second), first)
    return _iso(match, year, int(first), second) if int(second) > 12 else match[0]


def _iso(match: re.Match[str], year: str | None, month: int, day: str) -> str:
    try:
        return date(int(year or 0), month, int(day)).isoformat()
    except ValueError:  # without a year, or no such day
        return match[0]


def _clock(match: re.Match[str]) -> str:
    is_afternoon = match["half"].lower().startswith("p")
    return f"{int(match['hour']) % 12 + 12 * is_afternoon:02d}:{match['minute'] or '00'}"


def _number(match: re.Match[str]) -> int | float:
    written = match[0].lower().replace(",", "")
    if written.isalpha():
        return _NUMBER.split("|").index(written) + 1
    return float(written) if "." in written else int(written)


_EXTRACTORS: tuple[tuple[Kind, str, Callable[[re.Match[str]], Any]], ...] = (
    ("email", r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _as_written),
    ("date", r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b", _named_date),
    ("date", r"\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\b", _named_date),
    ("date", r"\b\d{1,2}/\d{1,2}/\d{4}\b", _slashed_date),
    ("date", rf"\b{_DAY}\s+(?:of\s+)?(?P<month>{_MONTH})\b{_YEAR}", _named_date),
    ("date", rf"\b(?P<month>{_MONTH})\.?\s+(?:the\s+)?{_DAY}\b{_YEAR}", _named_date),
    ("date", rf"\b(?:(?:next|this)\s+)?(?:{_WEEKDAY})\b|\b(?:today|tomorrow)\b", _as_written),
    ("time", r"\b(?P<hour>1[0-2]|0?[1-9])(?:[:.](?P<minute>[0-5]\d))?\s*(?P<half>[ap]\.?m\b)", _clock),
    ("time", r"\b(?:[01]?\d|2[0-3]):[0-5]\d\b|\b(?:morning|afternoon|evening)\b", _as_written),
    ("time", rf"\b(?:\d{{1,2}}|{_NUMBER})\s+o'clock\b", _as_written),
    ("time", r"\bnoon\b", lambda _match: "12:00"),
    ("time", r"\bmidnight\b", lambda _match: "00:00"),
    ("phone", r"(?<![\w.])(?<!\d[ .-])\+?\(?\d(?:(?:[ .-]|\) ?| ?\()?\d){6,14}(?![ .-]?\d|\w)", _as_written),
    ("number", r"(?<![\w.])-?(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,15})?(?!\w)", _number),
    # "one" counts nothing in "that one" and "the first one".
    ("number", rf"^one\b|(?<=\b(?:have|want|need) )one\b|\b(?:{_NUMBER.removeprefix('one|')})\b", _number),
)
