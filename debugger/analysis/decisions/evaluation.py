"""The candidate edges of a decision, evaluated again with the recorded state.

Expressions are evaluated again; what a model said is read from the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from debugger.analysis.decisions.records import DecisionRecord, LlmVerdict
from debugger.errors import ConditionError, ExpressionError, RunError
from debugger.expressions import ABSENT, Condition, Reference, Scope, hydrate, lookup, parse, render
from debugger.graph.candidates import CandidateEdge
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.workflow import NodeConfig

CONDITIONAL = frozenset({"conditional", "global", "reverse"})
_IS_ABSENT = re.compile(r"is(?:absent|empty)\s*\(\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class ExpressionResult:
    """The result of an expression."""

    value: bool | None
    """``None`` if it cannot be read or evaluated."""
    filled: str
    absent: tuple[str, ...] = ()
    """The references whose lack of a value may make it false, as they are written."""
    error: str = ""


def evaluate_expression(text: str, scope: Scope) -> ExpressionResult:
    """Return the result of an expression.

    One that cannot be read or evaluated has no value, and its error.
    """
    try:
        condition = parse(text)
        absent = [each.text for each in _absent_references(condition, scope) if _needs_value(each, text)]
        value, filled = condition.evaluate(scope).value, condition.hydrated(scope)
        return ExpressionResult(value, filled, tuple(dict.fromkeys(absent)))
    except (ExpressionError, ConditionError) as error:
        return ExpressionResult(None, hydrate(text, scope), error=str(error))


def _absent_references(condition: Condition, scope: Scope) -> list[Reference]:
    """Return the references of a condition whose value the scope does not have, in order."""
    return [
        reference
        for reference in condition.references
        if lookup(scope, reference.namespace, reference.path) is ABSENT
    ]


def _needs_value(reference: Reference, text: str) -> bool:
    """Return whether a reference has no default, and is not asked for its absence."""
    has_default = any(each.name == "default" for each in reference.filters)
    return not has_default and _IS_ABSENT.search(text[: reference.start]) is None


@dataclass(frozen=True, eq=False)
class EvaluatedEdge:
    """A candidate edge with the result of its condition."""

    edge: CandidateEdge
    expression: ExpressionResult | None = None
    """``None`` if no expression decides."""
    model: bool | None = None
    """A model's separate verdict on its condition; ``None`` without one."""
    offered: bool = False
    """Whether a model could choose it while the node ran."""
    possible: bool = True
    """Whether it could be evaluated at all: a condition in words needs a model."""
    by_itself: bool = False
    """Whether a model evaluates it after the node has run, if it is reached (U-33)."""

    @property
    def holds(self) -> bool:
        """True if it would be taken when reached, without a model's choice."""
        if self.edge.blocked_reason is not None:
            return False
        if self.edge.kind not in CONDITIONAL:
            return self.edge.kind != "fork"
        return bool(self.expression.value) if self.expression else self.model is True and not self.offered


def evaluate_edges(
    edges: Iterable[CandidateEdge],
    record: DecisionRecord,
    node: NodeConfig,
    before: Scope | None,
    after: Scope,
) -> list[EvaluatedEdge]:
    """Evaluate each candidate edge.

    Args:
        edges: The candidate edges of the node.
        record: The recorded decision.
        node: The thread's node.
        before: The thread's variables when the node started; ``None`` if it did not run.
        after: Its variables when the decision was made.
    """
    verdicts = list(record.verdicts)
    return [_evaluate(edge, record, node, before, after, verdicts) for edge in edges]


def expected_edge(evaluated: Sequence[EvaluatedEdge], record: DecisionRecord) -> EvaluatedEdge | None:
    """Return the edge that the rules select: the model's choice, a direct edge, or the first that holds.

    ``None`` if an error ended the run before, or if an expression that had to be evaluated cannot be. Only
    the outcome shows which of several waiting edges were armed, and whether a turn had too many node runs to
    continue from a skipped node.
    """
    if record.outcome == "failed":
        return None
    if record.stage == "while_waiting":
        matched = next((each for each in evaluated if each.holds and is_chosen_edge(each.edge, record)), None)
        return matched or _first(evaluated)
    if record.is_skipped and record.outcome == "ended":
        return evaluated[-1]
    return _chosen(evaluated, record) or _first(evaluated)


def _chosen(evaluated: Sequence[EvaluatedEdge], record: DecisionRecord) -> EvaluatedEdge | None:
    """Return the edge that the model chose or met separately; ``None`` without one, or at another stage."""
    if record.stage != "after_run":
        return None
    offered = [each for each in evaluated if each.offered and each.edge.blocked_reason is None]
    chosen = [each for each in offered if each.edge.judged_apart and each.model]
    chosen = chosen or [each for each in offered if any(leads_to(each.edge, node) for node in record.chosen)]
    return next((each for each in chosen if is_chosen_edge(each.edge, record)), chosen[0] if chosen else None)


def _first(evaluated: Sequence[EvaluatedEdge]) -> EvaluatedEdge | None:
    """Return the first edge that holds.

    ``None`` without one, or if an expression before it cannot be evaluated.
    """
    for each in evaluated:
        is_open = each.edge.blocked_reason is None
        if is_open and each.expression is not None and each.expression.value is None:
            return None
        if each.holds:
            return each
    return None


def is_chosen_edge(edge: CandidateEdge, record: DecisionRecord) -> bool:
    """Return whether an edge is one that a recorded decision may have chosen, by kind, id and destination."""
    if record.outcome in ("condition", "model"):
        same_edge = edge.edge_id == record.edge_id and leads_to(edge, record.destination)
        return edge.kind in CONDITIONAL and same_edge
    if record.outcome == "direct":
        leads_there = leads_to(edge, record.destination)
        return edge.kind == "direct" and leads_there and edge.blocked_reason is None
    kinds = {"loop": "self_loop", "ended": "nothing", "retry": "retry", "gave_up": "retry"}
    return edge.kind == kinds.get(record.outcome)


def leads_to(edge: CandidateEdge, node_id: str | None) -> bool:
    """Return whether an edge leads to a node or its super node."""
    return node_id == edge.destination or str(node_id).startswith(f"{edge.destination}/")


def _evaluate(
    edge: CandidateEdge,
    record: DecisionRecord,
    node: NodeConfig,
    before: Scope | None,
    after: Scope,
    verdicts: list[LlmVerdict],
) -> EvaluatedEdge:
    """Return one candidate edge with its result.

    A model's separate verdict on it is taken out of ``verdicts``. No condition of an edge that is blocked is
    asked of a model.
    """
    if edge.kind not in CONDITIONAL or edge.blocked_reason is not None:
        return EvaluatedEdge(edge, evaluate_expression(edge.expression, after) if edge.expression else None)
    calls_model = node.type in MODEL_NODES
    could_choose = calls_model and before is not None and not record.must_answer
    offered = could_choose and before is not None and _is_for_model(edge, before)
    if edge.judged_apart and offered:
        return EvaluatedEdge(edge, model=_verdict(edge, verdicts), offered=True)
    if not _is_for_model(edge, after):
        result = evaluate_expression(edge.expression, after) if edge.expression else None
        return EvaluatedEdge(edge, result, offered=offered)
    if calls_model or edge.kind != "conditional":
        return EvaluatedEdge(edge, offered=offered, possible=calls_model)
    return EvaluatedEdge(edge, model=_verdict(edge, verdicts), by_itself=True)


def _is_for_model(edge: CandidateEdge, scope: Scope) -> bool:
    """Return whether a model decides a condition: it is in words, and no expression can (U-16).

    An expression beside the words cannot where a variable in it has no value; where one does not parse, no
    model decides.
    """
    if not edge.freeform or not edge.expression:
        return bool(edge.freeform)
    try:
        return bool(_absent_references(parse(edge.expression), scope))
    except ExpressionError:
        return False


def _verdict(edge: CandidateEdge, verdicts: list[LlmVerdict]) -> bool | None:
    """Return a model's verdict on an edge; each verdict counts once."""
    for place, verdict in enumerate(verdicts):
        if verdict.destination == edge.destination:
            return verdicts.pop(place).held
    return None


def render_condition(evaluated: EvaluatedEdge, scope: Scope) -> tuple[str, str]:
    """Return an edge's condition as written, and with the values filled in; unfilled where that fails."""
    edge = evaluated.edge
    if evaluated.expression is not None:
        return edge.expression, evaluated.expression.filled
    text = edge.freeform or edge.expression
    try:
        return text, render(text, scope).text
    except RunError:
        return text, text
