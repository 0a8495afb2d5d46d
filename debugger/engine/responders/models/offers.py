"""What a model may call: the hops and the tools of a prompt, under names that every provider takes."""

from __future__ import annotations

import re
from typing import Any

from pydantic_ai.tools import ToolDefinition

from debugger.engine.responders.base import Choice, Prompt, ToolOffer
from debugger.engine.responders.models.schemas import object_schema

JUSTIFICATION = "justification"
"""The argument in which a model says why it chose a hop."""

_HOP = "Destination_Node__"
"""How the names of the pseudo-tools begin (``platform/engine.md`` 2.1.2, step 3)."""
_LONGEST_NAME = 64


class Offers:
    """The hops and the tools of a prompt as tools of a model.

    Args:
        prompt: What offers them.
        taken: Names that are not free.
    """

    def __init__(self, prompt: Prompt, taken: tuple[str, ...] = ()) -> None:
        self.definitions: list[ToolDefinition] = []
        self._found: dict[str, Choice | ToolOffer] = {}
        self._taken = set(taken)
        for tool in prompt.tools:
            self._add(tool.name, tool, tool.signature, object_schema(tool.args_schema))
        for choice in prompt.choices:
            name = f"{_HOP}{choice.destination_node_logical_id}"
            self._add(name, choice, choice.condition, _hop_schema(choice))

    def find(self, name: str) -> Choice | ToolOffer | None:
        """What a name stands for."""
        return self._found.get(name)

    def name_of(self, tool: str) -> str:
        """The name under which a tool is offered."""
        for name, offer in self._found.items():
            if isinstance(offer, ToolOffer) and offer.name == tool:
                return name
        return valid_name(tool)

    def _add(self, wanted: str, offer: Choice | ToolOffer, description: str, schema: dict[str, Any]) -> None:
        name = self._free(valid_name(wanted))
        self._taken.add(name)
        self._found[name] = offer
        # Not strict: authors leave fields open on purpose (``platform/engine.md`` 2.1).
        self.definitions.append(
            ToolDefinition(name=name, parameters_json_schema=schema, description=description, strict=False)
        )

    def _free(self, name: str) -> str:
        number, free = 1, name
        while free in self._taken:
            number += 1
            suffix = f"_{number}"
            free = name[: _LONGEST_NAME - len(suffix)] + suffix
        return free


def valid_name(name: str) -> str:
    """A name with nothing in it that a provider refuses."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return (plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}")[:_LONGEST_NAME]


def _hop_schema(choice: Choice) -> dict[str, Any]:
    schema = object_schema(choice.args_schema)
    why = {"type": "string", "description": "Why this is the right choice now."}
    return {**schema, "properties": {JUSTIFICATION: why, **schema["properties"]}}
