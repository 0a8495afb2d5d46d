"""The log of a run's decisions, in order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, NamedTuple

from debugger.analysis.decisions.records import DecisionRecord, Outcome
from debugger.analysis.decisions.thread_trace import ThreadTrace
from debugger.analysis.event_fields import EventFields, as_object, field, text
from debugger.analysis.fold import EventFold
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.graph.candidates import Caller
from debugger.graph.graph import Graph
from debugger.protocol.messages import TRANSITION_TOOL_PREFIX
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog


class NodeStart(NamedTuple):
    """The data that the offers of a node run depend on."""

    callers: tuple[Caller, ...]
    """The stack of returns from global nodes, innermost last."""
    must_answer: str
    """The reason why its model was offered no edge; empty if it was."""
    host: int | None
    """The event that started the node run that it ran beside; ``None`` where it ran alone."""


class DecisionLog(EventFold):
    """Every decision of one run.

    Args:
        graph: The workflow that runs, as its author drew it or with its super nodes expanded.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph
        self.reset()

    def reset(self) -> None:
        """Return to the state before the first turn."""
        self.all: list[DecisionRecord] = []
        self.starts: dict[int, NodeStart] = {}
        """Starts of node runs, by the index of the event that started each."""
        self._by_edge: dict[str, list[DecisionRecord]] = {}
        self._transitions = 0
        self._threads: dict[str, ThreadTrace] = {}
        self._command = "start"

    def begin_turn(self, turn: TurnLog) -> None:
        """Begin a turn."""
        self._command = turn.run_input.command
        for trace in self._threads.values():
            trace.stage = "after_run"

    def apply(self, event: EventFields) -> None:
        """Apply an event of one of `TYPES`."""
        trace = self._trace(event)
        observe = _OBSERVE.get(event.type)
        if observe is not None:
            observe(trace, event, self.event_count)
            if event.type == "start_node_run":
                host = trace.started if trace.node != event.node else None
                must_answer = "" if host is not None else trace.must_answer
                self.starts[self.event_count] = NodeStart(tuple(trace.callers), must_answer, host)
        decide = _DECIDE.get(event.type)
        if decide is not None:
            self._transitions += event.type in TRANSITION_TYPES
            decide(self, trace, event)

    def forget(self) -> None:
        """Drop the decisions so far; the threads stay where they are."""
        self.all.clear()
        self.starts.clear()
        self._by_edge.clear()

    def of_edge(self, edge_id: str) -> list[DecisionRecord]:
        """Return the decisions that took an edge, by its id."""
        return self._by_edge.get(edge_id, [])

    def find_last_decision(self, index: int | None) -> DecisionRecord | None:
        """Return the last decision up to an event.

        Args:
            index: The index of the event in the run; ``None`` is the run's end.
        """
        place = (
            len(self.all) if index is None else bisect_right(self.all, index, key=lambda record: record.index)
        )
        return self.all[place - 1] if place else None

    def _trace(self, event: EventFields) -> ThreadTrace:
        thread_id = event.thread_id or MAIN_THREAD
        trace = self._threads.get(thread_id)
        if trace is None:
            trace = self._threads[thread_id] = ThreadTrace(self._graph, thread_id)
        return trace

    def _add(self, trace: ThreadTrace, event: EventFields, outcome: Outcome, **fields: Any) -> None:
        wire = event.event
        record = DecisionRecord(
            number=len(self.all) + 1,
            transition_number=self._transitions if event.type in TRANSITION_TYPES else None,
            index=self.event_count,
            turn_number=self.turn.number,
            thread_id=trace.thread_id,
            outcome=outcome,
            stage=fields.get("stage", trace.stage),
            source=event.node or trace.node,
            destination=text(wire, "destination_node_logical_id"),
            edge_id=text(wire, "edge_logical_id"),
            reason=text(wire, "reason") or "",
            args=as_object(field(wire, "args_filled")),
            words=fields.get("words", trace.words),
            started=trace.started,
            is_skipped=trace.is_skipping,
            chosen=tuple(trace.chosen),
            verdicts=tuple(trace.verdicts),
            caller=trace.callers[-1] if trace.callers else None,
            must_answer=trace.must_answer,
            attempt=fields.get("attempt", 0),
            entries=fields.get("entries", 0),
        )
        self.all.append(record)
        edge_id = self._edge_of(record)
        if edge_id is not None:
            self._by_edge.setdefault(edge_id, []).append(record)

    def _edge_of(self, record: DecisionRecord) -> str | None:
        """Return the edge's id; direct edges may be recorded without it."""
        if record.edge_id is not None or record.outcome not in ("direct", "beside"):
            return record.edge_id
        for edge in self._graph.find_outgoing_edges(record.source or ""):
            if edge.destination_node_logical_id == record.destination:
                return edge.logical_id.partition("@")[0]
        return None

    def _conditional(self, trace: ThreadTrace, event: EventFields) -> None:
        reason = text(event.event, "reason") or ""
        names_tool = reason.startswith(TRANSITION_TOOL_PREFIX)
        fields = {}
        if not trace.words:
            fields["words"] = reason.partition(" was chosen: ")[2] if names_tool else ""
        self._add(trace, event, "model" if trace.chosen or names_tool else "condition", **fields)
        trace.follow(event, is_conditional=True)

    def _direct(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "direct")
        trace.follow(event, is_conditional=False)

    def _loop(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "loop")
        trace.close()

    def _retry(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "retry", attempt=_count(event, "attempt_number"))
        trace.close()

    def _give_up(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "gave_up", attempt=_count(event, "total_attempts"))
        trace.close()
        trace.stage = "after_giving_up"
        trace.node = event.node or trace.node

    def _escalate(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "escalated", entries=_count(event, "num_guardrail_nodes_entered"))
        trace.follow(event, is_conditional=False)
        trace.is_leaving = text(event.event, "destination_node_logical_id") is None

    def _beside(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "beside", stage="after_run", words="")
        trace.run_beside(event)

    def _move(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "moved", words="")
        trace.move(event)

    def _end(self, trace: ThreadTrace, event: EventFields) -> None:
        if not trace.is_leaving and self._command != "stop":
            self._add(trace, event, "ended")
        trace.end()

    def _fail(self, trace: ThreadTrace, event: EventFields) -> None:
        """Record an error after a node run without a chosen edge."""
        for open_trace in [each for each in self._threads.values() if each.is_open][-1:]:
            self._add(open_trace, event, "failed", words="")
            open_trace.close()


_DECIDE: dict[str, Callable[[DecisionLog, ThreadTrace, EventFields], None]] = {
    "direct_edge": DecisionLog._direct,
    "conditional_edge": DecisionLog._conditional,
    "reverse_conditional_edge": DecisionLog._conditional,
    "self_loop_edge": DecisionLog._loop,
    "self_loop_delay": DecisionLog._retry,
    "self_loop_exhausted": DecisionLog._give_up,
    "guardrail_escalation_edge": DecisionLog._escalate,
    "companion_edge": DecisionLog._beside,
    "force_transfer_to_node": DecisionLog._move,
    "end_thread": DecisionLog._end,
    "workflow_error": DecisionLog._fail,
}
_OBSERVE: dict[str, Callable[[ThreadTrace, EventFields, int], None]] = {
    "start_node_run": ThreadTrace.start,
    "end_node_run": ThreadTrace.finish,
    "say_llm": ThreadTrace.add_reply,
    "worker_llm": ThreadTrace.add_reply,
    "discarded_main_llm": ThreadTrace.add_reply,
    "condition_evaluator_llm": ThreadTrace.add_verdict,
    "user_messages": ThreadTrace.add_message,
    "busy_wait_for_user_message": ThreadTrace.park,
    "waiting_condition_matched": ThreadTrace.match,
}
DecisionLog.TYPES = frozenset({*_DECIDE, *_OBSERVE})


def _count(event: EventFields, name: str) -> int:
    value = field(event.event, name)
    return value if isinstance(value, int) else 0
