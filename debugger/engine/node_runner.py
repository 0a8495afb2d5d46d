"""Runs of nodes, with companion workers and bounded retries."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Literal

from debugger.engine.background_work import mark_evaluated
from debugger.engine.decision import edge_ends
from debugger.engine.execution import Events, Execution
from debugger.engine.nodes.base import Node, NodeContext, NodeResult
from debugger.engine.routing import choice_of
from debugger.engine.state import BoundedLoop, ThreadState
from debugger.engine.transitions import companion_event, follow
from debugger.errors import RunError
from debugger.protocol.events import (
    TROUBLE,
    EndNodeRunEvent,
    Event,
    NodeExpiredEvent,
    SelfLoopDelayEvent,
    SelfLoopExhaustedEvent,
    StartNodeRunEvent,
)
from debugger.protocol.workflow import EdgeConfig, NodeConfig, SelfLoopConfig
from debugger.telemetry import spans

_OUTCOME = "self_loop_outcome"
"""The variable that says why a loop gave up; absent where one of its conditions came true."""

GaveUp = Literal["max_retries", "expiry_time"]

SHORTEST_PAUSE = 1
"""Seconds between two attempts of a loop that only time ends, once it has made as many as a turn may have
node runs; the shortest pause that an author can set."""


def run_node(execution: Execution, thread: ThreadState, node: Node[Any]) -> Events:
    """Run a node with its companion workers, then leave it, wait at it or retry; yield the stamped events.

    The run counts toward the turn's limit, a retry of a bounded loop does not. Where the loop's time was up
    before its next attempt, the loop ends instead and the node does not run. Pending user messages are
    dropped once the node has replied to them.

    Raises:
        RunError: The node or a transition fails in a way that ends the run.
    """
    thread.due_at = None
    if thread.loop is not None and thread.loop.is_over(execution.environment):
        yield from _give_up(execution, thread, node, thread.loop, "expiry_time")
        return
    execution.node_runs += 1
    context = _context(execution, thread, node)
    loop = _begin_attempt(execution, thread, node.config)
    context.deadline = loop.deadline if loop else None
    workers = _workers(execution, thread, node.config)
    run_id = thread.next_run_id(node.config.logical_id)
    outcome = yield from _execute(execution, thread, node, context, run_id)
    if outcome.replied_to_user:
        thread.pending = []
    if loop is not None and loop.is_over(execution.environment):
        limit = (node.config.self_loop_config or SelfLoopConfig()).expiry_time
        reason = f"the run outlived the loop's expiry_time of {limit} s"
        expired = NodeExpiredEvent(attempt_number=loop.attempts, reason=reason)
        yield execution.stamp(expired, thread, node.config, run_id)
    for worker in workers:
        if not execution.cancelled.is_set():
            yield from _run_worker(execution, thread, *worker)
    waits = node.waits_for_user and not node.loops_to_itself
    lingers = execution.options.linger_after_reply and waits and outcome.chosen is None
    if lingers and outcome.replied_to_user:
        thread.awaits_second_message = True
        return
    yield from _leave(execution, thread, node, context, run_id, loop, outcome)


def leave_node(execution: Execution, thread: ThreadState, node: Node[Any]) -> Events:
    """Leave a node that has awaited a second message (U-3)."""
    thread.awaits_second_message = False
    context = execution.context(thread)
    context.deadline = thread.loop.deadline if thread.loop else None
    run_id = thread.run_id(node.config.logical_id)
    yield from _leave(execution, thread, node, context, run_id, thread.loop)


def _leave(
    execution: Execution,
    thread: ThreadState,
    node: Node[Any],
    context: NodeContext,
    run_id: str,
    loop: BoundedLoop | None,
    outcome: NodeResult | None = None,
) -> Events:
    """Decide where a thread goes after a node and follow it, or retry the node's bounded self-loop.

    No decision ends the thread, unless such a loop retries. The edges that are evaluated during a wait are
    marked as evaluated where the node has just run.

    Args:
        execution: The execution.
        thread: The thread.
        node: The node.
        context: What the node ran with; its warnings are yielded.
        run_id: The id of the node's run.
        loop: The bounded self-loop that the run was an attempt of; ``None`` without one.
        outcome: How the node ran; ``None`` where it ran earlier and waited for a second message.
    """
    execution.current_node = node.config.logical_id  # a worker beside it may have run
    decision = yield from execution.relay(
        execution.routes.decide(node, context, outcome or NodeResult()), context, thread, node.config, run_id
    )
    if outcome is not None:
        for transition, settings in execution.routes.judged_while_waiting(node.config.logical_id):
            mark_evaluated(transition, settings, thread, execution.state)
    yield from execution.warnings(context, thread, node.config.logical_id)
    stays = decision is not None and decision.transition.kind == "self_loop"
    if loop is not None and decision is None:
        yield from _retry(execution, thread, node, context, loop)
    elif loop is not None and stays and loop.is_over(execution.environment):
        yield from _give_up(execution, thread, node, loop, "expiry_time")
    else:  # where it stays for the user's next message, the retries are over
        yield from follow(execution, thread, node, decision, run_id)


def _execute(
    execution: Execution, thread: ThreadState, node: Node[Any], context: NodeContext, run_id: str
) -> Generator[Event, None, NodeResult]:
    """Run a node once, between its start and end event and a state event; record output, path and completion.

    Warnings come before the end event. Returns the node's result.

    Raises:
        RunError: The node failed; its warnings are yielded before, and nothing is recorded.
    """
    config, stamped = node.config, execution.stamp
    execution.current_node = config.logical_id
    execution.interceptor.take_unreported()  # of a call after the last event of another node
    yield stamped(StartNodeRunEvent(run_input=node.run_input(context)), thread, config, run_id)
    started = execution.pauses.active_time()
    run = execution.interceptor.run(node, context)
    run = spans.steps("node", run, node_logical_id=config.logical_id, node_type=config.type)
    outcome: NodeResult | None = None
    while outcome is None:  # not `relay`: every event of a node would pass through one more generator
        try:
            event = next(run)
        except StopIteration as stop:
            outcome = stop.value
        except RunError:
            yield from execution.warnings(context, thread, config.logical_id)
            raise
        else:
            yield stamped(event, thread, config, run_id)
    if node.counts_as_tool_call:
        execution.meter.add_tool_call((execution.pauses.active_time() - started) * 1000)
    yield from execution.warnings(context, thread, config.logical_id)
    output = {
        "events": [],
        "type": config.type,
        "node_logical_id": config.logical_id,
        "node_run_id": run_id,
        **outcome.output,
    }
    execution.outputs.setdefault(thread.thread_id, []).append(output)
    execution.path.setdefault(thread.thread_id, []).append(config.logical_id)
    end = EndNodeRunEvent(run_output=output)
    if context.applied_mocks:
        end.stamp(intervened=list(dict.fromkeys(context.applied_mocks)))
    if output.get("success") is False:
        if outcome.is_reported:
            end.stamp(**{TROUBLE: None})
        elif outcome.is_faulted or context.is_faulted:
            end.stamp(**{TROUBLE: {"faulted": True}})
    yield stamped(end, thread, config, run_id)
    yield execution.state_event(thread)
    thread.completions[config.logical_id] = thread.completions.get(config.logical_id, 0) + 1
    return outcome


# What a node runs with


def _context(execution: Execution, thread: ThreadState, node: Node[Any]) -> NodeContext:
    """Return the context of a node run, with its input; for a node with a model also the transitions.

    None are offered, and no tools, if it must answer; `_must_answer` changes the thread.
    """
    context = execution.context(thread)
    context.node_input = execution.input_of(thread, node.config)
    if not node.calls_model:
        return context
    if _must_answer(execution, thread):
        context.may_call_tools = False
        return context
    context.transitions = offered = execution.routes.choices(node, context)
    together = [each for each in offered.values() if not each.needs_llm_judge]
    apart = [each for each in offered.values() if each.needs_llm_judge]
    context.choices = tuple(choice_of(each, context) for each in together)
    context.llm_judged_choices = tuple(choice_of(each, context) for each in apart)
    return context


def _must_answer(execution: Execution, thread: ThreadState) -> bool:
    """Return whether the next model call gets no tools, so that transitions end.

    It must after too many conditional transitions in a row, or after a return from a global node where the
    workflow says so. The mark of the return is cleared, and the count reset where it must.

    Source: ``platform.md#loop-limits``.
    """
    has_returned, thread.has_just_returned = thread.has_just_returned, False
    forced = thread.consecutive_conditionals >= execution.routes.max_consecutive or (
        has_returned and execution.routes.must_answer_after_return
    )
    if forced:
        thread.consecutive_conditionals = 0
    return forced


# Companion edges


def _workers(
    execution: Execution, thread: ThreadState, config: NodeConfig
) -> list[tuple[EdgeConfig, Node[Any], NodeContext]]:
    """Return the enabled nodes at the ends of a node's companion edges, each with its edge and context.

    A context has the messages pending now, and a chat without later messages.
    """
    graph = execution.graph
    found = []
    for edge in graph.companion(config.logical_id):
        worker = graph.node(str(edge.destination_node_logical_id))
        if not worker.disabled:
            context = execution.context(thread)
            context.node_input = execution.input_of(thread, worker)
            context.messages_override = list(thread.pending)
            context.history = execution.history.without_later_messages()
            found.append((edge, execution.runnable.node(worker), context))
    return found


def _run_worker(
    execution: Execution, thread: ThreadState, edge: EdgeConfig, node: Node[Any], context: NodeContext
) -> Events:
    """Run the node at the end of a companion edge; yield the edge's event, then those of the node.

    Nothing runs where it waits for the user and there is no message; an unsupported one only gives a warning.
    The thread does not move.
    """
    if node.waits_for_user and not context.messages_override:
        return
    if node.unsupported_reason is not None:
        yield from execution.warning(node.unsupported_reason, thread, node.config.logical_id)
        return
    source = execution.graph.node(str(edge.source_node_logical_id))
    event = companion_event(source, node.config, edge)
    event.stamp(edge_run_id=thread.next_edge_run_id(f"{source.logical_id}:{edge.logical_id}"))
    yield execution.stamp(event, thread)
    run_id = thread.next_run_id(node.config.logical_id)
    yield from _execute(execution, thread, node, context, run_id)


# Retrying


def _begin_attempt(execution: Execution, thread: ThreadState, config: NodeConfig) -> BoundedLoop | None:
    """Count an attempt of a node's bounded self-loop and return the loop; ``None`` where it has none (U-6).

    The first attempt starts the loop's clock and removes the outcome of an earlier loop from the variables; a
    further one is taken off the turn's node runs if the node's settings bound it.
    """
    settings, loop = config.self_loop_config, thread.loop
    if settings is None or not settings.enabled:
        return None
    if loop is None or loop.node_id != config.logical_id:
        limit, world = settings.expiry_time, execution.environment
        deadline = None if limit is None else world.time_of(config.logical_id) + limit
        loop = thread.loop = BoundedLoop(config.logical_id, 0, deadline)
        thread.runtime_variables.pop(_OUTCOME, None)
    loop.attempts += 1
    if loop.attempts > 1 and settings.is_bounded:  # a retry is bounded by its own settings
        execution.node_runs -= 1
    return loop


def _retry(
    execution: Execution, thread: ThreadState, node: Node[Any], context: NodeContext, loop: BoundedLoop
) -> Events:
    """Yield the delay before the next attempt of a bounded self-loop and wait, or end the loop by its limits.

    The main thread sleeps here; a companion thread gets the time at which it is due. A loop that only time
    ends pauses at least `SHORTEST_PAUSE` once it has made as many attempts as a turn may have node runs.
    """
    config, world = node.config, execution.environment
    settings = config.self_loop_config or SelfLoopConfig()
    if settings.max_retries is not None and loop.attempts - 1 >= settings.max_retries:
        yield from _give_up(execution, thread, node, loop, "max_retries")
        return
    if loop.is_over(world):
        yield from _give_up(execution, thread, node, loop, "expiry_time")
        return
    pause = float(settings.time_between_retries)
    limit = execution.options.max_node_runs
    if settings.ends_by_time_alone and loop.attempts >= limit and pause < SHORTEST_PAUSE:
        pause = float(SHORTEST_PAUSE)
        if loop.attempts == limit:  # once; each further attempt of a companion thread is a pump of its own
            text = (
                f"Node {config.label!r} made {limit} attempts without a pause; from now on it makes one in "
                f"{SHORTEST_PAUSE} s, until its expiry_time."
            )
            yield from execution.warning(text, thread, config.logical_id)
    delay = SelfLoopDelayEvent(  # also where there is none (U-5)
        **edge_ends(config, config),
        reason=f"Bounded self-loop for node {config.logical_id} waits before attempt {loop.attempts + 1}",
        delay_seconds=pause,
        attempt_number=loop.attempts + 1,
    )
    yield execution.stamp(delay, thread)
    seconds = context.clamp_timeout(pause)
    if thread.is_companion:
        thread.due_at = world.time_of(config.logical_id) + seconds  # the next attempt is a step of its own
    else:
        world.sleep(seconds, execution.cancelled)


def _give_up(
    execution: Execution, thread: ThreadState, node: Node[Any], loop: BoundedLoop, why: GaveUp
) -> Events:
    """End a bounded self-loop by its limit: set the variable of its outcome, and follow what comes next.

    Yields the event of the end, then those of the decision.

    Args:
        execution: The execution.
        thread: The thread.
        node: The node that was retried.
        loop: The loop.
        why: The limit that ended it.
    """
    run_id = thread.run_id(node.config.logical_id)
    context = execution.context(thread)
    thread.runtime_variables[_OUTCOME] = why
    exhausted = SelfLoopExhaustedEvent(
        **edge_ends(node.config, node.config),
        reason=f"Bounded self-loop for node {node.config.logical_id} stopped after {loop.attempts} "
        f"attempt(s): {why}",
        outcome=why,
        total_attempts=loop.attempts,
    )
    yield execution.stamp(exhausted, thread)
    decision = yield from execution.relay(
        execution.routes.decide(node, context, NodeResult()), context, thread, node.config, run_id
    )
    yield from execution.warnings(context, thread, node.config.logical_id)
    yield from follow(execution, thread, node, decision, run_id)
