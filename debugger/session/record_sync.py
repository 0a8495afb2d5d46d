"""Comparison of a session with its run's record.

It finds turns of other clients and turns of unknown outcome.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from debugger.analysis.side_effects import ledger_of
from debugger.backends.base import Backend, FoundTurn, RunRevision
from debugger.engine.background_call import BackgroundCall
from debugger.errors import DebuggerError, OutcomeUnknownError
from debugger.protocol.events import EndWorkflowIterationEvent
from debugger.protocol.runs import SentTurn
from debugger.protocol.turn_logs import LazyRun, TurnLog, lazy_turn_logs

_log = logging.getLogger(__name__)

FIRST_WAIT = 2.0
MAX_WAIT = 30.0
"""Seconds between two looks at the record of an open run: at first, and at most."""
LOCAL_WAIT = 2.0
"""Seconds between two looks where the record is in this process's own store."""


@dataclass
class PendingTurn:
    """A turn that was sent and whose outcome is unknown."""

    sent: SentTurn
    log: TurnLog
    """The turn as the session shows it."""
    error: OutcomeUnknownError
    """Why the outcome is not known."""
    run_id: str | None = None
    """The run; ``None`` of a first turn."""
    checks: int = 0
    """Searches of the record since."""

    @property
    def message(self) -> str:
        """Return the user's message in it."""
        return self.log.message


@dataclass(frozen=True)
class RecordRead:
    """The result of reading a run's record."""

    purpose: Literal["revision", "load", "pending"]
    revision: RunRevision | None = None
    record: LazyRun | None = None
    """The record, where it differs from what the session shows."""
    found: FoundTurn | None = None
    """What was found of a pending turn."""
    newer_turns: int = 0
    """Turns of users that the session does not show."""


class RecordSync:
    """Reads the record of an open run regularly or on demand."""

    def __init__(self, backend: Backend, workflow_id: str) -> None:
        self.known_length: int | None = 0
        """Pairs of the record that the session shows; ``None`` where it shows something else."""
        self.newer_turns = 0
        """Turns of other clients that the session does not show."""
        self.follows = False
        """Load the turns of other clients as they come."""
        self.revision: RunRevision | None = None
        """The state of the record at the last look."""
        self.pending: PendingTurn | None = None
        """The turn of unknown outcome."""
        self.error: DebuggerError | None = None
        """Why the record could not be read at the last look."""
        self._backend = backend
        self._workflow_id = workflow_id
        self._is_local = backend.notebook is not None
        self._first_wait = LOCAL_WAIT if self._is_local else FIRST_WAIT
        self._work: Callable[[], RecordRead] | None = None
        self._call: BackgroundCall[RecordRead] | None = None
        self._is_behind = False
        """True where the record lacked what the session shows, at the last look."""
        self._is_outdated = False
        """True where a turn has ended since the read began."""
        self.is_loading = False
        """Whether the record is read because the session is outdated."""
        self._wait = self._first_wait
        self._started = time.monotonic()
        self._due = self._started + self._wait

    def reset(self) -> None:
        """Look often again: something has happened in the run."""
        self._is_behind = False
        self._wait = self._first_wait
        self._due = time.monotonic() + self._wait

    def outdate(self) -> None:
        """Read again what is being read: it may lack what has just happened."""
        self._is_outdated = self._call is not None

    def start(self, run_id: str | None, number: int, *, at_once: bool = False) -> None:
        """Start reading if it is due and no read is running.

        Args:
            run_id: The run; ``None`` where it is not known.
            number: The number of the last turn that the session shows.
            at_once: Read now, whether or not it is due.
        """
        if self._call is not None or not (at_once or time.monotonic() >= self._due):
            return
        self._started = time.monotonic()
        pending = self.pending
        if pending is not None:
            pending.checks += 1
            self._begin(lambda: self._search(pending))
        elif run_id is not None:
            self._begin(lambda: self._read(run_id, number))

    def load(self, run_id: str) -> None:
        """Start reading the whole record; what is being read is dropped."""
        self.is_loading, self._started = True, time.monotonic()
        self._begin(lambda: RecordRead("load", record=self._backend.record(run_id)))

    def collect(self) -> RecordRead | None:
        """Return what was read since the last call; ``None`` where nothing was."""
        call = self._call
        if call is None or call.busy:
            return None
        if self._is_outdated and self._work is not None:
            self._begin(self._work)
            return None
        self._call, self.error, self.is_loading = None, None, False
        if not self._is_local:
            self._wait = min(1.5 * self._wait, MAX_WAIT)
        self._due = self._started + self._wait
        try:
            return call.result()
        except DebuggerError as error:
            self.error = error
        except Exception as error:  # a page must report something, whatever broke
            _log.exception("reading a record failed")
            self.error = DebuggerError(f"The record could not be read ({type(error).__name__}).")
        return None

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is read; return whether in time (seconds)."""
        return self._call is None or self._call.wait(timeout)

    def _begin(self, work: Callable[[], RecordRead]) -> None:
        self._is_outdated, self._work = False, work
        self._call = BackgroundCall(work, "session-read")

    def _search(self, pending: PendingTurn) -> RecordRead:
        found = self._backend.find_turn(self._workflow_id, pending.sent)
        if found.state == "finished" and found.record is None and found.run_id is not None:
            found = replace(found, record=self._backend.record(found.run_id))
        return RecordRead("pending", record=found.record, found=found)

    def _read(self, run_id: str, number: int) -> RecordRead:
        revision, known = self._backend.revision(run_id), self.known_length
        is_behind = known is not None and revision.record_length < known
        # It may not hold the last turn yet: only one that stays so counts.
        was_behind, self._is_behind = self._is_behind, is_behind
        if revision.record_length == known or (is_behind and not was_behind):
            return RecordRead("revision", revision)
        record = self._backend.record(run_id)
        logs = [] if known is None else logs_of(record, known, number)[0]
        newer_turns = sum(not log.is_background for log in logs)
        return RecordRead("revision", revision, record, newer_turns=newer_turns)


def logs_of(record: LazyRun, start: int, number: int) -> tuple[list[TurnLog], dict[str, list[Any]]]:
    """Return a record's logs and side effects from a pair on.

    Args:
        record: The record.
        start: The number of pairs that are left out.
        number: The number of the turn before.

    Raises:
        StoreError: A stored turn was damaged.
    """
    logs: list[TurnLog] = []
    effects: dict[str, list[Any]] = {}
    for turn, log in lazy_turn_logs(record.turns[start:], after=number):
        effects |= ledger_of(turn)
        if log is not None:
            logs.append(log)
    return logs, effects


def has_ended_other(log: TurnLog) -> bool:
    """Return whether a stop was answered with what it has ended: it has then no turn of its own."""
    if log.run_input.command != "stop":
        return False
    ends = [event for event in log.events if isinstance(event, EndWorkflowIterationEvent)]
    pairs = [event.run_input_output_pair or {} for event in ends]
    return not any((pair.get("run_input") or {}).get("command") == "stop" for pair in pairs)
