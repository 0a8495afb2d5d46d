"""Events on their way out: each is given its id, time, thread and node, counted, and kept if it was said."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from debugger.engine.accounts import Accounts
from debugger.engine.history import History
from debugger.engine.nodes.base import NodeContext
from debugger.engine.state import ThreadState
from debugger.engine.world import World
from debugger.graph.placement import origin_of
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    Event,
    NodeEvent,
    WorkflowShowStateEvent,
    WorkflowWarningEvent,
    reference_id,
)
from debugger.protocol.workflow import NodeConfig

Events = Generator[Event, None, None]
Result = TypeVar("Result")


class Announcer:
    """Stamps the events of one segment of a run."""

    def __init__(self, world: World, history: History, accounts: Accounts) -> None:
        self._world = world
        self._history = history
        self._accounts = accounts
        self._warned: set[str] = set()

    def stamped(
        self,
        event: Event,
        thread: ThreadState | None = None,
        config: NodeConfig | None = None,
        run_id: str | None = None,
    ) -> Event:
        """Give an event its id, its time, its thread and its node; count it, and keep what was said."""
        stamped: JsonObject = {
            "logical_id": event.logical_id or f"event_{self._world.uuid()}",
            "timestamp": self._world.now(),
        }
        if thread is not None:
            stamped["origin_thread_id"] = thread.thread_id
            stamped["thread_reference_id"] = reference_id(thread.thread_id)
        if config is not None and isinstance(event, NodeEvent):
            stamped["origin_node_logical_id"] = config.logical_id
            stamped["origin_node_name"] = config.name
            stamped["origin_node_run_id"] = run_id
            if origin := origin_of(config):
                stamped["super_node_origin"] = list(origin)
        event.stamp(**stamped)
        self._history.add(event)
        self._accounts.add(event)
        return event

    def pass_on(
        self, events: Generator[Event, None, Result], thread: ThreadState, config: NodeConfig, run_id: str
    ) -> Generator[Event, None, Result]:
        """Pass a node's events on, stamped, and return what the node returns."""
        while True:
            try:
                event = next(events)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            yield self.stamped(event, thread, config, run_id)

    def state_of(self, thread: ThreadState, workflow_variables: JsonObject) -> Event:
        """The event that shows a thread's variables as they stand."""
        return self.stamped(
            WorkflowShowStateEvent(
                thread_id=thread.thread_id,
                thread_reference_id=reference_id(thread.thread_id),
                runtime_variables=dict(thread.runtime_variables),
                workflow_runtime_variables=workflow_variables,
            )
        )

    def warnings(self, context: NodeContext, thread: ThreadState) -> Events:
        """Tell each placeholder that nothing filled once a turn (U-40), and what else the node found odd."""
        texts = [f"No value for {written}; it is left as it is written." for written in context.unresolved]
        for text in [*texts, *context.warnings]:
            yield from self.warning(text, thread)
        context.unresolved.clear()
        context.warnings.clear()

    def warning(self, text: str, thread: ThreadState) -> Events:
        """Tell something odd, once a turn."""
        if text not in self._warned:
            self._warned.add(text)
            yield self.stamped(WorkflowWarningEvent(warning_message=text), thread)
