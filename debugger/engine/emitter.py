"""Stamping of events before they leave the engine."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from debugger.engine.environment import PAUSED_INTERVALS, Environment, PauseClock
from debugger.engine.history import SPOKEN
from debugger.engine.nodes.base import NodeContext
from debugger.engine.outbound import Secrets
from debugger.engine.state import ThreadState
from debugger.engine.usage import COUNTED, UsageMeter
from debugger.graph.nesting import origin_of
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    Event,
    NodeEvent,
    WorkflowShowStateEvent,
    WorkflowWarningEvent,
    reference_id,
)
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import NodeConfig

Events = Generator[Event, None, None]
Result = TypeVar("Result")


class EventEmitter:
    """The stamp of one execution's events."""

    def __init__(
        self, environment: Environment, log: TurnLog, meter: UsageMeter, pauses: PauseClock, secrets: Secrets
    ) -> None:
        self._hide = secrets.hide if secrets.can_hide else None
        self._now, self._uuid = environment.now, environment.uuid
        self._log = log
        self._meter = meter
        self._pauses = pauses
        self._warned: set[str] = set()

    def stamp(
        self,
        event: Event,
        thread: ThreadState | None = None,
        config: NodeConfig | None = None,
        run_id: str | None = None,
    ) -> Event:
        """Stamp an event with its id, time, thread and node.

        Secrets are masked, the usage is counted, and messages are added to the current turn's log.
        """
        fields = event.fields
        if self._hide is not None:
            fields.update(self._hide(fields))
        fields["logical_id"] = fields["logical_id"] or f"event_{self._uuid()}"
        fields["timestamp"] = self._now()
        if thread is not None:
            fields["origin_thread_id"] = thread.thread_id
            fields["thread_reference_id"] = reference_id(thread.thread_id)
        if config is not None and isinstance(event, NodeEvent):
            fields["origin_node_logical_id"] = config.logical_id
            fields["origin_node_name"] = config.name
            fields["origin_node_run_id"] = run_id
            if origin := origin_of(config):
                fields["super_node_origin"] = list(origin)
        if self._pauses.unreported and event.is_persisted:
            fields[PAUSED_INTERVALS] = self._pauses.take_unreported()
        if fields["type"] in SPOKEN:
            self._log.add(event)
        if fields["type"] in COUNTED:
            self._meter.add(event)
        return event

    def relay(
        self, events: Generator[Event, None, Result], thread: ThreadState, config: NodeConfig, run_id: str
    ) -> Generator[Event, None, Result]:
        """Pass events on, stamped, and return what their generator returns."""
        while True:
            try:
                event = next(events)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            yield self.stamp(event, thread, config, run_id)

    def make_state_event(self, thread: ThreadState, workflow_variables: JsonObject) -> Event:
        """Return the stamped event of a thread's and the workflow's variables."""
        return self.stamp(
            WorkflowShowStateEvent(
                thread_id=thread.thread_id,
                thread_reference_id=reference_id(thread.thread_id),
                runtime_variables=dict(thread.runtime_variables),
                workflow_runtime_variables=workflow_variables,
            )
        )

    def warnings(self, context: NodeContext, thread: ThreadState) -> Events:
        """Yield a warning for each empty placeholder and node finding.

        A placeholder is warned of once a turn (U-40).
        """
        if not context.unresolved and not context.warnings:
            return
        texts = [f"No value for {written}; it is left as it is written." for written in context.unresolved]
        for text in [*texts, *context.warnings]:
            yield from self.warning(text, thread)
        context.unresolved.clear()
        context.warnings.clear()

    def warning(self, text: str, thread: ThreadState) -> Events:
        """Yield a warning, once a turn."""
        if text not in self._warned:
            self._warned.add(text)
            yield self.stamp(WorkflowWarningEvent(warning_message=text), thread)
