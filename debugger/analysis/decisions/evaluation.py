"""To ask the ways out of a node once more, as they were asked when a decision was made.

What can be worked out, expressions, is worked out of the recorded state; what a model said is taken from the
record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from debugger.analysis.decisions.candidates import CandidateEdge
from debugger.analysis.decisions.records import DecisionRecord, LlmVerdict
from debugger.errors import ConditionError, ExpressionError, RunError
from debugger.expressions import ABSENT, Condition, Scope, hydrate, lookup, parse, render
from debugger.graph.checks.context import LLM_FLAGS
from debugger.protocol.workflow import NodeConfig


@dataclass(frozen=True)
class ExpressionResult:
    """What came of an expression."""

    value: bool | None
    """``None`` where it cannot be read or evaluated."""
    filled: str
    absent: tuple[str, ...] = ()
    """The references without a value, as they are written."""
    error: str = ""


def evaluate_expression(text: str, scope: Scope) -> ExpressionResult:
    """Evaluate an expression; a fault is told in the judgement."""
    try:
        condition = parse(text)
        absent = tuple(dict.fromkeys(absent_references(condition, scope)))
        return ExpressionResult(condition.evaluate(scope).value, condition.hydrated(scope), absent)
    except (ExpressionError, ConditionError) as error:
        return ExpressionResult(None, hydrate(text, scope), error=str(error))


def refers_to_absent(text: str, scope: Scope) -> bool:
    """Whether an expression names a variable that has no value; one that cannot be read names none."""
    try:
        return any(absent_references(parse(text), scope))
    except ExpressionError:
        return False


def absent_references(condition: Condition, scope: Scope) -> list[str]:
    """The references of a condition that have no value."""
    return [
        reference.text
        for reference in condition.references
        if lookup(scope, reference.namespace, reference.path) is ABSENT
    ]


CONDITIONAL = frozenset({"conditional", "global", "reverse"})


@dataclass(frozen=True, eq=False)
class EvaluatedEdge:
    """One way out, with what came of asking it."""

    way: CandidateEdge
    expression: ExpressionResult | None = None
    """Where an expression decides."""
    model: bool | None = None
    """What a model said of its condition; ``None`` where none was asked apart."""
    offered: bool = False
    """Whether a model could choose it while the node ran."""
    possible: bool = True
    """Whether anybody could judge it: a condition in words needs a model."""
    by_itself: bool = False
    """Whether a model is asked about it after the node has run, if its turn comes (``engine.md`` U-33)."""

    @property
    def holds(self) -> bool:
        """Whether it would be taken if it were its turn, no model choosing."""
        if self.way.bar is not None:
            return False
        if self.way.kind not in CONDITIONAL:
            return self.way.kind != "fork"
        return bool(self.expression.value) if self.expression else self.model is True and not self.offered


def evaluate_edges(
    ways: Iterable[CandidateEdge],
    record: DecisionRecord,
    node: NodeConfig,
    before: Scope | None,
    after: Scope,
) -> list[EvaluatedEdge]:
    """Ask each way out.

    Args:
        ways: The ways out of the node.
        record: What is recorded of the decision.
        node: Where the thread stood.
        before: What the thread could see as the node began its run; ``None`` where it did not run.
        after: What it could see as the decision was made.
    """
    heard = list(record.verdicts)
    return [_asked(way, record, node, before, after, heard) for way in ways]


def expected_edge(asked: Sequence[EvaluatedEdge], record: DecisionRecord) -> EvaluatedEdge | None:
    """The way that the rules lead to: the model's choice, a direct edge, the first that holds.

    ``None`` where an expression that had to be evaluated cannot be. Only the outcome tells which of several
    waiting edges were armed, and whether a turn had too many node runs to go on from a node passed over.
    """
    if record.stage == "while_waiting":
        matched = next((each for each in asked if each.holds and is_edge_of(each.way, record)), None)
        return matched or _first(asked)
    if record.is_skipped and record.outcome == "ended":
        return asked[-1]
    return _chosen(asked, record) or _first(asked)


def _chosen(asked: Sequence[EvaluatedEdge], record: DecisionRecord) -> EvaluatedEdge | None:
    """The hop that the model chose, or that it said yes to when asked apart."""
    if record.stage != "after_run":
        return None
    offered = [each for each in asked if each.offered and each.way.bar is None]
    fitting = [each for each in offered if each.way.judged_apart and each.model]
    called = (each for each in offered if any(leads_to(each.way, node_id) for node_id in record.chosen))
    fitting = fitting or list(called)
    return next((each for each in fitting if is_edge_of(each.way, record)), fitting[0] if fitting else None)


def _first(asked: Sequence[EvaluatedEdge]) -> EvaluatedEdge | None:
    for each in asked:
        if each.way.bar is None and each.expression is not None and each.expression.value is None:
            return None
        if each.holds:
            return each
    return None


def is_edge_of(way: CandidateEdge, record: DecisionRecord) -> bool:
    """Whether a decision was for a way, as the event tells it."""
    if record.outcome in ("condition", "model"):
        same_edge = way.edge_id == record.edge_id and leads_to(way, record.destination)
        return way.kind in CONDITIONAL and same_edge
    if record.outcome == "direct":
        return way.kind == "direct" and leads_to(way, record.destination) and way.bar is None
    kinds = {"loop": "self_loop", "ended": "nothing", "retry": "retry", "gave_up": "retry"}
    return way.kind == kinds.get(record.outcome)


def leads_to(way: CandidateEdge, node_id: str | None) -> bool:
    """Whether a way leads to a node, or to the super node that it is inside of."""
    return node_id == way.destination or str(node_id).startswith(f"{way.destination}/")


def _asked(
    way: CandidateEdge,
    record: DecisionRecord,
    node: NodeConfig,
    before: Scope | None,
    after: Scope,
    heard: list[LlmVerdict],
) -> EvaluatedEdge:
    if way.kind not in CONDITIONAL or way.bar is not None:
        shown = evaluate_expression(way.expression, after) if way.expression else None
        return EvaluatedEdge(way, shown)
    calls_model = node.type in LLM_FLAGS
    could_choose = calls_model and before is not None and not record.must_answer
    offered = could_choose and before is not None and _is_for_model(way, before)
    if way.judged_apart and offered:
        return EvaluatedEdge(way, model=_answer(way, heard), offered=True)
    if not _is_for_model(way, after):
        return EvaluatedEdge(
            way, evaluate_expression(way.expression, after) if way.expression else None, offered=offered
        )
    if calls_model or way.kind != "conditional":
        return EvaluatedEdge(way, offered=offered, possible=calls_model)
    return EvaluatedEdge(way, model=_answer(way, heard), by_itself=True)


def _is_for_model(way: CandidateEdge, scope: Scope) -> bool:
    """Whether a model judges it: it says so in words, and no expression can decide (``engine.md`` U-16)."""
    return bool(way.freeform) and (not way.expression or refers_to_absent(way.expression, scope))


def _answer(way: CandidateEdge, heard: list[LlmVerdict]) -> bool | None:
    """What a model said when it was asked about the way; each answer counts once."""
    for place, judged in enumerate(heard):
        if judged.destination == way.destination:
            return heard.pop(place).held
    return None


def render_condition(way: CandidateEdge, asked: EvaluatedEdge, scope: Scope) -> tuple[str, str]:
    """A way's condition as it was written, and with the values filled in."""
    if asked.expression is not None:
        return way.expression, asked.expression.filled
    text = way.freeform or way.expression
    try:
        return text, render(text, scope).text
    except RunError:
        return text, text
