"""An argument of a tool that the workflow sets itself (``platform.md#variable-arguments``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from keyword import iskeyword
from typing import Any, Final, Literal, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from debugger.engine.json_schema import schema_error
from debugger.expressions import ABSENT, Namespace, Scope, lookup
from debugger.protocol.base import JsonObject, WireModel

_MISSING_MESSAGES = {
    "auto": "neither a runtime nor a dynamic variable {path!r} has a value",
    "runtime": "the runtime variable {path!r} has no value",
    "dynamic": "the dynamic variable {path!r} has no value",
    "literal": "its literal_value is null",
}


FALLBACK: Final = "super_node_fallback"
"""The field of `VariableArgument` that the expansion of super nodes adds."""


class Fallback(WireModel):
    """The variable of an argument whose path has no runtime variable."""

    source: Namespace
    path: str


class VariableArgument(WireModel):
    """The source of one argument's value."""

    argument_name: str
    source: Literal["auto", "runtime", "dynamic", "literal"] = "auto"
    """``auto`` is the runtime variable, else the dynamic one; null counts as missing."""
    variable_path: str | None = None
    """Dotted, indexed or qualified by a node; needed unless the source is ``literal``."""
    literal_value: Any = None
    default: Any = None
    """Taken when the value is missing or null, unless it is required."""
    required: bool = False
    """Whether the call fails when the value is missing or null."""
    expose_to_llm: bool = False
    """Whether a model sees the argument."""
    override_provided_value: bool = True
    """Whether it replaces the caller's value; otherwise it only fills a missing one or null."""
    super_node_fallback: Fallback | None = Field(default=None, exclude=True)
    """The reference of a super node that ``auto`` reads instead of the dynamic variable of the path."""

    @field_validator("argument_name")
    @classmethod
    def _can_be_passed_by_keyword(cls, name: str) -> str:
        """Return the name itself; a ValueError refuses one that is no identifier or a keyword of Python."""
        if not name.isidentifier():
            raise ValueError(f"{name!r} is not an identifier")
        if iskeyword(name):
            raise ValueError(f"{name!r} is a keyword of Python")
        return name

    @model_validator(mode="after")
    def _has_source_and_purpose(self) -> Self:
        """Return the argument itself.

        Raises:
            ValueError: It has no path although it needs one, or it would never be used.
        """
        if self.source != "literal" and not (self.variable_path or "").strip():
            raise ValueError(
                f"argument {self.argument_name!r} needs a variable_path, because its source is "
                f"{self.source!r} and not 'literal'"
            )
        if not self.expose_to_llm and not self.override_provided_value:
            raise ValueError(
                f"argument {self.argument_name!r} has both expose_to_llm and override_provided_value false, "
                "so it would never be used"
            )
        return self

    def value(self, scope: Scope) -> Any:
        """Return the value; `ABSENT` when it is required and missing.

        A missing one, or null, that is not required gives the default.
        """
        found = self._found(scope)
        if found is not ABSENT and found is not None:
            return found
        return ABSENT if self.required else self.default

    @property
    def missing_message(self) -> str:
        """Return the error of a call without the required value."""
        lacking = _MISSING_MESSAGES[self.source].format(path=self.variable_path)
        return f"The argument {self.argument_name!r} is required, but {lacking}."

    def _found(self, scope: Scope) -> Any:
        """Return the literal or the variable, `ABSENT` where there is none.

        ``auto`` is the runtime variable, or, where that is absent or null, the fallback, by default the
        dynamic one.
        """
        if self.source == "literal":
            return self.literal_value
        path = str(self.variable_path)
        found = lookup(scope, "dynamic" if self.source == "dynamic" else "runtime", path)
        if (found is ABSENT or found is None) and self.source == "auto":
            other = self.super_node_fallback or Fallback(source="dynamic", path=path)
            found = lookup(scope, other.source, other.path)
        return found


class Bound(NamedTuple):
    """The arguments of one call."""

    arguments: JsonObject
    problem: str | None = None
    """Why the call cannot be made; ``None`` when it can."""


def bind(bindings: Sequence[VariableArgument], provided: Mapping[str, Any], scope: Scope) -> Bound:
    """Return the caller's arguments with the workflow's own; the caller's and a problem if one is missing.

    Args:
        bindings: What the workflow sets.
        provided: The caller's arguments; not changed.
        scope: The variables of the moment; a path reaches into objects even where texts do not.
    """
    reaching = replace(scope, dict_paths="resolve")
    arguments, complaints = dict(provided), []
    for binding in bindings:
        name = binding.argument_name
        if not binding.override_provided_value and provided.get(name) is not None:
            continue
        arguments[name] = value = binding.value(reaching)
        if value is ABSENT:
            complaints.append(binding.missing_message)
    return Bound(dict(provided), " ".join(complaints)) if complaints else Bound(arguments)


def argument_error(
    arguments: JsonObject, schema: JsonObject | None, *, supplied: Collection[str] = ()
) -> str | None:
    """Return the first error in some arguments; optional nulls count as absent.

    Args:
        arguments: What the model gave.
        schema: JSON Schema of the tool's arguments; ``None`` takes any, and so does one that is none, as the
            tool itself will tell.
        supplied: Arguments that the workflow sets, so that none of them is missing.

    Returns:
        The first complaint; ``None`` where they fit.
    """
    if schema is None:
        return None
    required = schema.get("required")
    needed = [name for name in required if name not in supplied] if isinstance(required, list) else []
    present = {name: value for name, value in arguments.items() if value is not None or name in needed}
    return schema_error(present, {**schema, "required": needed})
