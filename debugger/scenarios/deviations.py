"""The decisions of a run in words: where it left the way to a node, and why."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from debugger.analysis.decisions import DecisionRecord, ExplainedEdge, Explanation
from debugger.analysis.node_origins import enclosing_ids
from debugger.graph.candidates import CandidateEdges
from debugger.scenarios.conversation import Conversation
from debugger.scenarios.short_texts import shorten_between

_MAX_EDGES = 6
"""Edges of one node that are named."""
_MAX_EDGE = 220
"""Characters of a reason."""
_ENDS = ("nothing", "self_loop", "retry")
"""Kinds of candidates at the end of a node's list, which lead to no other node."""
_THREAD = re.compile(r"\[\[thread_(\w+)\.")
"""A variable of a companion."""
_MAX_CONDITION = 120
"""Characters of a condition."""


@dataclass(frozen=True)
class Deviation:
    """A decision after which the run was farther from a node than it could have been."""

    event: int | None
    """The event that records the decision; ``None`` where the run has made none."""
    words: str


class Deviations:
    """The decisions of one run.

    Args:
        run: The run.
        first_event: The first event of the part that is looked at.
    """

    def __init__(self, run: Conversation, first_event: int = 0) -> None:
        self._run = run
        self._first_event = first_event
        self._workflow = run.workflow

    def find_toward(self, targets: Collection[str]) -> Deviation:
        """Return where the run left the way to one of these nodes.

        What was decided before the part that is looked at may have been as expected: it is named alone only
        where that part has no such decision. Where no decision of the run could have led there, it tells why,
        with the last decision as the event, or ``None``.
        """
        distances = self._distances(targets)
        own = [each for each in self._run.decisions if each.index >= self._first_event]
        nearest, any_time = self._closest(own, distances), self._closest(self._run.decisions, distances)
        record = nearest or any_time
        if record is None or any_time is None:
            return self._no_way(targets)
        words = f"Left at {self.of(record, targets, distances)}"
        if any_time is not record:
            words += f". Before that, nearer, at {self.of(any_time, targets, distances)}"
        return Deviation(record.index, words)

    def _closest(
        self, records: Iterable[DecisionRecord], distances: Mapping[str, int]
    ) -> DecisionRecord | None:
        """Return the decision that left the way nearest to its end, the last of several.

        ``None`` where none could have led nearer to the targets than it did.
        """
        best: tuple[int, int, DecisionRecord] | None = None
        for record in records:
            taken = self._nearest(record.destination, distances)
            possible = [self._nearest(each, distances) for each in self._next.get(record.source or "", ())]
            nearest = min((each for each in possible if each is not None), default=None)
            if nearest is None or (taken is not None and taken <= nearest):
                continue
            if best is None or (nearest, -record.index) < best[:2]:
                best = nearest, -record.index, record
        return best[2] if best is not None else None

    def out_of(self, node_id: str, event: int, targets: Collection[str]) -> Deviation | None:
        """Return how the run left a node that it entered at an event; ``None`` where it did not."""
        for record in self._run.decisions:
            if record.index >= event and _is_in(record.source or "", {node_id}):
                return Deviation(record.index, f"Left at {self.of(record, targets)}")
        return None

    def into(self, event: int, targets: Collection[str]) -> Deviation | None:
        """Return the last decision up to an event by which the run entered one of these nodes.

        A node inside one of them counts; ``None`` where there is no such decision.
        """
        found = [
            record
            for record in self._run.decisions
            if record.index <= event and record.destination and _is_in(record.destination, targets)
        ]
        return Deviation(found[-1].index, f"Decided at {self.of(found[-1])}") if found else None

    def last(self) -> DecisionRecord | None:
        """Return the last decision of the main thread."""
        own = [each for each in self._run.decisions if each.caller is not None or not _is_beside(each)]
        return own[-1] if own else None

    def of(
        self,
        record: DecisionRecord,
        targets: Collection[str] = (),
        distances: Mapping[str, int] | None = None,
    ) -> str:
        """Return a decision in words: what was taken and why, and why not the other edges.

        Args:
            record: The decision.
            targets: The nodes that were expected; the edges that lead there are named first.
            distances: The steps from each node to those; by default only a direct way counts.
        """
        explained = self._run.explain(record)
        near = distances if distances is not None else dict.fromkeys(targets, 0)
        others = [
            each
            for each in explained.candidates
            if not each.won and _could_lead_away(each, self._nearest(each.destination, near) is not None)
        ]
        others.sort(key=lambda each: _rank(self._nearest(each.destination, near)))
        parts = [f"{explained.source_label!r} (event {record.index}): {_taken(explained)}"]
        leads = any(self._nearest(each.destination, near) is not None for each in explained.candidates)
        if targets and not leads and record.outcome != "failed":
            parts.append(f"it has no edge to {self._names(targets)}")
        parts += list(_not_taken(others))[:_MAX_EDGES]
        if any(each.outcome == "not_chosen" for each in others):
            parts.append(self._answer(record))
        parts += [
            f"no thread {name!r} was started"
            for name in dict.fromkeys(_THREAD.findall(" ".join(each.why for each in others)))
            if name not in self._run.snapshots.at(None).runtime
        ]
        return "; ".join(filter(None, parts))

    def had_candidates(self, record: DecisionRecord) -> bool:
        """Return whether a decision had edges to choose from."""
        if record.outcome in ("direct", "beside", "moved"):
            return False
        edges = self._run.explain(record).candidates
        return any((each.won and each.destination) or _could_lead_away(each, False) for each in edges)

    def _answer(self, record: DecisionRecord) -> str:
        """Return what the model of a decision's node answered, and who answered; empty without a call."""
        calls = [
            call
            for step in self._run.node_runs
            for call in step.calls
            if call.node_logical_id == record.source and (record.started or 0) <= call.index <= record.index
        ]
        if not calls:
            return ""
        event = self._run.events(self._run.scope(None))[calls[-1].index][1]
        return f"the model ({calls[-1].model}) answered: {shorten_between(event.summary, _MAX_CONDITION)}"

    def _steps(self) -> str:
        """Return the last decisions of conditions, models and guardrails, in a few words each.

        It is empty without any.
        """
        chosen = "condition", "model", "gave_up", "escalated"
        found = [record for record in self._run.decisions if record.outcome in chosen]
        return ", ".join(
            f"{each.source_label!r} > {won.label} > {each.destination_label!r}"
            for each in map(self._run.explain, found[-_MAX_EDGES:])
            for won in each.candidates
            if won.won
        )

    @cached_property
    def _next(self) -> Mapping[str, list[str]]:
        """The nodes to which edges of each node lead, those that are switched off among them."""
        graph = self._workflow.running_graph
        edges = CandidateEdges(graph)
        found: dict[str, list[str]] = {}
        for node in graph.nodes.values():
            own = [each.destination for each in edges.find_candidates(node, None, is_companion=False)]
            own += [each.destination_node_logical_id for each in graph.companion(node.logical_id)]
            found[node.logical_id] = [each for each in own if each is not None]
        return found

    def _distances(self, targets: Collection[str]) -> dict[str, int]:
        """Return the number of steps from each node to the nearest target.

        Nodes without a way there are left out. A node inside a target has the distance 0.
        """
        before: defaultdict[str, list[str]] = defaultdict(list)
        for source, destinations in self._next.items():
            for destination in destinations:
                before[destination].append(source)
        distances = {each: 0 for each in {*self._next, *before} if _is_in(each, targets)}
        waiting = deque(distances)
        while waiting:
            node = waiting.popleft()
            for source in before[node]:
                if source not in distances:
                    distances[source] = distances[node] + 1
                    waiting.append(source)
        return distances

    def _nearest(self, node_id: str | None, distances: Mapping[str, int]) -> int | None:
        if node_id is None:
            return None
        found = (distances[each] for each in (node_id, *enclosing_ids(node_id)) if each in distances)
        return min(found, default=None)

    def _no_way(self, targets: Collection[str]) -> Deviation:
        """Return what is known where no decision of the run could have led to the nodes.

        It says from where they are entered, and whether those nodes ran; then the decisions that were made.
        The event is that of the main thread's last decision, ``None`` without one.
        """
        sources = [
            source
            for source, destinations in self._next.items()
            if not _is_in(source, targets) and any(_is_in(each, targets) for each in destinations)
        ]
        names = self._names(targets)
        words = f"No edge of the workflow leads to {names}"
        if sources:
            ran = {visit.node_id for visit in self._run.visits(self._run.scope(None))}
            state = "has not decided yet" if ran.intersection(sources) else "did not run"
            words = f"{names} is entered only from {self._names(sources[:_MAX_EDGES])}, which {state}"
        taken = self._steps()
        words += f"; the run went {taken}" if taken else ""
        last = self.last()
        if last is None:
            return Deviation(None, words)
        return Deviation(last.index, f"{words}; last decision at {self.of(last, targets)}")

    def _names(self, targets: Collection[str]) -> str:
        return " or ".join(repr(self._workflow.label(each)) for each in targets)


def _is_in(node_id: str, targets: Collection[str]) -> bool:
    return node_id in targets or any(each in targets for each in enclosing_ids(node_id))


def _is_beside(record: DecisionRecord) -> bool:
    return record.outcome == "beside"


def _rank(distance: int | None) -> float:
    return float("inf") if distance is None else distance


def _could_lead_away(edge: ExplainedEdge, leads_there: bool) -> bool:
    """Return whether an edge is worth naming; those to global nodes leave every node."""
    if edge.kind in ("global", "reverse") and not leads_there:
        return False
    return edge.kind not in (*_ENDS, "fork")


def _name(edge: ExplainedEdge) -> str:
    to = f" to {edge.destination_label!r}" if edge.destination_label else ""
    return f"{edge.label!r}{to}"


def _values(edge: ExplainedEdge) -> str:
    """Return a condition with its values: ``[[day]] == 'Monday', here 'Sunday' == 'Monday'``."""
    written = shorten_between(edge.condition, _MAX_CONDITION)
    same = edge.filled in ("", edge.condition)
    return written if same else f"{written}, here {shorten_between(edge.filled, _MAX_CONDITION)}"


def _taken(explained: Explanation) -> str:
    """Return what a decision has taken and why, in words; without a winning edge its outcome and reason."""
    won = next((each for each in explained.candidates if each.won), None)
    record = explained.record
    if won is None:
        to = f" to {explained.destination_label!r}" if explained.destination_label else ""
        return f"{record.outcome.replace('_', ' ')}{to}{f' ({record.reason})' if record.reason else ''}"
    why = _lower(shorten_between(won.why, _MAX_EDGE).rstrip("."))
    if won.kind in _ENDS:
        return why
    return f"{_name(won)} was taken{_in_brackets(won)}: {why}"


def _not_taken(edges: Sequence[ExplainedEdge]) -> Iterator[str]:
    """Yield why edges were not taken, in order; neighbours that a model did not choose are in one text."""
    for why, group in groupby(edges, key=lambda each: each.why if each.outcome == "not_chosen" else each):
        same = list(group)
        if isinstance(why, str):
            listed = ", ".join(f"{_name(each)}{_in_brackets(each)}" for each in same)
            yield f"not {listed}: {_lower(why.rstrip('.'))}"
            continue
        for edge in same:
            if edge.outcome == "false":
                absent = edge.why.partition(": ")[2].rstrip(".")
                yield f"not {_name(edge)}: false{_in_brackets(edge)}{f', {absent}' if absent else ''}"
            else:
                why_not = _lower(shorten_between(edge.why, _MAX_EDGE).rstrip("."))
                yield f"not {_name(edge)}{_in_brackets(edge)}: {why_not}"


def _in_brackets(edge: ExplainedEdge) -> str:
    return f" ({_values(edge)})" if edge.condition else ""


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
