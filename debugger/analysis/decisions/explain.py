"""A decision, explained: every way out, its condition with the values of that moment, why it won or lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from debugger.analysis.decisions.asking import Asked, asked_ways, is_way_of, shown_condition, winner
from debugger.analysis.decisions.candidate import Candidate
from debugger.analysis.decisions.record import Record
from debugger.analysis.decisions.sentences import verdict_of, why
from debugger.analysis.decisions.ways import Kind, Way, Ways
from debugger.analysis.moments import Moments
from debugger.analysis.origins import label_of
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

    record: Record
    source_label: str
    destination_label: str
    """Empty where it led nowhere."""
    candidates: tuple[Candidate, ...]
    """In the order in which they were asked. Empty where nothing was asked, as of a move by hand."""
    expected: Candidate | None
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

    def __init__(self, graph: Graph, moments: Moments, names: Mapping[str, str]) -> None:
        self._graph = graph
        self._ways = Ways(graph)
        self._moments = moments
        self._names = names

    def explain(self, record: Record) -> Explanation:
        """Work out why a decision went as it did."""
        node = self._graph.nodes.get(record.source or "")
        asked = self._asked(node, record) if node is not None and record.outcome not in _UNASKED else []
        expected = winner(asked, record)
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

    def _asked(self, node: NodeConfig, record: Record) -> list[Asked]:
        ways = self._ways.out_of(node, record.caller, is_companion=COMPANION in record.thread_id)
        if record.stage == "after_giving_up" and ways[-1].kind == "retry":
            ways[-1] = Way("nothing", None)
        after = self._after(record)
        before = self._scope(record, record.started) if record.started is not None else None
        asked = asked_ways([way for way in ways if _is_asked(way, record)], record, node, before, after)
        chosen = [each for each in asked if record.outcome == "model" and is_way_of(each.way, record)]
        return [*chosen, *(each for each in asked if each not in chosen)]

    def _after(self, record: Record) -> Scope:
        """What the thread could see as the decision was made; the end of a loop changes a variable itself."""
        return self._scope(record, record.index - (record.outcome == "gave_up"))

    def _scope(self, record: Record, index: int) -> Scope:
        thread = reference_id(record.thread_id) or MAIN_THREAD
        return self._moments.at(index).scope(thread, self._graph.workflow)

    def _taken(self, asked: Sequence[Asked], expected: Asked | None, record: Record) -> Asked | None:
        if record.outcome == "escalated":
            return expected
        fitting = [each for each in asked if is_way_of(each.way, record)]
        return expected if expected in fitting else fitting[0] if fitting else None

    def _candidate(
        self, asked: Asked, record: Record, taken: Asked | None, order: Sequence[Asked]
    ) -> Candidate:
        way = asked.way
        is_before = taken is not None and order.index(asked) < order.index(taken)
        verdict = verdict_of(asked, record, won=asked is taken, is_before=is_before)
        written, filled = shown_condition(way, asked, self._after(record))
        return Candidate(
            kind=way.kind,
            edge_id=way.edge_id,
            label=_label(way),
            destination=way.destination,
            destination_label=self.label(way.destination) if way.destination else "",
            condition=written,
            filled=filled,
            is_expression=asked.expression is not None,
            verdict=verdict,
            why=why(asked, record, verdict, self._words(taken.way) if taken else ""),
        )

    def _words(self, way: Way) -> str:
        named = way.edge.name if way.edge and way.edge.name else None
        if named or way.destination is None or way.kind in ("self_loop", "retry"):
            return f"“{named}”" if named else _KINDS[way.kind]
        return f"the way to {self.label(way.destination)}"


def _label(way: Way) -> str:
    return (way.edge.name if way.edge else None) or _KINDS[way.kind]


def _is_asked(way: Way, record: Record) -> bool:
    """Whether a way is asked at the moment of the decision (``platform/engine.md`` 3.2, 3.9)."""
    if record.stage == "after_giving_up":
        return way.kind in ("conditional", "global", "reverse", "nothing")
    if record.stage == "while_waiting":
        settings = way.edge.evaluate_while_waiting_config if way.edge else None
        return bool(way.kind == "conditional" and settings and settings.enabled and way.expression)
    if record.passed_over and record.outcome == "ended":
        return way.kind in ("direct", "fork", "nothing")
    return record.started is not None or record.outcome != "gave_up"
