"""The order of work in a turn or in background work.

The order of events is that of ``platform.md#turns`` and ``platform.md#event-order``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import chain

from debugger.engine.background_work import armed_edges, mark_evaluated
from debugger.engine.execution import Events, Execution, ExecutionResult, input_output_pair
from debugger.engine.inspection import edit_events
from debugger.engine.mocks.pins_and_faults import InjectedError
from debugger.engine.node_runner import SHORTEST_PAUSE, leave_node, run_node
from debugger.engine.state import ThreadState
from debugger.engine.transitions import end_thread, follow
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
    warning_event,
)
from debugger.protocol.first_turn_keys import input_notes
from debugger.protocol.messages import normal_message
from debugger.protocol.workflow import NodeConfig, SelfLoopConfig

# A segment


def run_turn(execution: Execution, transfer_to: str | None = None) -> Generator[Event, None, ExecutionResult]:
    """Yield the stamped events of a user's turn; return its result.

    A `RunError` becomes an event and the status ``failed``; it is not raised. The state is changed as the
    events are pulled.

    Args:
        execution: The turn.
        transfer_to: A node that the main thread is moved to before it continues.
    """
    thread, command = execution.state.main, execution.log.run_input.command
    work: Iterable[Event] = ()
    if command == "stop":
        execution.status = "cancelled"
    elif command == "pause":
        work = _pause(execution, thread)
    elif transfer_to is not None:
        work = _transfer(execution, thread, transfer_to)
    else:
        work = _run_until_blocked(execution, thread)
    return _run(execution, chain(_take_input(execution), work, _close_turn(execution)), is_turn=True)


def run_background(execution: Execution) -> Generator[Event, None, ExecutionResult]:
    """Yield the events of background work, none where nothing is due.

    Source: ``platform.md#turns`` and ``platform.md#event-order``.
    """
    return _run(execution, _run_due_threads(execution), is_turn=False)


def _run(
    execution: Execution, events: Iterable[Event], *, is_turn: bool
) -> Generator[Event, None, ExecutionResult]:
    """Yield events, each followed by reports of the edits made at it; return the execution's result.

    A `RunError` is not raised: its event is the last, and the result has the message. The number of turns
    grows if ``is_turn``, and that of segments if an event was persisted.
    """
    error, is_recorded = None, False
    try:
        for event in events:
            is_recorded = is_recorded or event.is_persisted
            yield event
            while execution.edit_events:
                yield execution.edit_events.popleft()
    except RunError as failure:
        error, is_recorded = str(failure), True
        yield execution.failed(error, is_faulted=isinstance(failure, InjectedError))
        while execution.edit_events:
            yield execution.edit_events.popleft()
    execution.state.turn_number += is_turn
    execution.state.segments += is_recorded
    return execution.end(error)


def _take_input(execution: Execution) -> Events:
    """Yield the events of a turn's input, and give its messages to the main thread.

    In order: the start events and the workflow's notes (first turn only), warnings of the input, edits made
    between the turns, the messages. The thread waits no longer, and the run is not paused any more.
    """
    thread = execution.state.main
    if execution.state.turn_number == 0:
        if execution.options.start_events:
            yield execution.stamp(StartWorkflowEvent())
            yield execution.stamp(StartThreadEvent(), thread)
        for note in execution.runnable.notes:
            if not execution.is_needless(note):
                yield from execution.warning(note.text, thread)
    for text in input_notes(execution.log.run_input, is_first_turn=execution.state.turn_number == 0):
        yield from execution.warning(text, thread)
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
        yield execution.stamp(event, thread, execution.config(thread))
    thread.is_waiting = execution.state.paused = False


def _close_turn(execution: Execution) -> Events:
    """Yield the event that ends a turn's iteration, with the record and the metrics, then the closing events.

    Where the turn was cancelled and has no status yet, the status is set to ``cancelled`` first.
    """
    if execution.cancelled.is_set() and execution.status is None:
        execution.status = "cancelled"
    pair = input_output_pair(execution.run_input, execution.outputs, execution.end_state)
    yield execution.stamp(
        EndWorkflowIterationEvent(
            iteration_number=execution.state.turn_number + 1,
            run_input_output_pair=pair,
            iteration_metrics=execution.meter.metrics(execution.pauses.active_time()),
        )
    )
    yield from execution.closing_events()


# One thread


def _run_until_blocked(execution: Execution, thread: ThreadState) -> Events:
    """Run the main thread until it is blocked."""
    while execution.is_active and not (thread.ended or thread.is_waiting):
        yield from _visit(execution, thread, execution.config(thread))
        while execution.forked:
            yield from _run_companion(execution, execution.forked.popleft(), is_new=True)


def _pause(execution: Execution, thread: ThreadState) -> Events:
    """Pause a thread at its node until a turn continues it."""
    config = execution.config(thread)
    yield execution.stamp(PauseEvent(), thread, config, thread.run_id(config.logical_id))
    yield execution.stamp(PauseThreadEvent(last_node_logical_id=config.logical_id), thread)
    execution.status = "paused"
    execution.state.paused = True


def _transfer(execution: Execution, thread: ThreadState, destination: str) -> Events:
    """Move a thread to a node and continue there (U-48)."""
    here = execution.config(thread)
    event = ForceTransferToNodeEvent(destination_node_logical_id=destination)
    yield execution.stamp(event, thread, here, thread.run_id(here.logical_id))
    thread.move_to(destination)
    yield from _run_until_blocked(execution, thread)


def _run_due_threads(execution: Execution) -> Events:
    """Run the steps of each companion thread that is due, then evaluate the waiting edges of all threads.

    In a paused run nothing is done, and the status is ``paused``. The closing events come only when an edge
    was followed or no thread is active any more.
    """
    if execution.state.paused:
        execution.status = "paused"
        return
    for companion in execution.state.active_companions:
        yield from _run_companion(execution, companion, is_new=False)
    moved = False
    for thread in list(execution.state.threads.values()):
        if execution.is_active:
            moved |= yield from _evaluate_waiting_edges(execution, thread)
    if execution.cancelled.is_set() and execution.status is None:
        execution.status = "cancelled"
    if moved or not execution.state.active_threads:
        yield from execution.closing_events()


def _is_put_off(execution: Execution, thread: ThreadState) -> bool:
    """Return whether a companion's attempt is not due yet.

    All are due where the clock was set back.
    """
    if thread.due_at is None:
        return False
    config = execution.config(thread)
    settings = config.self_loop_config or SelfLoopConfig()
    longest = max(settings.time_between_retries, SHORTEST_PAUSE)
    return 0 < thread.due_at - execution.environment.time_of(config.logical_id) < longest + 1


def _visit(execution: Execution, thread: ThreadState, config: NodeConfig) -> Iterable[Event]:
    """Return the next events at a node: run it, leave it, skip it, or wait at it for the user.

    It sets the execution's current node. A disabled or unsupported node is skipped, and too many node runs
    end the turn. No generator, to save one per event.

    Raises:
        RunError: The node cannot be used, or it is a companion's and waits for the user.
    """
    execution.current_node = config.logical_id
    if config.disabled:
        return _skip(execution, thread, config)
    node = execution.runnable.node(config)
    if node.unsupported_reason is not None:
        warning = execution.warning(node.unsupported_reason, thread, config.logical_id)
        return chain(warning, _skip(execution, thread, config))
    if node.waits_for_user and not thread.pending:
        return (_park(execution, thread, config),)
    if thread.awaits_second_message:
        return leave_node(execution, thread, node)
    if execution.node_runs >= execution.options.max_node_runs and not _is_bounded_retry(thread, config):
        return (_end_loop(execution, thread, config),)
    return run_node(execution, thread, node)


def _end_loop(execution: Execution, thread: ThreadState, config: NodeConfig) -> Event:
    execution.status = "aborted_looping_risk"
    text = f"{execution.node_runs} nodes ran in this turn without the user; the run may loop and was ended."
    return execution.stamp(warning_event(text, "loop_limit", config.logical_id), thread)


def _is_bounded_retry(thread: ThreadState, config: NodeConfig) -> bool:
    """Return whether a node is tried again, which its own settings bound."""
    loop, settings = thread.loop, config.self_loop_config
    is_retry = loop is not None and loop.node_id == config.logical_id
    return is_retry and settings is not None and settings.is_bounded


def _park(execution: Execution, thread: ThreadState, config: NodeConfig) -> Event:
    """Let a thread wait for the user: return the stamped event, which becomes the run's hint.

    Raises:
        RunError: It is a companion thread, which gets no messages.
    """
    if thread.is_companion:
        raise RunError(
            f"The companion thread {thread.thread_id} has reached node {config.label!r}, which waits for "
            "the user; a companion thread gets no messages.",
            advice="Set wait_for_user_message to false, or keep the node out of the companion thread.",
        )
    thread.is_waiting = True
    run_id = thread.next_run_id(config.logical_id)
    event = execution.stamp(BusyWaitForUserMessageEvent(), thread, config, run_id)
    execution.state.hint = event.to_wire()
    return event


def _skip(execution: Execution, thread: ThreadState, config: NodeConfig) -> Events:
    """Pass a node by its main direct edge, without events (U-1).

    Without such an edge the thread ends; after too many node runs in the turn the run ends with a warning.
    Each skip counts as a node run.
    """
    onward = execution.graph.main_direct(config.logical_id)
    if onward is None:
        yield end_thread(execution, thread, config)
    elif execution.node_runs >= execution.options.max_node_runs:  # a ring of such nodes
        yield _end_loop(execution, thread, config)
    else:
        execution.node_runs += 1
        thread.position = onward.destination_node_logical_id
        if not is_inside(config, execution.config(thread)):  # as by any transition but a return
            thread.return_stack = [caller for caller in thread.return_stack if caller[0] != config.logical_id]


# Background work


def _run_companion(execution: Execution, companion: ThreadState, *, is_new: bool) -> Events:
    """Run the steps of a companion thread that are due, and yield their events.

    A step ends with the thread or where a retry waits for its time, also for none. The first one is a part of
    the turn that forked the thread (``is_new``); a boundary event follows each other one.

    Source: ``platform.md#companion-threads``.
    """
    while execution.is_active and not (companion.ended or _is_put_off(execution, companion)):
        config, loop = execution.config(companion), companion.loop
        deadline = loop.deadline if loop else None
        companion.due_at = None
        while execution.is_active and not companion.ended and companion.due_at is None:
            yield from _visit(execution, companion, execution.config(companion))
        if not is_new:
            boundary = CompanionStepBoundaryEvent(
                companion_thread_id=companion.thread_id,
                attempts_completed=loop.attempts if loop else companion.completions.get(config.logical_id, 0),
                deadline_epoch=deadline,
                still_active=not companion.ended,
            )
            yield execution.stamp(boundary, companion)
        is_new = False


def _evaluate_waiting_edges(execution: Execution, thread: ThreadState) -> Generator[Event, None, bool]:
    """Evaluate the due edges of a waiting thread in order and follow the first that holds.

    Returns whether the thread has moved. Each evaluated edge is marked, so that its interval begins again. A
    boundary event comes last; where no edge is due there are no events.
    """
    position = thread.position
    armed = armed_edges(execution.routes, thread, execution.state)
    due = [edge for edge in armed if edge.is_due(execution.environment)]
    if not due:
        return False
    node = execution.runnable.node(execution.config(thread))
    execution.current_node = position
    context = execution.context(thread)
    judged, has_moved = 0, False
    for edge in due:
        judged += 1
        memory = mark_evaluated(edge.transition, edge.settings, thread, execution.state)
        is_new = memory.evaluated_at is None
        memory.evaluated_at = execution.environment.time_of(edge.transition.key)
        run_id = thread.run_id(node.config.logical_id)
        decision = yield from execution.relay(
            execution.routes.holds(edge.transition, context, tell=is_new),
            context,
            thread,
            node.config,
            run_id,
        )
        if decision is not None:
            memory.transitions += 1
            hydrated = execution.routes.hydrated(edge.transition, context)
            matched = edge.matched(hydrated, memory.transitions)
            thread.is_waiting, thread.awaits_second_message = False, False
            yield from follow(execution, thread, node, decision, run_id, matched)
            yield from _run_until_blocked(execution, thread)
            has_moved = True
            break
    boundary = WaitingEvaluationBoundaryEvent(
        parked_node_logical_id=position,
        edges_evaluated=judged,
        transitioned=has_moved,
        still_waiting=thread.is_waiting,
    )
    yield execution.stamp(boundary, thread)
    return has_moved
