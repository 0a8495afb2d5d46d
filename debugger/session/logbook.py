"""The turns of a run as they are looked at, with the background work between them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from debugger.analysis.run_index import MOST_UNDER_WAY
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnInput, TurnLog, background_input


class Logbook:
    """The logs of a run, in order. Each change makes another list, so that who reads one is not disturbed.

    Args:
        logs: Those that are on record.
    """

    def __init__(self, logs: Sequence[TurnLog] = ()) -> None:
        self.logs = list(logs)
        """What there is so far; what is under way is the last, and grows."""
        self._lock = threading.Lock()
        self._counted: tuple[list[TurnLog], int] = ([], 0)
        """A list of logs, and how many events those have that stay as they are."""

    @property
    def event_count(self) -> int:
        """How many events there are so far."""
        logs = self.logs
        if self._counted[0] is not logs:
            self._counted = logs, sum(len(log.events) for log in logs[:-MOST_UNDER_WAY])
        return self._counted[1] + sum(len(log.events) for log in logs[-MOST_UNDER_WAY:])

    def new_turn(self, turn_input: TurnInput, after: TurnLog | None = None) -> TurnLog:
        """Begin another turn.

        Args:
            turn_input: What it is given.
            after: Background work that is still under way: what comes of it stands before the turn.
        """
        log = TurnLog(self._number + 1, turn_input)
        with self._lock:
            self.logs = [*self._with(after), log] if after else [*self.logs, log]
        return log

    def new_step(self) -> TurnLog:
        """Begin some background work; it is shown once something happens in it."""
        return TurnLog(self._number, background_input(), is_background=True)

    def add(self, log: TurnLog, event: Event) -> None:
        """Add an event to a log that is under way; what no record will ever tell of is left out."""
        if event.is_kept:
            with self._lock:
                self.logs = self._with(log)
                log.add(event)

    def forget(self, log: TurnLog) -> None:
        """Leave out what did not come to an end, or came to nothing."""
        with self._lock:
            self.logs = [kept for kept in self.logs if kept is not log]

    def _with(self, log: TurnLog) -> list[TurnLog]:
        # By identity and from the end: two logs may be equal, and the one that grows is among the last.
        is_shown = any(log is shown for shown in reversed(self.logs))
        return self.logs if is_shown else [*self.logs, log]

    @property
    def _number(self) -> int:
        """The number of the last turn."""
        return self.logs[-1].number if self.logs else 0
