"""Values of a super node's interface, and their places inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from debugger.engine.json_paths import EVERY, Path, has_step, parse_path
from debugger.engine.json_schema import schema_error
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.super_nodes.references import reference_in
from debugger.engine.super_nodes.sources import SUPER_NODE, SuperNode
from debugger.errors import InputError, RunError
from debugger.expressions import placeholders
from debugger.expressions.placeholders import Placeholder as Reference
from debugger.graph import Graph
from debugger.graph.checks import CheckContext
from debugger.graph.checks.super_nodes import super_node_field
from debugger.graph.nesting import as_reference
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.workflow import EdgeConfig, NodeConfig, Workflow, WorkflowConfig

_VARIABLES = ("dynamic_variable", "runtime_variable")


class Target(WireModel):
    """The destination of a field's value."""

    target_type: Literal[
        "node_config_field",
        "edge_config_field",
        "workflow_config_field",
        "dynamic_variable",
        "runtime_variable",
    ]
    target_node_or_edge_logical_id: str | None = None
    target_field_path: str | None = None
    """Dotted, with indexes of lists."""
    target_variable_name: str | None = None


@dataclass(frozen=True)
class Assignment:
    """One value on its way to one target."""

    field_name: str
    value: Any
    target: Target


def read_interface_values(super_node: SuperNode, document: JsonObject) -> tuple[list[Assignment], list[str]]:
    """Match a super node's values with the fields of its interface.

    Args:
        super_node: The super node.
        document: Its workflow, whose own interface counts where none was copied.

    Returns:
        The values on their way to their targets, and a warning for each that has none, is missing or does not
        fit. No such workflow is saved, and a stored one runs.

    Raises:
        RunError: The interface is not as it has to be; the message names the super node and the field.

    Source: ``platform.md#super-nodes``, V20 in 12, and 15.1 for the two shapes of an interface.
    """
    holders = (super_node.wire, document, document.get("workflow_config"))
    interfaces = (holder.get("super_node_interface") for holder in holders if isinstance(holder, dict))
    interface = next((each for each in interfaces if isinstance(each, dict)), JsonObject())
    fields = list(_fields(super_node, interface))
    values = super_node.wire.get("field_values") or {}
    if not isinstance(values, dict):
        raise RunError(
            f"{super_node} has 'field_values' that are not an object.", advice="Write {name: value}."
        )
    named, direct = _by_name(fields, {key: as_reference(value) for key, value in values.items()})
    assignments = []
    for each in fields:
        value = named.get(each["name"])
        value = each.get("default_value") if value is None else value
        if value is not None:
            targets = _targets(super_node, each)
            assignments += [Assignment(each["name"], value, target) for target in targets]
    mapped = {each["name"] for each in fields if each.get("mappings")}
    warnings = [
        f"{super_node}: the value of {name!r} has no effect: the field is mapped to nothing."
        for name in named
        if name not in mapped
    ]
    return [*assignments, *direct], [*_misfits(super_node, fields, named), *warnings]


def _fields(super_node: SuperNode, interface: JsonObject) -> Iterator[JsonObject]:
    """Yield the fields of an interface, those in the guide's shape rewritten as the others.

    Raises:
        RunError: A field has no name, or is mapped to what is not a variable.
    """
    for name in ("input_fields", "field_values"):
        listed = interface.get(name)
        for each in listed if isinstance(listed, list) else ():
            if not isinstance(each, dict) or not isinstance(each.get("name"), str):
                raise RunError(
                    f"{super_node} has an interface with a field that has no name: {each!r}.",
                    advice="Give every field of 'super_node_interface' a 'name'.",
                )
            yield each if name == "input_fields" else _from_guide(super_node, each)


def _from_guide(super_node: SuperNode, written: JsonObject) -> JsonObject:
    """Return a field of the guide's shape as one with ``mappings``, where nothing is required.

    Raises:
        RunError: It is mapped to something that is not a variable.
    """
    field_name, goal = written["name"], written.get("map_to")
    target = None if goal is None else _variable_target(goal)
    if goal is not None and target is None:
        raise RunError(
            f"{super_node}: the field {field_name!r} is mapped to {goal!r}, which is not a variable.",
            advice="Write 'map_to' as 'dynamic_variable:name' or 'runtime_variable:name', or use 'mappings'.",
        )
    own = {"value_type": written.get("type", "any"), "required": False}
    return {**own, **written, "mappings": [] if target is None else [target.model_dump()]}


def _variable_target(written: Any) -> Target | None:
    kind, _, name = written.partition(":") if isinstance(written, str) else ("", "", "")
    if kind not in _VARIABLES or not name.strip():
        return None
    return Target.from_wire({"target_type": kind, "target_variable_name": name.strip()})


def _by_name(fields: list[JsonObject], values: JsonObject) -> tuple[JsonObject, list[Assignment]]:
    """Return values by field name, and those whose key is itself a variable as assignments.

    A key that is the goal of a field stands for that field; an unknown key stays among the named values, and
    a ``None`` for a variable is left out.
    """
    names = {each["name"] for each in fields}
    by_goal = {each["map_to"]: each["name"] for each in fields if isinstance(each.get("map_to"), str)}
    named, direct = JsonObject(), list[Assignment]()
    for key, value in values.items():
        target = None if key in names or key in by_goal else _variable_target(key)
        if target is None:
            named[by_goal.get(key, key)] = value
        elif value is not None:
            direct.append(Assignment(key, value, target))
    return named, direct


def _misfits(super_node: SuperNode, fields: list[JsonObject], values: JsonObject) -> Iterator[str]:
    """Yield a warning for each field value that breaks a rule of saving or does not fit its schema.

    A value that variables fill later is not compared with the schema.
    """
    node = {
        "type": SUPER_NODE,
        "logical_id": super_node.id,
        "name": super_node.wire.get("name"),
        "super_node_interface": {"input_fields": fields},
        "field_values": values,
    }
    for problem in super_node_field(CheckContext(Graph(Workflow.from_wire({"node_configs": [node]})))):
        yield f"{problem.message} The platform refuses to save such a workflow. {problem.advice}"
    for each in fields:
        misfit = _schema_misfit(values.get(each["name"]), each.get("json_schema"))
        if misfit is not None:
            yield (
                f"{super_node}: the field {each['name']!r} does not fit its 'json_schema': {misfit}. "
                "Correct 'field_values' as 'super_node_interface' describes them."
            )


def _schema_misfit(value: Any, schema: Any) -> str | None:
    """Return an error of a value, none where variables fill it later."""
    is_later = isinstance(value, str) and bool(placeholders(value))
    return None if value is None or is_later or not schema else schema_error(value, schema)


def _targets(super_node: SuperNode, declared: JsonObject) -> Iterator[Target]:
    """Yield the targets of a field's mappings in order; none where it has none.

    Raises:
        RunError: A mapping cannot be read.
    """
    mappings = declared.get("mappings")
    for written in mappings if isinstance(mappings, list) else ():
        try:
            yield Target.from_wire(written)
        except InputError as error:
            raise RunError(
                f"{super_node}: the field {declared['name']!r} has a mapping that cannot be read: "
                f"{error.message}",
                advice="Correct 'mappings' in 'super_node_interface'.",
            ) from error


_LISTS = {"node_config_field": "node_configs", "edge_config_field": "edge_configs"}


@dataclass(frozen=True)
class AppliedWorkflow:
    """A workflow with the values of a super node in it."""

    document: JsonObject
    dynamic_variables: JsonObject = field(default_factory=dict)
    runtime_variables: JsonObject = field(default_factory=dict)
    aliases: dict[str, Reference] = field(default_factory=dict)
    """Dynamic variables whose value is one reference to another variable."""


def apply_values(
    super_node: SuperNode, document: JsonObject, assignments: Sequence[Assignment]
) -> AppliedWorkflow:
    """Return a workflow with values written where the mappings say; the document itself is not changed.

    Values of variables are returned beside it, a reference to another variable as an alias. A path leads to
    something that is there: only its first step may name a field that the document leaves out and that every
    node of the type, edge or workflow has. A value may hold placeholders, and keeps them.

    Raises:
        RunError: A mapping names no target, or one that is not there, or one that cannot have such a value;
            the message names the super node, the field and the path.

    Source: ``platform.md#super-nodes``.
    """
    if not assignments:
        return AppliedWorkflow(document)
    copies = {name: list(document.get(name) or ()) for name in _LISTS.values()}
    filled = AppliedWorkflow({**document, **copies})
    places = {
        name: {each.get("logical_id"): place for place, each in reversed(list(enumerate(entities)))}
        for name, entities in copies.items()
    }
    variables = {
        "dynamic_variable": filled.dynamic_variables,
        "runtime_variable": filled.runtime_variables,
    }
    for assignment in assignments:
        try:
            kind = assignment.target.target_type
            if kind in variables:
                name = _required(assignment.target.target_variable_name, "target_variable_name")
                reference = reference_in(assignment.value) if kind == "dynamic_variable" else None
                if reference is None:
                    variables[kind][name] = assignment.value
                else:
                    filled.aliases[name] = reference
            else:
                _write(filled.document, assignment, places)
        except InputError as error:
            raise RunError(
                f"{super_node}: the value of the field {assignment.field_name!r} cannot be put in place: "
                f"{error.message}",
                advice=error.advice or "Correct 'mappings' in 'super_node_interface'.",
            ) from error
    return filled


def _write(document: JsonObject, assignment: Assignment, places: Mapping[str, Mapping[Any, int]]) -> None:
    """Write the value of a field to its target; ``document`` is changed, but no node or edge in it.

    Args:
        document: The workflow.
        assignment: The value and its target.
        places: The index of each node and edge in its list, by id.

    Raises:
        InputError: The target is not there or cannot have the value, or its path leads to many places.
    """
    target, value = assignment.target, assignment.value
    written = _required(target.target_field_path, "target_field_path")
    path = parse_path(written)
    if EVERY in path:
        raise InputError(f"the path {written!r} leads to many places; name one element by its index.")
    if target.target_type == "workflow_config_field":
        found = document.get("workflow_config") or {}
        document["workflow_config"] = _changed(found, path, value, WorkflowConfig)
        return
    name = _LISTS[target.target_type]
    wanted = _required(target.target_node_or_edge_logical_id, "target_node_or_edge_logical_id")
    place = places[name].get(wanted)
    if place is None:
        raise InputError(f"there is no {wanted!r} in the workflow's {name!r}.")
    entity = document[name][place]
    model: type[WireModel] = EdgeConfig
    if name == "node_configs":
        known = NODE_TYPES.get(str(entity.get("type")))
        model = known.Config if known else NodeConfig
    document[name][place] = _changed(entity, path, value, model)


def _changed(entity: JsonObject, path: Path, value: Any, model: type[WireModel]) -> JsonObject:
    known = {str(path[0]): None} if path[0] in model.model_fields else {}
    changed: JsonObject = _with_value({**known, **entity}, path, value)
    model.from_wire(changed)
    return changed


def _with_value(value: Any, path: Path, new: Any) -> Any:
    """Return a copy of a value with another value at a path; what is beside the path is shared.

    Raises:
        InputError: A step leads to nothing.
    """
    root = here = _copy(value)
    for number, written_step in enumerate(path):
        step = _fitting(here, written_step)
        if not has_step(here, step):
            text = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
            raise InputError(
                f"the path {text.removeprefix('.')!r} leads to nothing at its step {written_step!r}."
            )
        if number == len(path) - 1:
            here[step] = new
        else:
            here[step] = here = _copy(here[step])
    return root


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list) else value


def _fitting(value: Any, step: Any) -> Any:
    is_index = isinstance(value, list) and isinstance(step, str) and step.isdecimal() and len(step) < 10
    return int(step) if is_index else step


def _required(value: str | None, name: str) -> str:
    if not value:
        raise InputError(f"its mapping has no {name!r}.")
    return value
