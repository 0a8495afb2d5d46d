"""Checks of a turn's input before it runs.

An input of which a part would be dropped silently is rejected by name.
"""

from __future__ import annotations

from debugger.engine.nodes import NODE_TYPES
from debugger.engine.super_nodes.sources import SUPER_NODE
from debugger.errors import InputError
from debugger.graph import Graph
from debugger.graph.nesting import origin_of
from debugger.protocol.messages import message_problem
from debugger.protocol.runs import MAIN_THREAD, NodeInput, TurnInput
from debugger.protocol.workflow import NodeConfig

_LLM = "llm"
_GENERIC = "base_node"
_INPUT_TYPES = {"say_llm": _LLM, "worker_llm": _LLM}
"""The ``type`` of the input of a node, where it is not the node's own (``platform.md#node-inputs``)."""
_WITH_MESSAGES = frozenset({_LLM, "workflow_run_evaluator", _GENERIC})
_KNOWN_TYPES = frozenset({*NODE_TYPES, SUPER_NODE, _LLM, _GENERIC} - _INPUT_TYPES.keys())


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
