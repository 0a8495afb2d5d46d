"""Values written into the copy of a workflow that takes a super node's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from debugger.engine.nodes import NODE_TYPES
from debugger.engine.paths import EVERY, Path, parse_path
from debugger.engine.super_nodes.aliases import reference_in
from debugger.engine.super_nodes.interface import Assignment
from debugger.engine.super_nodes.placeholder import Placeholder
from debugger.errors import InputError, RunError
from debugger.expressions.placeholders import Placeholder as Reference
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.workflow import EdgeConfig, NodeConfig, WorkflowConfig

_LISTS = {"node_config_field": "node_configs", "edge_config_field": "edge_configs"}


@dataclass(frozen=True)
class Filled:
    """A workflow with the values of a super node in it."""

    document: JsonObject
    dynamic_variables: JsonObject = field(default_factory=dict)
    runtime_variables: JsonObject = field(default_factory=dict)
    aliases: dict[str, Reference] = field(default_factory=dict)
    """Dynamic variables that are given one reference to another variable, and no more."""


def fill_in(placeholder: Placeholder, document: JsonObject, assignments: Sequence[Assignment]) -> Filled:
    """Write values where the mappings say. The document itself is not changed.

    A path leads to something that is there: only its first step may name a field that the document leaves
    out and that every node of the type, edge or workflow has. A value may hold placeholders, and keeps them.

    Raises:
        RunError: A mapping names no target, or one that is not there, or one that cannot have such a value;
            the message names the super node, the field and the path.

    Source: ``platform/engine.md`` 2.11.
    """
    filled = Filled({**document})
    places = {kind: _Entities(filled.document, name) for kind, name in _LISTS.items()}
    variables = {
        "dynamic_variable": filled.dynamic_variables,
        "runtime_variable": filled.runtime_variables,
    }
    for assignment in assignments:
        try:
            kind = assignment.target.target_type
            if kind in variables:
                name = _told(assignment.target.target_variable_name, "target_variable_name")
                reference = reference_in(assignment.value) if kind == "dynamic_variable" else None
                if reference is None:
                    variables[kind][name] = assignment.value
                else:
                    filled.aliases[name] = reference
            else:
                _write(filled.document, assignment, places)
        except InputError as error:
            raise RunError(
                f"{placeholder}: the value of the field {assignment.field_name!r} cannot be put in place: "
                f"{error.message}",
                advice=error.advice or "Correct 'mappings' in 'super_node_interface'.",
            ) from error
    return filled


class _Entities:
    """The nodes or the edges of a document, by id; the list is copied when it is first changed."""

    def __init__(self, document: JsonObject, name: str) -> None:
        self.name = name
        self._document = document

    def __getitem__(self, logical_id: str) -> JsonObject | None:
        index = self._indexes.get(logical_id)
        return None if index is None else self._entities[index]

    def __setitem__(self, logical_id: str, entity: JsonObject) -> None:
        self._entities[self._indexes[logical_id]] = entity
        self._document[self.name] = self._entities

    @cached_property
    def _entities(self) -> list[JsonObject]:
        return list(self._document.get(self.name) or ())

    @cached_property
    def _indexes(self) -> dict[Any, int]:
        """The first place of each id."""
        return {each.get("logical_id"): at for at, each in reversed(list(enumerate(self._entities)))}


def _write(document: JsonObject, assignment: Assignment, places: Mapping[str, _Entities]) -> None:
    target, value = assignment.target, assignment.value
    path = _path(_told(target.target_field_path, "target_field_path"))
    if target.target_type == "workflow_config_field":
        found = document.get("workflow_config") or {}
        document["workflow_config"] = _changed(found, path, value, WorkflowConfig)
        return
    entities = places[target.target_type]
    wanted = _told(target.target_node_or_edge_logical_id, "target_node_or_edge_logical_id")
    entity = entities[wanted]
    if entity is None:
        raise InputError(f"there is no {wanted!r} in the workflow's {entities.name!r}.")
    model = _node_model(entity) if entities.name == "node_configs" else EdgeConfig
    entities[wanted] = _changed(entity, path, value, model)


def _changed(entity: JsonObject, path: Path, value: Any, model: type[WireModel]) -> JsonObject:
    known = {str(path[0]): None} if path[0] in model.model_fields else {}
    changed: JsonObject = _with_value({**known, **entity}, path, value)
    model.from_wire(changed)
    return changed


def _with_value(value: Any, path: Path, new: Any) -> Any:
    """A copy of a value with something else at the end of a path; what is off the path is shared."""
    root = here = _copy(value)
    for number, written_step in enumerate(path):
        step = _fitting(here, written_step)
        if not _leads_on(here, step):
            raise InputError(f"the path {_written(path)} leads to nothing at its step {written_step!r}.")
        if number == len(path) - 1:
            here[step] = new
        else:
            here[step] = here = _copy(here[step])
    return root


def _written(path: Path) -> str:
    """A path as a person writes it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return repr(text.removeprefix("."))


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list) else value


def _fitting(value: Any, step: Any) -> Any:
    """A step into a list, whose index may be written ``tools.0.name`` as well as ``tools[0].name``."""
    is_index = isinstance(value, list) and isinstance(step, str) and step.isdecimal() and len(step) < 10
    return int(step) if is_index else step


def _leads_on(value: Any, step: Any) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and -len(value) <= step < len(value)
    return isinstance(value, dict) and step in value


def _path(text: str) -> Path:
    path = parse_path(text)
    if EVERY in path:
        raise InputError(f"the path {text!r} leads to many places; name one element by its index.")
    return path


def _told(value: str | None, name: str) -> str:
    if not value:
        raise InputError(f"its mapping has no {name!r}.")
    return value


def _node_model(entity: JsonObject) -> type[WireModel]:
    known = NODE_TYPES.get(str(entity.get("type")))
    return known.Config if known else NodeConfig
