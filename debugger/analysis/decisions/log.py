"""The decisions of a run, in the order in which they were made."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from debugger.analysis.decisions.records import DecisionRecord, Outcome
from debugger.analysis.decisions.thread_trace import ThreadTrace
from debugger.analysis.event_fields import field, node_of, text, thread_id_of
from debugger.analysis.fold import EventFold
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.graph.graph import Graph
from debugger.protocol.events import Event
from debugger.protocol.messages import TRANSITION_TOOL_PREFIX
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog


class DecisionLog(EventFold):
    """Every decision of one run, as far as the run has come.

    Args:
        graph: What runs: the author's workflow, or that with its super nodes expanded.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph
        self.forget()

    def forget(self) -> None:
        """Go back to the beginning."""
        self.all: list[DecisionRecord] = []
        self._by_edge: dict[str, list[DecisionRecord]] = {}
        self._hops = 0
        self._threads: dict[str, ThreadTrace] = {}
        self._command = "start"

    def begin(self, turn: TurnLog, place: int) -> None:
        """Take in that a turn has begun."""
        self._command = turn.run_input.command
        for trace in self._threads.values():
            trace.stage = "after_run"

    def take(self, event: Event, index: int, turn: TurnLog) -> None:
        """Take in an event."""
        learn = _LEARN.get(event.type)
        if learn is not None:
            learn(self._trace(event), event, index)
        decide = _DECIDE.get(event.type)
        if decide is not None:
            self._hops += event.type in TRANSITION_TYPES
            decide(self, self._trace(event), event, index, turn.number)

    def of_edge(self, edge_id: str) -> list[DecisionRecord]:
        """The decisions at which an edge was taken, by the author's id of it or the run's."""
        return self._by_edge.get(edge_id, [])

    def of_event(self, index: int | None) -> DecisionRecord | None:
        """The decision that an event belongs to: the one that a node's run led to, else the last one before.

        Args:
            index: The event, counted over the run from 0; ``None`` is the run's end.
        """
        if not self.all or index is None:
            return self.all[-1] if self.all else None
        place = bisect_left(self.all, index, key=lambda record: record.index)
        following = self.all[place] if place < len(self.all) else None
        if following is not None and (following.index == index or _ran_at(following, index)):
            return following
        return self.all[max(place - 1, 0)]

    def _trace(self, event: Event) -> ThreadTrace:
        thread_id = thread_id_of(event) or MAIN_THREAD
        found = self._threads.get(thread_id)
        if found is None:
            found = self._threads[thread_id] = ThreadTrace(self._graph, thread_id)
        return found

    def _keep(
        self, trace: ThreadTrace, event: Event, index: int, turn: int, outcome: Outcome, **told: Any
    ) -> None:
        record = DecisionRecord(
            number=len(self.all) + 1,
            hop_number=self._hops if event.type in TRANSITION_TYPES else None,
            index=index,
            turn_number=turn,
            thread_id=trace.thread_id,
            outcome=outcome,
            stage=told.get("stage", trace.stage),
            source=node_of(event) or trace.node,
            destination=text(event, "destination_node_logical_id"),
            edge_id=text(event, "edge_logical_id"),
            reason=text(event, "reason") or "",
            args=_object(field(event, "args_filled")),
            words=told.get("words", trace.words),
            started=trace.started,
            passed_over=trace.passes_over,
            chosen=tuple(trace.chosen),
            judged=tuple(trace.judged),
            caller=trace.callers[-1] if trace.callers else None,
            must_answer=trace.must_answer,
            attempt=told.get("attempt", 0),
            entries=told.get("entries", 0),
        )
        self.all.append(record)
        own = self._edge_of(record)
        if own is not None:
            self._by_edge.setdefault(own, []).append(record)

    def _edge_of(self, record: DecisionRecord) -> str | None:
        """The id of the edge that was taken; a direct one may be recorded without it."""
        if record.edge_id is not None or record.outcome not in ("direct", "beside"):
            return record.edge_id
        edges = self._graph.leaving(record.source or "")
        fitting = [edge for edge in edges if edge.destination_node_logical_id == record.destination]
        return fitting[0].logical_id.partition("@")[0] if fitting else None

    # What each event decides

    def _hop(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        reason = text(event, "reason") or ""
        is_choice = bool(trace.chosen) or reason.startswith(TRANSITION_TOOL_PREFIX)
        told = {} if trace.words else {"words": _after_call(reason)}
        self._keep(trace, event, index, turn, "model" if is_choice else "condition", **told)
        trace.hop(event, is_conditional=True)

    def _direct(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        self._keep(trace, event, index, turn, "direct")
        trace.hop(event, is_conditional=False)

    def _loop(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        self._keep(trace, event, index, turn, "loop")
        trace.close()

    def _retry(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        attempt = field(event, "attempt_number")
        self._keep(trace, event, index, turn, "retry", attempt=_count(attempt))
        trace.close()

    def _give_up(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        attempts = field(event, "total_attempts")
        self._keep(trace, event, index, turn, "gave_up", attempt=_count(attempts))
        trace.close()
        trace.stage = "after_giving_up"
        trace.node = node_of(event) or trace.node

    def _escalate(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        entries = field(event, "num_guardrail_nodes_entered")
        self._keep(trace, event, index, turn, "escalated", entries=_count(entries))
        trace.hop(event, is_conditional=False)
        trace.is_leaving = text(event, "destination_node_logical_id") is None

    def _beside(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        self._keep(trace, event, index, turn, "beside", stage="after_run", words="")
        trace.run_beside(event)

    def _move(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        self._keep(trace, event, index, turn, "moved", words="")
        trace.move(event)

    def _end(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        if not trace.is_leaving and self._command != "stop":
            self._keep(trace, event, index, turn, "ended")
        trace.end()

    def _fail(self, trace: ThreadTrace, event: Event, index: int, turn: int) -> None:
        """Of an error only where a node had run and its way out was still to be chosen."""
        open_ones = [each for each in self._threads.values() if each.is_open]
        for each in open_ones[-1:]:
            self._keep(each, event, index, turn, "failed", words="")
            each.close()


_Decide = Callable[[DecisionLog, ThreadTrace, Event, int, int], None]
_DECIDE: dict[str, _Decide] = {
    "direct_edge": DecisionLog._direct,
    "conditional_edge": DecisionLog._hop,
    "reverse_conditional_edge": DecisionLog._hop,
    "self_loop_edge": DecisionLog._loop,
    "self_loop_delay": DecisionLog._retry,
    "self_loop_exhausted": DecisionLog._give_up,
    "guardrail_escalation_edge": DecisionLog._escalate,
    "companion_edge": DecisionLog._beside,
    "force_transfer_to_node": DecisionLog._move,
    "end_thread": DecisionLog._end,
    "workflow_error": DecisionLog._fail,
}
_LEARN: dict[str, Callable[[ThreadTrace, Event, int], None]] = {
    "start_node_run": ThreadTrace.start,
    "end_node_run": ThreadTrace.finish,
    "say_llm": ThreadTrace.hear,
    "worker_llm": ThreadTrace.hear,
    "discarded_main_llm": ThreadTrace.hear,
    "condition_evaluator_llm": ThreadTrace.judge,
    "user_messages": ThreadTrace.listen,
    "busy_wait_for_user_message": ThreadTrace.park,
    "waiting_condition_matched": ThreadTrace.match,
}


def _ran_at(record: DecisionRecord, index: int) -> bool:
    return record.started is not None and record.started <= index <= record.index


def _after_call(reason: str) -> str:
    """What follows the called destination in the reason of a hop that a model chose."""
    return reason.partition(" was chosen: ")[2] if reason.startswith(TRANSITION_TOOL_PREFIX) else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
