"""The index of a run: all that its panes show, worked out once for each turn that is over.

A turn that is over never changes, so what it tells is kept. Only the last ones, which may be under way, are
read again when something has happened: a look costs as much as they hold, however long the run is.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from debugger.analysis.chat import ChatBuilder
from debugger.analysis.event_fields import fields_of
from debugger.analysis.position import PositionTracker
from debugger.analysis.side_effects import SideEffectCollector
from debugger.analysis.steps import StepBuilder, TurnRow, turn_row
from debugger.analysis.thread_positions import ThreadPositions
from debugger.analysis.timeline import SearchTexts, TimelineBuilder
from debugger.analysis.variables import Snapshots
from debugger.graph.graph import Graph
from debugger.protocol.turn_logs import TurnLog

MAX_OPEN_TURNS = 2
"""A turn, and the step of background work that it waits for."""


class Projections:
    """Everything that is read out of the turns of a run, up to one of them.

    Args:
        graph: The workflow that ran.
        names: The author's node names by id.
    """

    def __init__(self, graph: Graph, names: Mapping[str, str]) -> None:
        self.turns: list[TurnLog] = []
        self.timeline = TimelineBuilder(names)
        self.position = PositionTracker(graph)
        self.bubbles = ChatBuilder(names)
        self.effects = SideEffectCollector(names)
        self.steps = StepBuilder()
        self.turn_rows: list[TurnRow] = []
        self.types: Counter[str] = Counter()
        """How many events of each type there are."""
        self.nodes: Counter[str] = Counter()
        """The same by node of the author's graph."""
        self.threads: Counter[str] = Counter()
        """The same by thread, as people know it."""

    def take(self, turn: TurnLog) -> None:
        """Take in the next turn, or piece of background work."""
        place, first, said = len(self.turns), len(self.timeline.rows), len(self.bubbles.bubbles)
        self.turns.append(turn)
        events = fields_of(turn.events)
        self.timeline.take(turn, place, events)
        self.position.take(turn, events)
        self.bubbles.take(turn, place, events)
        self.effects.take(turn, events)
        rows = self.timeline.rows[first:]
        steps = self.steps.take(turn, rows)
        self.turn_rows.append(turn_row(turn, place, first, rows, steps, self.bubbles.bubbles[said:]))
        self.types.update(row.type for row in rows)
        self.nodes.update(row.drawn_node for row in rows if row.drawn_node is not None)
        self.threads.update(row.thread for row in rows if row.thread is not None)

    def copy(self) -> Projections:
        """Another one that stands here, to go on by itself."""
        other = Projections.__new__(Projections)
        other.turns, other.turn_rows = self.turns.copy(), self.turn_rows.copy()
        other.types, other.nodes, other.threads = self.types.copy(), self.nodes.copy(), self.threads.copy()
        other.steps = self.steps.copy()
        other.timeline, other.position = self.timeline.copy(), self.position.copy()
        other.bubbles, other.effects = self.bubbles.copy(), self.effects.copy()
        return other


class RunProjection:
    """What is known of the turns that are over. Any number of threads may read it.

    Args:
        graph: The workflow that ran.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.names = {node.logical_id: node.label for node in graph.nodes.values()}
        self.texts = SearchTexts()
        """What the rows are searched by."""
        self._lock = threading.Lock()
        self._settled = Projections(graph, self.names)
        self._moments = Snapshots()

    def copy(self) -> RunProjection:
        """Another one of the same turns, to go on by itself."""
        other = RunProjection(self.graph)
        with self._lock:
            other._settled, other._moments = self._settled.copy(), self._moments.copy()
        return other

    @property
    def standing(self) -> ThreadPositions:
        """Where the threads stand after the turns that are over."""
        return self._settled.position.standing

    def settle(self, turn: TurnLog) -> None:
        """Take in a turn that is over for good, right after the ones before it."""
        with self._lock:
            self._settled.take(turn)
            self._moments.add(turn)

    def moments(self) -> Snapshots:
        """The moments of the turns that were settled while their events were at hand, to go on from."""
        with self._lock:
            return self._moments.copy()

    def read(self, turns: Sequence[TurnLog]) -> Projections:
        """Read a run as it stands now.

        Args:
            turns: The run's turns; the last two may still be growing.

        Returns:
            What stays as it is while the run goes on; so do its ``turns``.
        """
        with self._lock:
            if not self._begins(turns):
                self._settled = Projections(self.graph, self.names)
            for turn in turns[len(self._settled.turns) : -MAX_OPEN_TURNS]:
                self._settled.take(turn)
            readers = self._settled.copy()
        for turn in turns[len(readers.turns) :]:
            # It grows while it is read: every pane shall see the same events.
            readers.take(replace(turn, events=list(turn.events)))
        return readers

    def _begins(self, turns: Sequence[TurnLog]) -> bool:
        """Whether the run still begins with the turns that are taken for over."""
        settled = self._settled.turns
        return len(settled) <= len(turns) and all(
            old is new for old, new in zip(settled, turns, strict=False)
        )
