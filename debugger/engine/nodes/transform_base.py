"""A node that makes a new value out of a runtime variable.

Source: ``platform.md#deduplicate`` and ``platform.md#field_extractor``.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, result_variables
from debugger.errors import InputError
from debugger.expressions import ABSENT, lookup
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import NodeConfig


class TransformationConfig(NodeConfig):
    """The variable to read and the variable to write."""

    input_runtime_variable_name: str | None = None
    output_runtime_variable_name: str


Config = TypeVar("Config", bound=TransformationConfig)


class TransformationNode(Node[Config]):
    """A node that writes a new value or the reason of failure.

    Source: U-12.
    """

    result_key: ClassVar[str]
    """The key of the output that holds the new value."""
    failed_output: ClassVar[JsonObject]
    """The node type's own keys of the output when it failed."""

    def run(self, context: NodeContext) -> NodeRun:
        """Transform the input and write the result variables; an error is written too, and fails no run.

        After an error the value is ``None``. No event is yielded.
        """
        yield from ()
        output, error = self._attempt(context)
        name = self.config.output_runtime_variable_name
        self.write(context, result_variables(name, output[self.result_key], error))
        return NodeResult({"success": error is None, **output, "error_message": error})

    @abstractmethod
    def transform(self, context: NodeContext) -> JsonObject:
        """Make the node type's own keys of the output.

        Raises:
            InputError: The config or the input does not allow it.
        """

    def variable(self, context: NodeContext, name: str, *, field_name: str) -> Any:
        """Return the value of a runtime variable.

        Args:
            context: Where to look.
            name: The variable's name.
            field_name: The field of the node that names it, for the message.

        Raises:
            InputError: There is no such variable.
        """
        found = lookup(context.scope, "runtime", name)
        if found is ABSENT:
            raise InputError(
                f"There is no runtime variable {name!r}, which {field_name} names.",
                advice="Write the name without brackets, and set the variable before this node runs.",
            )
        return found

    def input(self, context: NodeContext) -> Any:
        """Return the value to transform.

        Raises:
            InputError: The node names no variable, or there is no such variable.
        """
        name = self.config.input_runtime_variable_name
        if not name:
            raise InputError(
                "input_runtime_variable_name is empty.", advice="Name the runtime variable to read."
            )
        return self.variable(context, name, field_name="input_runtime_variable_name")

    def _attempt(self, context: NodeContext) -> tuple[JsonObject, str | None]:
        """Return the output and ``None``, or the failed output and the error.

        The error is that of an InputError, or that a value is nested too deep.
        """
        try:
            return self.transform(context), None
        except InputError as error:
            return self.failed_output, str(error)
        except RecursionError:
            name = self.config.input_runtime_variable_name
            return self.failed_output, f"The runtime variable {name!r} holds a value that is nested too deep."


def kind_of(value: Any) -> str:
    """Describe a JSON value in a message about its type, as ``the number 3`` or ``a list``."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"
