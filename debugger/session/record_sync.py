"""Comparison of a session with its run's record.

It finds turns of other clients and turns of unknown outcome.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from debugger.analysis.event_fields import values_of
from debugger.analysis.side_effects import ledger_of
from debugger.backends.base import Backend, FoundTurn, RunRevision
from debugger.engine.background_call import BackgroundCall
from debugger.errors import DebuggerError, OutcomeUnknownError, UnexpectedError
from debugger.protocol.events import EndWorkflowIterationEvent, Event
from debugger.protocol.runs import SentTurn
from debugger.protocol.turn_logs import LazyRun, TurnLog, lazy_turn_logs, turn_logs

_log = logging.getLogger(__name__)

FIRST_WAIT = 2.0
MAX_WAIT = 30.0
"""Seconds between two looks at the record of an open run: at first, and at most."""
LATE_SECONDS = 60.0
"""Seconds after an answer in which a record without its turn is late; then the turn is not there any more."""
LOCAL_WAIT = 2.0
"""Seconds between two looks where the record is in this process's own store."""
_FRAMES = frozenset({"start_workflow", "start_thread", "end_workflow_iteration", "workflow_ready_for_input"})
"""Events around those of the nodes; some answers have them and the record does not, or the other way round.

Source: ``platform.md#event-order``; a pair cannot hold the event that bears it.
"""


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
    finding: str = ""
    """What the last of them showed, as a sentence."""

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
    comparisons: tuple[TurnComparison, ...] = ()
    """Turns that are shown as they were answered, and what the record has of them."""


@dataclass(frozen=True)
class TurnComparison:
    """A turn as it was answered, and as the record has it."""

    shown: TurnLog
    recorded: TurnLog

    @property
    def missing(self) -> int:
        """Return how many of the answered events the record lacks, without those that it need not hold."""
        return sum(event.type not in _FRAMES for event in self._not_recorded)

    @property
    def is_partial(self) -> bool:
        """Return whether the record has some of the answered events, and lacks others."""
        return 0 < self.missing < len(self.shown.events)

    @property
    def completes(self) -> bool:
        """Return whether the record holds what was answered, and more or in another order."""
        recorded = _ids(self.recorded)
        held = set(recorded)
        return not self.missing and [name for name in _ids(self.shown) if name in held] != recorded

    @property
    def _not_recorded(self) -> list[Event]:
        recorded = set(_ids(self.recorded))
        return [event for event in self.shown.events if event.logical_id not in recorded]

    @property
    def difference(self) -> str:
        """Return a sentence on the number of events that the record lacks; empty where it lacks none.

        Events that begin or end a turn, as ``start_workflow``, are not counted; see `missing`.
        """
        if not self.missing:
            return ""
        return (
            f"The record differs: of the {len(self.shown.events)} events that turn {self.shown.number} was "
            f"answered with it lacks {self.missing}. The page shows the answer."
        )


def _ids(log: TurnLog) -> list[str | None]:
    return [event.logical_id for event in log.events]


class RecordSync:
    """Reads the record of an open run regularly or on demand."""

    def __init__(self, backend: Backend, workflow_id: str) -> None:
        """Take on a session that shows nothing of a record yet; the first look is due in a moment."""
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
        self.unconfirmed: list[TurnLog] = []
        """Turns that are shown as they were answered, and not compared with the record yet."""
        self._answered = 0, 0.0
        """The number of the last turn that was answered, and when on the monotonic clock."""
        self._backend = backend
        self._workflow_id = workflow_id
        self._is_local = backend.notes is not None
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

    def confirm_later(self, log: TurnLog) -> None:
        """Compare a turn with the record at the next look; what is in this process's store needs none."""
        if not self._is_local and log.events:
            self.unconfirmed.append(log)

    def note_answer(self, number: int) -> None:
        """Remember that a turn was executed: a record without it is late."""
        if not self._is_local:
            self._answered = number, time.monotonic()

    def is_late(self, number: int) -> bool:
        """Return whether a record that ends with a turn lacks one that was answered a moment ago."""
        answered, at = self._answered
        return number < answered and time.monotonic() - at < LATE_SECONDS

    def invalidate(self) -> None:
        """Read again what is being read: it may lack what has just happened."""
        self._is_outdated = self._call is not None

    def start(self, run_id: str | None, number: int, *, at_once: bool = False) -> None:
        """Start reading if it is due and no read is running.

        The pending turn is searched for, or else the run's revision read. Nothing is read where there is
        neither a pending turn nor a run.

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
        """Return what was read since the last call, and schedule the next look.

        Returns:
            ``None`` where nothing was read, a read is under way or must be repeated, or it failed: see
            `error`.
        """
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
            self.error = UnexpectedError(f"The record could not be read ({type(error).__name__}).")
            self.error.__cause__ = error
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
        """Read the run's revision, and its record if that has other pairs than are known.

        A shorter record counts only if the read before found it shorter too. Answered turns are compared with
        it.

        Raises:
            DebuggerError: The backend cannot give one of them.
        """
        revision, known = self._backend.revision(run_id), self.known_length
        is_behind = known is not None and revision.record_length < known
        # It may not hold the last turn yet: only one that stays so counts.
        was_behind, self._is_behind = self._is_behind, is_behind
        comparisons = self._compare(run_id, revision) if self.unconfirmed else ()
        if revision.record_length == known or (is_behind and not was_behind):
            return RecordRead("revision", revision, comparisons=comparisons)
        record = self._backend.record(run_id) if revision.run is None else LazyRun.of(revision.run)
        logs = [] if known is None else logs_of(record, known, number)[0]
        newer_turns = sum(not log.is_background for log in logs)
        return RecordRead("revision", revision, record, newer_turns=newer_turns, comparisons=comparisons)

    def _compare(self, run_id: str, revision: RunRevision) -> tuple[TurnComparison, ...]:
        """Return the answered turns whose numbers the record has, too, each beside the recorded one.

        Raises:
            DebuggerError: The backend cannot give the run.
        """
        run = revision.run or self._backend.run(run_id)
        recorded = {log.number: log for log in turn_logs(run) if not log.is_background}
        return tuple(
            TurnComparison(log, recorded[log.number]) for log in self.unconfirmed if log.number in recorded
        )


def logs_of(record: LazyRun, start: int, number: int) -> tuple[list[TurnLog], dict[str, list[Any]]]:
    """Return a record's logs and side effects from a pair on; pairs that are no turn have no log.

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
    """Return whether a log is of a stop or pause whose answer has the turn that it ended, or no turn."""
    command = log.run_input.command
    if command not in ("stop", "pause"):
        return False
    ends = [event for event in log.events if isinstance(event, EndWorkflowIterationEvent)]
    inputs = [values_of(event).run_input_output_pair.run_input for event in ends]
    return not any(own.get("command") == command for own in inputs)
