"""The order of work in a turn or in background work.

The order of events is that of ``platform.md#turns`` and ``platform.md#event-order``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import chain

from debugger.engine.emitter import Events
from debugger.engine.execution import (
    Execution,
    ExecutionResult,
    armed_edges,
    input_output_pair,
    mark_evaluated,
)
from debugger.engine.inspection import edit_events
from debugger.engine.node_runner import NodeRunner
from debugger.engine.state import ThreadState
from debugger.engine.transitions import TransitionRunner
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
    WaitingEvaluationBoundaryEvent,
    WorkflowWarningEvent,
)
from debugger.protocol.messages import normal_message
from debugger.protocol.workflow import NodeConfig


class ThreadScheduler:
    """The scheduler of one execution's threads."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._emitter = execution.emitter
        self._transitions = TransitionRunner(execution)
        self._node_runner = NodeRunner(execution, self._transitions)

    # A segment

    def run_turn(self, transfer_to: str | None = None) -> Generator[Event, None, ExecutionResult]:
        """Yield the events of a user's turn; return its result.

        Args:
            transfer_to: A node that the main thread is moved to before it continues.
        """
        execution, error = self._execution, None
        edits = execution.edit_events
        try:
            for event in chain(self._take_input(), self._run_command(transfer_to)):
                yield event
                while edits:
                    yield edits.popleft()
            if execution.cancelled.is_set() and execution.status is None:
                execution.status = "cancelled"
        except RunError as failure:
            error = str(failure)
            yield execution.failed(error)
        else:
            for event in self._close_turn():
                yield event
                while edits:
                    yield edits.popleft()
        execution.state.turn_number += 1
        execution.state.segments += 1
        return execution.end(error)

    def run_background(self) -> Generator[Event, None, ExecutionResult]:
        """Yield the events of background work, none where nothing is due.

        Source: ``platform.md#turns`` and ``platform.md#event-order``.
        """
        execution, error, is_kept = self._execution, None, False
        if execution.state.paused:
            execution.status = "paused"
            return execution.end(None)
        events = self._run_due_threads()
        while True:
            try:
                event = next(events)
            except StopIteration:
                break
            except RunError as failure:
                error = str(failure)
                event = execution.failed(error)
            is_kept = is_kept or event.is_persisted
            yield event
            while execution.edit_events:
                yield execution.edit_events.popleft()
        execution.state.segments += is_kept
        return execution.end(error)

    def _take_input(self) -> Events:
        execution, thread = self._execution, self._execution.state.main
        if execution.state.turn_number == 0:
            if execution.options.start_events:
                yield self._emitter.stamp(StartWorkflowEvent())
                yield self._emitter.stamp(StartThreadEvent(), thread)
            for note in execution.interpreter.notes:
                yield from self._emitter.warning(note, thread)
        if execution.state.unreported_edits:
            yield from edit_events(execution.state.unreported_edits, execution)
            execution.state.unreported_edits = []
        supplied = execution.log.run_input.messages
        messages = [normal_message(message, message_id=execution.environment.uuid()) for message in supplied]
        if messages:
            thread.pending += messages
            thread.consecutive_conditionals = 0
            for edge in thread.waiting_edges.values():
                edge.transitions = 0
            event = UserMessagesEvent(messages=messages)
            yield self._emitter.stamp(event, thread, execution.config(thread))
        thread.is_waiting = execution.state.paused = False

    def _run_command(self, transfer_to: str | None) -> Iterable[Event]:
        execution, thread = self._execution, self._execution.state.main
        if execution.log.run_input.command == "stop":
            execution.status = "cancelled"
            return ()
        if execution.log.run_input.command == "pause":
            return self._pause(thread)
        if transfer_to is not None:
            return self._transfer(thread, transfer_to)
        return self._run_until_blocked(thread)

    def _close_turn(self) -> Events:
        execution = self._execution
        pair = input_output_pair(execution.run_input, execution.outputs, execution.end_state)
        yield self._emitter.stamp(
            EndWorkflowIterationEvent(
                iteration_number=execution.state.turn_number + 1,
                run_input_output_pair=pair,
                iteration_metrics=execution.meter.metrics(execution.pauses.active_time()),
            )
        )
        yield from execution.closing_events()

    # One thread

    def _run_until_blocked(self, thread: ThreadState) -> Events:
        """Run a thread until it ends, waits or is stopped; forked threads make a first step."""
        while self._execution.goes_on and not (thread.ended or thread.is_waiting or self._is_put_off(thread)):
            yield from self._visit(thread, self._execution.config(thread))
            while self._transitions.forked:
                yield from self._run_until_blocked(self._transitions.forked.pop(0))

    def _pause(self, thread: ThreadState) -> Events:
        """Pause a thread at its node until a turn continues it."""
        config = self._execution.config(thread)
        run_id = str(thread.node_run_ids.get(config.logical_id, 0))
        yield self._emitter.stamp(PauseEvent(), thread, config, run_id)
        yield self._emitter.stamp(PauseThreadEvent(last_node_logical_id=config.logical_id), thread)
        self._execution.status = "paused"
        self._execution.state.paused = True

    def _transfer(self, thread: ThreadState, destination: str) -> Events:
        """Move a thread to a node and continue there (U-48)."""
        here = self._execution.config(thread)
        event = ForceTransferToNodeEvent(destination_node_logical_id=destination)
        yield self._emitter.stamp(event, thread, here, str(thread.node_run_ids.get(here.logical_id, 0)))
        thread.move_to(destination)
        yield from self._run_until_blocked(thread)

    def _run_due_threads(self) -> Events:
        """Run a step of each due companion thread, then evaluate waiting edges."""
        execution = self._execution
        for companion in execution.state.active_companions:
            if execution.goes_on and not self._is_put_off(companion):
                yield from self._run_companion_step(companion)
        moved = False
        for thread in list(execution.state.threads.values()):
            if execution.goes_on:
                moved |= yield from self._evaluate_waiting_edges(thread)
        if execution.cancelled.is_set() and execution.status is None:
            execution.status = "cancelled"
        if moved or not execution.state.active_threads:
            yield from execution.closing_events()

    def _is_put_off(self, thread: ThreadState) -> bool:
        return (
            thread.is_companion
            and thread.due_at is not None
            and self._execution.environment.now() < thread.due_at
        )

    def _visit(self, thread: ThreadState, config: NodeConfig) -> Iterable[Event]:
        """Return the next events at a node; no generator, to save one per event."""
        if config.disabled:
            return self._skip(thread, config)
        node = self._execution.interpreter.node(config)
        if node.unsupported_reason is not None:
            return chain(self._emitter.warning(node.unsupported_reason, thread), self._skip(thread, config))
        if node.waits_for_user and not thread.pending:
            return (self._park(thread, config),)
        if thread.awaits_second_message:
            return self._node_runner.leave(thread, node)
        if self._execution.node_runs >= self._execution.options.max_node_runs:
            return (self._abort(thread),)
        return self._node_runner.run(thread, node)

    def _park(self, thread: ThreadState, config: NodeConfig) -> Event:
        if thread.is_companion:
            raise RunError(
                f"The companion thread {thread.thread_id} has reached node {config.label!r}, which waits for "
                "the user; a companion thread gets no messages.",
                advice="Set wait_for_user_message to false, or keep the node out of the companion thread.",
            )
        thread.is_waiting = True
        run_id = thread.next_run_id(config.logical_id)
        event = self._emitter.stamp(BusyWaitForUserMessageEvent(), thread, config, run_id)
        self._execution.state.hint = event.to_wire()
        return event

    def _abort(self, thread: ThreadState) -> Event:
        self._execution.status = "aborted_looping_risk"
        text = (
            f"{self._execution.node_runs} nodes ran in this turn without the user; the run may loop and was "
            "ended."
        )
        return self._emitter.stamp(WorkflowWarningEvent(warning_message=text), thread)

    def _skip(self, thread: ThreadState, config: NodeConfig) -> Events:
        """Pass a node by its main direct edge, without events (U-1)."""
        onward = self._execution.graph.main_direct(config.logical_id)
        self._execution.node_runs += 1  # a ring of such nodes must meet the looping guard, too
        if onward is not None and self._execution.node_runs <= self._execution.options.max_node_runs:
            thread.position = onward.destination_node_logical_id
            if not is_inside(config, self._execution.config(thread)):  # as by any transition but a return
                thread.return_stack = [
                    caller for caller in thread.return_stack if caller[0] != config.logical_id
                ]
        else:
            yield self._transitions.end_thread(thread, config)

    # Background work

    def _run_companion_step(self, companion: ThreadState) -> Events:
        config, loop = self._execution.config(companion), companion.loop
        deadline = loop.deadline if loop else None
        yield from self._run_until_blocked(companion)
        attempts = loop.attempts if loop else companion.completions.get(config.logical_id, 0)
        boundary = CompanionStepBoundaryEvent(
            companion_thread_id=companion.thread_id,
            attempts_completed=attempts,
            deadline_epoch=deadline,
            still_active=not companion.ended,
        )
        yield self._emitter.stamp(boundary, companion)

    def _evaluate_waiting_edges(self, thread: ThreadState) -> Generator[Event, None, bool]:
        execution, position = self._execution, thread.position
        armed = armed_edges(execution.interpreter.routes, thread, execution.state)
        due = [edge for edge in armed if edge.is_due(execution.environment.now())]
        if not due:
            return False
        node = execution.interpreter.node(execution.config(thread))
        context = execution.context(thread)
        judged, has_moved = 0, False
        for edge in due:
            judged += 1
            memory = mark_evaluated(edge.transition, edge.settings, thread, execution.state)
            is_new = memory.evaluated_at is None
            memory.evaluated_at = execution.environment.now()
            run_id = str(thread.node_run_ids.get(node.config.logical_id, 0))
            decision = yield from self._emitter.relay(
                execution.interpreter.routes.holds(edge.transition, context, tell=is_new),
                thread,
                node.config,
                run_id,
            )
            if decision is not None:
                memory.transitions += 1
                hydrated = execution.interpreter.routes.hydrated(edge.transition, context)
                matched = edge.matched(hydrated, memory.transitions)
                thread.is_waiting, thread.awaits_second_message = False, False
                yield from self._transitions.follow(thread, node, decision, run_id, matched)
                yield from self._run_until_blocked(thread)
                has_moved = True
                break
        boundary = WaitingEvaluationBoundaryEvent(
            parked_node_logical_id=position,
            edges_evaluated=judged,
            transitioned=has_moved,
            still_waiting=thread.is_waiting,
        )
        yield self._emitter.stamp(boundary, thread)
        return has_moved
