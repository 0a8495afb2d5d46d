"""The interpreter of one workflow, and the checks of a turn's input.

All that lasts is in the `RunState`, so an interpreter serves any number of runs.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any, Self

from debugger.engine.environment import NEVER_SET, Environment
from debugger.engine.execution import Execution, ExecutionResult
from debugger.engine.history import History
from debugger.engine.inspection import RunInspector
from debugger.engine.models.base import Model
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.base import Node, UnsupportedNode, no_run_store
from debugger.engine.options import EngineOptions
from debugger.engine.outbound import Gateway
from debugger.engine.outbound.gateway import BlockedGateway
from debugger.engine.routing import EdgeSelector
from debugger.engine.scheduler import run_background, run_turn
from debugger.engine.state import RunState
from debugger.engine.super_nodes.sources import SUPER_NODE
from debugger.engine.variables import authored_scope
from debugger.errors import InputError, RunError
from debugger.graph import Graph
from debugger.graph.checks import companions
from debugger.graph.checks.context import CheckContext
from debugger.graph.nesting import origin_of
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.initial_state import read_state
from debugger.protocol.json_codec import encode
from debugger.protocol.messages import message_problem
from debugger.protocol.runs import MAIN_THREAD, NodeInput, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import NodeConfig, Workflow

_STRICT = json.JSONEncoder(allow_nan=False)

MAX_RUN_INPUT_BYTES = 1_000_000
"""A larger run input is refused: every state event would carry it again."""

_LLM = "llm"
_GENERIC = "base_node"
_INPUT_TYPES = {"say_llm": _LLM, "worker_llm": _LLM}
"""The ``type`` of the input of a node, where it is not the node's own (``platform.md#node-inputs``)."""
_WITH_MESSAGES = frozenset({_LLM, "workflow_run_evaluator", _GENERIC})
_KNOWN_TYPES = frozenset({*NODE_TYPES, SUPER_NODE, _LLM, _GENERIC} - _INPUT_TYPES.keys())


class Interpreter:
    """An interpreter of one version of a workflow.

    Args:
        workflow: What the author wrote.
        responder: The model that answers prompts.
        options: Choices where the platform leaves a question open.
        environment: Clock and random values.
        load_run: Gives the record of another run by its id.
        open_gateway: Makes the gateway of one execution; by default every call is blocked.
        notes: What is odd about the workflow as a whole; each run is warned of it in its first turn.
    """

    def __init__(
        self,
        workflow: Workflow,
        responder: Model,
        options: EngineOptions | None = None,
        environment: Environment | None = None,
        load_run: Callable[[str], JsonObject] = no_run_store,
        open_gateway: Callable[[], Gateway] = BlockedGateway,
        notes: Sequence[str] = (),
    ) -> None:
        self.notes = tuple(notes)
        self.load_run = load_run
        self.open_gateway = open_gateway
        self.workflow = workflow
        self.graph = Graph(workflow)
        self.routes = EdgeSelector(self.graph)
        self.responder = responder
        self.options = options or EngineOptions()
        self.environment = environment or Environment()
        self.authored = authored_scope(workflow, self.options)
        """The variables with the workflow's own defaults alone."""
        self._nodes: dict[str, Node[Any]] = {}

    def with_options(self, options: EngineOptions) -> Self:
        """Return an interpreter of the same workflow with other options."""
        other = copy.copy(self)
        other.options = options
        return other

    def begin(self, turn_input: TurnInput) -> RunState:
        """Return the state of a run before its first turn.

        Args:
            turn_input: The first turn's; its start node and its initial state decide where the run begins.

        Raises:
            NotStartableError: The workflow has no start node.
            InputError: The start node is not in the workflow, or the initial state cannot be used.
        """
        snapshot = read_state(turn_input.initial_state or {})
        for thread_id in snapshot.threads:
            if thread_id != MAIN_THREAD:
                raise InputError(
                    f"initial_state.threads names the thread {thread_id!r}; a run begins with "
                    f"{MAIN_THREAD!r} alone.",
                    advice=f"Set the state of the main thread, {MAIN_THREAD!r}.",
                )
        thread = snapshot.threads.get(MAIN_THREAD)
        wanted = turn_input.start_node_logical_id or (thread.node_logical_id if thread else None)
        if wanted and wanted not in self.graph.nodes:
            raise InputError(
                f"The start node {wanted!r} is not in this version of the workflow.",
                advice="Choose one of its nodes, or leave it empty to begin at the start node.",
            )
        state = RunState.at(wanted or self.graph.start.logical_id)
        state.seed = self.environment.random.getrandbits(48)
        state.dynamic_variables.update(snapshot.dynamic_variables)
        state.workflow_variables.update(snapshot.workflow_runtime_variables)
        if thread is not None:
            state.main.runtime_variables.update(thread.runtime_variables)
        return state

    def turn(
        self,
        state: RunState,
        turn_input: TurnInput,
        *,
        transfer_to: str | None = None,
        past: Callable[[], Sequence[TurnLog]] = tuple,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> Generator[Event, None, ExecutionResult]:
        """Run until the workflow waits, ends, fails or is stopped.

        Args:
            state: The state of the run; changed while the turn runs.
            turn_input: The input of the turn.
            transfer_to: The id of a node that the main thread is moved to before it continues (U-48).
            past: Gives the finished turns; called only if a model needs the chat.
            cancelled: Set from another thread to end the turn after what it is doing.
            inspector: Access to the turn's variables, pins and faults.

        Returns:
            How the turn ended. Yields its events in order, stamped.

        Raises:
            InputError: The input is too large, or holds what the engine could not use; the node to move to is
                not in the workflow; or the conversation is over.
        """
        check_input(turn_input, self.graph, state.main.position)
        if turn_input.command != "stop" and state.main.ended:
            raise InputError(
                "The conversation of this run has ended; only its companion threads still run.",
                advice="Advance its background work, or stop it.",
            )
        if transfer_to is not None and transfer_to not in self.graph.nodes:
            raise InputError(
                f"The node {transfer_to!r} is not in this version of the workflow, so nothing can go there.",
                advice="Choose one of its nodes.",
            )
        execution = self._execution(state, turn_input, past, cancelled, inspector)
        return run_turn(execution, transfer_to)

    def pump(
        self,
        state: RunState,
        *,
        past: Callable[[], Sequence[TurnLog]] = tuple,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> Generator[Event, None, ExecutionResult]:
        """Run background work: due companion threads and waiting edges.

        Args:
            state: What the run remembers; changed while the pump runs. Where no event is yielded it is as it
                was.
            past: Gives the finished segments; called only if a model needs the chat.
            cancelled: Set from another thread to end the pump after what it is doing.
            inspector: Access to the variables, pins and faults.

        Returns:
            How it ended. Yields its events in order, stamped.

        Source: ``platform.md#companion-threads``, ``platform.md#waiting-edges`` and ``platform.md#turns``.
        """
        turn_input = TurnInput(command="data", miscellaneous={"background": True})
        execution = self._execution(state, turn_input, past, cancelled, inspector)
        return run_background(execution)

    def _execution(
        self,
        state: RunState,
        turn_input: TurnInput,
        past: Callable[[], Sequence[TurnLog]],
        cancelled: threading.Event | None,
        inspector: RunInspector | None,
    ) -> Execution:
        wire = _checked_wire(turn_input)
        log = TurnLog(state.segments + 1, turn_input)
        interceptor = inspector.interceptor if inspector is not None else None
        execution = Execution(self, state, log, wire, History(past, log), cancelled or NEVER_SET, interceptor)
        if inspector is not None:
            inspector.execution = execution
        return execution

    def node(self, config: NodeConfig) -> Node[Any]:
        """Return the code of a node.

        One of an unknown type, or with a value of its own that its type does not allow, is opaque.

        Raises:
            RunError: The node, or an edge that leaves it, asks for something that cannot be.

        Source: ``platform.md#workflow-document``.
        """
        node = self._nodes.get(config.logical_id)
        if node is None:
            reject_unsupported(config, self.graph)
            node = self._make(config)
            if node.loops_to_itself and not node.waits_for_user:
                raise RunError(
                    f"Node {config.label!r} ({config.logical_id}) has self_loop, "
                    "but does not wait for the user.",
                    advice="Set wait_for_user_message, or switch self_loop off.",
                )
            self._nodes[config.logical_id] = node
        return node

    def _make(self, config: NodeConfig) -> Node[Any]:
        node_type = NODE_TYPES.get(str(config.type))
        if node_type is None:
            return UnsupportedNode(config, f"its type {config.type!r} is not known here.")
        try:
            return node_type(config)
        except InputError as error:
            return UnsupportedNode(config, f"as a {config.type} it cannot be read. {error}")


_RULES = (
    companions.several_direct_edges,
    companions.companion_waits,
    companions.companion_forks,
    companions.companion_shares_nodes,
    companions.companion_thread_id,
    companions.duplicate_thread_id,
)


def reject_unsupported(node: NodeConfig, graph: Graph) -> None:
    """Raise for an edge to nowhere or an invalid companion thread.

    Raises:
        RunError: An edge leads to a node that is not there (U-20); or a companion thread that the node starts
            breaks one of the rules by which the platform refuses to save a workflow (V1 to V5).
    """
    for edge in graph.find_dangling_edges(node.logical_id):
        raise RunError(
            f"Node {node.label!r} has the edge {edge.logical_id!r}, which leads to "
            f"{edge.destination_node_logical_id!r}: there is no such node.",
            advice="Correct the edge's destination, or disable the edge.",
        )
    direct = {edge.logical_id for edge in graph.direct(node.logical_id)}
    for rule in _RULES if len(direct) > 1 else ():
        for problem in rule(CheckContext(graph)):
            if problem.node_logical_id == node.logical_id or problem.edge_logical_id in direct:
                raise RunError(problem.message, advice=problem.advice)


# Input of a turn


def _checked_wire(turn_input: TurnInput) -> JsonObject:
    try:
        wire = turn_input.to_wire()
        size = len(encode(wire))
        # A value that only Python has would come back from the store as another one, or not at all.
        _STRICT.encode(turn_input.model_dump())
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"The run input cannot be written as JSON: {error}.",
            advice="It takes objects, lists (not too deep), texts, finite numbers, true, false and null.",
        ) from error
    if size > MAX_RUN_INPUT_BYTES:
        raise InputError(
            f"The run input is {size / 1e6:.1f} MB; at most {MAX_RUN_INPUT_BYTES / 1e6:.1f} MB can be taken.",
            advice="Shorten the variables: every state event of the turn would carry them again.",
        )
    return wire


def check_input(turn_input: TurnInput, graph: Graph, position: str | None) -> None:
    """Refuse a turn's input of which the engine would pass something over.

    An input may name a node that runs later in the turn, as for its ``override_url``; messages are for the
    node where the thread is, which ``null`` and its own id name.

    Args:
        turn_input: The input.
        graph: The workflow.
        position: The id of the node at which the main thread is.

    Raises:
        InputError: A thread, a node input or a message cannot be used; the message says where it is.
    """
    for thread_id, thread_input in turn_input.thread_to_node_inputs.items():
        path = f"thread_to_node_inputs.{thread_id}"
        if thread_id != MAIN_THREAD:
            raise InputError(
                f"thread_to_node_inputs names the thread {thread_id!r}; only {MAIN_THREAD!r} takes input.",
                advice=f"Send it to the main thread, {MAIN_THREAD!r}; a companion thread takes none.",
            )
        unknown = list(thread_input.model_extra or {})
        if unknown:
            raise InputError(
                f"{path} has the key {unknown[0]!r}; a thread takes node_run_inputs alone.",
                advice="Put it into a node input of the list node_run_inputs.",
            )
        for index, node_input in enumerate(thread_input.node_run_inputs):
            _check_node_input(node_input, graph, position, f"{path}.node_run_inputs[{index}]")


def _check_node_input(node_input: NodeInput, graph: Graph, position: str | None, path: str) -> None:
    if node_input.type not in _KNOWN_TYPES:
        wanted = _INPUT_TYPES.get(node_input.type)
        raise InputError(
            f"{path}.type: {node_input.type!r} is not a type of node input.",
            advice=f"Inputs of such a node are of the type {wanted!r}." if wanted else "Leave it out.",
        )
    if node_input.messages and node_input.type not in _WITH_MESSAGES:
        raise InputError(
            f"{path}: an input of the type {node_input.type!r} takes no messages.",
            advice=f"Send them in an input of the type {_LLM!r}.",
        )
    if node_input.node_logical_id is not None:
        _check_node(node_input, node_input.node_logical_id, graph, position, path)
    for index, message in enumerate(node_input.messages):
        problem = message_problem(message)
        if problem is not None:
            raise InputError(
                f"{path}.messages[{index}]: {problem}",
                advice='Send it as {"type": "human", "content": "..."} or with "role": "user".',
            )


def _check_node(node_input: NodeInput, node_id: str, graph: Graph, position: str | None, path: str) -> None:
    current = graph.nodes.get(position or "")
    if current is not None and node_id in origin_of(current):
        return
    node = graph.nodes.get(node_id)
    if node is None:
        raise InputError(
            f"{path}.node_logical_id: the node {node_id!r} is not in this version of the workflow.",
            advice="Name one of its nodes, or leave it out for the current node.",
        )
    if node_input.messages and node is not current:
        where = "at no node" if current is None else f"at the node {current.label!r} ({current.logical_id})"
        raise InputError(
            f"{path}.node_logical_id: the messages are for the node {node.label!r} ({node.logical_id}), "
            f"and the conversation is {where}.",
            advice="Leave node_logical_id out, or set it to null: messages go to the current node.",
        )
    if "type" in node_input.model_fields_set and not _fits(node_input.type, node):
        wanted = _INPUT_TYPES.get(str(node.type), node.type)
        raise InputError(
            f"{path}.type: {node_input.type!r} does not fit the node {node.label!r} ({node_id}), "
            f"which is of the type {node.type!r}.",
            advice=f"Use the type {wanted!r}.",
        )


def _fits(input_type: str, node: NodeConfig) -> bool:
    if input_type == _GENERIC or str(node.type) not in _KNOWN_TYPES | set(_INPUT_TYPES):
        return True
    return input_type == _INPUT_TYPES.get(str(node.type), node.type)
