"""The turns of a run as a session shows them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from debugger.analysis.run_projection import MAX_OPEN_TURNS
from debugger.analysis.side_effects import ledgers, needs_recorded_ledger
from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnInput, background_input
from debugger.protocol.turn_logs import TurnLog


class TurnList:
    """The logs of a run, in order.

    Each change makes another list, so that a reader's list never changes.
    """

    def __init__(self, logs: Sequence[TurnLog] = ()) -> None:
        self.logs = list(logs)
        """The logs so far; one whose turn is being executed is among the last, and grows."""
        self._lock = threading.Lock()
        self._counted: tuple[list[TurnLog], int] = ([], 0)
        """A list of logs, and the number of events of those that do not change any more."""

    @property
    def number(self) -> int:
        """The number of the last turn; 0 before the first."""
        return self.logs[-1].number if self.logs else 0

    @property
    def event_count(self) -> int:
        """The number of events so far."""
        logs = self.logs
        if self._counted[0] is not logs:
            self._counted = logs, sum(len(log.events) for log in logs[:-MAX_OPEN_TURNS])
        return self._counted[1] + sum(len(log.events) for log in logs[-MAX_OPEN_TURNS:])

    def new_turn(self, turn_input: TurnInput, after: TurnLog | None = None) -> TurnLog:
        """Add a turn.

        Args:
            turn_input: Its input.
            after: Background work that is being executed: its events come before the turn.
        """
        log = TurnLog(self.number + 1, turn_input)
        with self._lock:
            self.logs = [*self._with(after), log] if after else [*self.logs, log]
        return log

    def new_step(self) -> TurnLog:
        """Return the log of a background step, added with its first event."""
        return TurnLog(self.number, background_input(), is_background=True)

    def add(self, log: TurnLog, event: Event) -> None:
        """Add an event to a log, unless it is never recorded."""
        if event.is_persisted:
            with self._lock:
                self.logs = self._with(log)
                log.add(event)

    def remove(self, log: TurnLog) -> None:
        """Remove a log that did not end or has no events."""
        with self._lock:
            self.logs = [other for other in self.logs if other is not log]

    def extend(self, logs: Sequence[TurnLog]) -> None:
        """Add logs from the record."""
        with self._lock:
            self.logs = [*self.logs, *logs]

    def _with(self, log: TurnLog) -> list[TurnLog]:
        # By identity and from the end: two logs may be equal, and the one that grows is among the last.
        is_there = any(log is other for other in reversed(self.logs))
        return self.logs if is_there else [*self.logs, log]


class SideEffectLog:
    """The side effects of turns whose events do not report them.

    Args:
        backend: Has the record.
        recorded: What the record says already, where the run is on record.
    """

    def __init__(self, backend: Backend, recorded: dict[str, list[Any]] | None = None) -> None:
        self.recorded = recorded or {}
        """See `debugger.analysis.side_effects.Ledgers`."""
        self.reads = 0
        """How often the record was read: what was made of it before is out of date."""
        self.error: DebuggerError | None = None
        """Why some of it could not be read."""
        self._backend = backend

    def update(self, run_id: str, log: TurnLog) -> None:
        """Read the side effects of a turn that only the record has."""
        if not needs_recorded_ledger(log):
            return
        try:
            self.recorded = ledgers(self._backend.run(run_id))
            self.error = None
            self.reads += 1
        except DebuggerError as error:
            self.error = error
