"""Names that the author of a workflow has given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from debugger.protocol.workflow import Workflow

_NAMES = frozenset({"name", "logical_id", "tool_name", "server_name", "variable_name"})
_VARIABLES = frozenset({"dynamic_variables", "runtime_variables", "default_dynamic_variables", "properties"})
"""Fields whose keys are names."""
_OF_VALUES = """
    dynamic_variables runtime_variables default_dynamic_variables headers api_headers query_parameters
    body_parameters tool_arguments miscellaneous default example examples const enum
"""
_VALUES = frozenset(_OF_VALUES.split())
"""Fields whose values are data; what has a name in them is a person as well as a thing."""


def own_names(workflow: Workflow | None) -> Iterator[str]:
    """Yield the names and ids of nodes, edges, tools and variables of a workflow."""
    if workflow is not None:
        yield from _names_in(workflow.to_wire())


def _names_in(value: Any) -> Iterator[str]:
    """Yield the names in a JSON value: texts of naming fields, and keys of objects of variables.

    Fields whose values are data are not looked into.
    """
    if isinstance(value, list):
        for inner in value:
            yield from _names_in(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in _NAMES and isinstance(inner, str):
                yield inner
            elif key in _VARIABLES and isinstance(inner, dict):
                yield from inner
            if key not in _VALUES:
                yield from _names_in(inner)
