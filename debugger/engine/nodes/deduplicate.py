"""The node that removes duplicates from a list of objects (``platform.md#deduplicate``)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from debugger.engine.json_paths import EVERY, Path, parse_path, value_at
from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.transform_base import TransformationConfig, TransformationNode, kind_of
from debugger.errors import InputError
from debugger.expressions import ABSENT
from debugger.expressions.values import equality_key
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig


class DeduplicateConfig(TransformationConfig):
    """The key of an object: a path, or a variable with one."""

    dedup_key: str | None = None
    dedup_key_runtime_variable_name: str | None = None
    output_runtime_variable_name: str = "deduplicate_result"


class DeduplicateNode(TransformationNode[DeduplicateConfig]):
    """A node that keeps the first object of each key value."""

    Config: ClassVar[type[NodeConfig]] = DeduplicateConfig
    result_key: ClassVar[str] = "deduplicated_list"
    failed_output: ClassVar[JsonObject] = {"deduplicated_list": None, "removed_count": 0}

    def transform(self, context: NodeContext) -> JsonObject:
        """Return the list without duplicates and the number of removed elements.

        Raises:
            InputError: The key cannot be used, or the variable is absent or holds no list.
        """
        key = self._key(context)
        elements = self.input(context)
        if not isinstance(elements, list):
            name = self.config.input_runtime_variable_name
            raise InputError(
                f"The runtime variable {name!r} holds {kind_of(elements)}, not a list.",
                advice="Name a variable that holds a list of objects.",
            )
        unique = without_duplicates(elements, key)
        return {"deduplicated_list": unique, "removed_count": len(elements) - len(unique)}

    def _key(self, context: NodeContext) -> Path:
        """Return the path of the key, of the named variable if there is one, else of the config.

        Raises:
            InputError: It is missing, no path, or has ``[]`` in it.
        """
        name = self.config.dedup_key_runtime_variable_name
        found = self.config.dedup_key
        if name:
            found = self.variable(context, name, field_name="dedup_key_runtime_variable_name")
            if not isinstance(found, str):
                raise InputError(
                    f"The runtime variable {name!r} holds {kind_of(found)}, not a path.",
                    advice="Set it to a text such as id or address.city.",
                )
        elif not found:
            raise InputError(
                "dedup_key is empty.", advice="Write the path of the value that distinguishes two objects."
            )
        key = parse_path(found)
        if EVERY in key:
            raise InputError(
                "The dedup_key has [] in it, so an object would have many key values.",
                advice="Write a path to one value, such as a.b or rows[0].id.",
            )
        return key


def without_duplicates(elements: list[Any], key: Path) -> list[Any]:
    """Return the first element per key value and all keyless ones, in their order, as a new list.

    Values of different types are different, except that ``1`` and ``1.0`` are one number. Objects are equal
    whatever the order of their members. Null is a value.
    """
    seen: set[Hashable] = set()
    unique = []
    for element in elements:
        value = value_at(element, key)
        if value is not ABSENT:
            mark = equality_key(value)
            if mark in seen:
                continue
            seen.add(mark)
        unique.append(element)
    return unique
