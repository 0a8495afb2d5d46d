"""The transitions out of a node, and the choice among them.

The order: a transition that the model chose during the run; a direct edge; the first conditional edge whose
condition holds, the node's own before those to global nodes; the node's own loop; nothing, which ends the
thread. Source: ``platform.md#edges``, ``platform.md#edge-selection`` and ``platform.md#global-nodes``.
"""

from __future__ import annotations

from collections.abc import Generator
from time import thread_time
from typing import Any

from debugger.engine.decision import Decision, Transition
from debugger.engine.models.base import TransitionOption
from debugger.engine.nodes.base import Node, NodeContext, NodeResult
from debugger.engine.nodes.llm.config import readable_schema
from debugger.engine.nodes.llm.model_call import evaluate
from debugger.engine.state import ThreadState
from debugger.errors import ConditionError, ExpressionError
from debugger.expressions import ABSENT, Condition, hydrate, limits, lookup, parse
from debugger.expressions.values import shortened
from debugger.graph import Graph
from debugger.graph.candidates import CandidateEdge, CandidateEdges
from debugger.graph.nesting import exit_origin_of
from debugger.protocol.events import Event, warning_event
from debugger.protocol.messages import transition_tool_name
from debugger.protocol.workflow import (
    ConditionConfig,
    EdgeConfig,
    EvaluateWhileWaitingConfig,
    NodeConfig,
)

_MAX_QUOTED = 80
"""Characters of a condition that an error shows."""


class EdgeSelector:
    """The transitions out of a workflow's nodes, and the choice among them."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.max_consecutive = graph.workflow.config.max_consecutive_conditional_edges
        self.must_answer_after_return = graph.workflow.config.must_answer_after_return
        self._candidates = CandidateEdges(graph)
        self._known: dict[tuple[str, bool], tuple[Transition, ...]] = {}

    def choices(self, node: Node[Any], context: NodeContext) -> dict[str, Transition]:
        """Return the transitions offered to a node's model, by key."""
        return {
            transition.key: transition
            for transition in self.conditional(node.config, context.thread)
            if _is_offered(transition, context)
        }

    def decide(
        self, node: Node[Any], context: NodeContext, outcome: NodeResult
    ) -> Generator[Event, None, Decision | None]:
        """Choose the transition out of a node that has run; the thread is not moved.

        In this order: the one that the node's model chose, a direct edge, the first conditional edge that
        holds, the node's self-loop.

        Args:
            node: The node.
            context: What it ran with.
            outcome: How its run ended.

        Returns:
            The transition and its reason; ``None`` where there is none. Yields the warnings of conditions and
            the verdicts of a model.

        Raises:
            RunError: A condition cannot be read or evaluated, or the engine cannot take the transition.
        """
        config = node.config
        if outcome.chosen is not None:
            transition = context.transitions[outcome.chosen.edge_id]
            called = transition_tool_name(transition.destination.logical_id)
            return Decision(
                transition, f"{called} was chosen: {outcome.reason}", outcome.args, chosen_by_model=True
            )
        edge = self._graph.main_direct(config.logical_id)
        if edge is not None:
            direct = self._direct(config, edge)
            reason = f"Direct edge triggered from {config.logical_id} to {direct.destination.logical_id}"
            return Decision(direct, reason, {})
        decision = yield from self.first_match(node, context)
        if decision is None and node.loops_to_itself:
            loop = Transition("self_loop", config, config)
            return Decision(loop, f"{config.label} stays on this node", {})
        return decision

    def companion_edges(self, node: NodeConfig) -> list[Transition]:
        """Return the direct edges that start companion threads."""
        main = self._graph.main_direct(node.logical_id)
        edges = [edge for edge in self._graph.direct(node.logical_id) if edge is not main]
        return [self._direct(node, edge) for edge in edges]

    def judged_while_waiting(self, node_id: str) -> list[tuple[Transition, EvaluateWhileWaitingConfig]]:
        """Return the edges evaluated while a node waits, with their settings, in the order of evaluation.

        They are those whose evaluation is enabled. An edge without an expression is left out: it could never
        match (V6 in ``platform.md#validation``).
        """
        return [
            (transition, settings)
            for transition in self._without_return(self._graph.node(node_id), is_companion=True)
            if (settings := transition.edge and transition.edge.evaluate_while_waiting_config)
            and settings.enabled
            and transition.expression
        ]

    def holds(
        self, transition: Transition, context: NodeContext, *, tell: bool = True
    ) -> Generator[Event, None, Decision | None]:
        """Evaluate one edge's expression; return the decision where it holds.

        Args:
            transition: The edge.
            context: What its source ran with.
            tell: Whether to yield its warnings; what is judged every second has yielded them before.

        Raises:
            RunError: It cannot be read or evaluated.
        """
        reason, warnings = _expression_reason(transition.expression, context)
        for warning in warnings if tell else ():
            yield warning_event(warning, "configuration", transition.source.logical_id)
        return Decision(transition, reason, {}) if reason is not None else None

    def hydrated(self, transition: Transition, context: NodeContext) -> str:
        """Return the expression of an edge with its values filled in."""
        return _parsed(transition.expression, context).hydrated(context.scope)

    def conditional(self, node: NodeConfig, thread: ThreadState) -> tuple[Transition, ...]:
        """Return the conditional transitions out of a node, in the order of evaluation."""
        known = self._without_return(node, is_companion=thread.is_companion)
        if not thread.return_stack:
            return known
        back = self._candidates.find_return_edges(node, thread.return_stack[-1])
        return (*known, *(self._conditional(node, edge) for edge in back))

    def _without_return(self, node: NodeConfig, *, is_companion: bool) -> tuple[Transition, ...]:
        """Return the conditional transitions out of a node that are not blocked, without returns.

        They are made once for each node and kind of thread.
        """
        key = (node.logical_id, is_companion)
        known = self._known.get(key)
        if known is None:
            edges = self._candidates.conditional(node, is_companion=is_companion)
            known = self._known[key] = tuple(
                self._conditional(node, edge) for edge in edges if edge.blocked_reason is None
            )
        return known

    def _conditional(self, node: NodeConfig, found: CandidateEdge) -> Transition:
        """Return the transition of a candidate edge out of a node."""
        destination = self._graph.node(str(found.destination))
        return Transition(
            found.kind,
            node,
            destination,
            found.edge,
            found.condition,
            found.judged_apart,
            found.super_node_id,
        )

    def _direct(self, node: NodeConfig, edge: EdgeConfig) -> Transition:
        destination = self._graph.node(str(edge.destination_node_logical_id))
        return Transition(
            "direct", node, destination, edge, edge.condition, super_node_id=exit_origin_of(edge)
        )

    def first_match(self, node: Node[Any], context: NodeContext) -> Generator[Event, None, Decision | None]:
        """Return the decision for the first conditional edge that holds; ``None`` where none does.

        An edge that is offered to the node's own model is skipped. For a node without a model, a model judges
        a freeform condition alone. Yields the warnings of expressions and the events of such calls.

        Raises:
            RunError: A condition cannot be read or evaluated, or the conditions take too long together.
        """
        seconds = 0.0
        for transition in self.conditional(node.config, context.thread):
            condition = transition.condition
            if condition is None:
                continue
            if condition.condition_expression:
                _require_time(seconds, condition.condition_expression)
            started, message = thread_time(), ""
            if condition.condition_expression and not _is_offered(transition, context):
                reason, warnings = _expression_reason(condition.condition_expression, context)
                seconds += thread_time() - started
                for warning in warnings:
                    yield warning_event(warning, "configuration", node.config.logical_id)
            elif condition.condition_freeform and not node.calls_model and transition.kind == "conditional":
                # Judged alone, since no model of the node could choose it (U-33).
                verdict = yield from evaluate(choice_of(transition, context), transition.source, context)
                called = transition_tool_name(transition.destination.logical_id)
                reason = f"{called} was chosen: {verdict.reason}" if verdict is not None else None
                message = verdict.message if verdict is not None else ""
            else:
                continue
            if reason is not None:
                return Decision(transition, reason, {}, message=message)
        return None


def _is_offered(transition: Transition, context: NodeContext) -> bool:
    """Return whether a model may choose a transition: its condition is freeform, and no expression decides.

    With both set the expression decides, unless it refers to a variable that is absent (U-16).

    Raises:
        ConditionError: The expression cannot be read.
    """
    condition = transition.condition
    if condition is None or not condition.condition_freeform:
        return False
    if not condition.condition_expression:
        return True
    references = _parsed(condition.condition_expression, context).references
    return any(lookup(context.scope, ref.namespace, ref.path) is ABSENT for ref in references)


def _expression_reason(expression: str, context: NodeContext) -> tuple[str | None, tuple[str, ...]]:
    condition = _parsed(expression, context)
    verdict = condition.evaluate(context.scope)
    reason = f"Condition expression '{condition.hydrated(context.scope)}' holds" if verdict.value else None
    return reason, verdict.warnings


def _require_time(seconds: float, expression: str) -> None:
    """Check that the conditions so far, in seconds of CPU time, leave time for another expression.

    Raises:
        ConditionError: They took more than `limits.MAX_EVALUATION_SECONDS`.
    """
    if seconds > limits.MAX_EVALUATION_SECONDS:
        raise ConditionError(
            f"Error evaluating condition expression '{shortened(expression, _MAX_QUOTED)}': with the "
            "conditions before it, it takes longer than "
            f"{limits.MAX_EVALUATION_SECONDS:g} seconds to evaluate.",
            advice="Shorten the values, or compute them in a tool node.",
        )


def _parsed(expression: str, context: NodeContext) -> Condition:
    """Return the condition of an expression.

    Raises:
        ConditionError: It cannot be read; the message shows it with its values filled in.
    """
    try:
        return parse(expression)
    except ExpressionError as error:
        # The platform checks no expression before it runs it, and then shows it with its values.
        shown = hydrate(expression, context.scope)
        raise ConditionError(f"Error evaluating condition expression '{shown}': {error}") from error


def choice_of(transition: Transition, context: NodeContext) -> TransitionOption:
    """Return a transition as it is offered to a model, the placeholders of its texts filled in.

    A transition without a condition has an empty one; placeholders without a value are noted in the context.
    """
    condition = transition.condition or ConditionConfig()
    line = condition.dynamic_messages_config
    written = line.dynamic_message_prompt if line is not None else None
    return TransitionOption(
        edge_id=transition.key,
        condition=context.fill(condition.condition_freeform or ""),
        destination_node_logical_id=transition.destination.logical_id,
        destination_node_name=transition.destination.label,
        edge_name=transition.name,
        args_schema=condition.args_schema and readable_schema(condition.args_schema),
        message_prompt=context.fill(written) if written else None,
    )
