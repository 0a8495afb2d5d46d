"""A decision, explained: every way out, its condition with the values of that moment, why it won or lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from debugger.analysis.decisions.candidates import CandidateEdge, CandidateEdges, Kind
from debugger.analysis.decisions.evaluation import (
    CONDITIONAL,
    EvaluatedEdge,
    evaluate_edges,
    expected_edge,
    is_edge_of,
    render_condition,
)
from debugger.analysis.decisions.records import DecisionRecord, ExplainedEdge, Verdict
from debugger.analysis.node_origins import label_of
from debugger.analysis.variables import Snapshots
from debugger.expressions import Scope
from debugger.graph.graph import Graph
from debugger.protocol.events import COMPANION, reference_id
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.workflow import NodeConfig

_UNASKED = frozenset({"beside", "moved"})
_KINDS: dict[Kind, str] = {
    "direct": "direct edge",
    "fork": "thread of its own",
    "conditional": "condition",
    "global": "global node",
    "reverse": "way back",
    "self_loop": "its own loop",
    "retry": "bounded retry",
    "nothing": "no way out",
}


@dataclass(frozen=True)
class Explanation:
    """One decision, explained."""

    record: DecisionRecord
    source_label: str
    destination_label: str
    """Empty where it led nowhere."""
    candidates: tuple[ExplainedEdge, ...]
    """In the order in which they were asked. Empty where nothing was asked, as of a move by hand."""
    expected: ExplainedEdge | None
    """The one that the rules lead to with the recorded state; `None` where they lead nowhere."""
    is_known: bool
    """Whether the workflow at hand has the node and the way that was taken."""

    @property
    def agrees(self) -> bool:
        """Whether the rules lead to what was recorded."""
        return self.expected is None or self.expected.won or not self.is_known


class Explainer:
    """Explains the decisions of one run.

    Args:
        graph: What runs, as the log of decisions has it.
        moments: The variables of the run.
        names: The author's node names by id.
    """

    def __init__(self, graph: Graph, moments: Snapshots, names: Mapping[str, str]) -> None:
        self._graph = graph
        self._ways = CandidateEdges(graph)
        self._moments = moments
        self._names = names

    def explain(self, record: DecisionRecord) -> Explanation:
        """Work out why a decision went as it did."""
        node = self._graph.nodes.get(record.source or "")
        asked = self._asked(node, record) if node is not None and record.outcome not in _UNASKED else []
        expected = expected_edge(asked, record)
        taken = self._taken(asked, expected, record)
        candidates = [self._candidate(each, record, taken, asked) for each in asked]
        return Explanation(
            record=record,
            source_label=self.label(record.source),
            destination_label=self.label(record.destination) if record.destination else "",
            candidates=tuple(candidates),
            expected=candidates[asked.index(expected)] if expected is not None else None,
            is_known=node is not None and (taken is not None or not asked or record.outcome == "failed"),
        )

    def label(self, node_id: str | None) -> str:
        """What people call a node, with the super nodes around it."""
        if node_id is None:
            return "a node"
        node = self._graph.nodes.get(node_id)
        return label_of(node_id, node.label if node else self._names.get(node_id, node_id), self._names)

    def _asked(self, node: NodeConfig, record: DecisionRecord) -> list[EvaluatedEdge]:
        ways = self._ways.out_of(node, record.caller, is_companion=COMPANION in record.thread_id)
        if record.stage == "after_giving_up" and ways[-1].kind == "retry":
            ways[-1] = CandidateEdge("nothing", None)
        after = self._after(record)
        before = self._scope(record, record.started) if record.started is not None else None
        asked = evaluate_edges([way for way in ways if _is_asked(way, record)], record, node, before, after)
        chosen = [each for each in asked if record.outcome == "model" and is_edge_of(each.way, record)]
        return [*chosen, *(each for each in asked if each not in chosen)]

    def _after(self, record: DecisionRecord) -> Scope:
        """What the thread could see as the decision was made; the end of a loop changes a variable itself."""
        return self._scope(record, record.index - (record.outcome == "gave_up"))

    def _scope(self, record: DecisionRecord, index: int) -> Scope:
        thread = reference_id(record.thread_id) or MAIN_THREAD
        return self._moments.at(index).scope(thread, self._graph.workflow)

    def _taken(
        self, asked: Sequence[EvaluatedEdge], expected: EvaluatedEdge | None, record: DecisionRecord
    ) -> EvaluatedEdge | None:
        if record.outcome == "escalated":
            return expected
        fitting = [each for each in asked if is_edge_of(each.way, record)]
        return expected if expected in fitting else fitting[0] if fitting else None

    def _candidate(
        self,
        asked: EvaluatedEdge,
        record: DecisionRecord,
        taken: EvaluatedEdge | None,
        order: Sequence[EvaluatedEdge],
    ) -> ExplainedEdge:
        way = asked.way
        is_before = taken is not None and order.index(asked) < order.index(taken)
        verdict = verdict_of(asked, record, won=asked is taken, is_before=is_before)
        written, filled = render_condition(way, asked, self._after(record))
        return ExplainedEdge(
            kind=way.kind,
            edge_id=way.edge_id,
            label=_label(way),
            destination=way.destination,
            destination_label=self.label(way.destination) if way.destination else "",
            condition=written,
            filled=filled,
            is_expression=asked.expression is not None,
            verdict=verdict,
            why=explain_verdict(asked, record, verdict, self._words(taken.way) if taken else ""),
        )

    def _words(self, way: CandidateEdge) -> str:
        named = way.edge.name if way.edge and way.edge.name else None
        if named or way.destination is None or way.kind in ("self_loop", "retry"):
            return f"“{named}”" if named else _KINDS[way.kind]
        return f"the way to {self.label(way.destination)}"


def _label(way: CandidateEdge) -> str:
    return (way.edge.name if way.edge else None) or _KINDS[way.kind]


def _is_asked(way: CandidateEdge, record: DecisionRecord) -> bool:
    """Whether a way is asked at the moment of the decision (``platform/engine.md`` 3.2, 3.9)."""
    if record.stage == "after_giving_up":
        return way.kind in ("conditional", "global", "reverse", "nothing")
    if record.stage == "while_waiting":
        settings = way.edge.evaluate_while_waiting_config if way.edge else None
        return bool(way.kind == "conditional" and settings and settings.enabled and way.expression)
    if record.is_skipped and record.outcome == "ended":
        return way.kind in ("direct", "fork", "nothing")
    return record.started is not None or record.outcome != "gave_up"


def verdict_of(asked: EvaluatedEdge, record: DecisionRecord, *, won: bool, is_before: bool) -> Verdict:
    """How a way came off.

    Args:
        asked: The way, with what came of asking it.
        record: What is recorded of the decision.
        won: Whether it was taken.
        is_before: Whether it was asked before the one that was taken.
    """
    if won and record.outcome == "gave_up":
        return "exhausted"
    if won:
        return "redirected" if record.outcome == "escalated" else "taken"
    if asked.way.bar is not None:
        return asked.way.bar
    if asked.way.kind == "fork":
        return "forked"
    if asked.way.kind not in CONDITIONAL:
        return "not_needed"
    found = _of_condition(asked, is_before=is_before)
    return "not_armed" if record.stage == "while_waiting" and is_before and found == "held" else found


def _of_condition(asked: EvaluatedEdge, *, is_before: bool) -> Verdict:
    if asked.expression is not None:
        value = asked.expression.value
        return "error" if value is None else "held" if value else "false"
    if asked.model is not None:
        return "judged_yes" if asked.model else "judged_no"
    if asked.offered and not asked.way.judged_apart:
        return "not_chosen"
    if asked.offered or (asked.by_itself and not is_before):
        return "not_asked"
    return "not_offered" if asked.way.freeform else "false"


def explain_verdict(asked: EvaluatedEdge, record: DecisionRecord, verdict: Verdict, winner: str) -> str:
    """One sentence on how a way came off.

    Args:
        asked: The way, with what came of asking it.
        record: What is recorded of the decision.
        verdict: How it came off.
        winner: The way that was taken, in words; empty where none was.
    """
    if verdict in ("taken", "redirected"):
        taken = _why_taken(asked, record)
        return f"{taken} Guardrails led elsewhere." if verdict == "redirected" else taken
    if verdict == "false":
        return _why_false(asked)
    if verdict in ("held", "judged_yes"):
        return f"It holds as well, but {_precedence(record, winner)}"
    if verdict == "not_offered":
        return _why_not_offered(asked, record)
    if verdict == "not_chosen":
        chose = f"chose {winner or 'another'} instead" if record.outcome == "model" else "did not choose it"
        return f"The model could choose it while the node ran, and {chose}."
    if verdict == "not_needed":
        return _why_not_needed(asked, record, winner)
    if verdict == "error":
        return asked.expression.error if asked.expression else "It cannot be evaluated."
    return _PLAIN[verdict].format(winner=winner or "another way")


_PLAIN: dict[Verdict, str] = {
    "judged_no": "A model was asked about it in a call of its own, and said no.",
    "not_asked": "Nobody had to ask it: {winner} was settled before.",
    "blocked": "Conditional hops from one guardrail node to another are blocked "
    "(no_hopping_between_guardrail_nodes).",
    "disabled": "The edge is switched off in the workflow.",
    "dangling": "The node that it leads to is not in the workflow.",
    "forked": "It starts a companion thread beside this one, and is no way for this thread.",
    "exhausted": "No attempt is left: the bound of the retry is met.",
    "not_armed": "It holds as well, but it was not due: nothing had armed it, or too short a time ago.",
}


def _why_not_needed(asked: EvaluatedEdge, record: DecisionRecord, winner: str) -> str:
    if asked.way.kind == "direct":
        if record.outcome == "model":
            return "A direct edge is followed only where the model chose no hop."
        return "The node was passed over, and the turn had too many node runs to go on."
    if record.outcome == "failed":
        return "It comes last, and what comes before could not be evaluated."
    return f"It comes last, and {winner or 'another way'} led on."


def _why_taken(asked: EvaluatedEdge, record: DecisionRecord) -> str:
    kind = asked.way.kind
    if kind == "direct":
        return "A direct edge is followed without a question, before any condition."
    if kind == "self_loop":
        return "Nothing else led on, so the node goes on with itself."
    if kind == "retry":
        return f"Nothing led on, so the node is tried again: attempt {record.attempt}."
    if kind == "nothing":
        passed = "The node was passed over: it is switched off, or of a type that is not known. "
        return f"{passed if record.is_skipped else ''}Nothing led on, so the thread ends here."
    if record.outcome == "model" or asked.offered or asked.model:
        how = "said yes to it when asked apart" if asked.model else "chose it"
        return f"The model {how}{f': “{record.words}”' if record.words else '.'}"
    if record.stage == "while_waiting":
        return "Its condition came true while the node waited for the user."
    return "Its condition is the first that holds."


def _why_false(asked: EvaluatedEdge) -> str:
    if asked.expression is None:
        return "It has no condition, so it never holds."
    absent = asked.expression.absent
    if not absent:
        return "Its condition does not hold."
    have = "has" if len(absent) == 1 else "have"
    return f"Its condition does not hold: {', '.join(absent)} {have} no value."


def _why_not_offered(asked: EvaluatedEdge, record: DecisionRecord) -> str:
    if not asked.possible:
        return "Its condition is in words, and this node asks no model that could judge it."
    if record.must_answer:
        return f"The model was offered no hop this time, since {record.must_answer}."
    if record.started is None:
        return "The node did not run, so no model was asked."
    if record.stage != "after_run":
        return "Its condition is in words; at this moment only expressions are asked."
    return "It was not offered to the model: its expression could decide as the node began."


def _precedence(record: DecisionRecord, winner: str) -> str:
    if record.outcome == "direct":
        return "a direct edge goes before every condition."
    if record.outcome == "model":
        return f"the model's choice, {winner}, goes first." if winner else "the model's choice goes first."
    return f"{winner} comes before it." if winner else "nothing was taken."
