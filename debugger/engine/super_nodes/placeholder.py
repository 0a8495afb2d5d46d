"""The super node as it stands in a workflow before it is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import as_bool

SUPER_NODE = "super_node"
EMBEDDED = "encapsulated_workflow_config"


@dataclass(frozen=True)
class Placeholder:
    """A super node.

    Args:
        wire: The node's object, its id that of the expanded workflow.
    """

    wire: JsonObject

    @property
    def id(self) -> str:
        """Its id in the expanded workflow: with those of the super nodes around it in front."""
        return str(self.wire["logical_id"])

    @property
    def label(self) -> str:
        """Its name, or its id where it has none."""
        return str(self.wire.get("name") or self.id)

    def field(self, name: str) -> Any:
        """A field as it was written; ``None`` where it is absent."""
        return self.wire.get(name)

    @property
    def embedded(self) -> Any:
        """The workflow that it carries with it, used instead of a stored one; nothing where it has none."""
        return self.field(EMBEDDED)

    def __str__(self) -> str:
        return f"Super node {self.label!r} ({self.id})"


def is_expandable(node: JsonObject) -> bool:
    """Whether a node is a super node that takes part; a disabled one is passed by like any disabled node."""
    return node.get("type") == SUPER_NODE and not as_bool(node.get("disabled"), False)
