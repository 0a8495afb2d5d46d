"""The variables that inner workflows bring along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from debugger.engine.super_nodes.mappings import Filled
from debugger.engine.super_nodes.placeholder import Placeholder
from debugger.expressions.placeholders import may_have_placeholders
from debugger.protocol.base import JsonObject


@dataclass
class Variables:
    """Values for variables where a run gives none.

    A value of a super node wins over the outer workflow's, that over an inner workflow's, and an outer inner
    workflow's over one inside it. Variables are the run's, so a name has one value everywhere.
    """

    dynamic: JsonObject = field(default_factory=dict)
    """Defaults of inner workflows."""
    runtime: JsonObject = field(default_factory=dict)
    given_dynamic: JsonObject = field(default_factory=dict)
    """Values of super nodes."""
    given_runtime: JsonObject = field(default_factory=dict)

    def add(self, placeholder: Placeholder, filled: Filled) -> Iterator[str]:
        """Take in what one inner workflow brings; a warning for each value that has no or another effect."""
        document = filled.document
        miscellaneous = (document.get("workflow_config") or {}).get("miscellaneous") or {}
        defaults = miscellaneous.get("default_dynamic_variables")
        own = defaults if isinstance(defaults, dict) else {}
        self.dynamic = {**(document.get("dynamic_variables") or {}), **own, **self.dynamic}
        self.runtime = {**(document.get("runtime_variables") or {}), **self.runtime}
        yield from _keep_first(placeholder, self.given_dynamic, filled.dynamic_variables)
        yield from _keep_first(placeholder, self.given_runtime, filled.runtime_variables)

    def onto(self, document: JsonObject) -> JsonObject:
        """The outer workflow's document with these variables beneath and above its own."""
        config = document.get("workflow_config") or {}
        miscellaneous = config.get("miscellaneous") or {}
        defaults = miscellaneous.get("default_dynamic_variables")
        own = defaults if isinstance(defaults, dict) else {}
        if self.given_dynamic:
            defaults = {**own, **self.given_dynamic}
            config = {**config, "miscellaneous": {**miscellaneous, "default_dynamic_variables": defaults}}
        return {
            **document,
            "workflow_config": config or None,
            "dynamic_variables": {**self.dynamic, **(document.get("dynamic_variables") or {})},
            "runtime_variables": {
                **self.runtime,
                **(document.get("runtime_variables") or {}),
                **self.given_runtime,
            },
        }


def _keep_first(placeholder: Placeholder, kept: JsonObject, given: JsonObject) -> Iterator[str]:
    for name, value in given.items():
        if isinstance(value, str) and may_have_placeholders(value):
            yield (
                f"{placeholder}: the variable {name!r} gets the text {value!r}; a variable's value is not "
                "filled in again."
            )
        if name in kept and kept[name] != value:
            yield (
                f"{placeholder} gives the variable {name!r} another value than a super node before it; a "
                "variable has one value in a run, and the first counts."
            )
        kept.setdefault(name, value)
