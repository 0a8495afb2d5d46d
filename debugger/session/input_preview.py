"""Variables that a run gets from its input, the workflow's defaults and the system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from debugger.analysis.caller_input import (
    default_variables,
    supplied_dynamic,
    supplied_runtime,
    supplied_state,
)
from debugger.protocol.runs import MAIN_THREAD, TurnInput
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow

Scope = Literal["dynamic", "runtime"]
Source = Literal["input", "state", "default", "system"]
"""What a value comes from; ``state`` is the initial state of the input."""
Layer = tuple[Source, Mapping[str, Any]]
"""Variables from one source."""


@dataclass(frozen=True)
class PreviewRow:
    """One variable as the first turn gets it."""

    scope: Scope
    name: str
    value: Any
    """``None`` of the system's own, which are only known at the turn's time."""
    source: Source
    default: Any = None
    """The workflow's value that is replaced; ``None`` where there is none."""


def input_preview(turn_input: TurnInput, workflow: Workflow) -> list[PreviewRow]:
    """Return the variables that a run starts with: dynamic ones, those of the system, then runtime ones.

    A supplied variable wins over a default, and either over one of the system (U-36). Dynamic variables of
    the input win over those of its initial state; runtime variables of the state win over all others.
    """
    state = supplied_state(turn_input)
    main = state.threads.get(MAIN_THREAD)
    shared = {name: value for name, value in state.workflow_runtime_variables.items() if name[:1] != "_"}
    restored = {**shared, **(main.runtime_variables if main is not None else {})}
    own: Layer = ("input", supplied_dynamic(turn_input))
    dynamic = list(_rows("dynamic", default_variables(workflow), ("state", state.dynamic_variables), own))
    seeds: Layer = ("input", supplied_runtime(turn_input))
    runtime = _rows("runtime", workflow.runtime_variables, seeds, ("state", restored))
    system = sorted(SYSTEM_NAMES - {row.name for row in dynamic})
    return [*dynamic, *(PreviewRow("dynamic", name, None, "system") for name in system), *runtime]


def _rows(scope: Scope, defaults: Mapping[str, Any], *layers: Layer) -> Iterator[PreviewRow]:
    """Yield a row for each variable, defaults first; later layers win, and all over defaults.

    A value equal to its default has the source ``default``.
    """
    found: dict[str, tuple[Source, Any]] = {name: ("default", value) for name, value in defaults.items()}
    for source, values in layers:
        found |= {name: (source, value) for name, value in values.items()}
    for name, (source, value) in found.items():
        default = defaults.get(name)
        is_default = name in defaults and _is_equal(default, value)
        yield PreviewRow(
            scope, name, value, "default" if is_default else source, None if is_default else default
        )


def _is_equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
