"""A recorded run read again, turn by turn."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from weakref import WeakKeyDictionary

from debugger.analysis.run_projection import RunProjection
from debugger.analysis.side_effects import ledger_of
from debugger.backends.base import Backend
from debugger.errors import NotFoundError, UnsupportedError
from debugger.graph import Graph
from debugger.protocol.base import check_id
from debugger.protocol.runs import Run
from debugger.protocol.turn_logs import LazyRun, ReadTurn, TurnLog, lazy_turn_logs, turn_logs
from debugger.protocol.workflow import Workflow


@dataclass
class PartialRun:
    """The part of a run that has been read so far."""

    index: RunProjection
    turns: list[ReadTurn] = field(default_factory=list)
    """The turns of the record that were read."""
    logs: list[TurnLog] = field(default_factory=list)
    """How they are looked at."""
    ledger: dict[str, list[Any]] = field(default_factory=dict)
    """See `debugger.analysis.side_effects.Ledgers`."""

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self)(self.index.copy(), self.turns.copy(), self.logs.copy(), self.ledger.copy())

    def is_prefix_of(self, record: LazyRun, graph: Graph) -> bool:
        """Return whether a record starts with this part, on the same graph."""
        is_same_graph = self.index.graph.workflow == graph.workflow
        return is_same_graph and self.turns == list(record.turns[: len(self.turns)])

    def read_turns(self, turns: Sequence[ReadTurn], after_each: Callable[[], None] | None = None) -> None:
        """Read the next turns, each once: append their logs, project them, and collect their side effects.

        Args:
            turns: The turns behind those that were read.
            after_each: Called after each turn.

        Raises:
            StoreError: A stored turn is damaged.
        """
        after = self.logs[-1].number if self.logs else 0
        with gc_paused():
            for turn, log in lazy_turn_logs(turns, after=after):
                self.ledger |= ledger_of(turn)
                if log is not None:
                    self.index.commit(log)
                    self.logs.append(log)
                if after_each is not None:
                    after_each()
        self.turns += turns


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the garbage collector in the block, while many lasting objects are read.

    Restore it afterwards.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_MOST_READERS = 16
"""Runs that are read at once."""
_MOST = 3
"""Runs of each backend; one of 50,000 events takes 90 MB."""
_LONG = 200
"""Turns; a shorter run is read in no time."""


class RunCache:
    """A thread-safe cache of long runs by backend."""

    def __init__(self) -> None:
        self._read: WeakKeyDictionary[Backend, dict[str, PartialRun]] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._readers = [threading.Lock() for _ in range(_MOST_READERS)]

    def get(self, backend: Backend, record: LazyRun, graph: Graph) -> PartialRun | None:
        """Return a copy of the cached start of a record, else ``None``.

        Args:
            backend: Gave the record. Whoever may see it there may see what was read of it.
            record: The run.
            graph: What it is looked at on.
        """
        run_id = record.run.workflow_run_id
        with self._lock:
            known = self._read.get(backend, {}).get(run_id)
        return known.copy() if known is not None and known.is_prefix_of(record, graph) else None

    def is_long(self, turns: int) -> bool:
        """Return whether a run of this many turns is cached."""
        return turns >= _LONG

    def lock(self, run_id: str) -> AbstractContextManager[bool]:
        """Return the lock under which one caller reads a run."""
        return self._readers[hash(run_id) % _MOST_READERS]

    def put(self, backend: Backend, run_id: str, read: PartialRun) -> None:
        """Cache a copy of a long run.

        The oldest entry of the backend makes room. A shorter run is ignored.
        """
        if not self.is_long(len(read.turns)):
            return
        with self._lock:
            cached = self._read.setdefault(backend, {})
            cached.pop(run_id, None)
            cached[run_id] = read.copy()
            for oldest in list(cached)[:-_MOST]:
                del cached[oldest]


run_cache = RunCache()
"""Those of this process."""


@dataclass(frozen=True)
class DisplayedWorkflow:
    """A workflow, and what is to be said about it."""

    workflow: Workflow
    substitute_reason: str = ""
    """Why it is not the version that ran, in two sentences; empty where it is."""


def displayed_workflow(backend: Backend, run: Run) -> DisplayedWorkflow:
    """Return the workflow to draw a run with.

    It is the version that ran, else the active one; without nodes where it was deleted.

    What the run did and the version lacks is drawn as missing nodes, so a run can always be looked at.

    Raises:
        DebuggerError: The backend cannot be read.
    """
    try:
        return DisplayedWorkflow(backend.workflow(run.workflow_id, run.version_number))
    except (UnsupportedError, NotFoundError):
        return _another(backend, run)


def _another(backend: Backend, run: Run) -> DisplayedWorkflow:
    """Return the active version in place of an unavailable one, or no nodes of a deleted workflow.

    Raises:
        DebuggerError: The backend cannot be read.
    """
    used = "an unknown version" if run.version_number is None else f"v{run.version_number}"
    try:
        workflow = backend.workflow(run.workflow_id)
        active = backend.workflow_summary(run.workflow_id).active_version_number
    except NotFoundError:
        gone = Workflow.from_document(
            {"workflow_config": {"name": "Deleted workflow"}, "node_configs": [], "edge_configs": []}
        )
        return DisplayedWorkflow(
            gone, f"The workflow was deleted; the run used {used}. Only what the run shows of it is drawn."
        )
    drawn = "the active version" if active is None else f"v{active}"
    return DisplayedWorkflow(
        workflow, f"Drawn with {drawn}, the run used {used}. What {drawn} does not have is dashed."
    )


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """One record, read once."""

    run: Run
    turns: list[TurnLog]
    workflow: Workflow
    """The version that ran, or the one drawn instead where that is not available."""
    substitute_reason: str
    """Why the workflow is not the version that ran; empty where it is."""
    engine: str
    """What ran it, as people know it."""


def load_run(backend: Backend, run_id: str) -> RecordedRun:
    """Read a run, with the version that it ran on.

    Raises:
        InputError: The id is none.
        NotFoundError: There is no such run.
        DebuggerError: The backend cannot give it.
    """
    run = backend.run(check_id("run", run_id.strip()))
    drawn = displayed_workflow(backend, run)
    return RecordedRun(run, turn_logs(run), drawn.workflow, drawn.substitute_reason, backend.name)
