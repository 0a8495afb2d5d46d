"""Which thread goes next: the one that talks, those forked from it, those that a condition wakes."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import chain
from typing import Any

from debugger.engine.announcer import Events
from debugger.engine.hopping import Hopping
from debugger.engine.hops import Decision
from debugger.engine.node_runs import NodeRuns
from debugger.engine.nodes.base import Node
from debugger.engine.segment import Segment
from debugger.engine.state import ThreadState
from debugger.engine.waiting import armed_edges, remember
from debugger.errors import RunError
from debugger.graph.placement import is_inside
from debugger.protocol.events import (
    BusyWaitForUserMessageEvent,
    CompanionStepBoundaryEvent,
    Event,
    ForceTransferToNodeEvent,
    PauseEvent,
    PauseThreadEvent,
    WaitingConditionMatchedEvent,
    WaitingEvaluationBoundaryEvent,
    WorkflowWarningEvent,
)
from debugger.protocol.workflow import NodeConfig


class Threads:
    """Drives the threads of one segment."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._announcer = segment.announcer
        self._hopping = Hopping(segment)
        self._node_runs = NodeRuns(segment, self._hopping)

    def advance(self, thread: ThreadState) -> Events:
        """Run nodes until the thread ends, waits or is stopped; those that it forks make their first step."""
        while self._segment.goes_on and not (thread.ended or thread.parked or self._is_put_off(thread)):
            yield from self._visit(thread, self._segment.config(thread))
            while self._hopping.forked:
                yield from self.advance(self._hopping.forked.pop(0))

    def pause(self, thread: ThreadState) -> Events:
        """Hold a thread where it stands, until a turn comes that goes on (``platform/engine.md`` 7.2 (g))."""
        config = self._segment.config(thread)
        run_id = str(thread.node_run_ids.get(config.logical_id, 0))
        yield self._announcer.stamped(PauseEvent(), thread, config, run_id)
        yield self._announcer.stamped(PauseThreadEvent(last_node_logical_id=config.logical_id), thread)
        self._segment.status = "paused"
        self._segment.state.paused = True

    def transfer(self, thread: ThreadState, destination: str) -> Events:
        """Move a thread to a node, wherever it stands, and go on there (``platform/engine.md`` U-48)."""
        here = self._segment.config(thread)
        event = ForceTransferToNodeEvent(destination_node_logical_id=destination)
        yield self._announcer.stamped(event, thread, here, str(thread.node_run_ids.get(here.logical_id, 0)))
        thread.position, thread.parked, thread.lingers = destination, False, False
        thread.loop, thread.due_at = None, None
        thread.callers.clear()
        yield from self.advance(thread)

    def pump(self) -> Generator[Event, None, bool]:
        """Take each due companion thread one step on, then judge the armed edges of parked threads (3.9).

        Returns:
            Whether a parked thread was led on.
        """
        for companion in self._segment.state.active_companions:
            if self._segment.goes_on and not self._is_put_off(companion):
                yield from self._step(companion)
        moved = False
        for thread in list(self._segment.state.threads.values()):
            if self._segment.goes_on:
                moved |= yield from self._judge(thread)
        return moved

    def _is_put_off(self, thread: ThreadState) -> bool:
        """Whether the thread's next attempt is due later only."""
        return thread.is_companion and thread.due_at is not None and self._segment.world.now() < thread.due_at

    # One thread

    def _visit(self, thread: ThreadState, config: NodeConfig) -> Iterable[Event]:
        """What there is to do at a node. No generator itself: every event would pass through one more."""
        if config.disabled:
            return self._skip(thread, config)
        node = self._segment.interpreter.node(config)
        if node.opaque_because is not None:
            return chain(self._announcer.warning(node.opaque_because, thread), self._skip(thread, config))
        if node.waits_for_user and not thread.pending:
            return (self._park(thread, config),)
        if thread.lingers:
            return self._node_runs.leave(thread, node)
        if self._segment.node_runs >= self._segment.options.max_node_runs:
            return (self._abort(thread),)
        return self._node_runs.go_on(thread, node)

    def _park(self, thread: ThreadState, config: NodeConfig) -> Event:
        if thread.is_companion:
            raise RunError(
                f"The companion thread {thread.thread_id} has come to node {config.label!r}, which waits for "
                "the user; a companion never hears one.",
                advice="Set wait_for_user_message to false, or keep the node out of the companion thread.",
            )
        thread.parked = True
        run_id = thread.next_run_id(config.logical_id)
        event = self._announcer.stamped(BusyWaitForUserMessageEvent(), thread, config, run_id)
        self._segment.state.hint = event.to_wire()
        return event

    def _abort(self, thread: ThreadState) -> Event:
        self._segment.status = "aborted_looping_risk"
        text = (
            f"{self._segment.node_runs} nodes ran in this turn without the user; the run may loop and was "
            "ended."
        )
        return self._announcer.stamped(WorkflowWarningEvent(warning_message=text), thread)

    def _skip(self, thread: ThreadState, config: NodeConfig) -> Events:
        """Pass a node by its main direct edge, without a trace (``platform/engine.md`` U-1)."""
        onward = self._segment.graph.main_direct(config.logical_id)
        self._segment.node_runs += 1  # a ring of such nodes must meet the looping guard, too
        if onward is not None and self._segment.node_runs <= self._segment.options.max_node_runs:
            thread.position = onward.destination_node_logical_id
            if not is_inside(config, self._segment.config(thread)):  # as by any hop but the way back
                thread.callers = [caller for caller in thread.callers if caller[0] != config.logical_id]
        else:
            yield self._hopping.end_thread(thread, config)

    # Background work

    def _step(self, companion: ThreadState) -> Events:
        config, loop = self._segment.config(companion), companion.loop
        deadline = loop.deadline if loop else None
        yield from self.advance(companion)
        attempts = loop.attempts if loop else companion.completions.get(config.logical_id, 0)
        boundary = CompanionStepBoundaryEvent(
            companion_thread_id=companion.thread_id,
            attempts_completed=attempts,
            deadline_epoch=deadline,
            still_active=not companion.ended,
        )
        yield self._announcer.stamped(boundary, companion)

    def _judge(self, thread: ThreadState) -> Generator[Event, None, bool]:
        """Judge the armed edges of a parked thread and, where one holds, let the thread go on."""
        segment, position = self._segment, thread.position
        armed = armed_edges(segment.interpreter.routes, thread, segment.state)
        due = [edge for edge in armed if edge.is_due(segment.world.now())]
        if not due:
            return False
        node = segment.interpreter.node(segment.config(thread))
        context = segment.context(thread)
        judged, led_on = 0, False
        for edge in due:
            judged += 1
            memory = remember(edge.hop, edge.settings, thread, segment.state)
            is_new = memory.evaluated_at is None
            memory.evaluated_at = segment.world.now()
            run_id = str(thread.node_run_ids.get(node.config.logical_id, 0))
            decision = yield from self._announcer.pass_on(
                segment.interpreter.routes.holds(edge.hop, context, tell=is_new), thread, node.config, run_id
            )
            if decision is not None:
                memory.transitions += 1
                hydrated = segment.interpreter.routes.hydrated(edge.hop, context)
                matched = edge.matched(hydrated, memory.transitions)
                yield from self._lead_on(thread, node, decision, run_id, matched)
                led_on = True
                break
        boundary = WaitingEvaluationBoundaryEvent(
            parked_node_logical_id=position,
            edges_evaluated=judged,
            transitioned=led_on,
            still_waiting=thread.parked,
        )
        yield self._announcer.stamped(boundary, thread)
        return led_on

    def _lead_on(
        self,
        thread: ThreadState,
        node: Node[Any],
        decision: Decision,
        run_id: str,
        matched: WaitingConditionMatchedEvent,
    ) -> Events:
        thread.parked, thread.lingers = False, False
        yield from self._hopping.go(thread, node, decision, run_id, matched)
        yield from self.advance(thread)
