"""Traces of threads: the state that a decision depends on."""

from __future__ import annotations

from debugger.analysis.decisions.records import LlmVerdict, Stage
from debugger.analysis.event_fields import EventFields, as_object, field, text
from debugger.graph.candidates import Caller
from debugger.graph.graph import Graph
from debugger.graph.nesting import is_inside
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.messages import TRANSITION_TOOL_PREFIX, message_text


class ThreadTrace:
    """The trace of one thread.

    Args:
        graph: The workflow that runs.
        thread_id: The thread's internal id.
    """

    def __init__(self, graph: Graph, thread_id: str) -> None:
        self._graph = graph
        self._limit = graph.workflow.config.max_consecutive_conditional_edges
        self._pinned = graph.workflow.config.must_answer_after_return
        self.thread_id = thread_id
        self.end()

    def end(self) -> None:
        """End the thread; another may take its id."""
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
        """Forget what the model said for the decision just made."""
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

    def start(self, event: EventFields, index: int) -> None:
        """Start a node run."""
        if event.node is not None and event.node == self._beside:
            return
        self._skip(event.node)
        self.close()
        self.node, self.started = event.node, index
        self.must_answer = self._must_answer(event.node)

    def finish(self, event: EventFields, index: int) -> None:
        """End a node run."""
        if event.node is not None and event.node == self._beside:
            self._beside = None
        else:
            self._has_run = True

    def add_reply(self, event: EventFields, index: int) -> None:
        """Add a model's reply; it chooses a transition by a tool call."""
        if event.node == self._beside:
            return
        for call in as_object(field(event.event, "message")).get("tool_calls") or ():
            name, args = str(call.get("name") or ""), as_object(call.get("args"))
            if name.startswith(TRANSITION_TOOL_PREFIX) and event.type != "discarded_main_llm":
                self.chosen.append(name.removeprefix(TRANSITION_TOOL_PREFIX))
                self.words = str(args.get("justification") or "")

    def add_verdict(self, event: EventFields, index: int) -> None:
        """Add a model's verdict on one condition."""
        if event.node == self._beside:
            return
        message = as_object(field(event.event, "message"))
        args = [as_object(call.get("args")) for call in message.get("tool_calls") or ()]
        words = next((str(each["justification"]) for each in args if each.get("justification")), "")
        destination = text(event.event, "destination_node_logical_id")
        is_met = field(event.event, "is_condition_met") is True
        self.verdicts.append(LlmVerdict(destination, is_met, words or message_text(message)))

    def add_message(self, event: EventFields, index: int) -> None:
        """Add a message of the user."""
        self._conditional_in_a_row = 0

    def park(self, event: EventFields, index: int) -> None:
        """Wait for the user."""
        self._skip(event.node)
        self.node, self._has_run = event.node or self.node, False

    def match(self, event: EventFields, index: int) -> None:
        """Meet a condition while waiting; the transition follows."""
        self.close()
        self.stage = "while_waiting"
        self.node = event.node or self.node

    def follow(self, event: EventFields, *, is_conditional: bool) -> None:
        """Follow a transition to another node, or to the same one again."""
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
        self._conditional_in_a_row += is_conditional
        self.node = self._next_node = destination

    def run_beside(self, event: EventFields) -> None:
        """Run a worker beside the thread's node, or start the thread itself."""
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
        current, self._next_node = self._next_node, None
        for _ in range(len(self._graph.nodes)):
            edge = self._graph.main_direct(current) if current and current != arrived else None
            if edge is None or edge.destination_node_logical_id is None:
                return
            skipped, current = str(current), edge.destination_node_logical_id
            node, following = self._graph.nodes.get(skipped), self._graph.nodes.get(current)
            if node is None or following is None or not is_inside(node, following):
                self.callers = [caller for caller in self.callers if caller[0] != skipped]

    def _must_answer(self, node: str | None) -> str:
        """Return why the model is offered no edge (``platform.md#loop-limits``)."""
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
