"""The state of a run between turns, apart from its transcript.

The transcript is in the recorded events (`debugger.engine.history` reads it from there), so a state stays
small however long the conversation grows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self, TypeVar

from debugger.engine.environment import Environment
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.messages import Message
from debugger.protocol.runs import MAIN_THREAD

Kind = TypeVar("Kind")

_STORED_NAMES = {
    "is_waiting": "parked",
    "awaits_second_message": "lingers",
    "return_stack": "callers",
    "has_just_returned": "came_back",
    "consecutive_conditionals": "hops_in_a_row",
    "unreported_edits": "untold",
}
"""Fields whose names in stored states are older than their names here."""
_FIELD_NAMES = {stored: name for name, stored in _STORED_NAMES.items()}

_SPREAD = 0x9E3779B97F4A7C15
"""Odd and without a pattern, so that the seeds of one run's segments have nothing in common."""


def seed_of_segment(seed: int, segment: int) -> int:
    """Return the seed of a turn or step of background work, by the run's own seed and its place from 0."""
    return seed ^ (segment * _SPREAD)


@dataclass
class BoundedLoop:
    """A bounded retry in progress."""

    node_id: str
    attempts: int
    deadline: float | None
    """Seconds since the epoch at which the loop gives up."""

    def is_over(self, world: Environment) -> bool:
        """Return whether its time is up."""
        return self.deadline is not None and world.time_of(self.node_id) >= self.deadline


@dataclass
class WaitingEdge:
    """The state of an edge evaluated during a wait (``platform.md#waiting-edges``)."""

    transitions: int = 0
    """How often it led on since the user last spoke."""
    evaluated_at: float | None = None
    """Seconds since the epoch of its last evaluation."""
    seen: dict[str, int] = field(default_factory=dict)
    """Completions of each trigger node, in all threads, as of the last evaluation."""


@dataclass
class ThreadState:
    """One execution cursor."""

    thread_id: str
    position: str | None
    """Its current or last node."""
    is_waiting: bool = False
    """Whether it waits for the user at its position."""
    ended: bool = False
    runtime_variables: JsonObject = field(default_factory=dict)
    pending: list[Message] = field(default_factory=list)
    """User messages that no node has answered yet."""
    return_stack: list[tuple[str, str]] = field(default_factory=list)
    """(global node, the node it was entered from), innermost last (U-24)."""
    consecutive_conditionals: int = 0
    """Conditional transitions since the user spoke or a model was made to answer (U-25)."""
    has_just_returned: bool = False
    """Whether the last transition returned from a global node."""
    loop: BoundedLoop | None = None
    """The bounded retry that the thread is in."""
    due_at: float | None = None
    """Seconds since the epoch at which a companion thread's next attempt is due; ``None`` while none is put
    off."""
    parent: str | None = None
    """The thread that a companion thread was forked from."""
    awaits_second_message: bool = False
    """Whether its node has run and waits for the user once more before it is left (U-3)."""
    waiting_edges: dict[str, WaitingEdge] = field(default_factory=dict)
    """By the edge's logical id."""
    node_run_ids: dict[str, int] = field(default_factory=dict)
    """Last run id per node; parking at a node takes one as well (``platform.md#event-fields``)."""
    completions: dict[str, int] = field(default_factory=dict)
    """Finished runs per node; parking is none."""
    edge_run_ids: dict[str, int] = field(default_factory=dict)

    @property
    def is_companion(self) -> bool:
        """Return whether it runs in the background and gets no user messages."""
        return self.parent is not None

    def move_to(self, node_id: str) -> None:
        """Move the thread to a node, without its waits and returns (U-48)."""
        self.position, self.is_waiting, self.awaits_second_message = node_id, False, False
        self.loop, self.due_at = None, None
        self.return_stack.clear()

    def run_id(self, node_id: str) -> str:
        """Return the last run id of a node."""
        return str(self.node_run_ids.get(node_id, 0))

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
    """The state of a run."""

    threads: dict[str, ThreadState]
    turn_number: int = 0
    """Finished turns of the user."""
    segments: int = 0
    """Finished segments: turns of the user, and pumps of background work."""
    seed: int = 0
    """The seed of the run's random values: a turn that is run again from here gives the same result."""
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
    paused: bool = False
    """Whether the last turn paused it: no background work is done until a turn goes on."""
    hint: JsonObject | None = None
    """The event of the main thread's last parking: what is waited for."""
    usage_by_model: dict[str, JsonObject] = field(default_factory=dict)
    """What each model of the run has cost so far; `UsageMeter` counts it."""
    unreported_edits: list[JsonObject] = field(default_factory=list)
    """Manual edits between two turns; the next turn begins with their events."""

    @classmethod
    def at(cls, node_id: str) -> Self:
        """Return the state of a new run at a node."""
        return cls(threads={MAIN_THREAD: ThreadState(MAIN_THREAD, node_id)})

    @property
    def main(self) -> ThreadState:
        """Return the thread that talks with the user."""
        return self.threads[MAIN_THREAD]

    @property
    def next_seed(self) -> int:
        """Return the seed of the next execution."""
        return seed_of_segment(self.seed, self.segments)

    @property
    def active_companions(self) -> list[ThreadState]:
        """Return the companion threads that have not ended, oldest first."""
        return [thread for thread in self.threads.values() if thread.is_companion and not thread.ended]

    @property
    def active_threads(self) -> list[ThreadState]:
        """Return the threads that have not ended."""
        return [thread for thread in self.threads.values() if not thread.ended]

    def completions(self, node_id: str) -> int:
        """Return the number of a node's finished runs in all threads."""
        return sum(thread.completions.get(node_id, 0) for thread in self.threads.values())

    def to_json(self) -> bytes:
        """Return the state as JSON text, under the field names of `_STORED_NAMES`."""
        threads = {}
        for key, thread in self.threads.items():
            waiting = {edge_id: vars(edge) for edge_id, edge in thread.waiting_edges.items()}
            loop = vars(thread.loop) if thread.loop else None
            threads[key] = _renamed({**vars(thread), "loop": loop, "waiting_edges": waiting}, _STORED_NAMES)
        return encode(_renamed({**vars(self), "threads": threads}, _STORED_NAMES))

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read a state that `to_json` wrote.

        Keys that another version added are passed over.
        """
        data = _renamed(decode(text), _FIELD_NAMES)
        data["threads"] = {key: _read_thread(value) for key, value in data["threads"].items()}
        return _read(cls, data)


def _renamed(fields: JsonObject, names: Mapping[str, str]) -> JsonObject:
    return {names.get(name, name): value for name, value in fields.items()}


def _read_thread(stored: JsonObject) -> ThreadState:
    """Return a thread of a stored state; keys that this version does not know are left out."""
    thread = _renamed(stored, _FIELD_NAMES)
    thread["return_stack"] = [(node, caller) for node, caller in thread["return_stack"]]
    if thread.get("loop"):
        thread["loop"] = _read(BoundedLoop, thread["loop"])
    if thread.get("waiting_edges"):
        waiting = thread["waiting_edges"].items()
        thread["waiting_edges"] = {edge_id: _read(WaitingEdge, edge) for edge_id, edge in waiting}
    return _read(ThreadState, thread)


def _read(kind: type[Kind], data: JsonObject) -> Kind:
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: value for name, value in data.items() if name in names})
