"""Where each thread of a run stands, followed from event to event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from debugger.analysis.event_fields import EventFields, text
from debugger.analysis.node_origins import author_node_id, label_of
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.protocol.base import JsonObject
from debugger.protocol.events import COMPANION, Event
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig, Workflow

_MOVES = frozenset({"user_messages", "start_node_run", "busy_wait_for_user_message", "end_thread"})
_END_TYPES = {"end_workflow": "ended", "workflow_error": "failed"}
CHANGING_TYPES = TRANSITION_TYPES | _MOVES | _END_TYPES.keys()
"""The types of the events after which a thread, or the run, stands otherwise."""


@dataclass
class ThreadPosition:
    """One thread."""

    node: str | None = None
    """The node that it is parked at, or that it ran last."""
    ahead: str | None = None
    """The node that it has hopped to and not yet begun."""
    waiting: Event | None = None
    """The event that says that it waits for the user, while it does."""
    ended: bool = False


@dataclass
class ThreadPositions:
    """All threads, by internal id."""

    threads: dict[str, ThreadPosition] = field(default_factory=dict)
    outcome: str | None = None
    """``"ended"`` or ``"failed"`` once an event has said so."""

    @classmethod
    def after(cls, turns: Sequence[TurnLog]) -> Self:
        """Where the threads stand after these turns."""
        standing = cls()
        for turn in turns:
            standing.follow(turn.events)
        return standing

    def copy(self) -> ThreadPositions:
        """Another one that stands here, to go on by itself."""
        return ThreadPositions({key: replace(thread) for key, thread in self.threads.items()}, self.outcome)

    @property
    def main(self) -> ThreadPosition:
        """The thread that talks with the user."""
        own = (thread for key, thread in self.threads.items() if COMPANION not in key)
        return self.threads.get(MAIN_THREAD) or next(own, ThreadPosition())

    @property
    def companions(self) -> dict[str, ThreadPosition]:
        """The companion threads that have not ended, by internal id."""
        return {key: thread for key, thread in self.threads.items() if COMPANION in key and not thread.ended}

    def follow(self, events: Iterable[Event]) -> None:
        """Take in what happened next."""
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Take in one event."""
        if event.type in CHANGING_TYPES:
            self.change(EventFields(event))

    def change(self, event: EventFields) -> None:
        """Take in one event of the types that change something."""
        if event.type in TRANSITION_TYPES:
            self._hop(event)
        elif event.type in _MOVES:
            self._move(self._thread(event), event)
        else:
            self.outcome = _END_TYPES[event.type]
            for thread in self.threads.values():
                thread.waiting = None

    def _thread(self, event: EventFields) -> ThreadPosition:
        thread_id = event.thread_id or MAIN_THREAD
        found = self.threads.get(thread_id)
        if found is None:
            found = self.threads[thread_id] = ThreadPosition()
        return found

    def _hop(self, event: EventFields) -> None:
        # A companion that is an edge of the same thread does not move that thread (engine.md 3.4).
        stays = event.type == "companion_edge" and COMPANION not in (event.thread_id or "")
        if not stays:
            thread = self._thread(event)
            thread.waiting = None
            thread.ahead = text(event.event, "destination_node_logical_id") or thread.ahead

    def _move(self, thread: ThreadPosition, event: EventFields) -> None:
        if event.type == "user_messages":
            thread.node, thread.waiting = thread.node or event.node, None
            return
        if event.type == "end_thread":
            thread.ended, thread.waiting, thread.ahead = True, None, None
            thread.node = event.node or thread.node
            return
        thread.node, thread.ahead = event.node or thread.node, None
        thread.waiting = event.event if event.type == "busy_wait_for_user_message" else None


_UNDER_WAY = frozenset({"started", "running", "waiting_for_user_input"})


def can_have_background_work(standing: ThreadPositions, workflow: Workflow, status: str) -> bool:
    """Whether a recorded run may go on without its user: a record does not say it, only a backend knows.

    Args:
        standing: Where its threads stand.
        workflow: The workflow that ran.
        status: The run's status.

    Source: companion threads and armed waiting edges, ``platform/engine.md`` 7.4.
    """
    if status not in _UNDER_WAY:
        return False
    waits_at = standing.main.node if standing.main.waiting else None
    return bool(standing.companions) or any(
        _is_judged_while_waiting(edge) for edge in _edges_of(waits_at or "", workflow)
    )


def _edges_of(node_id: str, workflow: Workflow) -> Iterator[EdgeConfig]:
    """The edges that leave a node, also one inside of super nodes as far as the workflow holds them.

    The edges that leave a super node itself are never judged while waiting (``platform/engine.md`` 2.11).
    """
    nodes = {node.logical_id: node for node in workflow.node_configs}
    own = author_node_id(node_id, nodes)
    if own == node_id:
        yield from (edge for edge in workflow.edge_configs if edge.source_node_logical_id == node_id)
    elif isinstance(inside := nodes[own].to_wire().get("encapsulated_workflow_config"), dict):
        yield from _edges_of(node_id.removeprefix(f"{own}/"), Workflow.from_document(inside))


def _is_judged_while_waiting(edge: EdgeConfig) -> bool:
    config = edge.evaluate_while_waiting_config
    return config is not None and config.enabled


HintKind = Literal["message", "none", "ended", "background"]

_ENDED = {
    "completed": "The run is complete and takes no more messages.",
    "failed": "The run has failed and takes no more messages.",
    "cancelled": "The run was stopped and takes no more messages.",
    "aborted_looping_risk": "The run was ended because it looped, and takes no more messages.",
}
_NOT_WAITING = {
    "not_started": "The run has not started: send a first message, or start it without one.",
    "paused": "The run is paused: resume it.",
}
_WAIT_TYPE = "busy_wait_for_user_message"


@dataclass(frozen=True)
class InputHint:
    """What the run expects next."""

    kind: HintKind
    """``"message"``: a message is waited for. ``"none"``: nothing is. ``"ended"``: the run takes no more.
    ``"background"``: nothing is waited for, and work goes on without the user."""
    who: str
    """The node that waits, by name, with the super nodes around it; empty when none does or is known."""
    sentence: str


def input_hint(
    hint: Mapping[str, Any] | None,
    status: str,
    *,
    has_background_work: bool = False,
    names: Mapping[str, str] | None = None,
) -> InputHint:
    """Say who waits, and for what.

    Args:
        hint: The turn result's ``next_input_hint``, or the event it was made of.
        status: The run's status.
        has_background_work: Whether companions or waiting conditions still run.
        names: The author's node names by id.
    """
    if status in _ENDED:
        return InputHint("ended", "", _ENDED[status])
    if hint or status == "waiting_for_user_input":
        return _waiting(hint or {}, has_background_work, names or {})
    if status in _NOT_WAITING:
        return InputHint("none", "", _NOT_WAITING[status])
    if has_background_work:
        return InputHint("background", "", "Nobody waits for the user: work goes on in the background.")
    return InputHint("none", "", "The turn is still running.")


def last_hint(standing: ThreadPositions) -> JsonObject | None:
    """The event that says what a recorded run waits for; ``None`` where it waits for nothing."""
    waiting = standing.main.waiting
    return waiting.to_wire() if waiting else None


def _waiting(hint: Mapping[str, Any], has_background_work: bool, names: Mapping[str, str]) -> InputHint:
    node = str(hint.get("origin_node_logical_id") or "")
    who = label_of(node, str(hint.get("origin_node_name") or "") or node, names)
    wanted = hint.get("type", _WAIT_TYPE)
    # A kind of hint that is not known yet is shown by its wire name rather than taken for a message.
    told = "the user's message" if wanted == _WAIT_TYPE else f"{str(wanted).replace('_', ' ')!r}"
    rest = "; meanwhile work goes on in the background" if has_background_work else ""
    return InputHint("message", who, f"{who or 'The workflow'} waits for {told}{rest}.")
