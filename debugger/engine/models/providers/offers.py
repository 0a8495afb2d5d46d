"""What a model may call: the hops and the tools of a prompt, under names that every provider takes."""

from __future__ import annotations

from typing import Any

from pydantic_ai.tools import ToolDefinition

from debugger.engine.models.base import Choice, Prompt, ToolOffer
from debugger.engine.models.providers.schemas import object_schema
from debugger.engine.models.tool_names import model_name, model_names
from debugger.protocol.messages import transition_tool_name

JUSTIFICATION = "justification"
"""The argument in which a model says why it chose a hop."""


class Offers:
    """The hops and the tools of a prompt as tools of a model.

    Args:
        prompt: What offers them.
        taken: Names that are not free.
    """

    def __init__(self, prompt: Prompt, taken: tuple[str, ...] = ()) -> None:
        offers: list[Choice | ToolOffer] = [*prompt.tools, *prompt.choices]
        names = model_names([*taken, *map(_wanted, offers)])[len(taken) :]
        self._found = dict(zip(names, offers, strict=True))
        self.definitions = [_definition(name, offer) for name, offer in self._found.items()]

    def find(self, name: str) -> Choice | ToolOffer | None:
        """What a name stands for."""
        return self._found.get(name)

    def name_of(self, tool: str) -> str:
        """The name under which a tool is offered, or would be."""
        for name, offer in self._found.items():
            if isinstance(offer, ToolOffer) and offer.name == tool:
                return name
        return model_name(tool)


def _wanted(offer: Choice | ToolOffer) -> str:
    return (
        offer.name
        if isinstance(offer, ToolOffer)
        else transition_tool_name(offer.destination_node_logical_id)
    )


def _definition(name: str, offer: Choice | ToolOffer) -> ToolDefinition:
    if isinstance(offer, ToolOffer):
        description, schema = offer.signature, object_schema(offer.args_schema)
    else:
        description, schema = offer.condition, _hop_schema(offer)
    # Not strict: authors leave fields open on purpose (``platform/engine.md`` 2.1).
    return ToolDefinition(name=name, parameters_json_schema=schema, description=description, strict=False)


def _hop_schema(choice: Choice) -> dict[str, Any]:
    schema = object_schema(choice.args_schema)
    why = {"type": "string", "description": "Why this is the right choice now."}
    return {**schema, "properties": {JUSTIFICATION: why, **schema["properties"]}}
