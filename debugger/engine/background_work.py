"""Background work of a paused run: companion threads and edges evaluated during a wait.

Source: ``platform.md#waiting-edges`` and ``platform.md#driver``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from debugger.engine.decision import Transition, edge_ends
from debugger.engine.environment import Environment
from debugger.engine.routing import EdgeSelector
from debugger.engine.state import RunState, ThreadState, WaitingEdge
from debugger.protocol.events import WaitingConditionMatchedEvent
from debugger.protocol.workflow import EvaluateWhileWaitingConfig


@dataclass(frozen=True)
class ArmedEdge:
    """An edge to evaluate, and its trigger."""

    transition: Transition
    settings: EvaluateWhileWaitingConfig
    memory: WaitingEdge
    trigger_node_logical_id: str | None
    """The node whose completion armed it; ``None`` where every pump does."""
    completions: int | None
    """How often that node has run to its end."""

    @property
    def due_at(self) -> float | None:
        """Return when it may be evaluated again, or ``None`` for at once.

        In seconds since the epoch.
        """
        pause = self.settings.min_seconds_between_evaluations
        if pause is None or self.memory.evaluated_at is None:
            return None
        return self.memory.evaluated_at + pause

    def is_due(self, world: Environment) -> bool:
        """Return whether it may be evaluated now.

        It may where the clock was set back.
        """
        if self.due_at is None:
            return True
        now = world.time_of(self.transition.key)
        return now >= self.due_at or now < (self.memory.evaluated_at or 0)

    def matched(self, hydrated: str, transitions: int) -> WaitingConditionMatchedEvent:
        """Return the unstamped event that reports that the edge's condition came true during the wait.

        Args:
            hydrated: The expression with its values filled in.
            transitions: How often the edge has led on since the user last spoke, this time included.
        """
        source, destination = self.transition.source, self.transition.destination
        condition = self.transition.condition
        return WaitingConditionMatchedEvent(
            edge_name=self.transition.name,
            edge_logical_id=self.transition.key,
            **edge_ends(source, destination),
            reason=f"Condition expression '{hydrated}' came true while {source.label} waited for the user",
            condition_expression=condition.condition_expression if condition else None,
            hydrated_condition_expression=hydrated,
            trigger_mode=self.settings.trigger_mode,
            trigger_node_logical_id=self.trigger_node_logical_id,
            trigger_node_completion_count=self.completions,
            transitions_this_wait=transitions,
        )


def armed_edges(routes: EdgeSelector, thread: ThreadState, state: RunState) -> Iterator[ArmedEdge]:
    """Yield the edges that may be evaluated for a waiting thread, in the document's order.

    There are none where it does not wait. An edge with a trigger is among them only when one of its trigger
    nodes has completed since its last evaluation, and none is that has led on ``max_transitions_per_wait``
    times. Some may not be due yet.
    """
    if not thread.is_waiting or thread.ended or thread.position is None:
        return
    for transition, settings in routes.judged_while_waiting(thread.position):
        memory = thread.waiting_edges.get(transition.key) or WaitingEdge()
        if memory.transitions >= settings.max_transitions_per_wait:
            continue
        if settings.trigger_mode == "on_every_background_tick":
            yield ArmedEdge(transition, settings, memory, None, None)
            continue
        ids = settings.trigger_node_logical_ids
        completed = (node_id for node_id in ids if state.completions(node_id) > memory.seen.get(node_id, 0))
        trigger = next(completed, None)
        if trigger is not None:
            yield ArmedEdge(transition, settings, memory, trigger, state.completions(trigger))


@dataclass(frozen=True)
class PendingWork:
    """The background work of a paused run."""

    companions: bool
    """Whether a companion thread has not ended."""
    work: bool
    """Whether a pump would, now or later, find something to do (``platform.md#driver``)."""
    next_due: float | None
    """Seconds since the epoch at which it would; ``None`` where it would at once, or never."""


NOTHING_AHEAD = PendingWork(companions=False, work=False, next_due=None)


def pending_work(routes: EdgeSelector, state: RunState) -> PendingWork:
    """Return the background work of a run: active companion threads, and armed edges of waiting threads.

    The result is `NOTHING_AHEAD` where there are none; ``next_due`` is the earliest time where all are put
    off.
    """
    companions = state.active_companions
    armed = [edge for thread in state.threads.values() for edge in armed_edges(routes, thread, state)]
    due = [*(thread.due_at for thread in companions), *(edge.due_at for edge in armed)]
    if not due:
        return NOTHING_AHEAD
    put_off = [moment for moment in due if moment is not None]
    return PendingWork(
        bool(companions), work=True, next_due=min(put_off) if len(put_off) == len(due) else None
    )


def mark_evaluated(
    transition: Transition, settings: EvaluateWhileWaitingConfig, thread: ThreadState, state: RunState
) -> WaitingEdge:
    """Record the current completions for an edge; return its state."""
    memory = thread.waiting_edges.setdefault(transition.key, WaitingEdge())
    memory.seen = {node_id: state.completions(node_id) for node_id in settings.trigger_node_logical_ids}
    return memory
