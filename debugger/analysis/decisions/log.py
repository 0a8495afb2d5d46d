"""The log of a run's decisions, with the traces of its threads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

from debugger.analysis.decisions.records import DecisionRecord, LlmVerdict, Outcome, Stage
from debugger.analysis.event_fields import EventFields, text, values_of
from debugger.analysis.fold import EventFold
from debugger.analysis.node_origins import super_nodes_around
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.graph.candidates import Caller
from debugger.graph.graph import Graph
from debugger.graph.nesting import author_edge_id, is_inside, origin_of
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.messages import TRANSITION_TOOL_PREFIX, message_text
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog


class ThreadTrace:
    """The trace of one thread."""

    def __init__(self, graph: Graph, thread_id: str) -> None:
        """Begin before the first node of the thread."""
        self._graph = graph
        self._limit = graph.workflow.config.max_consecutive_conditional_edges
        self._pinned = graph.workflow.config.must_answer_after_return
        self.thread_id = thread_id
        self.end()

    def end(self) -> None:
        """Forget all of the thread but its id, as another may take it.

        It is then as before its first node.
        """
        self.node: str | None = None
        """The current node."""
        self.callers: list[Caller] = []
        self._next_node: str | None = None
        self._beside: str | None = None
        """The worker that runs beside the current node."""
        self._conditional_in_a_row = 0
        self._came_back = False
        self.is_leaving = False
        """Whether its end has been decided already."""
        self.close()

    def close(self) -> None:
        """Forget what the model said for the decision just made, and that a node has run."""
        self.stage: Stage = "after_run"
        self._has_run = False
        self.started: int | None = None
        self.chosen: list[str] = []
        self.verdicts: list[LlmVerdict] = []
        self.words = ""
        self.must_answer = ""

    @property
    def is_open(self) -> bool:
        """True if a node has run and no edge is chosen."""
        return self._has_run and self._beside is None

    @property
    def is_skipping(self) -> bool:
        """True if it leaves a node that it has not run."""
        return self.started is None and self.stage == "after_run"

    def _is_beside(self, event: EventFields) -> bool:
        return self._beside is not None and event.node == self._beside

    def start(self, event: EventFields, index: int) -> None:
        """Note the start of a node run and its event's index.

        A worker beside the thread's node changes nothing.
        """
        if self._is_beside(event):
            return
        self._skip(event.node)
        self.close()
        self.node, self.started = event.node, index
        self.must_answer = self._must_answer(event.node)

    def finish(self, event: EventFields) -> None:
        """End a node run."""
        if self._is_beside(event):
            self._beside = None
        else:
            self._has_run = True

    def add_reply(self, event: EventFields) -> None:
        """Note the transitions that a model's reply chooses by tool calls, and its reason.

        Replies that were discarded choose none; those of a worker beside are left out.
        """
        if self._is_beside(event):
            return
        for call in values_of(event.event).message.calls:
            if call.name.startswith(TRANSITION_TOOL_PREFIX) and event.type != "discarded_main_llm":
                self.chosen.append(call.name.removeprefix(TRANSITION_TOOL_PREFIX))
                self.words = str(call.args.get("justification") or "")

    def add_verdict(self, event: EventFields) -> None:
        """Note a model's verdict on one condition, with its reason or text.

        Those of a worker beside are left out.
        """
        if self._is_beside(event):
            return
        values = values_of(event.event)
        reasons = (call.args.get("justification") for call in values.message.calls)
        words = next((str(reason) for reason in reasons if reason), "") or message_text(values.message.wire)
        destination = values.destination_node_logical_id or None
        self.verdicts.append(LlmVerdict(destination, values.is_condition_met, words))

    def add_message(self, event: EventFields) -> None:
        """Add a message of the user."""
        self._conditional_in_a_row = 0

    def park(self, event: EventFields) -> None:
        """Wait for the user."""
        self._skip(event.node)
        self.node, self._has_run = event.node or self.node, False

    def match(self, event: EventFields) -> None:
        """Meet a condition while waiting; the transition follows."""
        self.close()
        self.stage = "while_waiting"
        self.node = event.node or self.node

    def follow(self, event: EventFields) -> None:
        """Follow a transition to another node, or to the same one again; without a destination only close.

        It enters and leaves global nodes, and counts conditional transitions in a row.
        """
        source = event.node or self.node
        destination = text(event.event, "destination_node_logical_id")
        self.close()
        if destination is None:
            return
        is_back = event.type == "reverse_conditional_edge"
        # A global node is entered by a condition, and by no edge of the author's.
        is_to_global = event.type == "conditional_edge" and not text(event.event, "edge_logical_id")
        if is_back:
            del self.callers[-1:]
        elif is_to_global and source is not None:
            self.callers.append((destination, source))
        elif destination != source:
            self._leave_global_nodes(destination)
        self._came_back = self._came_back or is_back
        self._conditional_in_a_row += is_back or event.type == "conditional_edge"
        self.node = self._next_node = destination

    def run_beside(self, event: EventFields) -> None:
        """Note a worker that runs beside the thread's node; for any other node begin the thread there."""
        destination = text(event.event, "destination_node_logical_id")
        if self.node is not None and self.node == event.node:
            self._beside = destination
        else:
            self.end()
            self.node = self._next_node = destination

    def move(self, event: EventFields) -> None:
        """Move the thread by a forced transfer."""
        self.callers.clear()
        self.close()
        self.node = self._next_node = text(event.event, "destination_node_logical_id")

    def _leave_global_nodes(self, destination: str) -> None:
        """Drop the callers of the global nodes that the thread leaves."""
        node = self._graph.nodes.get(destination)
        while self.callers:
            entered = self._graph.nodes.get(self.callers[-1][0])
            if entered is not None and node is not None and is_inside(entered, node):
                return
            self.callers.pop()

    def _skip(self, arrived: str | None) -> None:
        """Follow the nodes that the thread passed without running them (U-1)."""
        first, self._next_node = self._next_node, None
        for skipped, arrival in pairwise(self._graph.direct_path(first, arrived) if first else ()):
            node, following = self._graph.nodes.get(skipped), self._graph.nodes.get(arrival)
            if node is None or following is None or not is_inside(node, following):
                self.callers = [caller for caller in self.callers if caller[0] != skipped]

    def _must_answer(self, node: str | None) -> str:
        """Return why the model is offered no edge, to end a sentence; empty if it is, or there is no model.

        For a node with a model the return is forgotten, and the transitions in a row are where there is a
        reason (``platform.md#loop-limits``).
        """
        config = self._graph.nodes.get(node or "")
        if config is None or config.type not in MODEL_NODES:
            return ""
        came_back, self._came_back = self._came_back and self._pinned, False
        if not came_back and self._conditional_in_a_row < self._limit:
            return ""
        count, self._conditional_in_a_row = self._conditional_in_a_row, 0
        if came_back:
            return "the thread had just returned from a global node"
        return f"{count} conditional {'transition' if count == 1 else 'transitions'} were taken in a row"


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
        """Forget all decisions, starts and threads, as before the first turn."""
        self.all: list[DecisionRecord] = []
        self.starts: dict[int, NodeStart] = {}
        """Starts of node runs, by the index of the event that started each."""
        self._transitions = 0
        self._threads: dict[str, ThreadTrace] = {}
        self._command = "start"

    def begin_turn(self, turn: TurnLog) -> None:
        """Begin a turn."""
        self._command = turn.run_input.command
        for trace in self._threads.values():
            trace.stage = "after_run"

    def apply(self, event: EventFields) -> None:
        """Apply an event of one of `TYPES`; add the decision that it records, if any."""
        thread_id = event.thread_id or MAIN_THREAD
        if thread_id not in self._threads:
            self._threads[thread_id] = ThreadTrace(self._graph, thread_id)
        trace = self._threads[thread_id]
        if event.type == "start_node_run":
            trace.start(event, self.event_count)
            host = trace.started if trace.node != event.node else None
            must_answer = "" if host is not None else trace.must_answer
            self.starts[self.event_count] = NodeStart(tuple(trace.callers), must_answer, host)
        elif (observe := _OBSERVE.get(event.type)) is not None:
            observe(trace, event)
        elif (decide := _DECIDE.get(event.type)) is not None:
            decide(self, trace, event)

    def forget(self) -> None:
        """Drop the decisions so far; the threads stay where they are."""
        self.all.clear()
        self.starts.clear()

    def of_edge(self, edge_id: str) -> list[DecisionRecord]:
        """Return the decisions that took an edge, by its id."""
        return [record for record in self.all if self._edge_of(record) == edge_id]

    def find_last_decision(self, index: int | None) -> DecisionRecord | None:
        """Return the last decision up to an event.

        Args:
            index: The index of the event in the run; ``None`` is the run's end.
        """
        place = (
            len(self.all) if index is None else bisect_right(self.all, index, key=lambda record: record.index)
        )
        return self.all[place - 1] if place else None

    def _add(self, trace: ThreadTrace, event: EventFields, outcome: Outcome, **fields: Any) -> None:
        """Append a decision with what its thread has traced; number its transition outside super nodes.

        Args:
            trace: The thread, before it follows the decision.
            event: The event that records it.
            outcome: The outcome.
            fields: Fields of the record that differ from the trace's.
        """
        wire = event.event
        is_counted = event.type in TRANSITION_TYPES and not self._is_inside(event)
        self._transitions += is_counted
        record = DecisionRecord(
            number=len(self.all) + 1,
            transition_number=self._transitions if is_counted else None,
            index=self.event_count,
            turn_number=self.turn.number,
            thread_id=trace.thread_id,
            outcome=outcome,
            stage=fields.get("stage", trace.stage),
            source=event.node or trace.node,
            destination=text(wire, "destination_node_logical_id"),
            edge_id=text(wire, "edge_logical_id"),
            reason=text(wire, "reason") or "",
            args=values_of(wire).args_filled,
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

    def _is_inside(self, event: EventFields) -> bool:
        """Return whether a transition stays inside a super node of the author's graph."""
        destination = text(event.event, "destination_node_logical_id")
        around = self._outermost(event.node)
        leaves = around is None or text(event.event, "super_node_exit_origin") == around
        return not leaves and around == self._outermost(destination)

    def _outermost(self, node_id: str | None) -> str | None:
        node = self._graph.nodes.get(node_id or "")
        around = origin_of(node) if node else super_nodes_around(node_id or "", self._graph.nodes)
        return around[0] if around else None

    def _edge_of(self, record: DecisionRecord) -> str | None:
        """Return the edge's id, ``None`` without one.

        Direct edges may be recorded without it, and are found by their ends.
        """
        if record.edge_id is not None or record.outcome not in ("direct", "beside"):
            return record.edge_id
        main = self._graph.main_direct(record.source or "")
        beside = self._graph.find_outgoing_edges(record.source or "")
        edges = [edge for edge in beside if edge.type == "companion" or edge.forks_companion]
        for edge in edges if record.outcome == "beside" else [main] if main else []:
            if edge.destination_node_logical_id == record.destination:
                return author_edge_id(edge)
        return None

    def _conditional(self, trace: ThreadTrace, event: EventFields) -> None:
        """Add the decision of a condition, or of a model that has chosen, and follow its transition."""
        reason = text(event.event, "reason") or ""
        names_tool = reason.startswith(TRANSITION_TOOL_PREFIX)
        fields = {}
        if not trace.words:
            fields["words"] = reason.partition(" was chosen: ")[2] if names_tool else ""
        self._add(trace, event, "model" if trace.chosen or names_tool else "condition", **fields)
        trace.follow(event)

    def _direct(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "direct")
        trace.follow(event)

    def _loop(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "loop")
        trace.close()

    def _retry(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "retry", attempt=values_of(event.event).attempt_number)
        trace.close()

    def _give_up(self, trace: ThreadTrace, event: EventFields) -> None:
        self._add(trace, event, "gave_up", attempt=values_of(event.event).total_attempts)
        trace.close()
        trace.stage = "after_giving_up"
        trace.node = event.node or trace.node

    def _escalate(self, trace: ThreadTrace, event: EventFields) -> None:
        entries = values_of(event.event).num_guardrail_nodes_entered
        self._add(trace, event, "escalated", entries=entries)
        trace.follow(event)
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
_OBSERVE: dict[str, Callable[[ThreadTrace, EventFields], None]] = {
    "end_node_run": ThreadTrace.finish,
    "say_llm": ThreadTrace.add_reply,
    "worker_llm": ThreadTrace.add_reply,
    "discarded_main_llm": ThreadTrace.add_reply,
    "condition_evaluator_llm": ThreadTrace.add_verdict,
    "user_messages": ThreadTrace.add_message,
    "busy_wait_for_user_message": ThreadTrace.park,
    "waiting_condition_matched": ThreadTrace.match,
}
DecisionLog.TYPES = frozenset({"start_node_run", *_DECIDE, *_OBSERVE})
