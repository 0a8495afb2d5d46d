"""Which edge is taken after a node has run, and why (``platform/engine.md`` 3.2, 3.3, 3.6).

The order: a hop that the model chose during the run; a direct edge; the first conditional edge that holds,
the node's own before those to global nodes; the node's own loop; nothing, which ends the thread.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal

from debugger.engine.expansion.placement import author_edge_id, exit_origin_of, may_enter, ways_back
from debugger.engine.flags import truth
from debugger.engine.nodes.base import Node, NodeContext, Outcome
from debugger.engine.nodes.llm.judging import judge
from debugger.engine.nodes.llm.schemas import readable_schema
from debugger.engine.responders.base import Choice
from debugger.engine.state import ThreadState
from debugger.errors import ConditionError, ExpressionError
from debugger.expressions import ABSENT, Condition, hydrate, lookup, parse
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    CompanionEdgeEvent,
    ConditionalEdgeEvent,
    DirectEdgeEvent,
    EdgeEvent,
    Event,
    GuardrailEscalationEdgeEvent,
    ReverseConditionalEdgeEvent,
    SelfLoopEdgeEvent,
    WorkflowNavigationMessageEvent,
    WorkflowWarningEvent,
)
from debugger.protocol.messages import ai_message
from debugger.protocol.workflow import (
    ConditionConfig,
    EdgeConfig,
    EvaluateWhileWaitingConfig,
    GlobalNodeConfig,
    NodeConfig,
)

Kind = Literal["direct", "conditional", "global", "reverse", "self_loop", "escalation"]


@dataclass(frozen=True)
class Hop:
    """One way out of a node."""

    kind: Kind
    source: NodeConfig
    destination: NodeConfig
    edge: EdgeConfig | None = None
    """The author's edge; ``None`` for a hop to or from a global node, which needs none."""
    condition: ConditionConfig | None = None
    judged_apart: bool = False
    """Whether a model judges its condition in a call of its own instead of choosing it while it answers."""
    super_node_id: str | None = None
    """The super node that it leaves (``platform/engine.md`` 2.11)."""

    @property
    def key(self) -> str:
        """A name for it that no other way out of the same node has."""
        return self.edge.logical_id if self.edge else f"{self.kind}:{self.destination.logical_id}"

    @property
    def name(self) -> str | None:
        """The author's name for the edge."""
        return self.edge.name if self.edge else None

    @property
    def edge_id(self) -> str | None:
        """The author's id for the edge."""
        return author_edge_id(self.edge) if self.edge else None

    @property
    def is_conditional(self) -> bool:
        """Whether something had to hold for it."""
        return self.kind in ("conditional", "global", "reverse")


@dataclass(frozen=True)
class Decision:
    """The hop that is taken, and why."""

    hop: Hop
    reason: str
    args: JsonObject
    chosen_by_model: bool = False


class Routes:
    """The ways out of each node of one workflow."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[str, tuple[Hop, ...]] = {}
        self._known_direct: dict[str, Hop | None] = {}
        self._known_forks: dict[str, list[Hop]] = {}
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
            return Decision(Hop("self_loop", config, config), f"{config.label} goes on with itself", {})
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
        """The edges of a node that are judged while it waits for the user, each with its settings (3.9)."""
        found = self._waiting.get(node_id)
        if found is None:
            found = self._waiting[node_id] = tuple(
                (hop, settings)
                for hop in self._own(self._graph.node(node_id))
                if (settings := hop.edge and hop.edge.evaluate_while_waiting_config) and settings.enabled
                if not self._is_blocked(hop)
            )
        return found

    def holds(self, hop: Hop, context: NodeContext) -> Generator[Event, None, Decision | None]:
        """Judge the expression of one edge; the decision to take it where it holds.

        Raises:
            RunError: It cannot be read or evaluated.
        """
        expression = hop.condition.condition_expression if hop.condition else None
        reason = (yield from _expression_reason(hop, expression, context)) if expression else None
        return Decision(hop, reason, {}) if reason is not None else None

    def hydrated(self, hop: Hop, context: NodeContext) -> str:
        """The expression of an edge with its values filled in."""
        expression = hop.condition.condition_expression if hop.condition else None
        return _parsed(expression, context).hydrated(context.scope) if expression else ""

    def _direct(self, node: NodeConfig) -> Hop | None:
        edge = self._graph.main_direct(node.logical_id)
        return self._hop("direct", node, edge) if edge else None

    def _conditional(self, node: NodeConfig, thread: ThreadState) -> tuple[Hop, ...]:
        known = self._known.get(node.logical_id)
        if known is None:
            # No node is on the main path and in a companion thread, so the node alone tells which it is.
            ways = (*self._own(node), *(() if thread.is_companion else self._to_globals(node)))
            known = self._known[node.logical_id] = tuple(hop for hop in ways if not self._is_blocked(hop))
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


def choice_of(hop: Hop, context: NodeContext) -> Choice:
    """A hop as it is offered to a model."""
    condition = hop.condition or ConditionConfig()
    return Choice(
        edge_id=hop.key,
        condition=context.fill(condition.condition_freeform or ""),
        destination_node_logical_id=hop.destination.logical_id,
        destination_node_name=hop.destination.label,
        edge_name=hop.name,
        args_schema=condition.args_schema and readable_schema(condition.args_schema),
    )


def edge_event(decision: Decision, run_id: str) -> EdgeEvent:
    """The event that tells which hop is taken, and why.

    A direct edge's own id and name stay out of its event, as recorded (``platform/engine.md`` 3.3).
    """
    hop = decision.hop
    ends = {
        "edge_run_id": run_id,
        "source_node_logical_id": hop.source.logical_id,
        "source_node_name": hop.source.name,
        "destination_node_logical_id": hop.destination.logical_id,
        "destination_node_name": hop.destination.name,
        "reason": decision.reason,
    }
    if hop.kind == "direct":
        return DirectEdgeEvent(**ends)
    if hop.kind == "self_loop":
        return SelfLoopEdgeEvent(**ends)
    named = {
        "edge_name": hop.name,
        "edge_logical_id": hop.edge_id,
        "super_node_exit_origin": hop.super_node_id,
    }
    if hop.kind == "reverse":
        global_node = hop.super_node_id or hop.source.logical_id
        return ReverseConditionalEdgeEvent(
            **named, **ends, args_filled=decision.args, global_node_logical_id=global_node
        )
    return ConditionalEdgeEvent(**named, **ends, args_filled=decision.args)


def companion_event(source: NodeConfig, other: NodeConfig, edge: EdgeConfig | None) -> CompanionEdgeEvent:
    """The event that tells that a node runs beside another: a worker, or the first of a companion thread."""
    return CompanionEdgeEvent(
        edge_name=edge.name if edge else None,
        edge_logical_id=edge.logical_id if edge else None,
        source_node_logical_id=source.logical_id,
        source_node_name=source.name,
        destination_node_logical_id=other.logical_id,
        destination_node_name=other.name,
        reason=f"{other.label} runs beside {source.label}",
    )


def escalation_event(
    source: NodeConfig, destination: NodeConfig | None, entries: int
) -> GuardrailEscalationEdgeEvent:
    """The event that tells that guardrail nodes were entered too often; without destination the run ends."""
    return GuardrailEscalationEdgeEvent(
        edge_run_id="1",
        source_node_logical_id=source.logical_id,
        source_node_name=source.name,
        destination_node_logical_id=destination.logical_id if destination else None,
        destination_node_name=destination.name if destination else None,
        reason=f"Guardrail nodes were entered {entries} times",
        num_guardrail_nodes_entered=entries,
    )


def navigation_event(hop: Hop, message_id: str) -> WorkflowNavigationMessageEvent:
    """The memo of a hop, which also enters the chat (``platform/engine.md`` 6.2, 7.2 (a) 7)."""
    named_types = {"direct": "direct", "reverse": "reverse_conditional", "escalation": "guardrail_escalation"}
    edge_type = named_types.get(hop.kind, "conditional")
    named = hop.edge is not None and hop.kind != "direct"
    text = (
        f'[Internal-only memo]: System navigated from agent "{hop.source.name}" to agent '
        f'"{hop.destination.name}" via {edge_type.replace("_", " ")} edge.'
    )
    metadata = {
        "navigation_message": "true",
        "edge_type": edge_type,
        "source_node_id": hop.source.logical_id,
        "source_node_name": hop.source.name,
        "destination_node_id": hop.destination.logical_id,
        "destination_node_name": hop.destination.name,
        "edge_name": (hop.name or "") if named else "",
        "edge_logical_id": (hop.edge_id or "") if named else "",
    }
    return WorkflowNavigationMessageEvent(
        logical_id=message_id,
        message=ai_message(text, message_id=message_id, response_metadata=metadata),
        origin_node_logical_id=hop.source.logical_id,
        origin_node_name=hop.source.name,
    )


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


def _expression_reason(hop: Hop, expression: str, context: NodeContext) -> Generator[Event, None, str | None]:
    condition = _parsed(expression, context)
    verdict = condition.evaluate(context.scope)
    for warning in verdict.warnings:
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
