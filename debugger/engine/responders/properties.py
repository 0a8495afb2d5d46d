"""One property of a JSON Schema: what its name and its type ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from debugger.engine.responders.extract import Kind

_BIRTH = frozenset({"birth", "birthday", "birthdate", "dob", "born"})
_KIND_NAMES: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("email", frozenset({"email", "mail"})),
    ("phone", frozenset({"phone", "mobile", "telephone", "cell", "callback"})),
    ("date", frozenset({"date", "day", "weekday", *_BIRTH})),
    ("time", frozenset({"time", "hour"})),
)
_KIND_FORMATS: dict[str, Kind] = {"email": "email", "date": "date", "time": "time"}


@dataclass(frozen=True)
class Property:
    """One property of a schema."""

    name: str
    schema: Mapping[str, Any]

    @property
    def parts(self) -> list[str]:
        """The words in its name: of ``dateOfBirth``, date, of and birth."""
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", self.name)
        return [part.lower() for part in re.split(r"[\W_]+", spaced) if part]

    @property
    def words(self) -> str:
        """Its name in plain words."""
        return " ".join(self.parts)

    @property
    def type(self) -> str:
        """Its type, leaving null aside; text where none is given."""
        given = self.schema.get("type")
        names = given if isinstance(given, list) else [given]
        return next((str(name) for name in names if name not in (None, "null")), "string")

    @property
    def options(self) -> list[Any]:
        """The values it may have, where they are listed."""
        listed = self.schema.get("enum")
        return listed if isinstance(listed, list) else []

    @property
    def kind(self) -> Kind | None:
        """The kind of value that it takes, for a number or a text that has one."""
        if self.type in ("integer", "number"):
            return "number"
        if self.type != "string" or self.options:
            return None
        given = _KIND_FORMATS.get(str(self.schema.get("format")))
        named = (kind for kind, names in _KIND_NAMES if names.intersection(self.parts))
        return given or next(named, None)

    @property
    def is_birth(self) -> bool:
        """Whether it is a date of birth."""
        return self.kind == "date" and not _BIRTH.isdisjoint(self.parts)


def properties_of(schema: Mapping[str, Any]) -> list[Property]:
    """The properties of an object schema that have a name with a word in it."""
    given = schema.get("properties")
    named = given.items() if isinstance(given, Mapping) else ()
    found = [Property(name, inner if isinstance(inner, Mapping) else {}) for name, inner in named]
    return [one for one in found if one.parts]
