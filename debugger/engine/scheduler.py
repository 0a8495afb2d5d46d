"""The order of work in one segment of a run: a turn of the user, or background work, thread by thread.

The order of events is that of ``platform/engine.md`` 7.1 and 7.2.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import chain
from typing import Any

from debugger.engine.emitter import Events
from debugger.engine.execution import Segment, TurnEnd, input_output_pair
from debugger.engine.inspection import edit_events
from debugger.engine.node_runner import NodeRunner
from debugger.engine.nodes.base import Node
from debugger.engine.routing import Decision
from debugger.engine.state import ThreadState
from debugger.engine.transitions import TransitionRunner
from debugger.engine.waiting_edges import armed_edges, remember
from debugger.errors import RunError
from debugger.graph.nesting import is_inside
from debugger.protocol.events import (
    BusyWaitForUserMessageEvent,
    CompanionStepBoundaryEvent,
    EndWorkflowIterationEvent,
    Event,
    ForceTransferToNodeEvent,
    PauseEvent,
    PauseThreadEvent,
    StartThreadEvent,
    StartWorkflowEvent,
    UserMessagesEvent,
    WaitingConditionMatchedEvent,
    WaitingEvaluationBoundaryEvent,
    WorkflowWarningEvent,
)
from debugger.protocol.messages import normal_message
from debugger.protocol.workflow import NodeConfig


class ThreadScheduler:
    """Runs the threads of one segment: the main one, those forked from it, those that a condition wakes."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._announcer = segment.announcer
        self._transitions = TransitionRunner(segment)
        self._node_runner = NodeRunner(segment, self._transitions)

    # A segment

    def run_turn(self, transfer_to: str | None = None) -> Generator[Event, None, TurnEnd]:
        """Yield the events of a turn of the user in order; return its result.

        Args:
            transfer_to: A node that the main thread is moved to before it continues.
        """
        segment, error = self._segment, None
        edits = segment.edit_events
        try:
            for event in chain(self._take_input(), self._run_command(transfer_to)):
                yield event
                while edits:
                    yield edits.popleft()
            if segment.cancelled.is_set() and segment.status is None:
                segment.status = "cancelled"
        except RunError as failure:
            error = str(failure)
            yield segment.failed(error)
        else:
            for event in self._close_turn():
                yield event
                while edits:
                    yield edits.popleft()
        segment.state.turn_number += 1
        segment.state.segments += 1
        return segment.end(error)

    def run_background(self) -> Generator[Event, None, TurnEnd]:
        """Yield the events of background work without a turn of the user, none where nothing is due.

        Source: ``platform/engine.md`` 7.1, 7.2 (h).
        """
        segment, error, is_kept = self._segment, None, False
        if segment.state.paused:
            segment.status = "paused"
            return segment.end(None)
        events = self._run_due_threads()
        while True:
            try:
                event = next(events)
            except StopIteration:
                break
            except RunError as failure:
                error = str(failure)
                event = segment.failed(error)
            is_kept = is_kept or event.is_persisted
            yield event
            while segment.edit_events:
                yield segment.edit_events.popleft()
        segment.state.segments += is_kept
        return segment.end(error)

    def _take_input(self) -> Events:
        segment, thread = self._segment, self._segment.state.main
        if segment.state.turn_number == 0:
            if segment.options.start_events:
                yield self._announcer.stamped(StartWorkflowEvent())
                yield self._announcer.stamped(StartThreadEvent(), thread)
            for note in segment.interpreter.notes:
                yield from self._announcer.warning(note, thread)
        if segment.state.untold:
            yield from edit_events(segment.state.untold, segment)
            segment.state.untold = []
        supplied = segment.log.run_input.messages
        messages = [normal_message(message, message_id=segment.world.uuid()) for message in supplied]
        if messages:
            thread.pending += messages
            thread.hops_in_a_row = 0
            for edge in thread.waiting_edges.values():
                edge.transitions = 0
            event = UserMessagesEvent(messages=messages)
            yield self._announcer.stamped(event, thread, segment.config(thread))
        thread.parked = segment.state.paused = False

    def _run_command(self, transfer_to: str | None) -> Iterable[Event]:
        """Return the events of what the input's command requests."""
        segment, thread = self._segment, self._segment.state.main
        if segment.log.run_input.command == "stop":
            segment.status = "cancelled"
            return ()
        if segment.log.run_input.command == "pause":
            return self._pause(thread)
        if transfer_to is not None:
            return self._transfer(thread, transfer_to)
        return self._run_until_blocked(thread)

    def _close_turn(self) -> Events:
        segment = self._segment
        pair = input_output_pair(segment.run_input, segment.outputs, segment.end_state)
        yield self._announcer.stamped(
            EndWorkflowIterationEvent(
                iteration_number=segment.state.turn_number + 1,
                run_input_output_pair=pair,
                iteration_metrics=segment.meter.metrics(segment.pauses.active_time()),
            )
        )
        yield from segment.settled()

    # One thread

    def _run_until_blocked(self, thread: ThreadState) -> Events:
        """Run nodes until the thread ends, waits or is stopped; those that it forks make their first step."""
        while self._segment.goes_on and not (thread.ended or thread.parked or self._is_put_off(thread)):
            yield from self._visit(thread, self._segment.config(thread))
            while self._transitions.forked:
                yield from self._run_until_blocked(self._transitions.forked.pop(0))

    def _pause(self, thread: ThreadState) -> Events:
        """Pause a thread at its node until a turn continues it (``platform/engine.md`` 7.2 (g))."""
        config = self._segment.config(thread)
        run_id = str(thread.node_run_ids.get(config.logical_id, 0))
        yield self._announcer.stamped(PauseEvent(), thread, config, run_id)
        yield self._announcer.stamped(PauseThreadEvent(last_node_logical_id=config.logical_id), thread)
        self._segment.status = "paused"
        self._segment.state.paused = True

    def _transfer(self, thread: ThreadState, destination: str) -> Events:
        """Move a thread to a node and continue there (``platform/engine.md`` U-48)."""
        here = self._segment.config(thread)
        event = ForceTransferToNodeEvent(destination_node_logical_id=destination)
        yield self._announcer.stamped(event, thread, here, str(thread.node_run_ids.get(here.logical_id, 0)))
        thread.position, thread.parked, thread.lingers = destination, False, False
        thread.loop, thread.due_at = None, None
        thread.callers.clear()
        yield from self._run_until_blocked(thread)

    def _run_due_threads(self) -> Events:
        """Take each due companion thread one step further, then evaluate the waiting edges (3.9)."""
        segment = self._segment
        for companion in segment.state.active_companions:
            if segment.goes_on and not self._is_put_off(companion):
                yield from self._run_companion_step(companion)
        moved = False
        for thread in list(segment.state.threads.values()):
            if segment.goes_on:
                moved |= yield from self._evaluate_waiting_edges(thread)
        if segment.cancelled.is_set() and segment.status is None:
            segment.status = "cancelled"
        if moved or not segment.state.active_threads:
            yield from segment.settled()

    def _is_put_off(self, thread: ThreadState) -> bool:
        """Return whether the thread's next attempt is not due yet."""
        return thread.is_companion and thread.due_at is not None and self._segment.world.now() < thread.due_at

    def _visit(self, thread: ThreadState, config: NodeConfig) -> Iterable[Event]:
        """Return the events of what is next at a node. No generator: an event would pass through one more."""
        if config.disabled:
            return self._skip(thread, config)
        node = self._segment.interpreter.node(config)
        if node.unsupported_reason is not None:
            return chain(self._announcer.warning(node.unsupported_reason, thread), self._skip(thread, config))
        if node.waits_for_user and not thread.pending:
            return (self._park(thread, config),)
        if thread.lingers:
            return self._node_runner.leave(thread, node)
        if self._segment.node_runs >= self._segment.options.max_node_runs:
            return (self._abort(thread),)
        return self._node_runner.run(thread, node)

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
            yield self._transitions.end_thread(thread, config)

    # Background work

    def _run_companion_step(self, companion: ThreadState) -> Events:
        config, loop = self._segment.config(companion), companion.loop
        deadline = loop.deadline if loop else None
        yield from self._run_until_blocked(companion)
        attempts = loop.attempts if loop else companion.completions.get(config.logical_id, 0)
        boundary = CompanionStepBoundaryEvent(
            companion_thread_id=companion.thread_id,
            attempts_completed=attempts,
            deadline_epoch=deadline,
            still_active=not companion.ended,
        )
        yield self._announcer.stamped(boundary, companion)

    def _evaluate_waiting_edges(self, thread: ThreadState) -> Generator[Event, None, bool]:
        """Evaluate the armed edges of a waiting thread; return whether it followed one."""
        segment, position = self._segment, thread.position
        armed = armed_edges(segment.interpreter.routes, thread, segment.state)
        due = [edge for edge in armed if edge.is_due(segment.world.now())]
        if not due:
            return False
        node = segment.interpreter.node(segment.config(thread))
        context = segment.context(thread)
        judged, has_moved = 0, False
        for edge in due:
            judged += 1
            memory = remember(edge.transition, edge.settings, thread, segment.state)
            is_new = memory.evaluated_at is None
            memory.evaluated_at = segment.world.now()
            run_id = str(thread.node_run_ids.get(node.config.logical_id, 0))
            decision = yield from self._announcer.relay(
                segment.interpreter.routes.holds(edge.transition, context, tell=is_new),
                thread,
                node.config,
                run_id,
            )
            if decision is not None:
                memory.transitions += 1
                hydrated = segment.interpreter.routes.hydrated(edge.transition, context)
                matched = edge.matched(hydrated, memory.transitions)
                yield from self._follow_waiting_edge(thread, node, decision, run_id, matched)
                has_moved = True
                break
        boundary = WaitingEvaluationBoundaryEvent(
            parked_node_logical_id=position,
            edges_evaluated=judged,
            transitioned=has_moved,
            still_waiting=thread.parked,
        )
        yield self._announcer.stamped(boundary, thread)
        return has_moved

    def _follow_waiting_edge(
        self,
        thread: ThreadState,
        node: Node[Any],
        decision: Decision,
        run_id: str,
        matched: WaitingConditionMatchedEvent,
    ) -> Events:
        thread.parked, thread.lingers = False, False
        yield from self._transitions.follow(thread, node, decision, run_id, matched)
        yield from self._run_until_blocked(thread)
