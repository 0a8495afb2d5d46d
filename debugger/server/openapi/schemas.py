"""The schemas of bodies and answers, from the types that stand for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import TypeAdapter

from debugger.protocol.base import JsonObject
from debugger.server.openapi.words import schema_for_callers

_REFERENCE = "#/components/schemas/{model}"
_Mode = Literal["validation", "serialization"]


class TypeSchemas:
    """The schemas of some types, and the definitions that they share.

    Args:
        bodies: Types of what comes; ``None`` stands for no type.
        answers: Types of what goes; the same.
    """

    def __init__(self, bodies: Iterable[Any], answers: Iterable[Any]) -> None:
        wanted: dict[tuple[str, _Mode], Any] = {}
        for kind in bodies:
            wanted[str(kind), "validation"] = kind
        for kind in answers:
            wanted[str(kind), "serialization"] = kind
        self._schemas, rest = TypeAdapter.json_schemas(
            [(name, mode, TypeAdapter(kind)) for (name, mode), kind in wanted.items() if kind is not None],
            ref_template=_REFERENCE,
        )
        found = rest["$defs"]
        self.definitions: JsonObject = {name: schema_for_callers(found[name]) for name in sorted(found)}

    def of_body(self, kind: Any) -> JsonObject:
        """The schema of a body; of any object where no type is named."""
        return {"type": "object"} if kind is None else self._schemas[str(kind), "validation"]

    def of_answer(self, kind: Any) -> JsonObject:
        """The schema of an answer."""
        return self._schemas[str(kind), "serialization"]

    def forget_defaults(self, kind: Any) -> None:
        """Let a body's fields have no defaults: what is left out of a change stays as it was.

        Args:
            kind: The type of the body.
        """
        name = self.of_body(kind)["$ref"].rpartition("/")[2]
        for field in self.definitions[name]["properties"].values():
            field.pop("default", None)

    def must_have(self, schema: JsonObject) -> bool:
        """Whether an object needs some keys, so that an empty one will not do."""
        name = schema.get("$ref", "").rpartition("/")[2]
        return bool(self.definitions.get(name, schema).get("required"))
