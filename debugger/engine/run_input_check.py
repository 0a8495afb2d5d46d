"""The check of a run input: one function over input and workflow, which engine, session and page call.

What is no run input at all is refused before, where it is read (`TurnInput.from_wire`, the server's 422).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from debugger.engine.nodes import NODE_TYPES
from debugger.engine.super_nodes.sources import SUPER_NODE
from debugger.errors import InputError
from debugger.graph import Graph
from debugger.graph.nesting import origin_of
from debugger.protocol.initial_state import StateSnapshot, read_state
from debugger.protocol.json_codec import encode
from debugger.protocol.messages import message_problem
from debugger.protocol.runs import MAIN_THREAD, NodeInput, TurnInput
from debugger.protocol.workflow import NodeConfig

ANYWHERE = ""
"""The position of a run that is not known to the caller: messages may be for any of its nodes."""
MAX_RUN_INPUT_BYTES = 1_000_000
"""A larger run input is refused: every state event would carry it again."""

_STRICT = json.JSONEncoder(allow_nan=False)
_LLM = "llm"
_GENERIC = "base_node"
_INPUT_TYPES = {"say_llm": _LLM, "worker_llm": _LLM}
"""The ``type`` of the input of a node, where it is not the node's own (``platform.md#node-inputs``)."""
_WITH_MESSAGES = frozenset({_LLM, "workflow_run_evaluator", _GENERIC})
_KNOWN_TYPES = frozenset({*NODE_TYPES, SUPER_NODE, _LLM, _GENERIC} - _INPUT_TYPES.keys())


@dataclass(frozen=True)
class InputProblem:
    """A part of a run input for which the engine refuses the turn."""

    key: str
    """The part: ``thread_to_node_inputs.0.node_run_inputs[1].type``; empty of the whole input."""
    what: str
    """The problem, as the end of a sentence that begins with the key, or as a sentence."""
    advice: str
    is_sentence: bool = False

    @property
    def message(self) -> str:
        """Return what is wrong and where, as a sentence."""
        return self.what if self.is_sentence else f"{self.key}: {self.what}"

    def raise_error(self) -> None:
        """Refuse the input.

        Raises:
            InputError: Always.
        """
        raise InputError(self.message, advice=self.advice)


def find_problems(
    turn_input: TurnInput, graph: Graph, *, is_first_turn: bool, position: str | None = ANYWHERE
) -> Iterator[InputProblem]:
    """Yield why the engine refuses a run input, in the order of its parts; nothing where it takes it.

    Args:
        turn_input: The input of the turn.
        graph: The version of the workflow that runs.
        is_first_turn: Whether it starts a run; the start node and the initial state are used by that alone.
        position: The id of the node at which the main thread of a later turn is; ``None`` where it has ended.
    """
    yield from _wire_problems(turn_input)
    if is_first_turn:
        found = list(_start_problems(turn_input, graph))
        yield from found
        position = ANYWHERE
        if not found:
            named = start_node_of(turn_input, read_state(turn_input.initial_state or {}))
            starts = [node.logical_id for node in graph.start_nodes[:1]]
            position = next(iter([named] if named else starts), ANYWHERE)
    yield from _node_input_problems(turn_input, graph, position)


def reject_faulty(turn_input: TurnInput, graph: Graph, *, position: str | None) -> None:
    """Refuse a turn's input that cannot be used, or of which something would be passed over.

    An input may name a node that runs later in the turn, as for its ``override_url``; messages are for the
    node where the thread is, which ``null`` and its own id name.

    Args:
        turn_input: The input.
        graph: The workflow.
        position: The id of the node at which the main thread is; of a first turn the one where it begins.

    Raises:
        InputError: There is a problem; the error is about the first.
    """
    _raise_first(find_problems(turn_input, graph, is_first_turn=False, position=position))


def read_start(turn_input: TurnInput, graph: Graph) -> StateSnapshot:
    """Return the initial state of the input of a first turn.

    Raises:
        InputError: It cannot be used, or the start node is not in the workflow.
    """
    _raise_first(_start_problems(turn_input, graph))
    return read_state(turn_input.initial_state or {})


def start_node_of(turn_input: TurnInput, snapshot: StateSnapshot) -> str | None:
    """Return the node that an input or its initial state names as the first; ``None`` where neither does."""
    thread = snapshot.threads.get(MAIN_THREAD)
    return turn_input.start_node_logical_id or (thread.node_logical_id if thread else None) or None


def _raise_first(problems: Iterable[InputProblem]) -> None:
    for problem in problems:
        problem.raise_error()


def _wire_problems(turn_input: TurnInput) -> Iterator[InputProblem]:
    """Yield the problem of an input that is no strict JSON or larger than `MAX_RUN_INPUT_BYTES`."""
    try:
        size = len(encode(turn_input.to_wire()))
        # A value that only Python has would come back from the store as another one, or not at all.
        _STRICT.encode(turn_input.model_dump())
    except (ValueError, TypeError, RecursionError) as error:
        yield InputProblem(
            "",
            f"The run input cannot be written as JSON: {error}.",
            "It takes objects, lists (not too deep), texts, finite numbers, true, false and null.",
            is_sentence=True,
        )
        return
    if size > MAX_RUN_INPUT_BYTES:
        yield InputProblem(
            "",
            f"The run input is {size / 1e6:.1f} MB; at most {MAX_RUN_INPUT_BYTES / 1e6:.1f} MB can be taken.",
            "Shorten the variables: every state event of the turn would carry them again.",
            is_sentence=True,
        )


def _start_problems(turn_input: TurnInput, graph: Graph) -> Iterator[InputProblem]:
    """Yield the problems of a first turn: its initial state, its threads, its start node."""
    try:
        snapshot = read_state(turn_input.initial_state or {})
    except InputError as error:
        yield InputProblem("initial_state", error.message, error.advice, is_sentence=True)
        return
    for thread_id in snapshot.threads:
        if thread_id != MAIN_THREAD:
            yield InputProblem(
                "initial_state.threads",
                f"initial_state.threads names the thread {thread_id!r}; a run begins with "
                f"{MAIN_THREAD!r} alone.",
                f"Set the state of the main thread, {MAIN_THREAD!r}.",
                is_sentence=True,
            )
    named = start_node_of(turn_input, snapshot)
    if named and named not in graph.nodes:
        yield InputProblem(
            "start_node_logical_id" if turn_input.start_node_logical_id else "initial_state.threads.0",
            f"The start node {named!r} is not in this version of the workflow.",
            "Choose one of its nodes, or leave it empty to begin at the start node.",
            is_sentence=True,
        )


def _node_input_problems(turn_input: TurnInput, graph: Graph, position: str | None) -> Iterator[InputProblem]:
    """Yield the problems of ``thread_to_node_inputs``: other threads, unknown keys, faulty node inputs.

    Args:
        turn_input: The input of the turn.
        graph: The workflow.
        position: The main thread's node; `ANYWHERE` if not known, ``None`` if the thread has ended.
    """
    for thread_id, thread_input in turn_input.thread_to_node_inputs.items():
        path = f"thread_to_node_inputs.{thread_id}"
        if thread_id != MAIN_THREAD:
            yield InputProblem(
                path,
                f"thread_to_node_inputs names the thread {thread_id!r}; only {MAIN_THREAD!r} takes input.",
                f"Send it to the main thread, {MAIN_THREAD!r}; a companion thread takes none.",
                is_sentence=True,
            )
            continue
        unknown = list(thread_input.model_extra or {})
        if unknown:
            yield InputProblem(
                path,
                f"{path} has the key {unknown[0]!r}; a thread takes node_run_inputs alone.",
                "Put it into a node input of the list node_run_inputs.",
                is_sentence=True,
            )
        for index, node_input in enumerate(thread_input.node_run_inputs):
            place = f"{path}.node_run_inputs[{index}]"
            yield from _problems_of_node_input(node_input, graph, position, place)


def _problems_of_node_input(
    node_input: NodeInput, graph: Graph, position: str | None, path: str
) -> Iterator[InputProblem]:
    """Yield the problems of one node input: its type, its messages, the node that it names.

    After an unknown type nothing else is checked. ``path`` is the place of the input, which the problems
    name.
    """
    if node_input.type not in _KNOWN_TYPES:
        wanted = _INPUT_TYPES.get(node_input.type)
        yield InputProblem(
            f"{path}.type",
            f"{node_input.type!r} is not a type of node input.",
            f"Inputs of such a node are of the type {wanted!r}." if wanted else "Leave it out.",
        )
        return
    if node_input.messages and node_input.type not in _WITH_MESSAGES:
        yield InputProblem(
            path,
            f"an input of the type {node_input.type!r} takes no messages.",
            f"Send them in an input of the type {_LLM!r}.",
        )
    if node_input.node_logical_id is not None:
        yield from _problems_of_named_node(node_input, node_input.node_logical_id, graph, position, path)
    for index, message in enumerate(node_input.messages):
        problem = message_problem(message)
        if problem is not None:
            yield InputProblem(
                f"{path}.messages[{index}]",
                problem,
                'Send it as {"type": "human", "content": "..."} or with "role": "user".',
            )


def _problems_of_named_node(
    node_input: NodeInput, node_id: str, graph: Graph, position: str | None, path: str
) -> Iterator[InputProblem]:
    """Yield why a node input cannot be for the node that it names.

    The node is unknown, its messages are for another node than the current one, or its type does not fit. The
    super node that the thread is in has no problem.
    """
    current = graph.nodes.get(position or "")
    if current is not None and node_id in origin_of(current):
        return
    node = graph.nodes.get(node_id)
    if node is None:
        yield InputProblem(
            f"{path}.node_logical_id",
            f"the node {node_id!r} is not in this version of the workflow.",
            "Name one of its nodes, or leave it out for the current node.",
        )
        return
    if node_input.messages and position != ANYWHERE and node is not current:
        where = "at no node" if current is None else f"at the node {current.label!r} ({current.logical_id})"
        yield InputProblem(
            f"{path}.node_logical_id",
            f"the messages are for the node {node.label!r} ({node.logical_id}), and the conversation is "
            f"{where}.",
            "Leave node_logical_id out, or set it to null: messages go to the current node.",
        )
    if "type" in node_input.model_fields_set and not _fits(node_input.type, node):
        wanted = _INPUT_TYPES.get(str(node.type), node.type)
        yield InputProblem(
            f"{path}.type",
            f"{node_input.type!r} does not fit the node {node.label!r} ({node_id}), "
            f"which is of the type {node.type!r}.",
            f"Use the type {wanted!r}.",
        )


def _fits(input_type: str, node: NodeConfig) -> bool:
    if input_type == _GENERIC or str(node.type) not in _KNOWN_TYPES | set(_INPUT_TYPES):
        return True
    return input_type == _INPUT_TYPES.get(str(node.type), node.type)
