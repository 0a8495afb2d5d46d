"""Transitions in progress: messages, events, companion threads, escalation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from debugger.engine.decision import Decision, Transition, edge_ends
from debugger.engine.execution import Events, Execution
from debugger.engine.nodes.base import Node, fixed_response
from debugger.engine.state import ThreadState
from debugger.graph.nesting import author_edge_id, is_inside
from debugger.protocol.events import (
    CompanionEdgeEvent,
    ConditionalEdgeEvent,
    DirectEdgeEvent,
    EdgeEvent,
    EndThreadEvent,
    Event,
    GuardrailEscalationEdgeEvent,
    ReverseConditionalEdgeEvent,
    SelfLoopEdgeEvent,
    WaitingConditionMatchedEvent,
    WorkflowNavigationMessageEvent,
)
from debugger.protocol.messages import ai_message
from debugger.protocol.workflow import EdgeConfig, GuardrailStrikesConfig, NodeConfig

_NAMED_TYPES = {"direct": "direct", "reverse": "reverse_conditional", "escalation": "guardrail_escalation"}


def follow(
    execution: Execution,
    thread: ThreadState,
    node: Node[Any],
    decision: Decision | None,
    run_id: str,
    matched: WaitingConditionMatchedEvent | None = None,
) -> Events:
    """Follow a decision: yield its events and move or end the thread; the thread's bounded retry ends.

    A transition to a guardrail node that is entered once too often escalates instead. A direct edge first
    forks its companion threads, and a self-loop drops the pending messages.

    Args:
        execution: The turn, or the background work.
        thread: The thread that moves.
        node: The node that it leaves.
        decision: The transition to take; ``None`` ends the thread.
        run_id: The run of the node that the decision follows.
        matched: Reports that the condition came true while the thread waited; goes out directly before the
            edge's event (``platform.md#waiting-edges``).
    """
    if decision is None:
        yield end_thread(execution, thread, node.config)
        return
    transition = decision.transition
    thread.loop = None
    if transition.is_conditional and not decision.chosen_by_model:
        yield from _speak(execution, decision, thread, run_id)
    is_strike = _is_strike(execution, transition)
    if matched is not None:
        redirected = transition.destination.logical_id if is_strike else None
        matched.stamp(guardrail_redirected_from_logical_id=redirected)
        yield execution.stamp(matched, thread)
    if is_strike:
        yield from _escalate(execution, transition, thread, run_id)
        return
    if transition.kind == "direct":
        yield from _fork(execution, transition.source, thread)
    edge_run_id = thread.next_edge_run_id(f"{transition.source.logical_id}:{transition.key}")
    yield execution.stamp(edge_event(decision, edge_run_id), thread)
    if transition.kind == "self_loop":
        thread.pending = []
    else:
        yield from _enter(execution, transition, thread)


def end_thread(execution: Execution, thread: ThreadState, config: NodeConfig) -> Event:
    """End a thread at a node."""
    thread.ended = True
    return execution.stamp(EndThreadEvent(last_node_logical_id=config.logical_id), thread)


def _enter(execution: Execution, transition: Transition, thread: ThreadState) -> Events:
    """Move a thread along a transition: yield the navigation memo, then update its return stack and position.

    The count of conditional transitions and the mark of a return from a global node are updated, too.
    """
    memo_id = f"nav_msg_{execution.environment.uuid()}"
    yield execution.stamp(navigation_event(transition, memo_id), thread)
    source_id = transition.source.logical_id
    if transition.kind == "global":
        thread.return_stack.append((transition.destination.logical_id, source_id))
    elif transition.kind == "reverse":
        thread.return_stack.pop()
    elif transition.destination.logical_id != source_id:
        # A thread that leaves by another edge does not return; within a super node it has not left it.
        graph = execution.graph
        while thread.return_stack and not is_inside(
            graph.node(thread.return_stack[-1][0]), transition.destination
        ):
            thread.return_stack.pop()
    # Unchanged until a model is called: the node that was returned to may call none.
    thread.has_just_returned = thread.has_just_returned or transition.kind == "reverse"
    thread.consecutive_conditionals += transition.is_conditional
    thread.position = transition.destination.logical_id


def _speak(execution: Execution, decision: Decision, thread: ThreadState, run_id: str) -> Events:
    """Yield an edge's message as an answer of its source, then warnings; nothing where it has no message.

    The line that a model wrote as it judged the transition comes before the author's.
    """
    transition = decision.transition
    if transition.condition is None or not transition.condition.has_line:
        return
    context = execution.context(thread)
    line = decision.message or context.edge_message(transition)
    if line is not None:
        said = fixed_response(line, execution.environment)
        yield execution.stamp(said, thread, transition.source, run_id)
    yield from execution.warnings(context, thread, transition.source.logical_id)


# Companion threads


def _fork(execution: Execution, source: NodeConfig, thread: ThreadState) -> Events:
    """Start a companion thread for each companion edge of a node; each makes its first step later (U-49).

    Yields the event of each new thread, or a warning where the edge's earlier thread still runs. The new
    threads are queued in ``execution.forked``.
    """
    for transition in execution.routes.companion_edges(source):
        companion = _companion(execution, thread, transition)
        if companion is None:
            text = (
                f"The companion thread of the edge from {source.label!r} to "
                f"{transition.destination.label!r} still runs; it was not started a second time."
            )
            yield from execution.warning(text, thread, source.logical_id)
            continue
        event = companion_event(source, transition.destination, transition.edge)
        event.stamp(edge_run_id=thread.next_edge_run_id(f"{source.logical_id}:{transition.key}"))
        yield execution.stamp(event, companion)
        execution.forked.append(companion)


def _companion(execution: Execution, parent: ThreadState, transition: Transition) -> ThreadState | None:
    """Add the companion thread of a fork to the state and return it; ``None`` while one of that id runs.

    An ended one is replaced; its counts of runs continue. Without an id in the edge's settings it gets a
    random one.
    """
    settings = transition.edge.companion_thread_config if transition.edge else None
    named = (settings.thread_id if settings else None) or str(execution.environment.random_uuid())
    thread_id = f"{parent.thread_id}_companion_{named}"
    threads = execution.state.threads
    earlier = threads.get(thread_id)
    if earlier is not None and not earlier.ended:
        return None
    made = ThreadState(thread_id, transition.destination.logical_id, parent=parent.thread_id)
    if earlier is not None:
        made = replace(
            made,
            node_run_ids=earlier.node_run_ids,
            completions=earlier.completions,
            edge_run_ids=earlier.edge_run_ids,
        )
    threads[thread_id] = made
    execution.variables.forget(thread_id)
    return made


# Guardrails


def _is_strike(execution: Execution, transition: Transition) -> bool:
    """Count an entry of a guardrail node and return whether it is one too many.

    Only an entry of an enabled guardrail node from another kind of node counts; without a limit none is too
    many (``platform.md#guardrails``, U-27).
    """
    destination = transition.destination
    if not destination.is_guardrail_node or destination.disabled or transition.source.is_guardrail_node:
        return False
    state = execution.state
    state.guardrail_entries += 1
    limit = _strikes(execution).max_guardrail_nodes_before_escalation
    return limit is not None and state.guardrail_entries >= limit


def _strikes(execution: Execution) -> GuardrailStrikesConfig:
    return execution.runnable.workflow.config.guardrail_strikes_config or GuardrailStrikesConfig()


def _escalate(execution: Execution, transition: Transition, thread: ThreadState, run_id: str) -> Events:
    """Follow the guardrail escalation: enter its node, or say its message and end the thread.

    Without an escalation node, or where it is not in the workflow, the thread ends, without a message if
    there is none. Yields the events.
    """
    source, strikes = transition.source, _strikes(execution)
    onward = execution.graph.nodes.get(strikes.escalation_node_logical_id or "")
    entries = execution.state.guardrail_entries
    event = GuardrailEscalationEdgeEvent(
        edge_run_id=thread.next_edge_run_id(f"{source.logical_id}:escalation"),
        **edge_ends(source, onward),
        reason=f"Guardrail nodes were entered {entries} times",
        num_guardrail_nodes_entered=entries,
    )
    yield execution.stamp(event, thread)
    if onward is not None:
        yield from _enter(execution, Transition("escalation", source, onward), thread)
        return
    if strikes.escalation_message is not None:
        context = execution.context(thread)
        said = fixed_response(context.fill(strikes.escalation_message), execution.environment)
        yield execution.stamp(said, thread, source, run_id)
        yield from execution.warnings(context, thread, source.logical_id)
    yield end_thread(execution, thread, source)


def edge_event(decision: Decision, run_id: str) -> EdgeEvent:
    """Return the unstamped event of a transition that is taken, with its reason, in the class of its kind.

    A direct edge's own id and name stay out of its event, as recorded (``platform.md#edge-selection``).
    """
    transition = decision.transition
    ends = {
        **edge_ends(transition.source, transition.destination),
        "edge_run_id": run_id,
        "reason": decision.reason,
    }
    if transition.kind == "direct":
        return DirectEdgeEvent(**ends)
    if transition.kind == "self_loop":
        return SelfLoopEdgeEvent(**ends)
    named: dict[str, Any] = {
        "edge_name": transition.name,
        "edge_logical_id": transition.edge_id,
        "super_node_exit_origin": transition.super_node_id,
    }
    if transition.kind == "reverse":
        global_node = transition.super_node_id or transition.source.logical_id
        return ReverseConditionalEdgeEvent(
            **named, **ends, args_filled=decision.args, global_node_logical_id=global_node
        )
    return ConditionalEdgeEvent(**named, **ends, args_filled=decision.args)


def companion_event(source: NodeConfig, other: NodeConfig, edge: EdgeConfig | None) -> CompanionEdgeEvent:
    """Return the unstamped event of a worker or a new companion thread: ``other`` runs beside ``source``."""
    return CompanionEdgeEvent(
        edge_name=edge.name if edge else None,
        edge_logical_id=author_edge_id(edge) if edge else None,
        **edge_ends(source, other),
        reason=f"{other.label} runs beside {source.label}",
    )


def navigation_event(transition: Transition, message_id: str) -> WorkflowNavigationMessageEvent:
    """Return the unstamped event of a transition's navigation memo, which enters the chat.

    Source: ``platform.md#history``.
    """
    source, destination = transition.source, transition.destination
    edge_type = _NAMED_TYPES.get(transition.kind, "conditional")
    named = transition.edge is not None and transition.kind != "direct"
    text = (
        f'[Internal-only memo]: System navigated from agent "{source.name}" to agent '
        f'"{destination.name}" via {edge_type.replace("_", " ")} edge.'
    )
    metadata = {
        "navigation_message": "true",
        "edge_type": edge_type,
        "source_node_id": source.logical_id,
        "source_node_name": source.name,
        "destination_node_id": destination.logical_id,
        "destination_node_name": destination.name,
        "edge_name": (transition.name or "") if named else "",
        "edge_logical_id": (transition.edge_id or "") if named else "",
    }
    return WorkflowNavigationMessageEvent(
        logical_id=message_id,
        message=ai_message(text, message_id=message_id, response_metadata=metadata),
        origin_node_logical_id=source.logical_id,
        origin_node_name=source.name,
    )
