"""Rules about the values that a super node is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from debugger.graph.checks.naming import of_node, quoted
from debugger.graph.checks.problem import Problem
from debugger.graph.checks.subject import Subject, own_field
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_BOUNDS = (("min_value", "max_value", "is"), ("min_length", "max_length", "has the length"))


def super_node_field(subject: Subject) -> Iterator[Problem]:
    """The values of a super node are those that its interface asks for.

    Source: V20 in ``platform/engine.md`` 12, and 2.11.
    """
    for node in subject.nodes:
        interface = own_field(node, "super_node_interface")
        if node.type == "super_node" and isinstance(interface, dict):
            for what in _faults(interface, own_field(node, "field_values")):
                yield Problem(
                    "error",
                    "super-node-field",
                    f"{of_node(node)}: {what}.",
                    node_logical_id=node.logical_id,
                    advice="Correct 'field_values' as 'super_node_interface' describes them.",
                )


def super_node_without_workflow(subject: Subject) -> Iterator[Problem]:
    """A super node stands for a workflow.

    Source: ``platform/engine.md`` 12, failures at run time.
    """
    for node in subject.nodes:
        if node.type == "super_node" and not _has_workflow(node):
            yield Problem(
                "error",
                "super-node-without-workflow",
                f"{of_node(node)} names no workflow that it stands for.",
                node_logical_id=node.logical_id,
                advice="Set 'super_workflow_id', or embed 'encapsulated_workflow_config'.",
            )


def _has_workflow(node: NodeConfig) -> bool:
    return bool(own_field(node, "super_workflow_id") or own_field(node, "encapsulated_workflow_config"))


def _faults(interface: JsonObject, given: Any) -> Iterator[str]:
    values = given if isinstance(given, dict) else {}
    fields = interface.get("input_fields")
    fields = [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []
    named = {field["name"]: field for field in fields if isinstance(field.get("name"), str)}
    for name, field in named.items():
        value = values.get(name)
        if value is None:
            if field.get("required", True):
                yield f"'field_values' lacks {quoted(name)}, which is required"
        else:
            yield from _value_faults(name, field, value)
    # An interface in another shape than the platform's has no fields that could be compared.
    for name in values if named else ():
        if name not in named:
            yield f"'field_values' has {quoted(name)}, which the interface does not have"


def _value_faults(name: str, field: JsonObject, value: Any) -> Iterator[str]:
    if isinstance(value, str) and ("{{" in value or "[[" in value):
        return
    where = f"the field {quoted(name)}"
    if not _is_of_type(value, field.get("value_type", "any")):
        yield f"{where} is {quoted(str(value))} and not of the type {quoted(str(field['value_type']))}"
        return
    choices = field.get("enum_values")
    if isinstance(choices, list) and choices and value not in choices:
        yield f"{where} is {quoted(str(value))}, which is none of {quoted(str(choices))}"
    for low, high, verb in _BOUNDS:
        size = _size(value) if low == "min_length" else _number(value)
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


def _size(value: Any) -> int | None:
    return len(value) if isinstance(value, str | list) else None
