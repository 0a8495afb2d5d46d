"""The variables that a tool's result is taken apart into (``platform.md#result-mappings``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic import field_validator

from debugger.engine.json_paths import EVERY, parse_path, value_at
from debugger.errors import InputError
from debugger.expressions import ABSENT
from debugger.protocol.base import JsonObject, WireModel


class ResultMapping(WireModel):
    """A variable that takes a part of the result."""

    target_variable_name: str
    result_path: str | None = None
    """Dotted or indexed, as ``slots[0].time``; ``None`` is the whole result. A key that is called so wins."""
    scope: Literal["thread", "workflow"] = "thread"
    """Whether the variable is the thread's or in the run-wide memory."""
    default: Any = None
    """Taken when the result has nothing at the path, unless it is required."""
    required: bool = False
    """A result without a value at the path counts as a failed call."""

    @field_validator("target_variable_name")
    @classmethod
    def _is_a_public_name(cls, name: str) -> str:
        """Return the name itself.

        Raises:
            ValueError: It is blank, no identifier, or begins with an underscore.
        """
        if not name.strip():
            raise ValueError("it is blank")
        if not name.isidentifier():
            raise ValueError(f"{name!r} is not an identifier")
        if name.startswith("_"):
            raise ValueError(f"{name!r} begins with an underscore")
        return name

    @field_validator("result_path")
    @classmethod
    def _leads_to_one_place(cls, path: str | None) -> str | None:
        """Return the path itself, also an empty one.

        Raises:
            ValueError: It cannot be read, or leads to many places.
        """
        if not path:
            return path
        try:
            steps = parse_path(path)
        except InputError as error:
            raise ValueError(error.message) from error
        if EVERY in steps:
            raise ValueError(f"{path!r} leads to many places; name one element by its index")
        return path

    def value(self, result: Any) -> Any:
        """Return the variable's value: at the path, or the default; `ABSENT` when required and missing.

        Without a path it is the whole result; a key that is called like the path wins.
        """
        path = self.result_path
        if not path:
            return result
        is_key = isinstance(result, dict) and path in result
        found = result[path] if is_key else value_at(result, parse_path(path))
        return self.default if found is ABSENT and not self.required else found


class ResultParts(NamedTuple):
    """The variables that one result gives."""

    expanded: JsonObject
    """From its top-level keys."""
    thread: JsonObject
    """Mapped, for the thread."""
    workflow: JsonObject
    """Mapped, for the run-wide memory."""
    problem: str | None = None
    """Why the call counts as failed; there are no variables then."""


NO_PARTS = ResultParts({}, {}, {})
"""What a failed call gives."""


def split_result(result: Any, mappings: Sequence[ResultMapping], *, expand: bool) -> ResultParts:
    """Take a successful call's result apart; without variables and with a problem if a required part lacks.

    Args:
        result: Any JSON value.
        mappings: What goes where.
        expand: Whether each top-level key of an object becomes a variable of the thread, too, except those
            that begin with an underscore or that a mapping, of whatever scope, already has as its target.
    """
    expanded = {}
    if expand and isinstance(result, dict):
        mapped = {mapping.target_variable_name for mapping in mappings}
        expanded = {
            key: value for key, value in result.items() if not key.startswith("_") and key not in mapped
        }
    parts = ResultParts(expanded, {}, {})
    lacking = []
    for mapping in mappings:
        value = mapping.value(result)
        memory = parts.workflow if mapping.scope == "workflow" else parts.thread
        memory[mapping.target_variable_name] = value
        if value is ABSENT:
            lacking.append(
                f"The variable {mapping.target_variable_name!r} is required, but the result has nothing at "
                f"{mapping.result_path!r}."
            )
    return NO_PARTS._replace(problem=" ".join(lacking)) if lacking else parts
