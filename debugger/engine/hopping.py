"""From one node to the next: the line of an edge, its event and memo, forks, strikes, the end of a thread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from debugger.engine.announcer import Events
from debugger.engine.hop_events import companion_event, edge_event, escalation_event, navigation_event
from debugger.engine.hops import Decision, Hop
from debugger.engine.nodes.base import Node, NodeContext
from debugger.engine.segment import Segment
from debugger.engine.state import ThreadState
from debugger.engine.static_messages import fixed_response, pick_message
from debugger.graph import Graph
from debugger.graph.placement import is_inside
from debugger.protocol.events import EndThreadEvent, Event, WaitingConditionMatchedEvent
from debugger.protocol.workflow import GuardrailStrikesConfig, NodeConfig


class Hopping:
    """Moves the threads of one segment."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._announcer = segment.announcer
        self.forked: list[ThreadState] = []
        """The companion threads that are to make their first step, each to be taken once."""

    def go(
        self,
        thread: ThreadState,
        node: Node[Any],
        decision: Decision | None,
        run_id: str,
        matched: WaitingConditionMatchedEvent | None = None,
    ) -> Events:
        """Follow a decision.

        Args:
            thread: Who moves.
            node: Where it stands.
            decision: Where to; ``None`` ends the thread.
            run_id: The run of the node that the decision follows.
            matched: Tells that the hop's condition came true while the thread waited; it goes out directly
                before the edge's event (``platform/engine.md`` 3.9).
        """
        if decision is None:
            yield self.end_thread(thread, node.config)
            return
        hop = decision.hop
        thread.loop = None
        if hop.is_conditional and not decision.chosen_by_model:
            yield from self._speak(hop, thread, run_id)
        struck = self._is_strike(hop)
        if matched is not None:
            redirected = hop.destination.logical_id if struck else None
            matched.guardrail_redirected_from_logical_id = redirected
            yield self._announcer.stamped(matched, thread)
        if struck:
            yield from self._escalate(hop, thread, run_id)
        else:
            yield from self._follow(decision, thread)

    def end_thread(self, thread: ThreadState, config: NodeConfig) -> Event:
        """End a thread at a node."""
        thread.ended = True
        return self._announcer.stamped(EndThreadEvent(last_node_logical_id=config.logical_id), thread)

    def line_of(self, hop: Hop, context: NodeContext) -> str | None:
        """The fixed line that is spoken as a hop is taken; ``None`` where there is none."""
        condition = hop.condition
        if condition is None:
            return None
        if condition.static_messages_config is not None:
            key = f"edge:{hop.source.logical_id}:{hop.key}"
            segment = self._segment
            picked = pick_message(condition.static_messages_config, key, segment.state, segment.world)
            if picked is not None:
                return context.fill(picked)
        if condition.dynamic_messages_config is not None:
            context.warnings.append(
                f"The edge from {hop.source.label!r} to {hop.destination.label!r} has a line for a model to "
                "write; a stand-in has none, so nothing was said."
            )
        return None

    def _follow(self, decision: Decision, thread: ThreadState) -> Events:
        hop = decision.hop
        if hop.kind == "direct":
            yield from self._fork(hop.source, thread)
        event = edge_event(decision, thread.next_edge_run_id(f"{hop.source.logical_id}:{hop.key}"))
        yield self._announcer.stamped(event, thread)
        if hop.kind == "self_loop":
            thread.pending = []
            return
        yield from self._enter(hop, thread)

    def _enter(self, hop: Hop, thread: ThreadState) -> Events:
        memo_id = f"nav_msg_{self._segment.world.uuid()}"
        yield self._announcer.stamped(navigation_event(hop, memo_id), thread)
        _move(thread, hop, self._segment.graph)

    def _speak(self, hop: Hop, thread: ThreadState, run_id: str) -> Events:
        """Speak the line of an edge whose expression held, after the node's own reply (7.2 (c))."""
        if hop.condition is None or not hop.condition.has_line:
            return
        context = self._segment.context(thread)
        line = self.line_of(hop, context)
        if line is not None:
            said = fixed_response(line, self._segment.world)
            yield self._announcer.stamped(said, thread, hop.source, run_id)
        yield from self._announcer.warnings(context, thread)

    # Forks

    def _fork(self, source: NodeConfig, thread: ThreadState) -> Events:
        """Start a companion thread for each flagged direct edge, before the main one is taken (U-49)."""
        for hop in self._segment.interpreter.routes.forks(source):
            companion = self._companion(thread, hop)
            if companion is None:
                text = (
                    f"The companion thread of the edge from {source.label!r} to {hop.destination.label!r} "
                    "still runs; it was not started a second time."
                )
                yield from self._announcer.warning(text, thread)
                continue
            event = companion_event(source, hop.destination, hop.edge)
            event.edge_run_id = thread.next_edge_run_id(f"{source.logical_id}:{hop.key}")
            yield self._announcer.stamped(event, companion)
            self.forked.append(companion)

    def _companion(self, parent: ThreadState, hop: Hop) -> ThreadState | None:
        """The thread of a fork, at its first node; ``None`` while an earlier one of its id still runs.

        One that has ended makes room: the new one forgets its variables, and goes on counting runs.
        """
        settings = hop.edge.companion_thread_config if hop.edge else None
        named = (settings.thread_id if settings else None) or str(self._segment.world.random_uuid())
        thread_id = f"{parent.thread_id}_companion_{named}"
        threads = self._segment.state.threads
        earlier = threads.get(thread_id)
        if earlier is not None and not earlier.ended:
            return None
        made = ThreadState(thread_id, hop.destination.logical_id, parent=parent.thread_id)
        if earlier is not None:
            made = replace(
                made,
                node_run_ids=earlier.node_run_ids,
                completions=earlier.completions,
                edge_run_ids=earlier.edge_run_ids,
            )
        threads[thread_id] = made
        self._segment.variables.forget(thread_id)
        return made

    # Guardrails

    def _is_strike(self, hop: Hop) -> bool:
        """Whether the hop enters a guardrail node once too often (``platform/engine.md`` 3.8, U-27)."""
        destination = hop.destination
        if not destination.is_guardrail_node or destination.disabled or hop.source.is_guardrail_node:
            return False
        state = self._segment.state
        state.guardrail_entries += 1
        most = self._strikes.max_guardrail_nodes_before_escalation
        return most is not None and state.guardrail_entries >= most

    @property
    def _strikes(self) -> GuardrailStrikesConfig:
        return self._segment.interpreter.workflow.config.guardrail_strikes_config or GuardrailStrikesConfig()

    def _escalate(self, hop: Hop, thread: ThreadState, run_id: str) -> Events:
        """Go to the escalation node instead; without one say the message and end."""
        onward = self._segment.graph.nodes.get(self._strikes.escalation_node_logical_id or "")
        entries = self._segment.state.guardrail_entries
        edge_run_id = thread.next_edge_run_id(f"{hop.source.logical_id}:escalation")
        yield self._announcer.stamped(escalation_event(hop.source, onward, entries, edge_run_id), thread)
        if onward is not None:
            yield from self._enter(Hop("escalation", hop.source, onward), thread)
            return
        if self._strikes.escalation_message is not None:
            context = self._segment.context(thread)
            said = fixed_response(context.fill(self._strikes.escalation_message), self._segment.world)
            yield self._announcer.stamped(said, thread, hop.source, run_id)
            yield from self._announcer.warnings(context, thread)
        yield self.end_thread(thread, hop.source)


def _move(thread: ThreadState, hop: Hop, graph: Graph) -> None:
    here = hop.source.logical_id
    if hop.kind == "global":
        thread.callers.append((hop.destination.logical_id, here))
    elif hop.kind == "reverse":
        thread.callers.pop()
    elif hop.destination.logical_id != here:
        # Whoever leaves by another way goes back nowhere; within a super node one has not left it.
        while thread.callers and not is_inside(graph.node(thread.callers[-1][0]), hop.destination):
            thread.callers.pop()
    # Kept until a model is asked: what was come back to may be a node that asks none.
    thread.came_back = thread.came_back or hop.kind == "reverse"
    thread.hops_in_a_row += hop.is_conditional
    thread.position = hop.destination.logical_id
