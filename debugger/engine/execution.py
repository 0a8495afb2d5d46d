"""The state of one execution, and the stamping of its events."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

from debugger.engine.background_work import NOTHING_AHEAD, pending_work
from debugger.engine.environment import PAUSED_INTERVALS, PauseClock, SeededEnvironment
from debugger.engine.history import SPOKEN, History
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.nodes.base import NodeContext
from debugger.engine.outbound import Gateway
from debugger.engine.outbound.gateway import ANSWERED_BY
from debugger.engine.outbound.masking import mask_body
from debugger.engine.run_notes import RunNote
from debugger.engine.runnable_workflow import RunnableWorkflow
from debugger.engine.state import RunState, ThreadState
from debugger.engine.usage import COUNTED, UsageMeter, run_usage
from debugger.engine.variables import TurnVariables
from debugger.errors import RunError
from debugger.graph.nesting import origin_of
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    TROUBLE,
    EndWorkflowEvent,
    Event,
    NodeEvent,
    WorkflowErrorEvent,
    WorkflowReadyForInputEvent,
    WorkflowShowStateEvent,
    reference_id,
    trouble_mark,
    warning_event,
)
from debugger.protocol.runs import RunStatus
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import NodeConfig

Events = Generator[Event, None, None]
Result = TypeVar("Result")


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
    """Return an execution as the run's record has it: a new object with empty events, comments and ratings.

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
        runnable: The workflow and all that is fixed about running it.
        state: What the run remembers; changed here.
        log: The input, and what was said so far.
        wire_input: The input as it goes over the wire.
        history: The chat, for a model.
        cancelled: Set from another thread to end the segment early.
        outbound: Makes the calls to the outside, behind the interceptor.
        interceptor: Whatever answers in the place of nodes, tools, models and calls.
    """

    runnable: RunnableWorkflow
    state: RunState
    log: TurnLog
    wire_input: JsonObject
    history: History
    cancelled: threading.Event
    outbound: Gateway
    interceptor: Interceptor
    status: RunStatus | None = field(default=None, init=False)
    """Set once the end is decided by something else than the threads."""
    node_runs: int = field(default=0, init=False)
    current_node: str | None = field(default=None, init=False)
    """The node that runs, or whose edges are evaluated, for the error that ends the run."""

    def _make_environment(self) -> SeededEnvironment:
        """Return clock and chance of this execution: those of a recorded turn where one is played."""
        world, seed, recorder = self.runnable.environment, self.state.next_seed, self.interceptor.recorder
        if recorder is None:
            return SeededEnvironment(world, seed)
        masked = mask_body(self.outbound.secrets.mask_value(self.wire_input))
        return recorder.begin_turn(self.log.number, masked, world, seed)

    def __post_init__(self) -> None:
        """Add the input's variables to the state, evaluate the turn's variables, and start the clock."""
        self.options = self.runnable.options
        self.environment = self._make_environment()
        self.graph = self.runnable.graph
        self.routes = self.runnable.routes
        self.pauses = PauseClock(self.environment.now)
        self.edit_events: deque[Event] = deque()
        """Report manual edits; their events follow the event at which the edits were made."""
        self.meter = UsageMeter(self.state, self.pauses.active_time())
        self.outputs: dict[str, list[JsonObject]] = {}
        self.path: dict[str, list[str]] = {}
        self.forked: deque[ThreadState] = deque()
        """The new companion threads that are to make their first step."""
        self._hide = self.outbound.secrets.hide if self.outbound.secrets.can_hide else None
        self._warned: set[str] = set()
        run_input = self.log.run_input
        self.state.dynamic_variables.update(run_input.dynamic_variables)
        self.state.runtime_seeds.update(run_input.runtime_variables)
        for thread in run_input.thread_to_node_inputs.values():
            for node_input in thread.node_run_inputs:
                self.state.dynamic_variables.update(node_input.dynamic_variables)
                self.state.runtime_seeds.update(node_input.runtime_variables)
        self.variables = TurnVariables(self.runnable.workflow, self.state, self.options, self.environment)
        self.run_input = {
            **self.wire_input,
            "dynamic_variables": self.variables.evaluated,
            "runtime_variables": {
                **run_input.runtime_variables,
                "input_dynamic_variables": self.variables.supplied,
                "all_dynamic_variables": self.variables.evaluated,
                "workflow_invoke_count": self.state.turn_number,
            },
        }
        """The input as the platform records it (``platform.md#framework-variables``)."""

    @property
    def is_active(self) -> bool:
        """Return whether nothing has ended it yet."""
        return self.status is None and not self.cancelled.is_set()

    def is_needless(self, note: RunNote) -> bool:
        """Return whether the run has what makes a note needless."""
        has_secret = bool(note.secret) and self.outbound.secrets.get(note.secret) is not None
        return has_secret or (bool(note.variable) and note.variable in self.variables.supplied)

    def config(self, thread: ThreadState) -> NodeConfig:
        """Return the node at a thread's position."""
        return self.graph.node(str(thread.position))

    def context(self, thread: ThreadState) -> NodeContext:
        """Return a new context in which a thread's node runs, without transitions or a node input."""
        return NodeContext(
            workflow=self.runnable.workflow,
            state=self.state,
            thread=thread,
            scope=self.variables.scope(thread),
            model=self.runnable.model,
            history=self.history,
            options=self.options,
            environment=self.environment,
            cancelled=self.cancelled,
            load_run=partial(self._load_run, str(thread.position)),
            outbound=self.outbound,
            authored=self.runnable.authored,
            interceptor=self.interceptor,
            pauses=self.pauses,
        )

    def _load_run(self, node_id: str, run_id: str) -> JsonObject:
        """Return the record of another run, for a node.

        Raises:
            DebuggerError: It cannot be read.
        """
        return self.interceptor.load_run(self.runnable.load_run, run_id, node_id, self.outbound.secrets)

    def input_of(self, thread: ThreadState, config: NodeConfig) -> JsonObject:
        """Return the extra fields of the input for a node; empty where the run input has none for it.

        It is the thread's first node input that names the node's id, or that names no id and the node's type.
        """
        found = self.log.run_input.thread_to_node_inputs.get(thread.thread_id)
        for node_input in found.node_run_inputs if found else ():
            if node_input.node_logical_id == config.logical_id or (
                node_input.node_logical_id is None and node_input.type == config.type
            ):
                return node_input.model_extra or {}
        return {}

    def end(self, error: str | None) -> ExecutionResult:
        """Return the result of the execution, with secrets masked.

        Where no status was set it is ``waiting_for_user_input`` until the main thread has ended, then
        ``running`` as long as a companion thread is active, then ``completed``. Any other status reports no
        background work.

        Args:
            error: The error that ended it; ``None`` where none did.
        """
        status, outlook = self.status, NOTHING_AHEAD
        if status is None:
            outlook = pending_work(self.routes, self.state)
            ended: RunStatus = "running" if outlook.companions else "completed"
            status = ended if self.state.main.ended else "waiting_for_user_input"
        tokens, times = run_usage(self.state)
        end = ExecutionResult(
            status=status,
            run_input=self.run_input,
            outputs=self.outputs,
            end_state=self.end_state,
            token_usage=tokens,
            latency_stats=times,
            hint=self.state.hint if status == "waiting_for_user_input" else None,
            error=error,
            has_active_companions=outlook.companions,
            has_background_work=outlook.work,
            next_due=outlook.next_due,
        )
        if self._hide is not None:
            for name in ("run_input", "outputs", "end_state", "error"):
                setattr(end, name, self._hide(getattr(end, name)))
        return end

    def failed(self, message: str, *, is_faulted: bool = False) -> Event:
        """Set the status to failed, and return the stamped error event with the run's usage."""
        self.status = "failed"
        tokens, times = run_usage(self.state)
        event = WorkflowErrorEvent(error_message=message, llm_token_usage=tokens, llm_latency_stats=times)
        event.stamp(**{TROUBLE: trouble_mark("error", self.current_node, is_faulted=is_faulted)})
        return self.stamp(event)

    def closing_events(self) -> Events:
        """Yield the stamped event that closes a segment, none where a status as failed or paused is set.

        It is ``workflow_ready_for_input`` until the main thread has ended, then ``end_workflow`` once no
        companion thread is active.
        """
        if self.status is not None:
            return
        active = self.state.active_companions
        if not self.state.main.ended:
            ids = [thread.thread_id for thread in active]
            yield self.stamp(WorkflowReadyForInputEvent(active_companion_thread_ids=ids))
        elif not active:
            tokens, times = run_usage(self.state)
            yield self.stamp(EndWorkflowEvent(llm_token_usage=tokens, llm_latency_stats=times))

    @cached_property
    def end_state(self) -> JsonObject:
        """Return ``iteration_end_state_miscellaneous`` (``platform.md#state``) with the side effects.

        It has the node histories of this segment, of companion threads apart, and the active threads. It is
        built on the first access, at the end of the segment, and then stays as it is.
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

    # Events

    def stamp(
        self,
        event: Event,
        thread: ThreadState | None = None,
        config: NodeConfig | None = None,
        run_id: str | None = None,
    ) -> Event:
        """Change an event in place and return it: set its id, unless it has one, its time, thread and node.

        Secrets in its fields are masked. A node's event also gets the answers, and a persisted one the
        pauses, that no event has reported yet. Usage is counted, and messages are added to the current turn's
        log.

        Args:
            event: The event.
            thread: Its thread; ``None`` leaves the event's own.
            config: Its node; used for events of nodes only.
            run_id: The id of the node's run.
        """
        fields = event.fields
        if self._hide is not None:
            fields.update(self._hide(fields))
        fields["logical_id"] = fields["logical_id"] or f"event_{self.environment.uuid()}"
        fields["timestamp"] = self.environment.now()
        if thread is not None:
            fields["origin_thread_id"] = thread.thread_id
            fields["thread_reference_id"] = reference_id(thread.thread_id)
        if config is not None and isinstance(event, NodeEvent):
            fields["origin_node_logical_id"] = config.logical_id
            fields["origin_node_name"] = config.name
            fields["origin_node_run_id"] = run_id
            if origin := origin_of(config):
                fields["super_node_origin"] = list(origin)
            if self.interceptor.unreported:
                fields[ANSWERED_BY] = list(self.interceptor.take_unreported())
        if self.pauses.unreported and event.is_persisted:
            fields[PAUSED_INTERVALS] = self.pauses.take_unreported()
        if fields["type"] in SPOKEN:
            self.log.add(event)
        if fields["type"] in COUNTED:
            self.meter.add(event)
        return event

    def relay(
        self,
        events: Generator[Event, None, Result],
        context: NodeContext,
        thread: ThreadState,
        config: NodeConfig,
        run_id: str,
    ) -> Generator[Event, None, Result]:
        """Yield the events of a generator, stamped, and return what the generator returns.

        Raises:
            RunError: The generator raised it; the context's warnings so far are yielded before.
        """
        while True:
            try:
                event = next(events)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            except RunError:
                yield from self.warnings(context, thread, config.logical_id)
                raise
            yield self.stamp(event, thread, config, run_id)

    def state_event(self, thread: ThreadState) -> Event:
        """Return the stamped event that shows a thread's runtime variables and the workflow's variables."""
        return self.stamp(
            WorkflowShowStateEvent(
                thread_id=thread.thread_id,
                thread_reference_id=reference_id(thread.thread_id),
                runtime_variables=dict(thread.runtime_variables),
                workflow_runtime_variables=self.variables.shown,
            )
        )

    def warnings(self, context: NodeContext, thread: ThreadState, node_id: str) -> Events:
        """Yield a stamped warning for each empty placeholder, node finding and failed answer; clear them.

        They are taken from ``unresolved``, ``warnings`` and ``failures`` of the context. A text is warned of
        once a turn (U-40), but each failed answer has a warning of its own.
        """
        if not context.unresolved and not context.warnings and not context.failures:
            return
        texts = [f"No value for {written}; it is left as it is written." for written in context.unresolved]
        for text in [*texts, *context.warnings]:
            yield from self.warning(text, thread, node_id)
        for kind, text, is_faulted in context.failures:
            yield self.stamp(warning_event(text, kind, node_id, is_faulted=is_faulted), thread)
        context.unresolved.clear()
        context.warnings.clear()
        context.failures.clear()

    def warning(self, text: str, thread: ThreadState, node_id: str | None = None) -> Events:
        """Yield a warning of the configuration, once a turn."""
        if text not in self._warned:
            self._warned.add(text)
            yield self.stamp(warning_event(text, "configuration", node_id), thread)
