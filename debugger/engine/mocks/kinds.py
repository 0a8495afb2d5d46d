"""Pins and faults: what is frozen, what is made to fail."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal, Self

from debugger.engine.models.base import Reply
from debugger.protocol.base import JsonObject

_LONGEST = 60
"""Characters of a summary."""

TargetKind = Literal["node", "tool", "model"]


@dataclass(frozen=True)
class Target:
    """What is intervened in."""

    kind: TargetKind
    """A whole run of a node, a call of a tool, or an answer of a node's model."""
    name: str
    """The node's logical id, or the tool's name as a model knows it."""
    node: str = ""
    """Of a tool: the node that calls it; empty is every node."""


@dataclass(frozen=True)
class Pin:
    """An output that is given instead of a real one."""

    target: Target
    output: JsonObject
    """Of a node: ``says`` (texts), ``variables``, ``output`` (its own keys of ``run_output``), ``chosen``
    (the key of the hop that its model chose), ``args``, ``reason``.
    Of a tool: ``success``, ``result``, ``error``.
    Of a model: ``text``, ``chosen``, ``args``, ``reason``, ``fields``, ``calls`` (``name``, ``args``)."""
    note: str = ""
    is_enabled: bool = True
    id: str = ""
    """Given by `Interventions.put`."""

    @classmethod
    def of_reply(cls, node_id: str, reply: Reply, *, note: str = "") -> Self:
        """The pin that lets a node's model give a reply again."""
        output = {
            "text": reply.text,
            "chosen": reply.chosen.edge_id if reply.chosen else None,
            "args": reply.args,
            "reason": reply.reason,
            "fields": reply.fields,
            "calls": [{"name": call.name, "args": call.args} for call in reply.calls],
        }
        return cls(Target("model", node_id), output, note)

    @property
    def summary(self) -> str:
        """The output in a few words."""
        for key in ("text", "says", "result", "error", "variables", "fields", "output"):
            value = self.output.get(key)
            if value not in (None, "", [], {}):
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        return f"goes on by {self.output['chosen']}" if self.output.get("chosen") else "nothing"


@dataclass(frozen=True)
class Fault:
    """A failure, a delay, or both."""

    target: Target
    error: str = ""
    """What the failure says; empty only delays."""
    delay: float = 0.0
    """Seconds before it."""
    attempts: str = ""
    """At which of the times, as `debugger.engine.hit_counts` reads it; empty is every time."""
    note: str = ""
    is_enabled: bool = True
    id: str = ""
    """Given by `Interventions.put`."""


@dataclass(frozen=True)
class Met:
    """What meets one run of a node, one call or one answer."""

    pin: Pin | None = None
    fault: Fault | None = None
    ids: tuple[str, ...] = field(default=())
    """The ids of both."""
