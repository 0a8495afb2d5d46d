"""The prompts of past model calls, made again by the code that made them.

Nothing is called: the tools of MCP servers are left out, since only their servers know them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from debugger.engine.decision import Transition
from debugger.engine.environment import Environment
from debugger.engine.history import History
from debugger.engine.models import HeuristicModel, Prompt, Reply
from debugger.engine.models.base import ToolCall
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.base import Node, NodeContext
from debugger.engine.nodes.llm.model_call import judge_prompt
from debugger.engine.nodes.llm.node import LLMNode, ModelTurn
from debugger.engine.nodes.llm.tool_specs import suppress_text
from debugger.engine.options import EngineOptions
from debugger.engine.routing import EdgeSelector, choice_of
from debugger.engine.state import RunState, ThreadState
from debugger.errors import RunError
from debugger.expressions import Scope
from debugger.graph import Graph
from debugger.protocol.messages import Message, message_kind, message_text
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import NodeConfig


@dataclass(frozen=True)
class PastCall:
    """The data that a past model call depended on."""

    node_logical_id: str
    thread: ThreadState
    """With its variables and the stack of returns as they were."""
    scope: Scope
    turns: Sequence[TurnLog]
    """The turns up to the call; the chat is read from them."""
    messages: Sequence[Message] = ()
    """The user messages that the node run was to answer."""
    must_answer: bool = False
    """Whether the model was offered neither tools nor transitions (``platform.md#loop-limits``)."""
    is_beside: bool = False
    """Whether the node ran beside another, from where no transition leads on."""
    exchange: Sequence[Message] = ()
    """The messages of the node run before the call: answers with calls of tools, and their results."""
    judged_destination: str | None = None
    """The destination of the edge whose condition was judged; ``None`` for an answer."""


@dataclass(frozen=True)
class RebuiltPrompt:
    """A prompt, with the texts that it was made of."""

    prompt: Prompt
    templates: tuple[str, ...]
    """Its texts before their variables were filled in."""
    notes: tuple[str, ...] = field(default=())
    """Possible differences from the prompt that was sent, as sentences."""


def rebuild_prompt(call: PastCall, graph: Graph) -> RebuiltPrompt:
    """Return the prompt of a past call of a node's model, or of the judge of one of its edges.

    Args:
        call: The call.
        graph: The workflow that ran, with its super nodes expanded.

    Raises:
        RunError: The node or the edge is not in the workflow, or the node calls no model.
        InputError: The node cannot be read.
    """
    config = graph.nodes.get(call.node_logical_id)
    node_type = NODE_TYPES.get(str(config.type)) if config is not None else None
    if config is None or node_type is None:
        raise RunError(f"This version of the workflow does not have the node {call.node_logical_id!r}.")
    wire = config.to_wire()
    node = node_type(
        NodeConfig.from_wire({**wire, "use_mcp_tools": False} if "use_mcp_tools" in wire else wire)
    )
    context = _context(call, graph)
    routes = EdgeSelector(graph)
    if call.judged_destination is not None:
        transition = _judged(routes, node, context, call.judged_destination)
        choice = choice_of(transition, context)
        written = transition.condition.condition_freeform if transition.condition else None
        return RebuiltPrompt(judge_prompt(choice, node.config, context), (written or "",))
    if not isinstance(node, LLMNode):
        raise RunError(f"Node {config.label!r} calls no model.")
    offered = {} if call.must_answer or call.is_beside else routes.choices(node, context)
    together = [each for each in offered.values() if not each.needs_llm_judge]
    context.choices = tuple(choice_of(each, context) for each in together)
    context.may_call_tools = not call.must_answer
    turn = node.begin_turn(context)
    for message, results in _rounds(call.exchange):
        turn.add_round(_as_read(message, turn, node, context), results)
    conditions = [each.condition.condition_freeform or "" for each in together if each.condition]
    signatures = [each.tool.config.signature or "" for each in turn.tools]
    note = "Tools of MCP servers are not listed: only their servers know them."
    return RebuiltPrompt(
        turn.prompt,
        (node.static_prompt(context).system, *conditions, *signatures),
        (note,) if wire.get("use_mcp_tools") else (),
    )


def _context(call: PastCall, graph: Graph) -> NodeContext:
    """Return a node context with the call's thread, scope, chat and messages, and defaults for all else."""
    current = call.turns[-1]
    return NodeContext(
        workflow=graph.workflow,
        state=RunState(threads={call.thread.thread_id: call.thread}),
        thread=call.thread,
        scope=call.scope,
        model=HeuristicModel(),  # is not called
        history=History(lambda: call.turns[:-1], current),
        options=EngineOptions(),
        environment=Environment(),
        cancelled=threading.Event(),
        messages_override=list(call.messages),
    )


def _judged(routes: EdgeSelector, node: Node[Any], context: NodeContext, destination: str) -> Transition:
    """Return the transition to a node whose freeform condition a model judged.

    Of several to the same node, one is preferred that this kind of node has judged.

    Raises:
        RunError: This version has no such edge.
    """
    found = [
        transition
        for transition in routes.conditional(node.config, context.thread)
        if transition.condition is not None and transition.condition.condition_freeform
        if transition.destination.logical_id == destination
    ]
    if not found:
        label = node.config.label
        raise RunError(f"This version of the workflow has no edge from {label!r} to {destination!r}.")
    return max(found, key=lambda each: each.needs_llm_judge == node.calls_model)


def _rounds(messages: Sequence[Message]) -> list[tuple[Message, list[Message]]]:
    """Return each answer of the model with the results that follow it, in order.

    Results before the first answer are left out.
    """
    rounds: list[tuple[Message, list[Message]]] = []
    for message in messages:
        if message_kind(message) != "tool":
            rounds.append((message, []))
        elif rounds:
            rounds[-1][1].append(message)
    return rounds


def _as_read(message: Message, turn: ModelTurn, node: LLMNode, context: NodeContext) -> Message:
    """Return an answer for the next call, without a text that was not spoken."""
    calls = tuple(ToolCall(str(call["name"]), dict(call.get("args") or {})) for call in message["tool_calls"])
    reply = Reply(message_text(message), calls=calls)
    is_silent = suppress_text(reply, bool(calls), turn.tools, node.config, context.workflow.config)
    return {**message, "content": ""} if is_silent else message
