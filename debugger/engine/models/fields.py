"""The fields of a JSON Schema, filled from what a user said. What was not said stays absent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from debugger.engine.models.extract import Kind, Value, find_values
from debugger.engine.models.phrases import person_name, stated_reason, stated_value
from debugger.engine.models.word_overlap import NO, YES, overlap, stem, words
from debugger.protocol.base import JsonObject

_PERSON = frozenset(
    {
        "name",
        "full",
        "first",
        "last",
        "given",
        "family",
        "patient",
        "caller",
        "customer",
        "user",
        "client",
        "guest",
        "contact",
        "person",
        "your",
    }
)
_REASONS = frozenset({"reason", "symptom", "symptoms", "complaint", "concern", "issue", "problem", "purpose"})
_NEAR = 100
"""How many characters around a value may tell what it is."""
_BIRTH_CUE = re.compile(r"\b(?:born|birth|birthday|dob)\b[^.;!?]*$", re.IGNORECASE)
_PLANNED = re.compile(r"\b(?:on|for|by|until|from)\s+$", re.IGNORECASE)

_BIRTH = frozenset({"birth", "birthday", "birthdate", "dob", "born"})
_KIND_NAMES: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("email", frozenset({"email", "mail"})),
    ("phone", frozenset({"phone", "mobile", "telephone", "cell", "callback"})),
    ("date", frozenset({"date", "day", "weekday", *_BIRTH})),
    ("time", frozenset({"time", "hour"})),
)
_KIND_FORMATS: dict[str, Kind] = {"email": "email", "date": "date", "time": "time"}


def fill_fields(schema: Mapping[str, Any] | None, message: str) -> JsonObject:
    """Fill the properties of an object schema.

    Numbers, dates, times, phone numbers, e-mail addresses, booleans and enumerated values are found by type;
    other texts by the property's name, as ``full_name`` or ``reason``, or where the user says "<it> is ...".

    Args:
        schema: A JSON Schema of type object; ``None`` gives nothing.
        message: What the user said.

    Returns:
        The properties that could be filled, in the schema's order. Nothing is made up.
    """
    return _Reading(message).object(schema) if schema and message.strip() else {}


@dataclass(frozen=True)
class Property:
    """One property of a schema."""

    name: str
    schema: Mapping[str, Any]

    @property
    def parts(self) -> list[str]:
        """Return the words in its name: of ``dateOfBirth``, date, of and birth."""
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", self.name)
        return [part.lower() for part in re.split(r"[\W_]+", spaced) if part]

    @property
    def words(self) -> str:
        """Return its name in plain words."""
        return " ".join(self.parts)

    @property
    def type(self) -> str:
        """Return its type, leaving null aside; text where none is given."""
        given = self.schema.get("type")
        names = given if isinstance(given, list) else [given]
        return next((str(name) for name in names if name not in (None, "null")), "string")

    @property
    def options(self) -> list[Any]:
        """Return the values it may have, where they are listed."""
        listed = self.schema.get("enum")
        return listed if isinstance(listed, list) else []

    @property
    def kind(self) -> Kind | None:
        """Return the kind of value that it takes, for a number or a text that has one."""
        if self.type in ("integer", "number"):
            return "number"
        if self.type != "string" or self.options:
            return None
        given = _KIND_FORMATS.get(str(self.schema.get("format")))
        named = (kind for kind, names in _KIND_NAMES if names.intersection(self.parts))
        return given or next(named, None)

    @property
    def is_birth(self) -> bool:
        """Return whether it is a date of birth."""
        return self.kind == "date" and not _BIRTH.isdisjoint(self.parts)


def properties_of(schema: Mapping[str, Any]) -> list[Property]:
    """Return the properties of an object schema that have a name with a word in it."""
    given = schema.get("properties")
    named = given.items() if isinstance(given, Mapping) else ()
    found = [Property(name, inner if isinstance(inner, Mapping) else {}) for name, inner in named]
    return [one for one in found if one.parts]


@dataclass
class _Reading:
    """One message while it is read; a value in it goes to one property only."""

    message: str
    taken: set[Value] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.values = find_values(self.message)
        self.words = words(self.message)

    def object(self, schema: Mapping[str, Any]) -> JsonObject:
        """The properties of one object that could be filled."""
        properties = properties_of(schema)
        # A date of birth is the pickiest of the dates, so it chooses first.
        filled = {
            one.name: self._fill(one, properties)
            for one in sorted(properties, key=lambda one: not one.is_birth)
        }
        return {one.name: filled[one.name] for one in properties if filled[one.name] is not None}

    def _fill(self, wanted: Property, all_of_them: list[Property]) -> Any:
        if wanted.type == "object":
            return self.object(wanted.schema) or None
        if wanted.type == "array":
            return self._list(wanted)
        if wanted.type == "boolean":
            return self._boolean(wanted, all_of_them)
        if wanted.options:
            return self._option(wanted)
        if wanted.kind is not None:
            return self._value(wanted, all_of_them)
        return self._text(wanted)

    # Texts

    def _text(self, wanted: Property) -> str | None:
        if wanted.parts[-1:] == ["name"] and _PERSON.issuperset(wanted.parts):
            return self._name(wanted.parts)
        said = stated_value(self.message, wanted.words)
        if said is None and not _REASONS.isdisjoint(wanted.parts):
            return stated_reason(self.message)
        return said

    def _name(self, parts: list[str]) -> str | None:
        name = person_name(self.message)
        if name is None:
            return None
        if not {"first", "given"}.isdisjoint(parts):
            return name.split()[0]
        if not {"last", "family"}.isdisjoint(parts):
            return name.partition(" ")[2] or None
        return name

    # Values of a kind

    def _value(self, wanted: Property, all_of_them: list[Property]) -> Any:
        fitting = [value for value in self.values if value not in self.taken and self._fits(value, wanted)]
        chosen = self._choose(fitting, wanted, all_of_them)
        if chosen is None:
            return None
        self.taken.add(chosen)
        return chosen.value

    def _fits(self, value: Value, wanted: Property) -> bool:
        if value.kind != wanted.kind:
            return False
        if wanted.type == "integer":
            return isinstance(value.value, int)
        if wanted.kind != "date":
            return True
        if wanted.is_birth:
            return value.has_year and (self._is_birth(value) or not _PLANNED.search(self._before(value)))
        return not self._is_birth(value)

    def _choose(self, fitting: list[Value], wanted: Property, all_of_them: list[Property]) -> Value | None:
        """The value beside which the property's name stands, else the only one that it can be."""
        if wanted.is_birth:
            return next(filter(self._is_birth, fitting), fitting[0] if fitting else None)
        names = {word.stem for word in words(wanted.words)}
        distances = [(self._distance(value, names), value) for value in fitting]
        near = [(distance, value) for distance, value in distances if distance is not None]
        if near:
            return min(near, key=lambda pair: pair[0])[1]
        rivals = [one for one in all_of_them if one.kind == wanted.kind and not one.is_birth]
        return fitting[0] if fitting and len(rivals) == 1 else None

    def _distance(self, value: Value, names: set[str]) -> int | None:
        """How many words away the property's name stands: up to two after the value or three before it."""
        after = re.findall(r"\w+", self.message[value.end : value.end + _NEAR].lower())[:2]
        before = re.findall(r"\w+", self._before(value).lower())[-3:]
        sides = (after, before[::-1])
        return min(
            (place for side in sides for place, word in enumerate(side) if stem(word) in names), default=None
        )

    def _is_birth(self, value: Value) -> bool:
        """Whether it is told as a date of birth."""
        return value.has_year and _BIRTH_CUE.search(self._before(value)) is not None

    def _before(self, value: Value) -> str:
        return self.message[max(0, value.start - _NEAR) : value.start]

    # Choices

    def _boolean(self, wanted: Property, all_of_them: list[Property]) -> bool | None:
        name = {word.stem for word in words(wanted.words) if not word.weak}
        said = [word for word in self.words if word.stem in name]
        if said:
            return not said[0].denied
        if overlap(self.message, str(wanted.schema.get("description") or "")).is_met:
            return True
        alone = len([one for one in all_of_them if one.type == "boolean"]) == 1
        answers = [word.stem == YES for word in self.words if word.stem in (YES, NO)]
        return answers[0] if alone and answers else None

    def _option(self, wanted: Property) -> Any:
        said = self._options_said(wanted)
        return max(said, key=lambda option: len(words(str(option)))) if said else None

    def _options_said(self, wanted: Property) -> list[Any]:
        return [option for option in wanted.options if self._is_said(option)]

    def _is_said(self, option: Any) -> bool:
        if isinstance(option, int | float) and not isinstance(option, bool):
            return any(value.kind == "number" and value.value == option for value in self.values)
        keys = {word.key for word in words(str(option).replace("_", " "))}
        return bool(keys) and keys <= {word.key for word in self.words}

    def _list(self, wanted: Property) -> list[Any] | None:
        items = wanted.schema.get("items")
        return (
            self._options_said(Property(wanted.name, items)) or None if isinstance(items, Mapping) else None
        )
