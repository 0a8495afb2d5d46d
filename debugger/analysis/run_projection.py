"""The projection of a run: all data that its panels show.

A finished turn never changes, so its projection is stored. Only the last turns, which may still be running,
are projected again when something has happened: that costs as much as they hold, however long the run is.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import is_not

from debugger.analysis.chat import ChatBuilder
from debugger.analysis.event_fields import EventFields, fields_of
from debugger.analysis.fold import EventFold
from debugger.analysis.position import PositionTracker
from debugger.analysis.side_effects import SideEffectCollector
from debugger.analysis.steps import Step, TurnRow, steps_of_turn, turn_row
from debugger.analysis.thread_positions import ThreadPositions
from debugger.analysis.timeline import SearchTexts, TimelineBuilder
from debugger.analysis.variables import Snapshots
from debugger.graph.graph import Graph
from debugger.protocol.turn_logs import TurnLog

MAX_OPEN_TURNS = 2
"""A turn, and the step of background work that it waits for."""
EVENTS_BETWEEN = 200
"""Events between two checkpoints of the position, at least."""


class Projections(EventFold):
    """All projections of a run's first turns."""

    TYPES = frozenset()

    def __init__(self, graph: Graph, names: Mapping[str, str]) -> None:
        """Begin without turns; names are those of the author's nodes, by id."""
        super().__init__()
        self.turns: list[TurnLog] = []
        self.timeline = TimelineBuilder(names)
        self.position = PositionTracker(graph)
        self.chat = ChatBuilder(names)
        self.side_effects = SideEffectCollector(names)
        self.steps: list[Step] = []
        self.step_of_event: list[int] = []
        """For each event of the run the index of its step; -1 in a turn that has none."""
        self.turn_rows: list[TurnRow] = []
        self.types: Counter[str] = Counter()
        """Number of events by type."""
        self.nodes: Counter[str] = Counter()
        """Number of events by node of the author's graph."""
        self.threads: Counter[str] = Counter()
        """Number of events by thread: ``"0"``, or the configured id of a companion."""

        self.checkpoints: list[PositionTracker] = []
        """Positions after earlier turns, about `EVENTS_BETWEEN` events apart; they are only copied."""

    def add_turn(self, turn: TurnLog, events: Sequence[EventFields] | None = None) -> None:
        """Apply the next turn, or piece of background work, to all projections.

        Keep a checkpoint now and then.
        """
        first, said = self.event_count, len(self.chat.messages)
        events = fields_of(turn.events) if events is None else events
        super().add_turn(turn, events)
        self.turns.append(turn)
        for fold in (self.timeline, self.position, self.chat, self.side_effects):
            fold.add_turn(turn, events)
        rows = self.timeline.rows[first:]
        steps, owners = steps_of_turn(turn, rows, len(self.steps))
        self.steps += steps
        self.step_of_event += owners
        self.turn_rows.append(turn_row(turn, self.turn_index, first, rows, steps, self.chat.messages[said:]))
        self.types.update(row.type for row in rows)
        self.nodes.update(row.drawn_node for row in rows if row.drawn_node is not None)
        self.threads.update(row.thread for row in rows if row.thread is not None)
        if self.event_count - (self.checkpoints[-1].event_count if self.checkpoints else 0) >= EVENTS_BETWEEN:
            self.checkpoints.append(self.position.snapshot())


class RunProjection:
    """The projections of a run's finished turns; threads may share it."""

    def __init__(self, graph: Graph) -> None:
        """Begin without turns, with the names of the graph."""
        self.graph = graph
        self.names = graph.names
        self.texts = SearchTexts()
        """The texts that the rows are searched by."""
        self._lock = threading.Lock()
        self._finished = Projections(graph, self.names)
        self._variables = Snapshots()

    def copy(self) -> RunProjection:
        """Return a projection of the same turns that can be continued independently."""
        other = RunProjection(self.graph)
        with self._lock:
            other._finished, other._variables = self._finished.snapshot(), self._variables.snapshot()
        return other

    @property
    def thread_positions(self) -> ThreadPositions:
        """The positions of the threads after the finished turns."""
        return self._finished.position.threads

    def commit(self, turn: TurnLog) -> None:
        """Add a finished turn, right after the ones before it."""
        with self._lock:
            events = fields_of(turn.events)
            self._finished.add_turn(turn, events)
            self._variables.add_turn(turn, events)

    def variables(self) -> Snapshots:
        """Return the variables after the committed turns."""
        with self._lock:
            return self._variables.snapshot()

    def read(self, turns: Sequence[TurnLog]) -> Projections:
        """Return the projections of a run as it is now.

        Turns before the last two are kept for the next call; of another run they are projected anew.

        Args:
            turns: The run's turns; the last two may still be growing.

        Returns:
            Projections that stay as they are while the run continues; so do their ``turns``.
        """
        with self._lock:
            finished = self._finished.turns
            if len(finished) > len(turns) or any(map(is_not, finished, turns)):
                self._finished = Projections(self.graph, self.names)
            for turn in turns[len(self._finished.turns) : -MAX_OPEN_TURNS]:
                self._finished.add_turn(turn)
            projections = self._finished.snapshot()
        for turn in turns[len(projections.turns) :]:
            # It grows while it is read: every panel must see the same events.
            projections.add_turn(replace(turn, events=list(turn.events)))
        return projections
