"""All that a run remembers from turn to turn, apart from its transcript.

The transcript is in the recorded events (`debugger.engine.history` reads it from there), so a state stays
small however long the conversation grows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from debugger.protocol.base import JsonObject
from debugger.protocol.json_text import decode, encode
from debugger.protocol.messages import Message
from debugger.protocol.runs import MAIN_THREAD


@dataclass
class BoundedLoop:
    """A bounded retry under way."""

    node_id: str
    attempts: int
    deadline: float | None
    """Seconds since the epoch at which the loop gives up."""


@dataclass
class ThreadState:
    """One execution cursor."""

    thread_id: str
    position: str | None
    """The node that it stands at, or that it ended at."""
    parked: bool = False
    """Whether it waits for the user at its position."""
    ended: bool = False
    runtime_variables: JsonObject = field(default_factory=dict)
    pending: list[Message] = field(default_factory=list)
    """User messages that no node has answered yet."""
    callers: list[tuple[str, str]] = field(default_factory=list)
    """(global node, the node it was entered from), innermost last (``platform/engine.md`` U-24)."""
    hops_in_a_row: int = 0
    """Conditional hops since the user spoke or a model was made to answer (U-25)."""
    came_back: bool = False
    """Whether the last hop returned from a global node."""
    loop: BoundedLoop | None = None
    """The bounded retry that the thread is in."""
    node_run_ids: dict[str, int] = field(default_factory=dict)
    """Last run id per node; parking at a node takes one as well (``platform/wire.md`` 3.5)."""
    completions: dict[str, int] = field(default_factory=dict)
    """Finished runs per node; parking is none."""
    edge_run_ids: dict[str, int] = field(default_factory=dict)

    def next_run_id(self, node_id: str) -> str:
        """Take the next run id of a node."""
        self.node_run_ids[node_id] = number = self.node_run_ids.get(node_id, 0) + 1
        return str(number)

    def next_edge_run_id(self, edge_key: str) -> str:
        """Take the next run id of an edge."""
        self.edge_run_ids[edge_key] = number = self.edge_run_ids.get(edge_key, 0) + 1
        return str(number)


@dataclass
class RunState:
    """What a run remembers."""

    threads: dict[str, ThreadState]
    turn_number: int = 0
    """Finished turns."""
    dynamic_variables: JsonObject = field(default_factory=dict)
    """What turns have supplied so far, newer over older (U-37)."""
    runtime_seeds: JsonObject = field(default_factory=dict)
    """Runtime variables that turns have supplied; a thread's own win over them."""
    workflow_variables: JsonObject = field(default_factory=dict)
    """Run-wide memory, below a thread's own variables."""
    message_positions: dict[str, int] = field(default_factory=dict)
    """Last index spoken of each list of fixed messages in sequence (U-8)."""
    guardrail_entries: int = 0
    """How often a guardrail node was entered from another kind of node."""
    model_calls: int = 0
    """Model calls of the run so far."""
    model_milliseconds: float = 0.0
    """What they took together."""

    @classmethod
    def at(cls, node_id: str) -> Self:
        """A run that is about to begin at a node."""
        return cls(threads={MAIN_THREAD: ThreadState(MAIN_THREAD, node_id)})

    @property
    def main(self) -> ThreadState:
        """The thread that talks with the user."""
        return self.threads[MAIN_THREAD]

    def to_json(self) -> bytes:
        """The state as JSON text."""
        return encode(
            {**vars(self), "threads": {key: _written(thread) for key, thread in self.threads.items()}}
        )

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what `to_json` wrote."""
        data: Mapping[str, Any] = decode(text)
        threads = {key: _read(value) for key, value in data["threads"].items()}
        return cls(**{**data, "threads": threads})


def _written(thread: ThreadState) -> JsonObject:
    return {**vars(thread), "loop": vars(thread.loop) if thread.loop else None}


def _read(thread: Mapping[str, Any]) -> ThreadState:
    callers = [(node, caller) for node, caller in thread["callers"]]
    loop = BoundedLoop(**thread["loop"]) if thread.get("loop") else None
    return ThreadState(**{**thread, "callers": callers, "loop": loop})
