"""Variables that a run gets from its input, the workflow's defaults and the system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from debugger.analysis.caller_input import default_variables, supplied_dynamic, supplied_runtime
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow

Scope = Literal["dynamic", "runtime"]


@dataclass(frozen=True)
class PreviewRow:
    """One variable as the first turn gets it."""

    scope: Scope
    name: str
    value: Any
    """``None`` of the system's own, which are only known at the turn's time."""
    source: Literal["input", "default", "system"]
    default: Any = None
    """The workflow's value that the input replaces; ``None`` where there is none."""


def input_preview(turn_input: TurnInput, workflow: Workflow) -> list[PreviewRow]:
    """Return the variables that a run starts with, dynamic ones first.

    A supplied variable wins over a default, and either over one of the system (U-36).

    Args:
        turn_input: The input of the first turn.
        workflow: The version that runs.
    """
    dynamic = list(_rows("dynamic", default_variables(workflow), supplied_dynamic(turn_input)))
    runtime = _rows("runtime", workflow.runtime_variables, supplied_runtime(turn_input))
    system = sorted(SYSTEM_NAMES - {row.name for row in dynamic})
    return [*dynamic, *(PreviewRow("dynamic", name, None, "system") for name in system), *runtime]


def _rows(scope: Scope, defaults: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[PreviewRow]:
    for name, value in {**defaults, **own}.items():
        default = defaults.get(name)
        is_own = name in own and not (name in defaults and _is_equal(default, value))
        yield PreviewRow(scope, name, value, "input" if is_own else "default", default if is_own else None)


def _is_equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
