"""Shared state of one execution: a user's turn or background work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from debugger.engine.emitter import EventEmitter, Events
from debugger.engine.environment import PauseClock, SeededEnvironment
from debugger.engine.history import History
from debugger.engine.nodes.base import NodeContext
from debugger.engine.routing import EdgeSelector, Transition, edge_ends
from debugger.engine.state import RunState, ThreadState, WaitingEdge
from debugger.engine.usage import UsageMeter
from debugger.engine.variables import TurnVariables
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    EndWorkflowEvent,
    Event,
    WaitingConditionMatchedEvent,
    WorkflowErrorEvent,
    WorkflowReadyForInputEvent,
)
from debugger.protocol.runs import RunStatus
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EvaluateWhileWaitingConfig, NodeConfig

if TYPE_CHECKING:
    from debugger.engine.interpreter import Interpreter
    from debugger.engine.mocks.interceptor import Interceptor


@dataclass(slots=True)
class ExecutionResult:
    """The result of an execution besides its events."""

    status: RunStatus
    run_input: JsonObject
    """The input as the platform records it: variables merged, the system's added.

    Source: ``platform.md#run-record``.
    """
    outputs: dict[str, list[JsonObject]]
    """``thread_to_node_outputs``."""
    end_state: JsonObject
    """``iteration_end_state_miscellaneous``; its node history is that of this segment, so that the record of
    a long run grows in step with it and not with its square."""
    token_usage: JsonObject
    latency_stats: JsonObject
    hint: JsonObject | None = None
    """The event that says what is waited for."""
    error: str | None = None
    has_active_companions: bool = False
    has_background_work: bool = False
    """Whether a pump would, now or later, find something to do."""
    next_due: float | None = None
    """Seconds since the epoch at which the next background step is due; ``None`` when nothing is put off."""

    @property
    def pair(self) -> JsonObject:
        """The segment as the record of a run has it."""
        return input_output_pair(self.run_input, self.outputs, self.end_state)


def input_output_pair(
    run_input: JsonObject, outputs: dict[str, list[JsonObject]], end_state: JsonObject
) -> JsonObject:
    """Return an execution as the run's record has it, without its events.

    Source: ``platform.md#run-record``.
    """
    return {
        "run_input": run_input,
        "run_output": {"events": [], "thread_to_node_outputs": outputs},
        "evaluation": None,
        "iteration_end_state_miscellaneous": end_state,
        "comments": [],
        "ratings": [],
    }


@dataclass
class Execution:
    """Shared state of one execution: a user's turn or background work.

    Args:
        interpreter: The workflow and all that is fixed about running it.
        state: What the run remembers; changed here.
        log: The input, and what was said so far.
        wire_input: The input as it goes over the wire.
        history: The chat, for a model.
        cancelled: Set from another thread to end the segment early.
        interceptor: Mocks, faults and manual answers for nodes, tools and models.
    """

    interpreter: Interpreter
    state: RunState
    log: TurnLog
    wire_input: JsonObject
    history: History
    cancelled: threading.Event
    interceptor: Interceptor | None = None
    status: RunStatus | None = field(default=None, init=False)
    """Set once the end is decided by something else than the threads."""
    node_runs: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.options = self.interpreter.options
        self.environment = SeededEnvironment(self.interpreter.environment, self.state.next_seed)
        self.graph = self.interpreter.graph
        self.pauses = PauseClock(self.environment.now)
        self.edit_events: deque[Event] = deque()
        """Report manual edits; their events follow the event at which the edits were made."""
        self.meter = UsageMeter(self.state, self.pauses.active_time())
        self.outbound = self.interpreter.open_gateway()
        self.emitter = EventEmitter(
            self.environment, self.log, self.meter, self.pauses, self.outbound.secrets
        )
        self.outputs: dict[str, list[JsonObject]] = {}
        self.path: dict[str, list[str]] = {}
        self._merge_variables()
        self.variables = TurnVariables(self.interpreter.workflow, self.state, self.options, self.environment)
        self.run_input = {
            **{key: value for key, value in self.wire_input.items() if key != "secret_variables"},
            "dynamic_variables": self.variables.evaluated,
            "runtime_variables": {
                **self.log.run_input.runtime_variables,
                "input_dynamic_variables": self.variables.supplied,
                "all_dynamic_variables": self.variables.evaluated,
                "workflow_invoke_count": self.state.turn_number,
            },
        }
        """The input as the platform records it (``platform.md#framework-variables``)."""

    @property
    def goes_on(self) -> bool:
        """Return whether nothing has ended it yet."""
        return self.status is None and not self.cancelled.is_set()

    def config(self, thread: ThreadState) -> NodeConfig:
        """Return the node at a thread's position."""
        return self.graph.node(str(thread.position))

    def context(self, thread: ThreadState) -> NodeContext:
        """Return the context in which a thread's node runs."""
        return NodeContext(
            workflow=self.interpreter.workflow,
            state=self.state,
            thread=thread,
            scope=self.variables.scope(thread),
            responder=self.interpreter.responder,
            history=self.history,
            options=self.options,
            environment=self.environment,
            cancelled=self.cancelled,
            load_run=self.interpreter.load_run,
            outbound=self.outbound,
            authored=self.interpreter.authored,
            interceptor=self.interceptor,
            pauses=self.pauses,
        )

    def input_of(self, thread: ThreadState, config: NodeConfig) -> JsonObject:
        """Return the input for a node, by its id or type."""
        found = self.log.run_input.thread_to_node_inputs.get(thread.thread_id)
        for node_input in found.node_run_inputs if found else ():
            if node_input.node_logical_id == config.logical_id or (
                node_input.node_logical_id is None and node_input.type == config.type
            ):
                return node_input.model_extra or {}
        return {}

    def end(self, error: str | None) -> ExecutionResult:
        """Return the result, once it has ended."""
        status = self.status
        if status is None:
            ended: RunStatus = "running" if self.state.active_companions else "completed"
            status = ended if self.state.main.ended else "waiting_for_user_input"
        outlook = pending_work(self.interpreter.routes, self.state) if self.status is None else NOTHING_AHEAD
        end = ExecutionResult(
            status=status,
            run_input=self.run_input,
            outputs=self.outputs,
            end_state=self.end_state,
            token_usage=self.meter.token_usage(),
            latency_stats=self.meter.latency_stats(),
            hint=self.state.hint if status == "waiting_for_user_input" else None,
            error=error,
            has_active_companions=outlook.companions,
            has_background_work=outlook.work,
            next_due=outlook.next_due,
        )
        secrets = self.outbound.secrets
        if secrets.can_hide:
            for name in ("run_input", "outputs", "end_state", "error"):
                setattr(end, name, secrets.hide(getattr(end, name)))
        return end

    def failed(self, message: str) -> Event:
        """End it by an error; nothing follows."""
        self.status = "failed"
        return self.emitter.stamp(
            WorkflowErrorEvent(
                error_message=message,
                llm_token_usage=self.meter.token_usage(),
                llm_latency_stats=self.meter.latency_stats(),
            )
        )

    def closing_events(self) -> Events:
        """Yield the final events: the run is over, or waits."""
        active = self.state.active_companions
        if self.status is not None:
            return
        if not self.state.main.ended:
            ids = [thread.thread_id for thread in active]
            yield self.emitter.stamp(WorkflowReadyForInputEvent(active_companion_thread_ids=ids))
        elif not active:
            usage, latency = self.meter.token_usage(), self.meter.latency_stats()
            yield self.emitter.stamp(EndWorkflowEvent(llm_token_usage=usage, llm_latency_stats=latency))

    @cached_property
    def end_state(self) -> JsonObject:
        """Return ``iteration_end_state_miscellaneous`` (``platform.md#state``) with the side effects.

        It is built on the first access, at the end of the segment, and then stays as it is.
        """
        threads = self.state.threads.values()
        companions = {thread.thread_id for thread in threads if thread.is_companion}
        state: JsonObject = {
            "thread_id_to_nodes_history": {t: p for t, p in self.path.items() if t not in companions},
            "companion_thread_id_to_nodes_history": {t: p for t, p in self.path.items() if t in companions},
            "thread_id_to_global_node_previous_node": {
                t.thread_id: t.return_stack[-1][1] for t in threads if t.return_stack
            },
            "active_thread_ids": [t.thread_id for t in threads if not t.ended],
        }
        if self.outbound.ledger:
            state["side_effects"] = self.outbound.ledger
        return state

    def _merge_variables(self) -> None:
        run_input = self.log.run_input
        self.state.dynamic_variables.update(run_input.dynamic_variables)
        self.state.runtime_seeds.update(run_input.runtime_variables)
        for thread in run_input.thread_to_node_inputs.values():
            for node_input in thread.node_run_inputs:
                self.state.dynamic_variables.update(node_input.dynamic_variables)
                self.state.runtime_seeds.update(node_input.runtime_variables)


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

    def is_due(self, now: float) -> bool:
        """Return whether it may be evaluated now."""
        return self.due_at is None or now >= self.due_at

    def matched(self, hydrated: str, transitions: int) -> WaitingConditionMatchedEvent:
        """Return the event of a condition that came true."""
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
    """Yield the armed edges of a waiting thread in the document's order.

    Some may not be due yet.
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
    """Return the background work of a run."""
    companions = state.active_companions
    armed = [edge for thread in state.threads.values() for edge in armed_edges(routes, thread, state)]
    due = [*(thread.due_at for thread in companions), *(edge.due_at for edge in armed)]
    if not due:
        return NOTHING_AHEAD
    put_off = [moment for moment in due if moment is not None]
    return PendingWork(
        bool(companions), work=True, next_due=min(put_off) if len(put_off) == len(due) else None
    )


def note_evaluation(routes: EdgeSelector, thread: ThreadState, node_id: str, state: RunState) -> None:
    """Record the completions that the evaluation of a node's edges has seen."""
    for transition, settings in routes.judged_while_waiting(node_id):
        mark_evaluated(transition, settings, thread, state)


def mark_evaluated(
    transition: Transition, settings: EvaluateWhileWaitingConfig, thread: ThreadState, state: RunState
) -> WaitingEdge:
    """Record the current completions for an edge; return its state."""
    memory = thread.waiting_edges.setdefault(transition.key, WaitingEdge())
    memory.seen = {node_id: state.completions(node_id) for node_id in settings.trigger_node_logical_ids}
    return memory
