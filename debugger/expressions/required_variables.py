"""The dynamic variables that a workflow needs (``platform.md#required-variables``)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from debugger.errors import InputError
from debugger.expressions.limits import path_problem, time_limit
from debugger.expressions.placeholders import Placeholder, iter_placeholders, placeholder_reader
from debugger.expressions.references import ABSENT, Scope

MAX_LIST_ITEMS = 1_000
"""Elements of a list; an index beyond counts as the last."""

MAX_VALUES = 30_000
"""Values in all variables together, beyond one for each path; lists that would have more are shorter."""

_STEP = re.compile(r"\[(?P<index>[^\]]*)\]|(?P<name>[^.\[\]]+)")
_LITERAL = re.compile(r"""['"].*|-?[0-9.]+|true|false|nil|null|empty|blank""", re.DOTALL)


@dataclass
class _Shape:
    """The known structure of one variable; a text by default."""

    names: dict[str, _Shape] = field(default_factory=dict)
    length: int = 0
    element: _Shape | None = None

    def add(self, steps: Sequence[str | int]) -> None:
        """Add one path."""
        shape = self
        for step in steps:
            shape = shape._enter(step)

    def build(self, room: int = MAX_VALUES) -> Any:
        """Make an empty value of this shape, within a number of values.

        An object has its names, a list at least one element, anything else is an empty text. Lists get
        shorter where there is no room.
        """
        if self.names:
            share = room // len(self.names)
            return {name: shape.build(share) for name, shape in self.names.items()}
        if self.element is None:
            return ""
        length = max(1, min(self.length, room // self.element._count()))
        return [self.element.build(room // length) for _ in range(length)]

    def _count(self) -> int:
        inner = [*self.names.values(), *([self.element] if self.element and not self.names else [])]
        return 1 + sum(shape._count() for shape in inner)

    def _enter(self, step: str | int) -> _Shape:
        """Return the shape behind one step, added where it is not there.

        An index makes the list as long as it needs.
        """
        if isinstance(step, str):
            return self.names.setdefault(step, _Shape())
        self.length = max(self.length, step + 1)
        self.element = self.element or _Shape()
        return self.element


def required_variables(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a blank or a default for each dynamic variable, except for those that super nodes set.

    ``{{a.b}}`` gives ``{"a": {"b": ""}}`` and ``{{xs[2].n}}`` a list of three objects. Where one path needs a
    text and another an object or a list, the text gives way; between an object and a list, the object wins.

    Args:
        document: The fully hydrated workflow.

    Raises:
        InputError: ``workflow_config`` is missing or no object.

    Source: ``platform.md#required-variables``.
    """
    config = _config(document)
    root, inside = _Shape(), _inner_variables(document)
    for placeholder in _dynamic_placeholders(document):
        steps = _steps(placeholder.path)
        if steps and isinstance(steps[0], str) and steps[0] not in inside:
            root.add(steps)
    built = root.build() if root.names else {}
    return {**built, **_defaults(config)}


def unresolved_placeholders(
    document: Mapping[str, Any], dynamic: Mapping[str, Any], *, system: Collection[str] = ()
) -> list[str]:
    """Return the dynamic paths that would stay unresolved in a run.

    A filter ``default`` gives a value, and so do the workflow's own defaults.

    Args:
        document: The fully hydrated workflow.
        dynamic: The values of the run.
        system: Names that the engine fills in, such as ``now``.

    Returns:
        Each path once, in the order in which they appear.

    Raises:
        InputError: ``workflow_config`` is missing or no object.
    """
    own = document.get("dynamic_variables")
    scope = Scope(
        dynamic={
            **dict.fromkeys(system, ""),
            **_inner_variables(document),
            **(own if isinstance(own, Mapping) else {}),
            **_defaults(_config(document)),
            **dynamic,
        }
    )
    with time_limit:
        return list(
            dict.fromkeys(
                placeholder.path
                for placeholder in _dynamic_placeholders(document)
                if placeholder_reader(placeholder)(scope) is ABSENT
            )
        )


def _config(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the ``workflow_config`` of a document; raises InputError when it is missing or no object."""
    config = document.get("workflow_config")
    if not isinstance(config, Mapping):
        raise InputError(
            f"The workflow has no workflow_config: it is {config!r}.",
            advice="Export the workflow with its nodes and edges, or set an empty object.",
        )
    return config


def _defaults(config: Mapping[str, Any]) -> Mapping[str, Any]:
    miscellaneous = config.get("miscellaneous")
    defaults = miscellaneous.get("default_dynamic_variables") if isinstance(miscellaneous, Mapping) else None
    return defaults if isinstance(defaults, Mapping) else {}


def _inner_variables(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dynamic variables of super nodes and embedded workflows.

    A blank that a run sends for one of them would hide its value (``platform.md#super-nodes``).
    """
    found: dict[str, Any] = {}
    for node in _mappings(document.get("node_configs")):
        inner = node.get("encapsulated_workflow_config")
        if isinstance(inner, Mapping):
            config = inner.get("workflow_config")
            own = inner.get("dynamic_variables")
            found |= _inner_variables(inner) | dict(own if isinstance(own, Mapping) else {})
            found |= _defaults(config if isinstance(config, Mapping) else {})
        found |= _mapped_variables(node)
    return found


def _mapped_variables(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the dynamic variables that a super node's fields are mapped to, with the values that they get.

    The value is that of the node, else the default of the field; a field without either yields nothing.
    """
    interface, values = node.get("super_node_interface"), node.get("field_values")
    fields = interface.get("input_fields") if isinstance(interface, Mapping) else None
    field_values = values if isinstance(values, Mapping) else {}
    for each in _mappings(fields):
        name = each.get("name")
        value = field_values.get(name) if isinstance(name, str) else None
        value = each.get("default_value") if value is None else value
        for mapping in _mappings(each.get("mappings")):
            if mapping.get("target_type") == "dynamic_variable" and value is not None:
                yield str(mapping.get("target_variable_name")), value


def _mappings(listed: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in listed if isinstance(one, Mapping)) if isinstance(listed, list) else iter(())


def _dynamic_placeholders(document: Mapping[str, Any]) -> Iterator[Placeholder]:
    """Yield the dynamic placeholders in settings, nodes and edges of a document, repeated ones too.

    Literals of Liquid, and paths beyond the limits, are left out.
    """
    parts = [document.get(key) for key in ("workflow_config", "node_configs", "edge_configs")]
    for text in _texts(parts):
        for placeholder in iter_placeholders(text):
            is_variable = placeholder.namespace == "dynamic" and not _LITERAL.fullmatch(placeholder.path)
            if is_variable and not path_problem(placeholder.path):
                yield placeholder


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, keys included, in written order."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting += [part for entry in reversed(list(value.items())) for part in reversed(entry)]
        elif isinstance(value, list):
            waiting += reversed(value)


def _steps(path: str) -> list[str | int]:
    return [
        match["name"].strip() if match["index"] is None else _index(match["index"].strip())
        for match in _STEP.finditer(path)
    ]


def _index(written: str) -> int:
    return min(int(written), MAX_LIST_ITEMS - 1) if re.fullmatch("[0-9]{1,9}", written) else 0
