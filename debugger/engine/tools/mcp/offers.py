"""A tool as a server offers it."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.engine.outbound import RecordedAnswer
from debugger.protocol.base import JsonObject

MOST_OFFERS = 200
"""Of one server; a model is not given more."""


@dataclass(frozen=True)
class Offer:
    """A tool as a server offers it."""

    name: str
    """As the server knows it."""
    description: str
    args_schema: JsonObject
    """JSON Schema of its arguments."""
    reads_only: bool = False
    """Whether the server says that it changes nothing."""


def recorded_offers(recorded: RecordedAnswer | None) -> list[Offer]:
    """The offers in a recorded answer, which is a list of tools as on the wire (``tools/list``)."""
    body = recorded.body if recorded is not None else None
    tools = body.get("tools") if isinstance(body, dict) else body
    found = tools if isinstance(tools, list) else []
    return [_offer(tool) for tool in found if isinstance(tool, dict) and isinstance(tool.get("name"), str)]


def _offer(tool: JsonObject) -> Offer:
    schema, hints = tool.get("inputSchema"), tool.get("annotations")
    return Offer(
        tool["name"],
        str(tool.get("description") or ""),
        schema if isinstance(schema, dict) else {"type": "object"},
        reads_only=isinstance(hints, dict) and hints.get("readOnlyHint") is True,
    )
