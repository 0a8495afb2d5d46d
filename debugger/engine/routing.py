"""Which edge is taken after a node has run, and why (``platform/engine.md`` 3.2, 3.3, 3.6).

The order: a hop that the model chose during the run; a direct edge; the first conditional edge that holds,
the node's own before those to global nodes; the node's own loop; nothing, which ends the thread.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from debugger.engine.hops import Decision, Hop, Kind, choice_of
from debugger.engine.nodes.base import Node, NodeContext, Outcome
from debugger.engine.nodes.llm.judging import judge
from debugger.engine.state import ThreadState
from debugger.errors import ConditionError, ExpressionError
from debugger.expressions import ABSENT, Condition, hydrate, lookup, parse
from debugger.graph import Graph
from debugger.graph.placement import exit_origin_of, may_enter, ways_back
from debugger.protocol.events import Event, WorkflowWarningEvent
from debugger.protocol.flags import truth
from debugger.protocol.workflow import (
    EdgeConfig,
    EvaluateWhileWaitingConfig,
    GlobalNodeConfig,
    NodeConfig,
)


class Routes:
    """The ways out of each node of one workflow."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[tuple[str, bool], tuple[Hop, ...]] = {}
        self._known_direct: dict[str, Hop | None] = {}
        self._known_forks: dict[str, list[Hop]] = {}
        self._known_loops: dict[str, Hop] = {}
        self._waiting: dict[str, tuple[tuple[Hop, EvaluateWhileWaitingConfig], ...]] = {}

    def choices(self, node: Node[Any], context: NodeContext) -> dict[str, Hop]:
        """The hops that a model may choose while this node runs, by key (rank 2)."""
        return {
            hop.key: hop
            for hop in self._conditional(node.config, context.thread)
            if _is_offered(hop, context)
        }

    def decide(
        self, node: Node[Any], context: NodeContext, outcome: Outcome, offered: dict[str, Hop]
    ) -> Generator[Event, None, Decision | None]:
        """Choose the way out of a node that has run.

        Args:
            node: The node.
            context: What it ran with.
            outcome: How its run ended.
            offered: The hops that its model could choose, by key.

        Returns:
            The hop and its reason; ``None`` when there is no way out. Yields what judging tells: warnings of
            conditions and the verdicts of a model.

        Raises:
            RunError: A condition cannot be read or evaluated, or a way out is one that the engine cannot go.
        """
        config = node.config
        if outcome.chosen is not None:
            hop = offered[outcome.chosen.edge_id]
            called = f"Destination_Node__{hop.destination.logical_id}"
            return Decision(hop, f"{called} was chosen: {outcome.reason}", outcome.args, chosen_by_model=True)
        if config.logical_id not in self._known_direct:
            self._known_direct[config.logical_id] = self._direct(config)
        direct = self._known_direct[config.logical_id]
        if direct is not None:
            reason = f"Direct edge triggered from {config.logical_id} to {direct.destination.logical_id}"
            return Decision(direct, reason, {})
        decision = yield from self.first_that_holds(node, context)
        if decision is None and node.loops_to_itself:
            loop = self._known_loops.get(config.logical_id)
            if loop is None:
                loop = self._known_loops[config.logical_id] = Hop("self_loop", config, config)
            return Decision(loop, f"{config.label} goes on with itself", {})
        return decision

    def forks(self, node: NodeConfig) -> list[Hop]:
        """The direct edges of a node that each start a companion thread (``platform/engine.md`` 3.3, 3.5)."""
        known = self._known_forks.get(node.logical_id)
        if known is None:
            main = self._graph.main_direct(node.logical_id)
            edges = [edge for edge in self._graph.direct(node.logical_id) if edge is not main]
            known = self._known_forks[node.logical_id] = [self._hop("direct", node, edge) for edge in edges]
        return known

    def judged_while_waiting(self, node_id: str) -> tuple[tuple[Hop, EvaluateWhileWaitingConfig], ...]:
        """The edges of a node that are judged while it waits for the user, each with its settings (3.9).

        One without an expression is none of them: nothing could ever hold (V6 in ``platform/engine.md`` 12).
        """
        found = self._waiting.get(node_id)
        if found is None:
            found = self._waiting[node_id] = tuple(
                (hop, settings)
                for hop in self._own(self._graph.node(node_id))
                if (settings := hop.edge and hop.edge.evaluate_while_waiting_config) and settings.enabled
                if hop.expression and not self._is_blocked(hop)
            )
        return found

    def holds(
        self, hop: Hop, context: NodeContext, *, tell: bool = True
    ) -> Generator[Event, None, Decision | None]:
        """Judge the expression of one edge; the decision to take it where it holds.

        Args:
            hop: The edge.
            context: What its source ran with.
            tell: Whether to yield its warnings; what is judged every second has told them before.

        Raises:
            RunError: It cannot be read or evaluated.
        """
        reason = yield from _expression_reason(hop, hop.expression, context, tell=tell)
        return Decision(hop, reason, {}) if reason is not None else None

    def hydrated(self, hop: Hop, context: NodeContext) -> str:
        """The expression of an edge with its values filled in."""
        return _parsed(hop.expression, context).hydrated(context.scope)

    def _direct(self, node: NodeConfig) -> Hop | None:
        edge = self._graph.main_direct(node.logical_id)
        return self._hop("direct", node, edge) if edge else None

    def _conditional(self, node: NodeConfig, thread: ThreadState) -> tuple[Hop, ...]:
        key = (node.logical_id, thread.is_companion)
        known = self._known.get(key)
        if known is None:
            ways = (*self._own(node), *(() if thread.is_companion else self._to_globals(node)))
            known = self._known[key] = tuple(hop for hop in ways if not self._is_blocked(hop))
        return (*known, *self._back(node, thread)) if thread.callers else known

    def _is_blocked(self, hop: Hop) -> bool:
        """Whether it would lead from one guardrail node to another (``platform/engine.md`` 3.8)."""
        flag = self._graph.workflow.config.miscellaneous.get("no_hopping_between_guardrail_nodes")
        others = hop.destination.logical_id != hop.source.logical_id
        both = hop.source.is_guardrail_node and hop.destination.is_guardrail_node
        return both and others and truth(flag, True)

    def _own(self, node: NodeConfig) -> list[Hop]:
        edges = self._graph.leaving(node.logical_id)
        return [self._hop("conditional", node, edge) for edge in edges if edge.type == "conditional"]

    def _hop(self, kind: Kind, node: NodeConfig, edge: EdgeConfig) -> Hop:
        destination = self._graph.node(str(edge.destination_node_logical_id))
        return Hop(kind, node, destination, edge, edge.condition, super_node_id=exit_origin_of(edge))

    def _to_globals(self, node: NodeConfig) -> list[Hop]:
        return [
            Hop("global", node, other, None, settings.condition, self._is_judged_apart(settings))
            for other in self._graph.global_nodes
            if other.logical_id != node.logical_id and not other.disabled and may_enter(node, other)
            if (settings := other.global_node_config) is not None
        ]

    def _is_judged_apart(self, settings: GlobalNodeConfig) -> bool:
        method = settings.global_condition_edge_evaluation_method
        if method == "workflow_default":
            method = self._graph.workflow.config.global_condition_evaluation_method
        return method == "independent_llm_evaluations"

    def _back(self, node: NodeConfig, thread: ThreadState) -> list[Hop]:
        """The hop back to where a global node, or a global super node around this one, was entered from."""
        entered, caller = thread.callers[-1]
        back = self._graph.node(caller)
        own = node.global_node_config.reverse_conditional_edge if node.global_node_config else None
        if own is not None and entered == node.logical_id:
            return [Hop("reverse", node, back, None, own)]
        return [
            Hop("reverse", node, back, None, way.condition, super_node_id=way.super_node_id)
            for way in ways_back(node)
            if way.entered_node_id == entered
        ]

    def first_that_holds(
        self, node: Node[Any], context: NodeContext
    ) -> Generator[Event, None, Decision | None]:
        """The first conditional edge that holds (rank 4)."""
        for hop in self._conditional(node.config, context.thread):
            condition = hop.condition
            if condition is None:
                continue
            if condition.condition_expression and not _is_offered(hop, context):
                reason = yield from _expression_reason(hop, condition.condition_expression, context)
            elif condition.condition_freeform and not node.calls_model and hop.kind == "conditional":
                reason = yield from _judge(hop, context)
            else:
                continue
            if reason is not None:
                return Decision(hop, reason, {})
        return None


def _is_offered(hop: Hop, context: NodeContext) -> bool:
    """Whether a model may choose it: a freeform condition, and no expression that can decide.

    With both set the expression decides, unless it refers to a variable that is absent (U-16).
    """
    condition = hop.condition
    if condition is None or not condition.condition_freeform:
        return False
    return not condition.condition_expression or _refers_to_absent(condition.condition_expression, context)


def _refers_to_absent(expression: str, context: NodeContext) -> bool:
    references = _parsed(expression, context).references
    return any(lookup(context.scope, ref.namespace, ref.path) is ABSENT for ref in references)


def _expression_reason(
    hop: Hop, expression: str, context: NodeContext, *, tell: bool = True
) -> Generator[Event, None, str | None]:
    condition = _parsed(expression, context)
    verdict = condition.evaluate(context.scope)
    for warning in verdict.warnings if tell else ():
        yield WorkflowWarningEvent(warning_message=warning)
    return f"Condition expression '{condition.hydrated(context.scope)}' holds" if verdict.value else None


def _parsed(expression: str, context: NodeContext) -> Condition:
    try:
        return parse(expression)
    except ExpressionError as error:
        # The platform checks no expression before it runs it, and then shows it with its values.
        shown = hydrate(expression, context.scope)
        raise ConditionError(f"Error evaluating condition expression '{shown}': {error}") from error


def _judge(hop: Hop, context: NodeContext) -> Generator[Event, None, str | None]:
    """Have a freeform condition judged by itself, since the node that it leaves calls no model (U-33)."""
    verdict = yield from judge(choice_of(hop, context), hop.source, context)
    called = f"Destination_Node__{hop.destination.logical_id}"
    return f"{called} was chosen: {verdict.reason}" if verdict is not None else None
