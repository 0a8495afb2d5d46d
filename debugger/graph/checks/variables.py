"""Rules about placeholders that nothing fills."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from debugger.expressions import Placeholder, placeholders
from debugger.graph.checks.naming import of_edge, of_node, quoted
from debugger.graph.checks.problem import Problem
from debugger.graph.checks.subject import Subject
from debugger.graph.checks.writers import runtime_names
from debugger.protocol.base import WireModel
from debugger.protocol.system_variables import SYSTEM_NAMES

_GIVEN_NAMES = SYSTEM_NAMES | {"global", "interactly_api_token", "interactly_api_base_url"}
"""What every run brings besides its own variables (``platform/engine.md`` 5.1, 5.3, 5.7)."""

_OWN_VARIABLES = {"encapsulated_workflow_config", "super_node_interface", "default_dynamic_variables"}
"""Fields that another workflow's texts stand in, or values."""


@dataclass(frozen=True)
class _Use:
    """A placeholder and who has it."""

    owner: str
    placeholder: Placeholder
    node_logical_id: str | None = None
    edge_logical_id: str | None = None

    @property
    def head(self) -> str:
        return self.placeholder.path.partition(".")[0].partition("[")[0].strip()


def variable_without_value(subject: Subject) -> Iterator[Problem]:
    """A dynamic variable without a default stays literal in a run that does not give it.

    Source: ``platform/engine.md`` 5.2 and 5.5.
    """
    workflow = subject.graph.workflow
    known = {*_GIVEN_NAMES, *workflow.dynamic_variables, *workflow.config.default_dynamic_variables}
    told: set[str] = set()
    for use in _uses(subject, "dynamic"):
        is_known = use.head in known or use.placeholder.path in known
        if use.head.isidentifier() and not is_known and use.head not in told:
            told.add(use.head)
            yield _problem(
                use,
                "variable-without-value",
                "has no default, so it stays as it is unless the run brings a value.",
                "Add it to 'default_dynamic_variables' in 'miscellaneous', or give it with each run.",
            )


def variable_never_written(subject: Subject) -> Iterator[Problem]:
    """A runtime variable is written by a node or a tool.

    Nothing is said where a node may write variables whose names only a run shows.

    Source: ``platform/engine.md`` 5.4.
    """
    names = runtime_names(subject)
    if names is None:
        return
    labels = {label for node in subject.graph.nodes.values() for label in (node.logical_id, node.label)}
    longest = max(map(len, labels), default=0)
    told: set[str] = set()
    for use in _uses(subject, "runtime"):
        path = use.placeholder.path
        is_elsewhere = path.startswith("thread_") or any(
            path[:dot] in labels for dot in _dots(path[: longest + 1])
        )
        is_known = is_elsewhere or use.head in names
        if use.head.isidentifier() and not is_known and use.head not in told:
            told.add(use.head)
            yield _problem(
                use,
                "variable-never-written",
                "is written by no node and no tool of the workflow.",
                "Correct the name, or give it with the run as a runtime variable.",
            )


def _dots(path: str) -> Iterator[int]:
    return (place for place, character in enumerate(path) if character == ".")


def _problem(use: _Use, code: str, what: str, advice: str) -> Problem:
    message = f"{use.owner}: {quoted(use.placeholder.text)} {what}"
    return Problem("warning", code, message, use.node_logical_id, use.edge_logical_id, advice)


def _uses(subject: Subject, namespace: str) -> Iterator[_Use]:
    for use in _all_uses(subject):
        if use.placeholder.namespace == namespace:
            yield use


def _all_uses(subject: Subject) -> Iterator[_Use]:
    for placeholder in _each_once(subject.graph.workflow.config):
        yield _Use("'workflow_config'", placeholder)
    for node in subject.nodes:
        for placeholder in _each_once(node):
            yield _Use(of_node(node), placeholder, node_logical_id=node.logical_id)
    for edge in subject.edges:
        for placeholder in _each_once(edge):
            yield _Use(of_edge(edge), placeholder, edge_logical_id=edge.logical_id)


def _each_once(value: WireModel) -> list[Placeholder]:
    """The placeholders of a config; of those that are written alike the first."""
    found: dict[str, Placeholder] = {}
    for placeholder in _found_in(value):
        found.setdefault(placeholder.text, placeholder)
    return list(found.values())


def _found_in(value: Any) -> Iterator[Placeholder]:
    waiting = deque([value])
    while waiting:
        found = waiting.popleft()
        if isinstance(found, WireModel):
            found = dict(found)
        if isinstance(found, str):
            yield from placeholders(found)
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            waiting += [inner for key, inner in found.items() if _is_filled(found, key)]


def _is_filled(config: dict[str, Any], key: str) -> bool:
    """Whether the texts under a key are filled with this workflow's variables."""
    if key == "code":
        return (
            config.get("allow_code_variable_substitution") is not False
            and config.get("type") != "inline_python"
        )
    return key not in _OWN_VARIABLES and key not in ("name", "description")
