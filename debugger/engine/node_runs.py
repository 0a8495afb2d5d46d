"""One run of a node, with what goes with it: the workers beside it, the choice of the way out, the retry."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from debugger.engine.announcer import Events
from debugger.engine.hop_events import companion_event
from debugger.engine.hopping import Hopping
from debugger.engine.hops import Hop, choice_of
from debugger.engine.nodes.base import Node, NodeContext, Outcome
from debugger.engine.retries import (
    OUTCOME,
    GaveUp,
    begin_attempt,
    delay_event,
    exhausted_event,
    expired_event,
    outcome_of,
    retry_settings,
)
from debugger.engine.segment import Segment
from debugger.engine.state import BoundedLoop, ThreadState
from debugger.engine.waiting import note_evaluation
from debugger.protocol.events import EndNodeRunEvent, Event, StartNodeRunEvent
from debugger.protocol.flags import number, truth
from debugger.protocol.workflow import EdgeConfig, NodeConfig, SelfLoopConfig

_DEFAULT_HOP_LIMIT = 3


class _Worker(NamedTuple):
    """A node at the end of a companion edge, and what it hears: the same as the node it runs beside."""

    edge: EdgeConfig
    node: Node[Any]
    context: NodeContext


class NodeRuns:
    """Runs the nodes of one segment."""

    def __init__(self, segment: Segment, hopping: Hopping) -> None:
        self._segment = segment
        self._announcer = segment.announcer
        self._routes = segment.interpreter.routes
        self._hopping = hopping

    def go_on(self, thread: ThreadState, node: Node[Any]) -> Events:
        """Run a node; of one whose next attempt was put off until its loop's time was up, end the loop."""
        put_off, thread.due_at = thread.due_at is not None, None
        loop = thread.loop
        if put_off and loop is not None and loop.is_over(self._segment.world.now()):
            return self._give_up(thread, node, loop, "expiry_time")
        return self._run(thread, node)

    def _run(self, thread: ThreadState, node: Node[Any]) -> Events:
        """Run a node, then leave it, wait at it or try it again."""
        self._segment.node_runs += 1
        context, offered = self._context(thread, node)
        loop = self._begin_attempt(thread, node.config)
        context.deadline = loop.deadline if loop else None
        workers = self._workers(thread, node.config)
        run_id = thread.next_run_id(node.config.logical_id)
        outcome = yield from self._execute(thread, node, context, run_id)
        if outcome.answered:
            thread.pending = []
        if loop is not None and loop.is_over(self._segment.world.now()):
            expired = expired_event(loop, retry_settings(node.config) or SelfLoopConfig())
            yield self._announcer.stamped(expired, thread, node.config, run_id)
        yield from self._run_workers(thread, workers)
        if self._lingers(node, outcome):
            thread.lingers = True
            return
        decision = yield from self._announcer.pass_on(
            self._routes.decide(node, context, outcome, offered), thread, node.config, run_id
        )
        note_evaluation(self._routes, thread, node.config.logical_id, self._segment.state)
        yield from self._announcer.warnings(context, thread)
        if loop is not None and (decision is None or decision.hop.kind == "self_loop"):
            if decision is not None:
                thread.pending = []
            yield from self._retry(thread, node, context, loop, run_id)
        else:
            yield from self._hopping.go(thread, node, decision, run_id)

    def leave(self, thread: ThreadState, node: Node[Any]) -> Events:
        """Leave a node that has run and waited for the user once more (U-3)."""
        thread.lingers = False
        context = self._segment.context(thread)
        context.deadline = thread.loop.deadline if thread.loop else None
        run_id = str(thread.node_run_ids.get(node.config.logical_id, 0))
        decision = yield from self._announcer.pass_on(
            self._routes.decide(node, context, Outcome(), {}), thread, node.config, run_id
        )
        yield from self._announcer.warnings(context, thread)
        if decision is None and thread.loop is not None:
            yield from self._retry(thread, node, context, thread.loop, run_id)
        else:
            yield from self._hopping.go(thread, node, decision, run_id)

    def _lingers(self, node: Node[Any], outcome: Outcome) -> bool:
        waits = node.waits_for_user and not node.loops_to_itself
        return self._segment.options.linger_after_reply and waits and outcome.answered

    def _execute(
        self, thread: ThreadState, node: Node[Any], context: NodeContext, run_id: str
    ) -> Generator[Event, None, Outcome]:
        """One execution of a node, from its start event to the state that it leaves (``engine.md`` 2.0)."""
        segment, stamped = self._segment, self._announcer.stamped
        config = node.config
        yield stamped(StartNodeRunEvent(run_input=node.run_input(context)), thread, config, run_id)
        began = segment.pauses.active_time()
        run = node.run(context) if context.hand is None else context.hand.run(node, context)
        outcome: Outcome | None = None
        while outcome is None:  # not `pass_on`: every event of a node would pass through one more generator
            try:
                event = next(run)
            except StopIteration as stop:
                outcome = stop.value
            else:
                yield stamped(event, thread, config, run_id)
        if node.counts_as_tool_call:
            segment.accounts.add_tool_call((segment.pauses.active_time() - began) * 1000)
        yield from self._announcer.warnings(context, thread)
        end = self._node_end(thread, config, run_id, outcome)
        if context.intervened:
            end.stamp(intervened=list(dict.fromkeys(context.intervened)))
        yield stamped(end, thread, config, run_id)
        yield self._announcer.state_of(thread, segment.variables.shown)
        thread.completions[config.logical_id] = thread.completions.get(config.logical_id, 0) + 1
        return outcome

    def _node_end(
        self, thread: ThreadState, config: NodeConfig, run_id: str, outcome: Outcome
    ) -> EndNodeRunEvent:
        output = {
            "events": [],
            "type": config.type,
            "node_logical_id": config.logical_id,
            "node_run_id": run_id,
            **outcome.output,
        }
        self._segment.outputs.setdefault(thread.thread_id, []).append(output)
        self._segment.path.setdefault(thread.thread_id, []).append(config.logical_id)
        return EndNodeRunEvent(run_output=output)

    # What a node runs with

    def _context(self, thread: ThreadState, node: Node[Any]) -> tuple[NodeContext, dict[str, Hop]]:
        """What the node runs with, and the hops that its model may choose, by key."""
        context = self._segment.context(thread)
        context.given = self._segment.input_of(thread, node.config)
        if not node.calls_model:
            return context, {}
        if self._must_answer(thread):
            context.may_call_tools = False
            return context, {}
        offered = self._routes.choices(node, context)
        if not offered:
            return context, {}
        context.choices = tuple(choice_of(hop, context) for hop in offered.values() if not hop.judged_apart)
        context.judged = tuple(choice_of(hop, context) for hop in offered.values() if hop.judged_apart)
        context.edge_message = lambda choice, context: self._hopping.line_of(offered[choice.edge_id], context)
        return context, offered

    def _must_answer(self, thread: ThreadState) -> bool:
        """Whether the next model call is given no tools, so that hopping cannot go on for ever (3.7)."""
        flags = self._segment.interpreter.workflow.config.miscellaneous
        limit = number(flags.get("consecutive_conditional_edges_max_limit"), _DEFAULT_HOP_LIMIT)
        pinned = thread.came_back and truth(
            flags.get("no_consecutive_conditional_edge_after_reverse_conditional_edge_taken"), True
        )
        forced = thread.hops_in_a_row >= limit or pinned
        thread.came_back = False
        if forced:
            thread.hops_in_a_row = 0
        return forced

    # Companion edges

    def _workers(self, thread: ThreadState, config: NodeConfig) -> list[_Worker]:
        """The workers that run beside a node (``platform/engine.md`` 3.4, U-21)."""
        graph = self._segment.graph
        found = []
        for edge in graph.companion(config.logical_id):
            worker = graph.node(str(edge.destination_node_logical_id))
            if not worker.disabled:
                context = self._segment.context(thread)
                context.given = self._segment.input_of(thread, worker)
                context.heard = list(thread.pending)
                context.history = self._segment.history.as_it_stands()
                found.append(_Worker(edge, self._segment.interpreter.node(worker), context))
        return found

    def _run_workers(self, thread: ThreadState, workers: list[_Worker]) -> Events:
        """Run the workers after the node's own answer, so that its conditions see what they found."""
        for edge, node, context in workers:
            if node.waits_for_user and not context.heard:
                continue
            if node.opaque_because is not None:
                yield from self._announcer.warning(node.opaque_because, thread)
                continue
            source = self._segment.graph.node(str(edge.source_node_logical_id))
            event = companion_event(source, node.config, edge)
            event.edge_run_id = thread.next_edge_run_id(f"{source.logical_id}:{edge.logical_id}")
            yield self._announcer.stamped(event, thread)
            run_id = thread.next_run_id(node.config.logical_id)
            yield from self._execute(thread, node, context, run_id)

    # Retrying

    def _begin_attempt(self, thread: ThreadState, config: NodeConfig) -> BoundedLoop | None:
        settings = retry_settings(config)
        if settings is None:
            return None
        loop = begin_attempt(thread, config, settings, self._segment.world)
        if 1 < loop.attempts <= self._segment.options.max_node_runs:
            # A retry is bounded by its own settings, unless it spins until its time is up.
            self._segment.node_runs -= 1
        return loop

    def _retry(
        self, thread: ThreadState, node: Node[Any], context: NodeContext, loop: BoundedLoop, run_id: str
    ) -> Events:
        """Try a node again that led nowhere or, where its bound is met, see whether that leads on."""
        config, world, stamped = node.config, self._segment.world, self._announcer.stamped
        settings = config.self_loop_config or SelfLoopConfig()
        outcome = outcome_of(loop, settings, world)
        if outcome is not None:
            yield from self._give_up(thread, node, loop, outcome)
            return
        yield stamped(delay_event(config, loop, settings), thread)
        seconds = context.within_time(float(settings.time_between_retries))
        if seconds > 0:
            thread.due_at = world.now() + seconds
        if not thread.is_companion:  # one of those is left until a pump finds it due
            world.sleep(seconds, self._segment.cancelled)

    def _give_up(self, thread: ThreadState, node: Node[Any], loop: BoundedLoop, why: GaveUp) -> Events:
        """End a bounded loop; a condition that now holds still leads on."""
        run_id = str(thread.node_run_ids.get(node.config.logical_id, 0))
        context = self._segment.context(thread)
        thread.runtime_variables[OUTCOME] = why
        yield self._announcer.stamped(exhausted_event(node.config, loop, why), thread)
        decision = yield from self._announcer.pass_on(
            self._routes.first_that_holds(node, context), thread, node.config, run_id
        )
        yield from self._announcer.warnings(context, thread)
        yield from self._hopping.go(thread, node, decision, run_id)
