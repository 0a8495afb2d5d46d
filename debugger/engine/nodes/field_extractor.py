"""The node that keeps chosen fields of an object or a list.

Source: ``platform.md#field_extractor``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from debugger.engine.json_paths import EVERY, Path, parse_path, retain
from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.transform_base import TransformationConfig, TransformationNode, kind_of
from debugger.errors import InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig


class FieldExtractorConfig(TransformationConfig):
    """The paths of the fields, or a variable with them."""

    keys_to_retain: list[str] = Field(default_factory=list)
    keys_to_retain_runtime_variable_name: str | None = None
    output_runtime_variable_name: str = "field_extractor_result"


class FieldExtractorNode(TransformationNode[FieldExtractorConfig]):
    """A node that selects the named fields of a value."""

    Config: ClassVar[type[NodeConfig]] = FieldExtractorConfig
    result_key: ClassVar[str] = "extracted_result"
    failed_output: ClassVar[JsonObject] = {"extracted_result": None}

    def transform(self, context: NodeContext) -> JsonObject:
        """Return the input reduced to what is at the paths.

        Raises:
            InputError: A path is missing or malformed, or the variable is absent or holds no object or list.
        """
        paths = [parse_path(written) for written in self._written_paths(context)]
        data = self.input(context)
        if not isinstance(data, dict | list):
            name = self.config.input_runtime_variable_name
            raise InputError(
                f"The runtime variable {name!r} holds {kind_of(data)}, which has no fields.",
                advice="Name a variable that holds an object or a list.",
            )
        return {"extracted_result": extract(data, paths)}

    def _written_paths(self, context: NodeContext) -> list[str]:
        """Return the paths as written, of the named variable if there is one, else of the config.

        Raises:
            InputError: There are none, or the variable is absent or holds no list of texts.
        """
        name = self.config.keys_to_retain_runtime_variable_name
        written = self.config.keys_to_retain
        if name:
            written = self.variable(context, name, field_name="keys_to_retain_runtime_variable_name")
            others = (
                [f"a list with {kind_of(each)} in it" for each in written if not isinstance(each, str)]
                if isinstance(written, list)
                else [kind_of(written)]
            )
            if others:
                raise InputError(
                    f"The runtime variable {name!r} holds {others[0]}, not a list of paths.",
                    advice='Set it to a list of texts such as ["id", "rows[].name"].',
                )
        if not written:
            raise InputError("There are no keys to retain.", advice="Write the path of each field to keep.")
        return written


def extract(data: JsonObject | list[Any], paths: list[Path]) -> Any:
    """Reduce an object or a list to what is at paths.

    In a list, a path that begins with a name is meant for each element: ``id`` is ``[].id``.
    """
    if isinstance(data, list):
        paths = [(EVERY, *path) if isinstance(path[0], str) else path for path in paths]
    return retain(data, paths)
