"""A run under check, with the projections that checks read."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Self, TypeVar

from debugger.analysis.chat import ChatBuilder, ChatMessage
from debugger.analysis.decisions import DecisionLog, DecisionRecord, Explainer, Explanation
from debugger.analysis.event_fields import (
    EventFields,
    fields_of,
    node_name_of,
    node_of,
    thread_id_of,
    values_of,
)
from debugger.analysis.fold import EventFold
from debugger.analysis.metrics import RunMetrics, run_metrics
from debugger.analysis.node_origins import author_edge_id, enclosing_ids, label_of
from debugger.analysis.paths import PathReader, PathStep
from debugger.analysis.run_projection import Projections
from debugger.analysis.side_effects import Ledgers, SideEffect, SideEffectCollector, needs_recorded_ledger
from debugger.analysis.steps import Step
from debugger.analysis.timeline import FailureReasons, TimelineRow
from debugger.analysis.trouble import Trouble
from debugger.analysis.variable_history import VariableHistory
from debugger.analysis.variables import Snapshots
from debugger.engine.super_nodes import expand
from debugger.errors import InputError, RunError
from debugger.graph import Graph
from debugger.protocol.events import COMPANION, Event, ModelEvent
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import TurnResult
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow

Projection = TypeVar("Projection", bound=EventFold)

ANY_NODES = "..."
"""In a path: any number of nodes, none included."""

ARRIVALS = frozenset({"start_node_run", "busy_wait_for_user_message"})
"""Events by which a thread enters a node."""


class CheckedWorkflow:
    """A workflow with the names that expectations may use.

    Args:
        authored: The workflow as its author wrote it.
        running: The same with the inner nodes of its super nodes.
    """

    def __init__(self, authored: Workflow, running: Workflow) -> None:
        """Read the names, edges and conditions by which expectations find nodes and edges."""
        self.graph = Graph(authored)
        self.running = running
        nodes = {node.logical_id: node for node in (*authored.node_configs, *running.node_configs)}
        self.names = {node.logical_id: node.label for node in authored.node_configs}
        """The author's node names by id."""
        self._names = {key: node.label for key, node in nodes.items()}
        """The same with inner nodes."""
        self._node_ids: dict[str, list[str]] = {}
        for key, name in self._names.items():
            for each in {fold(name), fold(self.label(key))}:
                # Of the same name, a node of the author is meant and not one inside a super node.
                known = self._node_ids.setdefault(each, [])
                if not known or (known[0] in self.names) == (key in self.names):
                    known.append(key)
        self._node_ids |= {fold(key): [key] for key in self._names}
        edges = (*running.edge_configs, *authored.edge_configs)
        self._conditions = {edge.logical_id: edge.condition.text for edge in edges if edge.condition}
        conditions = [edge.condition for edge in edges] + [
            condition
            for node in nodes.values()
            if (config := node.global_node_config) is not None
            for condition in (config.condition, config.reverse_conditional_edge)
        ]
        self._edge_names = {
            fold(name): name
            for name in (
                *(author_edge_id(edge.logical_id, self.graph.edges) or edge.logical_id for edge in edges),
                *(edge.name for edge in edges),
                *(condition.text for condition in conditions if condition is not None),
            )
            if name
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the workflow as it runs."""
        return hashlib.sha256(encode(self.running.to_wire())).hexdigest()

    @cached_property
    def running_graph(self) -> Graph:
        """The workflow as it runs."""
        return Graph(self.running)

    @classmethod
    def expanded(cls, authored: Workflow, stored: Callable[..., Workflow]) -> Self:
        """Return a workflow with its inner nodes, if those can be read.

        Args:
            authored: The workflow as its author wrote it.
            stored: Returns a stored workflow by id and version.
        """
        try:
            return cls(authored, expand(authored, stored).workflow)
        except RunError:  # the run will fail with it
            return cls(authored, authored)

    def label(self, node_id: str, name: str = "") -> str:
        """Return a node's label, with the super nodes around it: ``Booking › Ask``."""
        return label_of(node_id, self._names.get(node_id) or name or node_id, self.names)

    def node_id(self, name: str) -> str:
        """Return the id of a node by its id, name or label, whatever its case and white space.

        A node of the author goes before one of that name inside a super node.

        Raises:
            InputError: The workflow has no such node, or several.
        """
        found = self._node_ids.get(fold(name), [])
        if not found:
            raise _unknown("node", name, [*self._names, *self._names.values()])
        if len(found) > 1:
            raise InputError(
                f"The workflow has {len(found)} nodes {name!r}.",
                advice=f"Name one by its logical id: {', '.join(found)}.",
            )
        return found[0]

    def has_node(self, name: str) -> bool:
        """Return whether a node, or several, have an id, name or label."""
        return fold(name) in self._node_ids

    def nodes_of(self, edge: str) -> list[tuple[str | None, str | None]]:
        """Return the ends of each edge of a name, id or condition; that of a global node has no source.

        The list is empty for an unknown edge.
        """
        name = fold(edge)
        found: list[tuple[str | None, str | None]] = []
        for each in self.running.edge_configs:
            own = author_edge_id(each.logical_id, self.graph.edges) or each.logical_id
            condition = each.condition.text if each.condition else ""
            if name in map(fold, (each.logical_id, own, each.name or "", condition)):
                found.append((each.source_node_logical_id, each.destination_node_logical_id))
        for node in self.running.node_configs:
            settings = node.global_node_config
            if settings is not None and settings.condition and fold(settings.condition.text) == name:
                found.append((None, node.logical_id))
        return found

    def check_edge(self, name: str) -> None:
        """Check the name, id or condition of an edge.

        Raises:
            InputError: The workflow has no such edge.
        """
        if fold(name) not in self._edge_names:
            raise _unknown("edge", name, list(self._edge_names.values()))

    def uses_edge(self, step: PathStep, name: str) -> bool:
        """Return whether a transition is along the edge of a name, id or condition."""
        condition = step.condition or self._conditions.get(step.edge_id, "")
        return fold(name) in (fold(step.edge), fold(step.edge_id), fold(condition))


@dataclass(frozen=True, slots=True)
class Visit:
    """An entry of a node."""

    event: int
    """The index of its event in the run."""
    node_id: str
    name: str
    is_main: bool
    """True where the main thread entered it."""
    is_wait: bool = False
    """True where the thread waits for the user there, and does not run it yet."""

    def is_in(self, node_id: str) -> bool:
        """Return whether it is an entry of that node or of one inside it."""
        return node_id == self.node_id or node_id in enclosing_ids(self.node_id)


def read_visit(index: int, event: Event) -> Visit | None:
    """Return the entry of a node that an event records.

    ``None`` for any other event, or one without a node.
    """
    node = node_of(event)
    if event.type not in ARRIVALS or not node:
        return None
    is_main = COMPANION not in (thread_id_of(event) or "")
    return Visit(
        index, node, node_name_of(event) or node, is_main, event.type == "busy_wait_for_user_message"
    )


def read_path(visits: Iterable[Visit]) -> list[Visit]:
    """Return the nodes of the main thread in order; a node that runs again is there again.

    That is so after a self loop. The wait for the user beside a run of the same node is a part of it.
    """
    path: list[Visit] = []
    has_run = False
    for visit in visits:
        if not visit.is_main:
            continue
        if path and path[-1].node_id == visit.node_id and (visit.is_wait or not has_run):
            has_run = has_run or not visit.is_wait
        else:
            path.append(visit)
            has_run = not visit.is_wait
    return path


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a run that a check reads."""

    turn: int | None
    """The turn of the scenario, from 1; ``None`` at the end."""
    first_log: int
    """The index of its first turn or piece of background work."""
    first_event: int

    @property
    def noun(self) -> str:
        """Return ``turn`` or ``run``."""
        return "run" if self.turn is None else "turn"


class Conversation:
    """A run so far; each projection is made when a check first needs it.

    Args:
        workflow: The workflow that runs.
        read_ledgers: Reads the ledgers of side effects from the run's record.
    """

    def __init__(self, workflow: CheckedWorkflow, read_ledgers: Callable[[], Ledgers]) -> None:
        """Begin without turns; the ledgers are read on demand."""
        self.workflow = workflow
        self.logs: list[TurnLog] = []
        self.result: TurnResult | None = None
        """The result of the last turn or step of background work."""
        self.event_count = 0
        self._read_ledgers = read_ledgers
        self._read_fields: list[list[EventFields]] = []
        self._paths: list[PathStep] = []
        self._path_logs = 0

    def add(self, log: TurnLog, result: TurnResult) -> None:
        """Add a finished turn or piece of background work."""
        self.logs.append(log)
        self.result = result
        self.event_count += len(log.events)

    def scope(self, turn: int | None, *, first_log: int = 0) -> Scope:
        """Return the part of the run from a log on."""
        return Scope(turn, first_log, sum(len(log.events) for log in self.logs[:first_log]))

    def events(self, scope: Scope) -> list[tuple[int, Event]]:
        """Return the events with their index in the run."""
        events = (event for log in self.logs[scope.first_log :] for event in log.events)
        return list(enumerate(events, start=scope.first_event))

    def fields(self, scope: Scope) -> Iterator[EventFields]:
        """Yield the events with the fields that projections read."""
        for index in range(scope.first_log, len(self.logs)):
            yield from self._fields(index)

    def answers_of_built_in_rules(self) -> dict[str, int]:
        """Return by node's label the index of the first event for which the built-in rules answered."""
        found: dict[str, int] = {}
        for index, event in self.events(self.scope(None)):
            if isinstance(event, ModelEvent) and values_of(event).llm_usage_info.is_of_built_in_rules:
                fields = EventFields(event)
                found.setdefault(self.workflow.label(fields.node or "", fields.node_name or ""), index)
        return found

    @property
    def has_simulated_models(self) -> bool:
        """Return whether a model was not called because such calls are simulated."""
        events = (event for _, event in self.events(self.scope(None)))
        answers = (
            values_of(each).answered_by
            for each in events
            if isinstance(each, ModelEvent) and each.llm_usage_info
        )
        return any("simulation" in each for each in answers)

    def agent_messages(self, scope: Scope) -> list[ChatMessage]:
        """Return the messages of the agent."""
        return [
            message
            for message in self.messages
            if message.role == "agent" and message.turn_index >= scope.first_log
        ]

    @property
    def messages(self) -> list[ChatMessage]:
        """The messages of the run, with notes."""
        return self._caught_up(self._chat).messages

    def visits(self, scope: Scope) -> list[Visit]:
        """Return the entries of nodes, in order."""
        return [
            visit for index, event in self.events(scope) if (visit := read_visit(index, event)) is not None
        ]

    def steps(self, scope: Scope) -> list[PathStep]:
        """Return the transitions, in order."""
        for index in range(self._path_logs, len(self.logs)):
            self._paths += self._path_reader.add_turn(self.logs[index], self._fields(index))
        self._path_logs = len(self.logs)
        return [step for step in self._paths if step.event_index >= scope.first_event]

    def metrics(self, scope: Scope) -> RunMetrics:
        """Return tokens, times and counts."""
        seen = self._caught_up(self._projections)
        rows = [row for row in seen.turn_rows if row.place >= scope.first_log]
        return run_metrics(rows, [step for step in seen.steps if step.place >= scope.first_log])

    def effects(self, scope: Scope) -> list[tuple[int | None, SideEffect]]:
        """Return the calls to the outside in order, each with the last event of its node in the scope.

        The event is ``None`` where the node has none there. The ledgers of the record are read only where a
        turn does not have its own.
        """
        collector = SideEffectCollector(self.workflow.names)
        logs = self.logs[scope.first_log :]
        for log in logs:
            collector.add_turn(log)
        recorded = self._read_ledgers() if any(map(needs_recorded_ledger, logs)) else {}
        last = {node: index for index, event in self.events(scope) if (node := node_of(event))}
        return [(last.get(effect.node_logical_id), effect) for effect in collector.effects(recorded)]

    @property
    def decisions(self) -> list[DecisionRecord]:
        """The decisions of the run, in order."""
        return self._caught_up(self._decisions).all

    def explain(self, record: DecisionRecord) -> Explanation:
        """Return a decision with its candidate edges and their conditions, filled in."""
        self._caught_up(self._snapshots)
        return self._explainer.explain(record)

    @property
    def node_runs(self) -> list[Step]:
        """The steps of the run: node runs, messages and waits, with their times and model calls."""
        return self._caught_up(self._projections).steps

    @property
    def snapshots(self) -> Snapshots:
        """The variables."""
        return self._caught_up(self._snapshots)

    @cached_property
    def history(self) -> VariableHistory:
        """The changes of the variables."""
        return VariableHistory(self._snapshots)

    @cached_property
    def _chat(self) -> ChatBuilder:
        return ChatBuilder(self.workflow.names)

    @cached_property
    def _snapshots(self) -> Snapshots:
        return Snapshots()

    @cached_property
    def _decisions(self) -> DecisionLog:
        return DecisionLog(self.workflow.running_graph)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.workflow.running_graph, self._snapshots, self.workflow.names)

    @cached_property
    def _path_reader(self) -> PathReader:
        return PathReader(self.workflow.graph)

    @cached_property
    def _projections(self) -> Projections:
        return Projections(self.workflow.graph, self.workflow.names)

    def unexpected_problems(self) -> Iterator[tuple[TimelineRow, Trouble, str]]:
        """Yield failed answers, and warnings of unknown cause, that no fault caused, in order.

        The error that ends a run is not among them: a check of its own expects that there is none.

        Yields:
            The row, what went wrong, and the event in words, which the row may have but in part.
        """
        rows, reasons = self._caught_up(self._projections).timeline.rows, FailureReasons()
        events = chain.from_iterable(map(self._fields, range(len(self.logs))))
        for row, event in zip(rows, events, strict=True):
            reasons.apply(event)
            trouble = row.trouble
            if trouble is None or trouble.is_faulted or trouble.kind == "error" or not trouble.is_problem:
                continue
            yield row, trouble, reasons.summary(event.event)

    def _caught_up(self, projection: Projection) -> Projection:
        for index in range(projection.turn_count, len(self.logs)):
            projection.add_turn(self.logs[index], self._fields(index))
        return projection

    def _fields(self, index: int) -> list[EventFields]:
        """Return the fields of a log's events, which every projection reads."""
        while len(self._read_fields) <= index:
            self._read_fields.append(fields_of(self.logs[len(self._read_fields)].events))
        return self._read_fields[index]


def fold(name: str) -> str:
    """Return a name without differences of case and white space."""
    return " ".join(name.split()).casefold()


def _unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(name, names, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(names[:20]) or 'none'}."
    return InputError(f"The workflow has no {kind} {name!r}.", advice=advice)
