"""Global variables in answers (``platform/wire.md`` section 8)."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from debugger.server.answers.pages import Page


class VariableRecord(TypedDict):
    """A global variable; a mask stands in the place of a secret's value."""

    _id: str
    id: str
    name: str
    is_secret: bool
    is_system: bool
    value: Any
    description: str | None
    category: str | None
    created_at: str | None
    updated_at: str | None


class VariableAnswer(TypedDict):
    """A global variable."""

    variable: VariableRecord


class VariablePage(Page):
    """Some global variables."""

    variables: list[VariableRecord]


class RefusedVariable(TypedDict):
    """A variable that was not kept, and why."""

    index: int
    name: Any
    error: str


class CreatedVariables(TypedDict):
    """What came of many variables."""

    created: list[VariableRecord]
    errors: list[RefusedVariable]
    total_created: int
    total_errors: int


class ResolvedVariables(TypedDict):
    """The values of the global variables by name."""

    variables: dict[str, Any]
