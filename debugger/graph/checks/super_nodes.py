"""Rules about super nodes and the workflows inside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from debugger.errors import InputError, WorkflowError
from debugger.expressions.placeholders import may_have_placeholders
from debugger.graph.checks.context import (
    CheckContext,
    Finding,
    Problem,
    Refusal,
    describe_node,
    own_field,
    quote,
    rule,
    truncate,
)
from debugger.graph.graph import Graph
from debugger.graph.nesting import as_reference
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig, Workflow

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


@rule("error", Refusal.SUPER_NODE)
def super_node_field(context: CheckContext) -> Iterator[Finding]:
    """Report field values that do not fit a super node's interface.

    Source: V20 in ``platform.md#validation`` and ``platform.md#super-nodes``.
    """
    for node in context.nodes:
        interface = own_field(node, "super_node_interface")
        if node.type == "super_node" and isinstance(interface, dict):
            for what in _faults(interface, own_field(node, "field_values")):
                yield Finding(
                    f"{describe_node(node)}:",
                    f"{what}.",
                    "Correct 'field_values' as 'super_node_interface' describes them.",
                    node.logical_id,
                )


@rule("error")
def super_node_without_workflow(context: CheckContext) -> Iterator[Finding]:
    """Report super nodes without a workflow.

    Source: ``platform.md#validation``, failures at run time.
    """
    for node in context.nodes:
        names_any = own_field(node, "super_workflow_id") or own_field(node, "encapsulated_workflow_config")
        if node.type == "super_node" and not names_any:
            yield Finding(
                node,
                "names no workflow that it stands for.",
                "Set 'super_workflow_id', or embed 'encapsulated_workflow_config'.",
            )


_TWICE = {
    "dynamic_variable": "Each has its own here; what the platform does is not known.",
    "runtime_variable": "A runtime variable has one value in a run: the first.",
}
"""What comes of two values, by the kind of the variable."""


@rule("warning")
def variable_given_twice(context: CheckContext) -> Iterator[Finding]:
    """Report super nodes that give a variable another literal value than the first that gives it.

    Source: ``platform.md#super-nodes`` and U-69 in ``platform.md#unknowns``.
    """
    given: dict[tuple[str, str], tuple[NodeConfig, Any]] = {}
    for node in context.nodes:
        for variable, value in _given_variables(node) if node.type == "super_node" else ():
            first, before = given.setdefault(variable, (node, value))
            if first is not node and before != value:
                yield Finding(
                    node,
                    f"gives the variable {quote(variable[1])} the value {quote(str(value))}, and "
                    f"{describe_node(first, 'node')} gives it {quote(str(before))}. "
                    f"{_TWICE[variable[0]]}",
                    "Give it the same value, or map the fields to different variables.",
                )


def _given_variables(node: NodeConfig) -> Iterator[tuple[tuple[str, str], Any]]:
    """Yield the variables that a super node gives a literal value, by kind and name.

    An interface has ``input_fields``, or ``field_values`` in the guide's shape.
    """
    interface, found = own_field(node, "super_node_interface"), own_field(node, "field_values")
    values = found if isinstance(found, dict) else {}
    given = [(_variable(key), value) for key, value in values.items()]
    for field in _named_fields(interface, "input_fields"):
        value = values.get(field["name"])
        mappings = field.get("mappings")
        for mapping in mappings if isinstance(mappings, list) else ():
            if isinstance(mapping, dict):
                goal = f"{mapping.get('target_type')}:{mapping.get('target_variable_name')}"
                given.append((_variable(goal), field.get("default_value") if value is None else value))
    for field in _named_fields(interface, "field_values"):
        value = values.get(field["name"])
        given.append((_variable(field.get("map_to")), field.get("default_value") if value is None else value))
    return ((variable, value) for variable, value in given if variable is not None and _is_literal(value))


def _named_fields(interface: Any, name: str) -> list[JsonObject]:
    """Return the fields in a list of an interface that are objects with a text as name.

    An interface or a list of another type gives an empty list.
    """
    fields = interface.get(name) if isinstance(interface, dict) else None
    return [
        field
        for field in (fields if isinstance(fields, list) else ())
        if isinstance(field, dict) and isinstance(field.get("name"), str)
    ]


def _variable(goal: Any) -> tuple[str, str] | None:
    """Return the kind and name of ``dynamic_variable:NAME`` or ``runtime_variable:NAME``."""
    kind, _, name = goal.partition(":") if isinstance(goal, str) else ("", "", "")
    return (kind, name.strip()) if kind in _TWICE and name.strip() else None


def _is_literal(value: Any) -> bool:
    if not isinstance(value, str):
        return value is not None
    return not may_have_placeholders(value) and as_reference(value) == value


def _faults(interface: JsonObject, field_values: Any) -> Iterator[str]:
    """Yield what is wrong with the values of a super node's fields, as clauses without a full stop.

    That is a missing required value, one that does not fit its field, and one that the interface lacks. Names
    of variables are allowed besides, and an interface without ``input_fields`` allows all names.
    """
    values = field_values if isinstance(field_values, dict) else {}
    named = {field["name"]: field for field in _named_fields(interface, "input_fields")}
    for name, field in named.items():
        value = values.get(name)
        if value is None:
            if field.get("required", True):
                yield f"'field_values' lacks {quote(name)}, which is required"
        else:
            yield from _value_faults(name, field, value)
    # An interface in another shape than the platform's has no fields that could be compared.
    for name in values if named else ():
        if name not in named and _variable(name) is None:
            yield f"'field_values' has {quote(name)}, which the interface does not have"


def _value_faults(name: str, field: JsonObject, value: Any) -> Iterator[str]:
    """Yield what is wrong with a field's literal value: its type, its choice, its range or its length.

    With a wrong type nothing else is looked at. A reference or a text with placeholders has no faults.
    """
    if not _is_literal(value):
        return
    where = f"the field {quote(name)}"
    if not _is_of_type(value, field.get("value_type", "any")):
        yield f"{where} is {quote(str(value))} and not of the type {quote(str(field['value_type']))}"
        return
    choices = field.get("enum_values")
    if isinstance(choices, list) and choices and value not in choices:
        yield f"{where} is {quote(str(value))}, which is none of {quote(str(choices))}"
    length = len(value) if isinstance(value, str | list) else None
    bounds = (
        ("min_value", "max_value", "is", _number(value)),
        ("min_length", "max_length", "has the length", length),
    )
    for low, high, verb, size in bounds:
        least, most = _number(field.get(low)), _number(field.get(high))
        if size is not None and least is not None and size < least:
            yield f"{where} {verb} {size}, and {low!r} is {least}"
        if size is not None and most is not None and size > most:
            yield f"{where} {verb} {size}, and {high!r} is {most}"


def _is_of_type(value: Any, name: Any) -> bool:
    types = _TYPES.get(name) if isinstance(name, str) else None
    if types is None:
        return True
    return isinstance(value, types) and (name == "boolean" or not isinstance(value, bool))


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None


_DEEPEST = 100
_MOST_NAMES = 4


@dataclass(frozen=True)
class Embedded:
    """A workflow inside a super node."""

    context: CheckContext
    path: tuple[str, ...]
    """The names of the super nodes around it, outermost first."""
    outermost: str
    """The id of the outermost one: the node in which a person finds it."""

    def moved_out(self, problem: Problem) -> Problem:
        """Return the problem as one of the outermost super node."""
        message = f"Inside {_path_label(self.path)}: {problem.message}"
        return replace(problem, message=message, node_logical_id=self.outermost, edge_logical_id=None)


def embedded_workflows(context: CheckContext) -> Iterator[Embedded | Problem]:
    """Yield every embedded workflow, or a problem where it cannot be read.

    Outer ones come first.

    Source: ``platform.md#super-nodes``.
    """
    waiting: list[tuple[NodeConfig, tuple[str, ...], str]] = [
        (node, (node.label,), node.logical_id) for node in _holders(context)
    ]
    for node, path, outermost in waiting:  # grows while it is walked
        try:
            inner = Workflow.from_document(own_field(node, "encapsulated_workflow_config"))
        except (InputError, WorkflowError) as error:
            yield _unreadable(node, path, outermost, error.message)
            continue
        found = Embedded(replace(context, graph=Graph(inner)), path, outermost)
        yield found
        if len(path) < _DEEPEST:
            waiting += [(deeper, (*path, deeper.label), outermost) for deeper in _holders(found.context)]


def _holders(context: CheckContext) -> list[NodeConfig]:
    """Return the enabled super nodes that embed a workflow."""
    return [
        node
        for node in context.nodes
        if node.type == "super_node" and own_field(node, "encapsulated_workflow_config")
    ]


def _unreadable(node: NodeConfig, path: tuple[str, ...], outermost: str, why: str) -> Problem:
    """Return the problem, of the outermost super node, that an embedded workflow cannot be read."""
    around = f"Inside {_path_label(path[:-1])}: " if len(path) > 1 else ""
    return Problem(
        "error",
        "super-node-without-workflow",
        f"{around}{describe_node(node)} has an 'encapsulated_workflow_config' that cannot be read: {why}",
        node_logical_id=outermost,
        advice="Embed a workflow with its nodes and edges, or set 'super_workflow_id'.",
    )


def _path_label(path: tuple[str, ...]) -> str:
    """Return the quoted path of names.

    Of more than four names it has the first three, the number of those left out and the last.
    """
    names = [truncate(name) for name in path]
    left_out = len(names) - _MOST_NAMES
    if left_out > 0:
        names = [*names[: _MOST_NAMES - 1], f"({left_out} more)", names[-1]]
    return repr(" > ".join(names))
