"""Explanations of decisions: every candidate edge, its filled condition and its outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from debugger.analysis.decisions.evaluation import (
    CONDITIONAL,
    EvaluatedEdge,
    evaluate_edges,
    expected_edge,
    is_chosen_edge,
    render_condition,
)
from debugger.analysis.decisions.records import DecisionRecord, EdgeOutcome, ExplainedEdge
from debugger.analysis.node_origins import label_of
from debugger.analysis.variables import Snapshots
from debugger.expressions import Scope
from debugger.graph.candidates import CandidateEdge, CandidateEdges, Kind
from debugger.graph.graph import Graph
from debugger.protocol.events import COMPANION, reference_id
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.workflow import NodeConfig

_UNEVALUATED = frozenset({"beside", "moved"})
_KIND_LABELS: dict[Kind, str] = {
    "direct": "direct edge",
    "fork": "companion thread",
    "conditional": "condition",
    "global": "global node",
    "reverse": "reverse edge",
    "self_loop": "self loop",
    "retry": "bounded retry",
    "nothing": "no outgoing edge",
}


@dataclass(frozen=True)
class Explanation:
    """One decision with its candidate edges."""

    record: DecisionRecord
    source_label: str
    destination_label: str
    """Empty without a destination."""
    candidates: tuple[ExplainedEdge, ...]
    """In the order of evaluation. Empty if nothing was evaluated, as for a forced transfer."""
    expected: ExplainedEdge | None
    """The edge that the rules select with the recorded state; ``None`` if they select none."""
    is_known: bool
    """Whether the workflow has the node and the edge that was taken."""

    @property
    def agrees(self) -> bool:
        """True if the rules select what was recorded."""
        return self.expected is None or self.expected.won or not self.is_known


class Explainer:
    """Explains the decisions of one run.

    Args:
        graph: The workflow that runs, as the log of decisions has it.
        snapshots: The variables of the run.
        names: The author's node names by id.
    """

    def __init__(self, graph: Graph, snapshots: Snapshots, names: Mapping[str, str]) -> None:
        self._graph = graph
        self._edges = CandidateEdges(graph)
        self._snapshots = snapshots
        self._names = names

    def explain(self, record: DecisionRecord) -> Explanation:
        """Return a decision with its candidate edges, each evaluated again and explained.

        There are no candidates for an unknown node, a forced transfer, or what runs beside.
        """
        evaluated, taken, expected = self._decide(record)
        node = self._graph.nodes.get(record.source or "")
        candidates = [self._explain_edge(each, record, taken, evaluated) for each in evaluated]
        return Explanation(
            record=record,
            source_label=self.label(record.source),
            destination_label=self.label(record.destination) if record.destination else "",
            candidates=tuple(candidates),
            expected=candidates[evaluated.index(expected)] if expected is not None else None,
            is_known=node is not None and (taken is not None or not evaluated or record.outcome == "failed"),
        )

    def outcomes(self, record: DecisionRecord) -> Iterator[tuple[CandidateEdge, EdgeOutcome]]:
        """Yield the candidate edges of a decision with their outcomes, as `explain` has them."""
        evaluated, taken, _ = self._decide(record)
        for each in evaluated:
            yield each.edge, _outcome_of(each, record, taken, evaluated)

    def _decide(
        self, record: DecisionRecord
    ) -> tuple[list[EvaluatedEdge], EvaluatedEdge | None, EvaluatedEdge | None]:
        """Return the candidate edges of a decision, the one that was taken, and the one that is expected.

        There are no candidates for an unknown node, a forced transfer, or what runs beside.
        """
        node = self._graph.nodes.get(record.source or "")
        is_evaluated = node is not None and record.outcome not in _UNEVALUATED
        evaluated = self._evaluate(node, record) if node is not None and is_evaluated else []
        expected = expected_edge(evaluated, record) if evaluated else None
        matching = [each for each in evaluated if is_chosen_edge(each.edge, record)]
        taken = matching[0] if matching else None
        if expected in matching or record.outcome == "escalated":
            taken = expected
        return evaluated, taken, expected

    def label(self, node_id: str | None) -> str:
        """Return a node's label, with the super nodes around it."""
        if node_id is None:
            return "a node"
        node = self._graph.nodes.get(node_id)
        return label_of(node_id, node.label if node else self._names.get(node_id, node_id), self._names)

    def _evaluate(self, node: NodeConfig, record: DecisionRecord) -> list[EvaluatedEdge]:
        """Return the candidate edges of a decision with their results, in the order of evaluation.

        One that a model chose comes first. Edges that are not evaluated at the decision's stage are left out.
        """
        edges = self._edges.find_candidates(node, record.caller, is_companion=COMPANION in record.thread_id)
        has_ended = record.stage == "after_giving_up" or (record.is_skipped and record.outcome == "ended")
        if has_ended and edges[-1].kind == "retry":
            edges[-1] = CandidateEdge("nothing", None)
        if (
            record.outcome == "gave_up"
        ):  # in a node that loops to itself the end of a run's time alone does it
            edges = [edge for edge in edges if edge.kind not in ("self_loop", "retry", "nothing")]
            edges.append(CandidateEdge("retry", node.logical_id))
        edges = [edge for edge in edges if _is_evaluated(edge, record)]
        before = self._scope(record, record.started) if record.started is not None else None
        evaluated = evaluate_edges(edges, record, node, before, self._after(record))
        chosen = [
            each for each in evaluated if record.outcome == "model" and is_chosen_edge(each.edge, record)
        ]
        return [*chosen, *(each for each in evaluated if each not in chosen)]

    def _after(self, record: DecisionRecord) -> Scope:
        """Return the variables at the decision.

        The event that ends a loop changes one itself.
        """
        return self._scope(record, record.index - (record.outcome == "gave_up"))

    def _scope(self, record: DecisionRecord, index: int) -> Scope:
        thread = reference_id(record.thread_id) or MAIN_THREAD
        return self._snapshots.at(index).scope(thread, self._graph.workflow)

    def _explain_edge(
        self,
        evaluated: EvaluatedEdge,
        record: DecisionRecord,
        taken: EvaluatedEdge | None,
        order: Sequence[EvaluatedEdge],
    ) -> ExplainedEdge:
        """Return a candidate edge with its condition, outcome and reason in words.

        Args:
            evaluated: The edge.
            record: The decision.
            taken: The edge that was taken; ``None`` for none.
            order: All candidate edges, in the order of evaluation.
        """
        edge = evaluated.edge
        outcome = _outcome_of(evaluated, record, taken, order)
        condition, filled = render_condition(evaluated, self._after(record))
        return ExplainedEdge(
            kind=edge.kind,
            edge_id=edge.edge_id,
            label=(edge.edge.name if edge.edge else None) or _KIND_LABELS[edge.kind],
            destination=edge.destination,
            destination_label=self.label(edge.destination) if edge.destination else "",
            condition=condition,
            filled=filled,
            outcome=outcome,
            why=explain_edge_outcome(evaluated, record, outcome, self._phrase(taken.edge) if taken else ""),
        )

    def _phrase(self, edge: CandidateEdge) -> str:
        name = edge.edge.name if edge.edge and edge.edge.name else None
        if name or edge.destination is None or edge.kind in ("self_loop", "retry"):
            return f"“{name}”" if name else _KIND_LABELS[edge.kind]
        return f"the edge to {self.label(edge.destination)}"


def _outcome_of(
    evaluated: EvaluatedEdge,
    record: DecisionRecord,
    taken: EvaluatedEdge | None,
    order: Sequence[EvaluatedEdge],
) -> EdgeOutcome:
    """Return the outcome of an edge of a decision, of which the edge ``taken`` won."""
    is_before = taken is not None and order.index(evaluated) < order.index(taken)
    return edge_outcome(evaluated, record, won=evaluated is taken, is_before=is_before)


def _is_evaluated(edge: CandidateEdge, record: DecisionRecord) -> bool:
    """Return whether an edge is evaluated at this stage.

    Source: ``platform.md#edge-selection`` and ``platform.md#waiting-edges``.
    """
    if record.stage == "after_giving_up":
        return edge.kind in ("conditional", "global", "reverse", "self_loop", "nothing")
    if record.stage == "while_waiting":
        settings = edge.edge.evaluate_while_waiting_config if edge.edge else None
        return bool(edge.kind == "conditional" and settings and settings.enabled and edge.expression)
    if record.is_skipped and record.outcome == "ended":
        return edge.kind in ("direct", "fork", "nothing")
    return record.started is not None or record.outcome != "gave_up"


def edge_outcome(
    evaluated: EvaluatedEdge, record: DecisionRecord, *, won: bool, is_before: bool
) -> EdgeOutcome:
    """Return the outcome of an edge.

    Args:
        evaluated: The edge.
        record: The recorded decision.
        won: Whether it was taken, or would have been without the guardrails.
        is_before: Whether it is evaluated before the edge that won; not without one.
    """
    if won and record.outcome == "gave_up":
        return "exhausted"
    if won:
        return "redirected" if record.outcome == "escalated" else "taken"
    if evaluated.edge.blocked_reason is not None:
        return evaluated.edge.blocked_reason
    if evaluated.edge.kind == "fork":
        return "forked"
    if evaluated.edge.kind not in CONDITIONAL:
        return "not_needed"
    outcome = _condition_outcome(evaluated, is_before=is_before)
    is_unarmed = record.stage == "while_waiting" and is_before and outcome == "held"
    return "not_armed" if is_unarmed else outcome


def _condition_outcome(evaluated: EvaluatedEdge, *, is_before: bool) -> EdgeOutcome:
    """Return the outcome of a condition not taken, by its expression, a model's verdict or its offer."""
    if evaluated.expression is not None:
        value = evaluated.expression.value
        return "error" if value is None else "held" if value else "false"
    if evaluated.model is not None:
        return "judged_yes" if evaluated.model else "judged_no"
    if evaluated.offered and not evaluated.edge.judged_apart:
        return "not_chosen"
    if evaluated.offered or (evaluated.by_itself and not is_before):
        return "not_asked"
    return "not_offered" if evaluated.edge.freeform else "false"


def explain_edge_outcome(
    evaluated: EvaluatedEdge, record: DecisionRecord, outcome: EdgeOutcome, winner: str
) -> str:
    """Return one sentence on the outcome.

    Args:
        evaluated: The edge.
        record: The recorded decision.
        outcome: The outcome of the edge.
        winner: The edge that was taken, in words; empty without one.
    """
    if outcome in ("taken", "redirected"):
        taken = _why_taken(evaluated, record)
        return f"{taken} Guardrails chose another node." if outcome == "redirected" else taken
    if outcome == "false":
        return _why_false(evaluated)
    if outcome in ("held", "judged_yes"):
        return f"It holds as well, but {_precedence(record, winner)}"
    if outcome == "not_offered":
        return _why_not_offered(evaluated, record)
    if outcome == "not_chosen":
        chose = f"chose {winner or 'another'} instead" if record.outcome == "model" else "did not choose it"
        return f"The model could choose it while the node ran, and {chose}."
    if outcome == "not_needed":
        return _why_not_needed(evaluated, record, winner)
    if outcome == "error":
        return evaluated.expression.error if evaluated.expression else "It cannot be evaluated."
    return _SENTENCES[outcome].format(winner=winner or "another edge")


_SENTENCES: dict[EdgeOutcome, str] = {
    "judged_no": "A model evaluated it in a separate call and answered no.",
    "not_asked": "It was not evaluated: {winner} was decided before.",
    "blocked": "Conditional transitions from one guardrail node to another are blocked "
    "(no_hopping_between_guardrail_nodes).",
    "disabled": "The edge is disabled in the workflow.",
    "dangling": "The node that it leads to is not in the workflow.",
    "forked": "It starts a companion thread; this thread does not follow it.",
    "exhausted": "No attempt is left: the limit of the retry is reached.",
    "not_armed": "It holds as well, but it was not due: it was not triggered, or was evaluated too recently.",
}


def _why_not_needed(evaluated: EvaluatedEdge, record: DecisionRecord, winner: str) -> str:
    """Return why an edge without a condition was not taken, as a sentence."""
    if evaluated.edge.kind == "direct":
        if record.outcome == "model":
            return "A direct edge is followed only where the model chose no transition."
        if record.outcome == "failed":
            return "The run failed before it was followed."
        return "The node was skipped, and the turn had too many node runs to continue."
    if record.outcome == "failed":
        return "It comes last, and what comes before could not be evaluated."
    return f"It comes last, and {winner or 'another edge'} was taken."


def _why_taken(evaluated: EvaluatedEdge, record: DecisionRecord) -> str:
    """Return why an edge was taken, as a sentence, with the model's words if it chose."""
    kind = evaluated.edge.kind
    if kind == "direct":
        return "A direct edge is followed before any condition is evaluated."
    if kind == "self_loop":
        return "No other edge was taken, so the run stays on this node."
    if kind == "retry":
        return f"No edge was taken, so the node runs again: attempt {record.attempt}."
    if kind == "nothing":
        passed = "The node was skipped: it is disabled, or its type is not known. "
        return f"{passed if record.is_skipped else ''}No edge was taken, so the thread ends here."
    if record.outcome == "model" or evaluated.offered or evaluated.model:
        how = "answered yes in a separate call" if evaluated.model else "chose it"
        return f"The model {how}{f': “{record.words}”' if record.words else '.'}"
    if record.stage == "while_waiting":
        return "Its condition came true while the node waited for the user."
    return "Its condition is the first that holds."


def _why_false(evaluated: EvaluatedEdge) -> str:
    """Return why a condition does not hold, as a sentence, with the variables that have no value."""
    if evaluated.expression is None:
        return "It has no condition, so it never holds."
    absent = evaluated.expression.absent
    if not absent:
        return "Its condition does not hold."
    have = "has" if len(absent) == 1 else "have"
    return f"Its condition does not hold: {', '.join(absent)} {have} no value."


def _why_not_offered(evaluated: EvaluatedEdge, record: DecisionRecord) -> str:
    """Return why no model was asked about a condition in words, as a sentence."""
    if not evaluated.possible:
        return "Its condition is in words, and this node calls no model that could evaluate it."
    if record.must_answer:
        return f"The model was offered no transition this time, because {record.must_answer}."
    if record.started is None:
        return "The node did not run, so no model was called."
    if record.stage != "after_run":
        return "Its condition is in words; at this moment only expressions are evaluated."
    return "It was not offered to the model: its expression could decide when the node started."


def _precedence(record: DecisionRecord, winner: str) -> str:
    """Return what went before an edge whose condition holds as well, as the end of a sentence.

    An empty winner stands for an edge that is not known.
    """
    if record.outcome == "direct":
        return "a direct edge goes before every condition."
    if record.outcome == "model":
        return f"the model's choice, {winner}, goes first." if winner else "the model's choice goes first."
    return f"{winner} comes before it." if winner else "nothing was taken."
