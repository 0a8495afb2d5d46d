"""The long runs that were opened last: to open one again reads only what has come since.

A page that is loaded again, or a link that is opened by somebody else, is another session of the same run.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from weakref import WeakKeyDictionary

from debugger.backends.base import Backend
from debugger.graph import Graph
from debugger.protocol.runs import RunRecord
from debugger.session.reopening import ReadRun

_MOST_READERS = 16
"""Runs that are read at once."""
_MOST = 3
"""Runs of each backend; one of 50,000 events takes 90 MB."""
_LONG = 200
"""Turns; a shorter run is read in no time."""


class RecentRuns:
    """What was read of runs, by whom they were asked of. Any number of threads may ask."""

    def __init__(self) -> None:
        self._read: WeakKeyDictionary[Backend, dict[str, ReadRun]] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._readers = [threading.Lock() for _ in range(_MOST_READERS)]

    def recall(self, backend: Backend, record: RunRecord, graph: Graph) -> ReadRun | None:
        """What a record begins with, where it was read before; the caller's own.

        Args:
            backend: Gave the record. Whoever may see it there may see what was read of it.
            record: The run.
            graph: What it is looked at on.
        """
        run_id = record.run.workflow_run_id
        with self._lock:
            known = self._read.get(backend, {}).get(run_id)
        return known.copy() if known is not None and known.begins(record, graph) else None

    def keeps(self, turns: int) -> bool:
        """Whether a run of so many turns is kept."""
        return turns >= _LONG

    def alone(self, run_id: str) -> AbstractContextManager[bool]:
        """While a run is read: who wants to read the same one waits, and finds it kept."""
        return self._readers[hash(run_id) % _MOST_READERS]

    def keep(self, backend: Backend, run_id: str, read: ReadRun) -> None:
        """Keep what was read of a run, if it is long; the run that was kept first makes room."""
        if not self.keeps(len(read.turns)):
            return
        with self._lock:
            kept = self._read.setdefault(backend, {})
            kept.pop(run_id, None)
            kept[run_id] = read.copy()
            for oldest in list(kept)[:-_MOST]:
                del kept[oldest]


recent_runs = RecentRuns()
"""Those of this process."""
