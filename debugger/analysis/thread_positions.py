"""Positions of a run's threads, and what the run waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from debugger.analysis.event_fields import EventFields, text
from debugger.analysis.fold import EventFold
from debugger.analysis.node_origins import author_node_id, label_of
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.protocol.base import JsonObject
from debugger.protocol.events import COMPANION, Event
from debugger.protocol.runs import MAIN_THREAD, RunStatus
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig, Workflow

HintKind = Literal["message", "none", "ended", "background"]

_MOVES = frozenset(
    {"user_messages", "start_node_run", "busy_wait_for_user_message", "pause_thread", "end_thread"}
)
_END_TYPES = {"end_workflow": "ended", "workflow_error": "failed"}
_ACTIVE = frozenset({"started", "running", "waiting_for_user_input"})
_ENDED = {
    "completed": "The run is completed and takes no more messages.",
    "failed": "The run has failed and takes no more messages.",
    "cancelled": "The run was stopped and takes no more messages.",
    "aborted_looping_risk": "The run was ended because it looped, and takes no more messages.",
}
_NOT_WAITING = {
    "not_started": "The run has not started: send a first message, or start it without one.",
    "paused": "The run is paused: resume it.",
}
_WAIT_TYPE = "busy_wait_for_user_message"


@dataclass
class ThreadPosition:
    """Position of one thread."""

    node: str | None = None
    """The node that it waits at, or that it ran last."""
    next_node: str | None = None
    """The destination of its last transition, until that node starts."""
    waiting: Event | None = None
    """The event that says that it waits for the user, while it does."""
    beside: str | None = None
    """The worker of a companion edge that runs beside the node."""
    paused: bool = False
    ended: bool = False


class ThreadPositions(EventFold):
    """Positions of all threads, by internal id."""

    TYPES = TRANSITION_TYPES | _MOVES | _END_TYPES.keys()

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[str, ThreadPosition] = {}
        self.outcome: str | None = None
        """``"ended"`` or ``"failed"`` once an event has said so."""

    @classmethod
    def after(cls, turns: Sequence[TurnLog]) -> Self:
        """Return the positions after these turns."""
        return cls().catch_up(turns)

    def snapshot(self) -> Self:
        """Return an independent copy; positions are mutable and copied, too."""
        other = super().snapshot()
        other.threads = {key: replace(thread) for key, thread in self.threads.items()}
        return other

    @property
    def main(self) -> ThreadPosition:
        """The thread that talks with the user."""
        own = (thread for key, thread in self.threads.items() if COMPANION not in key)
        return self.threads.get(MAIN_THREAD) or next(own, ThreadPosition())

    @property
    def status(self) -> RunStatus:
        """The status of the run, as far as its events tell it."""
        if self.outcome is not None:
            return "completed" if self.outcome == "ended" else "failed"
        if self.main.paused or self.main.waiting:
            return "paused" if self.main.paused else "waiting_for_user_input"
        return "running" if self.threads else "not_started"

    @property
    def companions(self) -> dict[str, ThreadPosition]:
        """The companion threads that have not ended, by internal id."""
        return {key: thread for key, thread in self.threads.items() if COMPANION in key and not thread.ended}

    def apply(self, event: EventFields) -> None:
        """Apply an event of one of `TYPES`; the end of the run also ends every wait."""
        if event.type in TRANSITION_TYPES:
            self._follow(event, text(event.event, "destination_node_logical_id"))
        elif event.type in _MOVES:
            self._move(self._thread(event), event)
        else:
            self.outcome = _END_TYPES[event.type]
            for thread in self.threads.values():
                thread.waiting = None

    def _follow(self, event: EventFields, destination: str | None) -> None:
        """Move a thread toward a destination.

        A companion edge begins a thread, or a worker beside the node.
        """
        thread = self._thread(event)
        if event.type != "companion_edge":
            thread.waiting, thread.beside, thread.paused = None, None, False
            thread.next_node = destination or thread.next_node
        elif COMPANION in (event.thread_id or "") and thread.node != event.node:
            self.threads[event.thread_id or ""] = ThreadPosition(next_node=destination)
        else:  # the thread itself is not moved (``platform.md#companion-edges``)
            thread.beside = destination

    def _thread(self, event: EventFields) -> ThreadPosition:
        return self.threads.setdefault(event.thread_id or MAIN_THREAD, ThreadPosition())

    def _move(self, thread: ThreadPosition, event: EventFields) -> None:
        """Note where a thread is, and whether it waits, is paused or has ended.

        A worker beside does not move it.
        """
        if event.type == "start_node_run" and event.node is not None and event.node == thread.beside:
            return
        thread.waiting = event.event if event.type == _WAIT_TYPE else None
        thread.paused = event.type == "pause_thread"
        if event.type == "user_messages":
            thread.node = thread.node or event.node
        elif not thread.paused:
            thread.next_node = None
            thread.node = event.node or thread.node
            thread.ended = thread.ended or event.type == "end_thread"


def can_have_background_work(positions: ThreadPositions, workflow: Workflow, status: str) -> bool:
    """Return whether a recorded run can continue without its user.

    Only its backend knows whether it does.

    Source: companion threads and armed waiting edges, ``platform.md#driver``.
    """
    if status not in _ACTIVE:
        return False
    if positions.companions:
        return True
    waits_at = positions.main.node if positions.main.waiting else None
    configs = (edge.evaluate_while_waiting_config for edge in _edges_of(waits_at or "", workflow))
    return any(config is not None and config.enabled for config in configs)


def _edges_of(node_id: str, workflow: Workflow) -> Iterator[EdgeConfig]:
    """Yield the edges that leave a node, also inside super nodes; none of an inner node that is not shown.

    The edges that leave a super node itself are never evaluated while waiting (``platform.md#super-nodes``).
    """
    nodes = {node.logical_id: node for node in workflow.node_configs}
    own = author_node_id(node_id, nodes)
    if own == node_id:
        yield from (edge for edge in workflow.edge_configs if edge.source_node_logical_id == node_id)
    elif isinstance(inside := nodes[own].to_wire().get("encapsulated_workflow_config"), dict):
        yield from _edges_of(node_id.removeprefix(f"{own}/"), Workflow.from_document(inside))


@dataclass(frozen=True)
class InputHint:
    """The input that the run expects next."""

    kind: HintKind
    """``"message"``: it waits for a message. ``"none"``: it waits for nothing. ``"ended"``: it takes no more
    input. ``"background"``: it waits for nothing, and background work continues."""
    who: str
    """Label of the node that waits, with the super nodes around it; empty if no node is known to wait."""
    sentence: str


def input_hint(
    hint: Mapping[str, Any] | None,
    status: str,
    *,
    has_background_work: bool = False,
    names: Mapping[str, str] | None = None,
) -> InputHint:
    """Return which node waits and for what, or why none does, in a sentence.

    An ended status goes before the hint, and a hint before any other status.

    Args:
        hint: The turn result's ``next_input_hint``, or the event that it was made of.
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
        return InputHint(
            "background", "", "The run continues in the background and does not wait for the user."
        )
    return InputHint("none", "", "The turn is still running.")


def last_hint(positions: ThreadPositions) -> JsonObject | None:
    """Return the event that a recorded run waits by, if it waits."""
    waiting = positions.main.waiting
    return waiting.to_wire() if waiting else None


def _waiting(hint: Mapping[str, Any], has_background_work: bool, names: Mapping[str, str]) -> InputHint:
    """Return the hint of a run that waits; without a node it is the workflow that waits."""
    node = str(hint.get("origin_node_logical_id") or "")
    who = label_of(node, str(hint.get("origin_node_name") or "") or node, names)
    wanted = hint.get("type", _WAIT_TYPE)
    # An unknown kind of hint is shown by its wire name, it need not be a message.
    wanted_text = "the user's message" if wanted == _WAIT_TYPE else f"{str(wanted).replace('_', ' ')!r}"
    rest = "; background work continues meanwhile" if has_background_work else ""
    return InputHint("message", who, f"{who or 'The workflow'} waits for {wanted_text}{rest}.")
