"""One turn under way: take the input in, run nodes until the user is needed, close the accounts.

The order of events is that of ``platform/engine.md`` 7.1 and 7.2.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from debugger.engine.accounts import Accounts
from debugger.engine.flags import number, truth
from debugger.engine.history import History
from debugger.engine.nodes.base import Node, NodeContext, Outcome
from debugger.engine.responders.base import Choice
from debugger.engine.retries import (
    OUTCOME,
    begin_attempt,
    delay_event,
    exhausted_event,
    expired_event,
    outcome_of,
    retry_settings,
)
from debugger.engine.routing import (
    Decision,
    Hop,
    choice_of,
    companion_event,
    edge_event,
    escalation_event,
    navigation_event,
)
from debugger.engine.state import BoundedLoop, RunState, ThreadState
from debugger.engine.static_messages import fixed_response, pick_message
from debugger.engine.variables import TurnVariables
from debugger.errors import RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    BusyWaitForUserMessageEvent,
    EndNodeRunEvent,
    EndThreadEvent,
    EndWorkflowEvent,
    EndWorkflowIterationEvent,
    Event,
    NodeEvent,
    PauseEvent,
    PauseThreadEvent,
    StartNodeRunEvent,
    StartThreadEvent,
    StartWorkflowEvent,
    UserMessagesEvent,
    WorkflowErrorEvent,
    WorkflowReadyForInputEvent,
    WorkflowShowStateEvent,
    WorkflowWarningEvent,
    reference_id,
)
from debugger.protocol.messages import normal_message
from debugger.protocol.runs import RunStatus, TurnLog
from debugger.protocol.workflow import EdgeConfig, GuardrailStrikesConfig, NodeConfig, SelfLoopConfig

if TYPE_CHECKING:
    from debugger.engine.interpreter import Interpreter

Events = Generator[Event, None, None]
Result = TypeVar("Result")

_DEFAULT_HOP_LIMIT = 3


@dataclass(frozen=True)
class TurnEnd:
    """How a turn ended, and what is kept of it besides its events."""

    status: RunStatus
    run_input: JsonObject
    """The input as the platform records it: variables merged, the system's added (``wire.md`` 5.2)."""
    outputs: dict[str, list[JsonObject]]
    """``thread_to_node_outputs``."""
    end_state: JsonObject
    """``iteration_end_state_miscellaneous``; its node history is that of this turn, so that the record of a
    long run grows in step with it and not with its square."""
    token_usage: JsonObject
    latency_stats: JsonObject
    hint: JsonObject | None = None
    """The event that says what is waited for."""
    error: str | None = None


@dataclass
class TurnRun:
    """One turn of one run.

    Args:
        interpreter: The workflow and all that is fixed about running it.
        state: What the run remembers; changed here.
        log: The input, and what was said so far.
        given: The input as it goes over the wire.
        history: The chat, for a model.
        cancelled: Set from another thread to end the turn early.
    """

    interpreter: Interpreter
    state: RunState
    log: TurnLog
    given: JsonObject
    history: History
    cancelled: threading.Event
    status: RunStatus | None = field(default=None, init=False)
    """Set once the turn's end is decided by something else than its threads."""
    hint: JsonObject | None = field(default=None, init=False)
    node_runs: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.options, self.world = self.interpreter.options, self.interpreter.world
        self.accounts = Accounts(self.state, self.world.now())
        self.outputs: dict[str, list[JsonObject]] = {}
        self.path: dict[str, list[str]] = {}
        self._warned: set[str] = set()
        self._merge_variables()
        self.variables = TurnVariables(self.interpreter.workflow, self.state, self.options, self.world)
        self.run_input = self._recorded_input()

    def events(self) -> Generator[Event, None, TurnEnd]:
        """The turn's events in order; returns how it ended."""
        command = self.log.run_input.command
        error = None
        try:
            yield from self._take_in()
            if command == "stop":
                self.status = "cancelled"
            elif command == "pause":
                yield from self._pause(self.state.main)
            else:
                yield from self._advance(self.state.main)
        except RunError as failure:
            error = str(failure)
            yield self._fail(error)
        else:
            yield from self._close()
        self.state.turn_number += 1
        return self._end(error)

    # Taking the input in

    def _merge_variables(self) -> None:
        given = self.log.run_input
        self.state.dynamic_variables.update(given.dynamic_variables)
        self.state.runtime_seeds.update(given.runtime_variables)
        for thread in given.thread_to_node_inputs.values():
            for node_input in thread.node_run_inputs:
                self.state.dynamic_variables.update(node_input.dynamic_variables)
                self.state.runtime_seeds.update(node_input.runtime_variables)

    def _recorded_input(self) -> JsonObject:
        recorded = {key: value for key, value in self.given.items() if key != "secret_variables"}
        recorded["dynamic_variables"] = self.variables.evaluated
        echo = self.variables.echo(self.state.turn_number)
        recorded["runtime_variables"] = {**self.log.run_input.runtime_variables, **echo}
        return recorded

    def _take_in(self) -> Events:
        thread = self.state.main
        if self.state.turn_number == 0 and self.options.start_events:
            yield self._stamped(StartWorkflowEvent())
            yield self._stamped(StartThreadEvent(), thread)
        messages = [
            normal_message(message, message_id=self.world.uuid()) for message in self.log.run_input.messages
        ]
        if messages:
            thread.pending += messages
            thread.hops_in_a_row = 0
            event = UserMessagesEvent(messages=messages)
            yield self._stamped(event, thread, self._config(thread))
        thread.parked = False

    def _pause(self, thread: ThreadState) -> Events:
        """Hold the run where it stands, until a turn comes that goes on (``platform/engine.md`` 7.2 (g))."""
        config = self._config(thread)
        run_id = str(thread.node_run_ids.get(config.logical_id, 0))
        yield self._stamped(PauseEvent(), thread, config, run_id)
        yield self._stamped(PauseThreadEvent(last_node_logical_id=config.logical_id), thread)
        self.status = "paused"

    # Running

    def _advance(self, thread: ThreadState) -> Events:
        """Run nodes until the thread ends, parks or is stopped."""
        while not (thread.ended or thread.parked or self.status or self.cancelled.is_set()):
            config = self._config(thread)
            if config.disabled:
                yield from self._skip(thread, config)
            else:
                yield from self._visit(thread, self.interpreter.node(config))
        if self.cancelled.is_set() and self.status is None:
            self.status = "cancelled"

    def _visit(self, thread: ThreadState, node: Node[Any]) -> Events:
        if node.waits_for_user and not thread.pending:
            yield self._park(thread, node.config)
        elif self.node_runs >= self.options.max_node_runs:
            self.status = "aborted_looping_risk"
            text = (
                f"{self.node_runs} nodes ran in this turn without the user; the run may loop and was ended."
            )
            yield self._stamped(WorkflowWarningEvent(warning_message=text), thread)
        else:
            yield from self._run_node(thread, node)

    def _park(self, thread: ThreadState, config: NodeConfig) -> Event:
        thread.parked = True
        run_id = thread.next_run_id(config.logical_id)
        event = self._stamped(BusyWaitForUserMessageEvent(), thread, config, run_id)
        self.hint = event.to_wire()
        return event

    def _skip(self, thread: ThreadState, config: NodeConfig) -> Events:
        """Pass a disabled node by its main direct edge, without a trace (``platform/engine.md`` U-1)."""
        onward = self.interpreter.graph.main_direct(config.logical_id)
        self.node_runs += 1  # a ring of disabled nodes must meet the looping guard, too
        if onward is not None and self.node_runs <= self.options.max_node_runs:
            thread.position = onward.destination_node_logical_id
        else:
            yield self._end_thread(thread, config)

    def _run_node(self, thread: ThreadState, node: Node[Any]) -> Events:
        self.node_runs += 1
        context, offered = self._context(thread, node)
        loop = self._begin_attempt(thread, node.config)
        context.deadline = loop.deadline if loop else None
        companions = self._companions(thread, node.config)
        run_id = thread.next_run_id(node.config.logical_id)
        outcome = yield from self._execute(thread, node, context, run_id)
        if outcome.answered:
            thread.pending = []
        yield from self._run_companions(thread, companions)
        decision = yield from self._pass_on(
            self.interpreter.routes.decide(node, context, outcome, offered), thread, node.config, run_id
        )
        yield from self._warn(context, thread)
        if loop is not None and (decision is None or decision.hop.kind == "self_loop"):
            yield from self._retry(thread, node, context, loop, run_id)
        else:
            yield from self._go(thread, node, decision, run_id)

    def _execute(
        self, thread: ThreadState, node: Node[Any], context: NodeContext, run_id: str
    ) -> Generator[Event, None, Outcome]:
        """One execution of a node, from its start event to the state that it leaves (``engine.md`` 2.0)."""
        config = node.config
        yield self._stamped(StartNodeRunEvent(run_input=node.run_input(context)), thread, config, run_id)
        began = self.world.now()
        outcome = yield from self._pass_on(node.run(context), thread, config, run_id)
        if config.type == "tool_node":
            self.accounts.add_tool_call((self.world.now() - began) * 1000)
        yield from self._warn(context, thread)
        yield self._stamped(self._node_end(thread, config, run_id, outcome), thread, config, run_id)
        yield self._show_state(thread)
        thread.completions[config.logical_id] = thread.completions.get(config.logical_id, 0) + 1
        return outcome

    # Companion edges

    def _companions(
        self, thread: ThreadState, config: NodeConfig
    ) -> list[tuple[EdgeConfig, Node[Any], NodeContext]]:
        """The workers that run beside a node, each with what it hears: the same as the node (3.4, U-21)."""
        graph = self.interpreter.graph
        found = []
        beside = [edge for edge in graph.leaving(config.logical_id) if edge.type == "companion"]
        for edge in beside:
            worker = graph.node(str(edge.destination_node_logical_id))
            if not worker.disabled:
                context = self._plain_context(thread)
                context.heard = list(thread.pending)
                context.history = self.history.as_it_stands()
                found.append((edge, self.interpreter.node(worker), context))
        return found

    def _run_companions(
        self, thread: ThreadState, companions: list[tuple[EdgeConfig, Node[Any], NodeContext]]
    ) -> Events:
        """Run the workers after the node's own answer, so that its conditions see what they found."""
        for edge, node, context in companions:
            if node.waits_for_user and not context.heard:
                continue
            source = self.interpreter.graph.node(str(edge.source_node_logical_id))
            event = companion_event(source, node.config, edge)
            event.stamp(edge_run_id=thread.next_edge_run_id(f"{source.logical_id}:{edge.logical_id}"))
            yield self._stamped(event, thread)
            run_id = thread.next_run_id(node.config.logical_id)
            yield from self._execute(thread, node, context, run_id)

    def _context(self, thread: ThreadState, node: Node[Any]) -> tuple[NodeContext, dict[str, Hop]]:
        """What the node runs with, and the hops that its model may choose, by key."""
        context = self._plain_context(thread)
        offered: dict[str, Hop] = {}
        if node.calls_model and not self._must_answer(thread):
            offered = self.interpreter.routes.choices(node, context)
            context.choices, context.judged = self._by_method(offered, context)
            context.edge_message = lambda choice: self._line_of(offered[choice.edge_id], context)
        return context, offered

    def _by_method(
        self, offered: dict[str, Hop], context: NodeContext
    ) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
        """The hops to choose from, and those that are judged apart."""
        chosen = tuple(choice_of(hop, context) for hop in offered.values() if not hop.judged_apart)
        judged = tuple(choice_of(hop, context) for hop in offered.values() if hop.judged_apart)
        return chosen, judged

    def _plain_context(self, thread: ThreadState) -> NodeContext:
        return NodeContext(
            workflow=self.interpreter.workflow,
            state=self.state,
            thread=thread,
            scope=self.variables.scope(thread),
            responder=self.interpreter.responder,
            history=self.history,
            options=self.options,
            world=self.world,
            cancelled=self.cancelled,
            load_run=self.interpreter.load_run,
        )

    def _config(self, thread: ThreadState) -> NodeConfig:
        return self.interpreter.graph.node(str(thread.position))

    def _must_answer(self, thread: ThreadState) -> bool:
        """Whether the next model call is given no hops, so that hopping cannot go on for ever (3.7)."""
        flags = self.interpreter.workflow.config.miscellaneous
        limit = number(flags.get("consecutive_conditional_edges_max_limit"), _DEFAULT_HOP_LIMIT)
        pinned = truth(
            flags.get("no_consecutive_conditional_edge_after_reverse_conditional_edge_taken"), True
        )
        forced = thread.hops_in_a_row >= limit or (pinned and thread.came_back)
        thread.came_back = False
        if forced:
            thread.hops_in_a_row = 0
        return forced

    # Retrying

    def _begin_attempt(self, thread: ThreadState, config: NodeConfig) -> BoundedLoop | None:
        settings = retry_settings(config)
        if settings is None:
            return None
        loop = begin_attempt(thread, config, settings, self.world)
        if loop.attempts > 1:
            self.node_runs -= 1  # a retry is bounded by its own settings, not by the looping guard
        return loop

    def _retry(
        self, thread: ThreadState, node: Node[Any], context: NodeContext, loop: BoundedLoop, run_id: str
    ) -> Events:
        """Try a node again that led nowhere or, where its bound is met, see whether that leads on."""
        config = node.config
        settings = config.self_loop_config or SelfLoopConfig()
        if loop.deadline is not None and self.world.now() >= loop.deadline:
            yield self._stamped(expired_event(loop, settings), thread, config, run_id)
        outcome = outcome_of(loop, settings, self.world)
        if outcome is None:
            yield self._stamped(delay_event(config, loop, settings), thread)
            self.world.sleep(context.within_time(float(settings.time_between_retries)), self.cancelled)
            if loop.deadline is None or self.world.now() < loop.deadline:
                return
            outcome = "expiry_time"
        thread.runtime_variables[OUTCOME] = outcome
        yield self._stamped(exhausted_event(config, loop, outcome), thread)
        decision = yield from self._pass_on(
            self.interpreter.routes.first_that_holds(node, context), thread, config, run_id
        )
        yield from self._warn(context, thread)
        yield from self._go(thread, node, decision, run_id)

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
        self.outputs.setdefault(thread.thread_id, []).append(output)
        self.path.setdefault(thread.thread_id, []).append(config.logical_id)
        return EndNodeRunEvent(run_output=output)

    # Hopping

    def _go(self, thread: ThreadState, node: Node[Any], decision: Decision | None, run_id: str) -> Events:
        if decision is None:
            yield self._end_thread(thread, node.config)
            return
        hop = decision.hop
        thread.loop = None
        if hop.is_conditional and not decision.chosen_by_model:
            yield from self._speak(hop, thread, run_id)
        if self._is_strike(hop):
            yield from self._escalate(hop, thread, run_id)
            return
        event = edge_event(decision, thread.next_edge_run_id(f"{hop.source.logical_id}:{hop.key}"))
        yield self._stamped(event, thread)
        if hop.kind == "self_loop":
            thread.pending = []
            return
        memo_id = f"nav_msg_{self.world.uuid()}"
        yield self._stamped(navigation_event(hop, memo_id), thread)
        self._move(thread, hop)

    def _is_strike(self, hop: Hop) -> bool:
        """Whether the hop enters a guardrail node once too often (``platform/engine.md`` 3.8, U-27)."""
        if not hop.destination.is_guardrail_node or hop.source.is_guardrail_node:
            return False
        self.state.guardrail_entries += 1
        strikes = self.interpreter.workflow.config.guardrail_strikes_config
        most = strikes.max_guardrail_nodes_before_escalation if strikes else None
        return most is not None and self.state.guardrail_entries >= most

    def _escalate(self, hop: Hop, thread: ThreadState, run_id: str) -> Events:
        """Go to the escalation node instead; without one say the message and end."""
        strikes = self.interpreter.workflow.config.guardrail_strikes_config or GuardrailStrikesConfig()
        graph = self.interpreter.graph
        onward = graph.nodes.get(strikes.escalation_node_logical_id or "")
        entries = self.state.guardrail_entries
        yield self._stamped(escalation_event(hop.source, onward, entries), thread)
        if onward is not None:
            escalation = Hop("escalation", hop.source, onward)
            memo_id = f"nav_msg_{self.world.uuid()}"
            yield self._stamped(navigation_event(escalation, memo_id), thread)
            self._move(thread, escalation)
            return
        if strikes.escalation_message is not None:
            context = self._plain_context(thread)
            said = fixed_response(context.fill(strikes.escalation_message), self.world)
            yield self._stamped(said, thread, hop.source, run_id)
            yield from self._warn(context, thread)
        yield self._end_thread(thread, hop.source)

    def _move(self, thread: ThreadState, hop: Hop) -> None:
        here = hop.source.logical_id
        if hop.kind == "global":
            thread.callers.append((hop.destination.logical_id, here))
        elif hop.kind == "reverse":
            thread.callers.pop()
        elif hop.destination.logical_id != here:
            thread.callers.clear()  # whoever leaves by another way goes back nowhere
        # Kept until a model is asked: what was come back to may be a node that asks none.
        thread.came_back = thread.came_back or hop.kind == "reverse"
        thread.hops_in_a_row = thread.hops_in_a_row + 1 if hop.is_conditional else 0
        thread.position = hop.destination.logical_id

    def _speak(self, hop: Hop, thread: ThreadState, run_id: str) -> Events:
        """Speak the line of an edge whose expression held, after the node's own reply (7.2 (c))."""
        if hop.condition is None or not hop.condition.has_line:
            return
        context = self._plain_context(thread)
        line = self._line_of(hop, context)
        if line is not None:
            yield self._stamped(fixed_response(line, self.world), thread, hop.source, run_id)
        yield from self._warn(context, thread)

    def _line_of(self, hop: Hop, context: NodeContext) -> str | None:
        condition = hop.condition
        if condition is None:
            return None
        if condition.static_messages_config is not None:
            key = f"edge:{hop.source.logical_id}:{hop.key}"
            picked = pick_message(condition.static_messages_config, key, self.state, self.world)
            if picked is not None:
                return context.fill(picked)
        if condition.dynamic_messages_config is not None:
            context.warnings.append(
                f"The edge from {hop.source.label!r} to {hop.destination.label!r} has a line for a model to "
                "write; a stand-in has none, so nothing was said."
            )
        return None

    def _end_thread(self, thread: ThreadState, config: NodeConfig) -> Event:
        thread.ended = True
        return self._stamped(EndThreadEvent(last_node_logical_id=config.logical_id), thread)

    # Closing

    def _close(self) -> Events:
        number = self.state.turn_number + 1
        pair: JsonObject = {
            "run_input": self.run_input,
            "run_output": {"events": [], "thread_to_node_outputs": self.outputs},
            "evaluation": None,
            "iteration_end_state_miscellaneous": self._end_state(),
            "comments": [],
            "ratings": [],
        }
        yield self._stamped(
            EndWorkflowIterationEvent(
                iteration_number=number,
                run_input_output_pair=pair,
                iteration_metrics=self.accounts.metrics(self.world.now()),
            )
        )
        if self.status is None and self.state.main.ended:
            usage, latency = self.accounts.token_usage(), self.accounts.latency_stats()
            yield self._stamped(EndWorkflowEvent(llm_token_usage=usage, llm_latency_stats=latency))
        elif self.status is None:
            yield self._stamped(WorkflowReadyForInputEvent())

    def _fail(self, message: str) -> Event:
        self.status = "failed"
        return self._stamped(
            WorkflowErrorEvent(
                error_message=message,
                llm_token_usage=self.accounts.token_usage(),
                llm_latency_stats=self.accounts.latency_stats(),
            )
        )

    def _end(self, error: str | None) -> TurnEnd:
        by_threads: RunStatus = "completed" if self.state.main.ended else "waiting_for_user_input"
        status = self.status or by_threads
        return TurnEnd(
            status=status,
            run_input=self.run_input,
            outputs=self.outputs,
            end_state=self._end_state(),
            token_usage=self.accounts.token_usage(),
            latency_stats=self.accounts.latency_stats(),
            hint=self.hint if status == "waiting_for_user_input" else None,
            error=error,
        )

    def _end_state(self) -> JsonObject:
        callers = {t.thread_id: t.callers[-1][1] for t in self.state.threads.values() if t.callers}
        return {
            "thread_id_to_nodes_history": self.path,
            "companion_thread_id_to_nodes_history": {},
            "thread_id_to_global_node_previous_node": callers,
            "active_thread_ids": [t.thread_id for t in self.state.threads.values() if not t.ended],
        }

    # Events

    def _pass_on(
        self, events: Generator[Event, None, Result], thread: ThreadState, config: NodeConfig, run_id: str
    ) -> Generator[Event, None, Result]:
        """Pass a node's events on, stamped, and return what the node returns."""
        while True:
            try:
                event = next(events)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            yield self._stamped(event, thread, config, run_id)

    def _stamped(
        self,
        event: Event,
        thread: ThreadState | None = None,
        config: NodeConfig | None = None,
        run_id: str | None = None,
    ) -> Event:
        """Give an event its id, its time, its thread and its node; count it, and keep what was said."""
        stamped = {
            "logical_id": event.logical_id or f"event_{self.world.uuid()}",
            "timestamp": self.world.now(),
        }
        if thread is not None:
            stamped["origin_thread_id"] = thread.thread_id
            stamped["thread_reference_id"] = reference_id(thread.thread_id)
        if config is not None and isinstance(event, NodeEvent):
            stamped["origin_node_logical_id"] = config.logical_id
            stamped["origin_node_name"] = config.name
            stamped["origin_node_run_id"] = run_id
        event.stamp(**stamped)
        self.history.add(event)
        self.accounts.add(event)
        return event

    def _show_state(self, thread: ThreadState) -> Event:
        return self._stamped(
            WorkflowShowStateEvent(
                thread_id=thread.thread_id,
                thread_reference_id=reference_id(thread.thread_id),
                runtime_variables=dict(thread.runtime_variables),
                workflow_runtime_variables=self.variables.shown,
            )
        )

    def _warn(self, context: NodeContext, thread: ThreadState) -> Events:
        """Tell each placeholder that nothing filled once a turn (U-40), and what else the node found odd."""
        texts = [f"No value for {written}; it is left as it is written." for written in context.unresolved]
        for text in [*texts, *context.warnings]:
            if text not in self._warned:
                self._warned.add(text)
                yield self._stamped(WorkflowWarningEvent(warning_message=text), thread)
        context.unresolved.clear()
        context.warnings.clear()
