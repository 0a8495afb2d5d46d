"""Coverage of a workflow version by runs: nodes, edges, outcomes of conditions, loops and calls.

    coverage = Coverage(graph)
    coverage.add_run(run_id, turn_logs(run))
    coverage.counts["edge"]            # Count(covered=7, total=9)
    [item.label for item in coverage.missing("edge")]

The events decide what is covered. Disabled nodes and edges, and edges without a destination, do not count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from debugger.analysis.decisions import DecisionLog, EdgeOutcome, Explainer
from debugger.analysis.event_fields import EventFields, fields_of, text
from debugger.analysis.node_origins import label_of
from debugger.analysis.transitions import TRANSITION_TYPES, EdgeIndex
from debugger.analysis.variables import Snapshots
from debugger.graph.candidates import Kind
from debugger.graph.graph import Graph
from debugger.graph.nesting import author_edge_id
from debugger.graph.node_types import NODE_FACTS
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig, NodeConfig

ItemKind = Literal["node", "edge", "true", "false", "exhausted", "success", "failure"]
"""``node``: it has run. ``edge``: it was followed, or a global node was entered. ``true`` and ``false``: the
outcomes of a condition, also of an edge that another one went before. ``exhausted``: a bounded retry has no
attempt left. ``success`` and ``failure``: the outcomes of a node that calls the outside or runs code."""

ITEM_KINDS: tuple[ItemKind, ...] = get_args(ItemKind)

KIND_LABELS: Mapping[ItemKind, str] = {
    "node": "Nodes",
    "edge": "Edges",
    "true": "Conditions that hold",
    "false": "Conditions that do not hold",
    "exhausted": "Retries without an attempt left",
    "success": "Calls that succeed",
    "failure": "Calls that fail",
}

_TRUE: frozenset[EdgeOutcome] = frozenset({"taken", "redirected", "held", "judged_yes", "not_armed"})
_FALSE: frozenset[EdgeOutcome] = frozenset({"false", "judged_no", "not_chosen"})
_CONDITIONAL: frozenset[Kind] = frozenset({"conditional", "global"})
_CALLS = frozenset({"read", "write", "contact"})
_CODE = "tool_node"


class Item(NamedTuple):
    """A part of a workflow that a run may cover."""

    kind: ItemKind
    id: str
    """Logical id of the node or edge; of a global node ``global:`` and its id. Inner nodes of a super node
    have its id in front: ``booking/ask``."""

    @property
    def key(self) -> str:
        """Return it as a text: ``edge:edge_book``."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class ItemFacts:
    """The place of an item in the workflow."""

    label: str
    """In words: ``Desk → Booking (book)``."""
    node_id: str
    """The node, or the source of the edge; empty of a global node, which is entered from any node."""


class Moment(NamedTuple):
    """The first turn that covered an item."""

    run_id: str
    turn: int
    """The user's turn, from 1."""


class Count(NamedTuple):
    """The number of items of a kind, and of those that are covered."""

    covered: int
    total: int

    @property
    def percent(self) -> float:
        """Return the covered share in percent; 100 of none."""
        return 100 * self.covered / self.total if self.total else 100.0


class Nearest(NamedTuple):
    """The covered node from which the fewest edges lead to a missing item."""

    node_id: str
    label: str
    moment: Moment
    distance: int
    """Edges between that node and the node of the item."""


class Coverage:
    """The coverage of one workflow version.

    Args:
        graph: The version, with its super nodes expanded.
        names: The author's node names by id, by which inner nodes are labelled.
    """

    def __init__(self, graph: Graph, names: Mapping[str, str] | None = None) -> None:
        """Find what may be covered; nothing is covered yet."""
        self.graph = graph
        self.names = graph.names if names is None else names
        self.items: Mapping[Item, ItemFacts] = dict(self._find_items())
        """What may be covered, in the order of the document."""
        self.covered: dict[Item, Moment] = {}
        """What runs have covered, and the first of them: that with the lowest id."""
        self.run_ids: set[str] = set()
        self._edges = EdgeIndex(graph.workflow.edge_configs, graph.nodes)

    def add_run(self, run_id: str, logs: Iterable[TurnLog]) -> None:
        """Add what a run has covered; one that was added before changes nothing."""
        self.run_ids.add(run_id)
        for item, turn in self._read(logs):
            self._cover(item, Moment(run_id, turn))

    def read_items(self, logs: Iterable[TurnLog]) -> frozenset[Item]:
        """Return what the turns of a run cover, without adding it.

        Edges at disabled nodes, which do not count, are among it.
        """
        return frozenset(item for item, _ in self._read(logs))

    def _read(self, logs: Iterable[TurnLog]) -> Iterator[tuple[Item, int]]:
        """Yield what the turns of a run cover, each with the number of the turn."""
        reader = _RunReader(self.graph, self._edges, self.names)
        for log in logs:
            for item in reader.read(log):
                yield item, log.number

    def merge(self, other: Coverage) -> None:
        """Add what another coverage of the same version has; the order of merges does not matter."""
        self.run_ids |= other.run_ids
        for item, moment in other.covered.items():
            self._cover(item, moment)

    def _cover(self, item: Item, moment: Moment) -> None:
        if item in self.items:
            known = self.covered.get(item)
            self.covered[item] = moment if known is None else min(known, moment)

    @property
    def counts(self) -> dict[ItemKind, Count]:
        """Return how many items of each kind are covered, of kinds that the workflow has."""
        found = {}
        for kind in ITEM_KINDS:
            of_kind = [item for item in self.items if item.kind == kind]
            if of_kind:
                found[kind] = Count(sum(item in self.covered for item in of_kind), len(of_kind))
        return found

    def missing(self, *kinds: ItemKind) -> list[Item]:
        """Return what is not covered, of some kinds or of all, in the order of the document."""
        return [item for item in self.items if item not in self.covered and (not kinds or item.kind in kinds)]

    def nearest(self, item: Item) -> Nearest | None:
        """Return the covered node from which the fewest edges lead to an item; ``None`` without any.

        A global node is entered from any node: nearest is then the node that ran last in the first run.
        """
        start = self.items[item].node_id
        waiting, seen = deque([(start, 0)] if start else []), {start}
        while waiting:
            node_id, distance = waiting.popleft()
            moment = self.covered.get(Item("node", node_id))
            if moment is not None:
                return Nearest(node_id, self.label(node_id), moment, distance)
            for source in self._sources.get(node_id, ()):
                if source not in seen:
                    seen.add(source)
                    waiting.append((source, distance + 1))
        global_ids = {node.logical_id for node in self.graph.global_nodes}
        return self._last_node() if not start or seen & global_ids else None

    def _last_node(self) -> Nearest | None:
        """Return the node that ran first in the last turn of the first run; ``None`` without a run."""
        found = [(moment, item.id) for item, moment in self.covered.items() if item.kind == "node"]
        if not found:
            return None
        first = min(found)[0].run_id
        moment, node_id = max(pair for pair in found if pair[0].run_id == first)
        return Nearest(node_id, self.label(node_id), moment, 1)

    @cached_property
    def _sources(self) -> dict[str, list[str]]:
        """Return the nodes from which edges lead to a node."""
        found: dict[str, list[str]] = {}
        for edge in self.graph.workflow.edge_configs:
            if self._counts(edge):
                found.setdefault(edge.destination_node_logical_id or "", []).append(
                    edge.source_node_logical_id or ""
                )
        return found

    def label(self, node_id: str) -> str:
        """Return the name of a node, with the super nodes around it."""
        node = self.graph.nodes.get(node_id)
        return label_of(node_id, node.label if node else node_id, self.names)

    def _find_items(self) -> Iterator[tuple[Item, ItemFacts]]:
        """Yield what may be covered."""
        for node in self.graph.nodes.values():
            if not node.disabled:
                for kind in _kinds_of(node):
                    yield Item(kind, node.logical_id), ItemFacts(self.label(node.logical_id), node.logical_id)
        for edge in self.graph.workflow.edge_configs:
            if self._counts(edge):
                facts = ItemFacts(self._edge_label(edge), edge.source_node_logical_id or "")
                for kind in _edge_kinds(edge.type == "conditional"):
                    yield Item(kind, author_edge_id(edge)), facts
        for node in self.graph.global_nodes:
            facts = ItemFacts(f"any node → {self.label(node.logical_id)}", "")
            for kind in _edge_kinds(True):
                yield Item(kind, f"global:{node.logical_id}"), facts

    def _counts(self, edge: EdgeConfig) -> bool:
        ends = (edge.source_node_logical_id, edge.destination_node_logical_id)
        nodes = [self.graph.nodes.get(end or "") for end in ends]
        return not edge.disabled and all(node is not None and not node.disabled for node in nodes)

    def _edge_label(self, edge: EdgeConfig) -> str:
        source, destination = edge.source_node_logical_id or "", edge.destination_node_logical_id or ""
        name = f" ({edge.name})" if edge.name else ""
        return f"{self.label(source)} → {self.label(destination)}{name}"


def _kinds_of(node: NodeConfig) -> Iterator[ItemKind]:
    """Yield what of a node may be covered."""
    yield "node"
    if node.self_loop_config is not None and node.self_loop_config.enabled:
        yield "exhausted"
    facts = NODE_FACTS.get(str(node.type))
    if node.type == _CODE or (facts is not None and facts.call_class in _CALLS):
        yield "success"
        yield "failure"


def _edge_kinds(is_conditional: bool) -> Iterator[ItemKind]:
    yield "edge"
    if is_conditional:
        yield "true"
        yield "false"


class _RunReader:
    """Reads what the turns of one run cover, one after the other."""

    def __init__(self, graph: Graph, edges: EdgeIndex, names: Mapping[str, str]) -> None:
        self._edges = edges
        self._decisions = DecisionLog(graph)
        self._snapshots = Snapshots()
        self._explainer = Explainer(graph, self._snapshots, names)
        self._failed: dict[tuple[str | None, str], bool] = {}
        """The node runs that have not ended, by thread and node, and whether each has failed."""

    def read(self, log: TurnLog) -> Iterator[Item]:
        """Yield what a turn covers; turns must come in their order."""
        events = fields_of(log.events)
        for event in events:
            yield from self._of_event(event)
        self._snapshots.add_turn(log, events)
        self._decisions.add_turn(log, events)
        for record in self._decisions.all:
            if record.outcome == "gave_up" and record.source:
                yield Item("exhausted", record.source)
            for edge, outcome in self._explainer.outcomes(record):
                if edge.kind not in _CONDITIONAL:
                    continue
                edge_id = edge.edge_id or f"global:{edge.destination}"
                if outcome in _TRUE:
                    yield Item("true", edge_id)
                elif outcome in _FALSE:
                    yield Item("false", edge_id)
        self._decisions.forget()
        self._snapshots.forget()

    def _of_event(self, event: EventFields) -> Iterator[Item]:
        run = event.thread_id, event.node or ""
        if event.type in TRANSITION_TYPES:
            edge = self._edges.of(event.event)
            destination = text(event.event, "destination_node_logical_id")
            if edge is not None:
                yield Item("edge", author_edge_id(edge))
            elif event.type == "conditional_edge" and destination:
                yield Item("edge", f"global:{destination}")
            return
        if event.type == "start_node_run" and event.node:
            self._failed[run] = False
            yield Item("node", event.node)
        trouble = event.trouble
        if trouble is not None and trouble.is_failure:
            for key in self._failed:
                if key[1] == (trouble.node or event.node):
                    self._failed[key] = True
        if event.type == "end_node_run" and event.node:
            yield Item("failure" if self._failed.pop(run, False) else "success", event.node)
