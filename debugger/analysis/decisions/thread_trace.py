"""One thread, followed through its events, as far as its next decision depends on what was before."""

from __future__ import annotations

from typing import Any

from debugger.analysis.decisions.candidates import Caller
from debugger.analysis.decisions.records import LlmVerdict, Stage
from debugger.analysis.event_fields import field, node_of, text
from debugger.graph.checks.context import LLM_FLAGS
from debugger.graph.graph import Graph
from debugger.graph.nesting import is_inside
from debugger.protocol.events import Event
from debugger.protocol.messages import TRANSITION_TOOL_PREFIX, message_text


class ThreadTrace:
    """One thread.

    Args:
        graph: What runs.
        thread_id: The thread's internal id.
    """

    def __init__(self, graph: Graph, thread_id: str) -> None:
        self._graph = graph
        self._limit = graph.workflow.config.max_consecutive_conditional_edges
        self._pinned = graph.workflow.config.must_answer_after_return
        self.thread_id = thread_id
        self.end()

    def end(self) -> None:
        """The thread is over; another may take its id."""
        self.node: str | None = None
        """Where it stands."""
        self.callers: list[Caller] = []
        self._ahead: str | None = None
        self._beside: str | None = None
        self._in_a_row = 0
        self._came_back = False
        self.is_leaving = False
        """Whether its end was decided already."""
        self.close()

    def close(self) -> None:
        """A decision was made: what the model said counted for that one."""
        self.stage: Stage = "after_run"
        self._has_run = False
        self.started: int | None = None
        self.chosen: list[str] = []
        self.judged: list[LlmVerdict] = []
        self.words = ""
        self.must_answer = ""

    @property
    def is_open(self) -> bool:
        """Whether a node has run, with what runs beside it, and its way out is still to be chosen."""
        return self._has_run and self._beside is None

    @property
    def passes_over(self) -> bool:
        """Whether it goes on from a node without a run of it."""
        return self.started is None and self.stage == "after_run"

    # What is learnt

    def start(self, event: Event, index: int) -> None:
        """A node begins to run."""
        node = node_of(event)
        if node is not None and node == self._beside:
            return
        self._pass_over(node)
        self.close()
        self.node, self.started = node, index
        self.must_answer = self._must_answer(node)

    def finish(self, event: Event, index: int) -> None:
        """A node has run."""
        node = node_of(event)
        if node is not None and node == self._beside:
            self._beside = None
        else:
            self._has_run = True

    def hear(self, event: Event, index: int) -> None:
        """A model says something; a hop that it chooses is a call of a tool."""
        if node_of(event) == self._beside:
            return
        message = _object(field(event, "message"))
        for call in message.get("tool_calls") or ():
            name, args = str(call.get("name") or ""), _object(call.get("args"))
            if name.startswith(TRANSITION_TOOL_PREFIX) and event.type != "discarded_main_llm":
                self.chosen.append(name.removeprefix(TRANSITION_TOOL_PREFIX))
                self.words = str(args.get("justification") or "")

    def judge(self, event: Event, index: int) -> None:
        """A model was asked about one condition."""
        if node_of(event) == self._beside:
            return
        message = _object(field(event, "message"))
        args = [_object(call.get("args")) for call in message.get("tool_calls") or ()]
        said = next((str(each["justification"]) for each in args if each.get("justification")), "")
        held = field(event, "is_condition_met") is True
        words = said or message_text(message)
        self.judged.append(LlmVerdict(text(event, "destination_node_logical_id"), held, words))

    def listen(self, event: Event, index: int) -> None:
        """The user says something."""
        self._in_a_row = 0

    def park(self, event: Event, index: int) -> None:
        """The thread waits for the user."""
        node = node_of(event)
        self._pass_over(node)
        self.node, self._has_run = node or self.node, False

    def match(self, event: Event, index: int) -> None:
        """A condition came true while the thread waited; the hop follows."""
        self.close()
        self.stage = "while_waiting"
        self.node = node_of(event) or self.node

    # How it moves

    def hop(self, event: Event, *, is_conditional: bool) -> None:
        """The thread goes to another node, or to the same one anew."""
        source, destination = node_of(event) or self.node, text(event, "destination_node_logical_id")
        self.close()
        if destination is None:
            return
        is_back = event.type == "reverse_conditional_edge"
        if is_back:
            del self.callers[-1:]
        elif self._is_global_hop(event) and source is not None:
            self.callers.append((destination, source))
        elif destination != source:
            self._leave(destination)
        self._came_back = self._came_back or is_back
        self._in_a_row += is_conditional
        self.node = self._ahead = destination

    def run_beside(self, event: Event) -> None:
        """A worker runs beside the thread's node, or the thread itself begins."""
        destination = text(event, "destination_node_logical_id")
        if self.node is not None and self.node == node_of(event):
            self._beside = destination
        else:
            self.end()
            self.node = self._ahead = destination

    def move(self, event: Event) -> None:
        """Somebody moves the thread."""
        self.callers.clear()
        self.close()
        self.node = self._ahead = text(event, "destination_node_logical_id")

    def _is_global_hop(self, event: Event) -> bool:
        """Whether a global node is entered: by a condition, and by no edge of the author's."""
        return event.type == "conditional_edge" and not text(event, "edge_logical_id")

    def _leave(self, destination: str) -> None:
        """Whoever leaves a global node goes back nowhere; within a super node one has not left it."""
        there = self._graph.nodes.get(destination)
        while self.callers:
            entered = self._graph.nodes.get(self.callers[-1][0])
            if entered is not None and there is not None and is_inside(entered, there):
                return
            self.callers.pop()

    def _pass_over(self, arrived: str | None) -> None:
        """Take note of nodes that the thread went through without a run (``platform/engine.md`` U-1)."""
        ahead, self._ahead = self._ahead, None
        for _ in range(len(self._graph.nodes)):
            edge = self._graph.main_direct(ahead) if ahead and ahead != arrived else None
            if edge is None or edge.destination_node_logical_id is None:
                return
            passed, ahead = str(ahead), edge.destination_node_logical_id
            node, there = self._graph.nodes.get(passed), self._graph.nodes.get(ahead)
            if node is None or there is None or not is_inside(node, there):
                self.callers = [caller for caller in self.callers if caller[0] != passed]

    def _must_answer(self, node: str | None) -> str:
        """Why the model is offered no hop this time; empty where it is (``platform/engine.md`` 3.7)."""
        config = self._graph.nodes.get(node or "")
        if config is None or config.type not in LLM_FLAGS:
            return ""
        came_back, self._came_back = self._came_back and self._pinned, False
        if not came_back and self._in_a_row < self._limit:
            return ""
        count, self._in_a_row = self._in_a_row, 0
        if came_back:
            return "the thread had just come back from a global node"
        return f"{count} conditional {'hop' if count == 1 else 'hops'} had come in a row"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
