"""Search of a run's record for a turn whose answer was lost: both channels use it, and nothing is sent again.

A read that fails decides nothing. A turn counts as not executed only where a read after the reconciliation
timeout shows a run at rest without it: the request may still have been on its way before.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from debugger.backends.base import FoundTurn, TurnProgress
from debugger.backends.hosted.turn_results import AnswerCheck, MayContinue, result_from_events
from debugger.errors import (
    DebuggerError,
    NotExecutedError,
    NotFoundError,
    OutcomeUnknownError,
    RunEndedError,
    StaleTurnError,
)
from debugger.protocol.runs import Run, RunRecord, SentTurn, Turn, TurnLog, numbered_turns

FIRST_WAIT = 0.05
MAX_WAIT = 2.0
"""Seconds between two reads of the record: the first, and the longest."""
MAX_RUNS = 20
"""Runs that are read one by one in the search for a first turn."""
CLOCK_SKEW = 10.0
"""Seconds by which the server's clock may be behind the client's."""
_ACTIVE = frozenset({"pending", "started", "running"})


class Reconciliation:
    """Finds out what became of a turn.

    Args:
        run: Returns a run's record.
        newest_runs: Returns the newest runs of a workflow, without their turns.
        check: Knows the runs that this client has started.
        may_continue: Returns whether background work may follow.
        timeout: Seconds in which the record is read until the outcome is known.
        turn_timeout: Seconds that a turn may take that is on record as being executed.
    """

    def __init__(
        self,
        run: Callable[[str], Run],
        newest_runs: Callable[[str, int], list[Run]],
        check: AnswerCheck,
        may_continue: MayContinue,
        *,
        timeout: float,
        turn_timeout: float,
    ) -> None:
        self._run = run
        self._newest_runs = newest_runs
        self._check = check
        self._may_continue = may_continue
        self._timeout = timeout
        self._turn_timeout = turn_timeout
        self.returns_ids = False
        """Whether a record of this connection has returned a client turn id; learned once."""

    def resolve(
        self,
        workflow_id: str,
        sent: SentTurn,
        reason: DebuggerError,
        progress: TurnProgress,
        cancelled: threading.Event,
        stop: Callable[[str], bool],
    ) -> FoundTurn:
        """Read the record until the turn is found, and return it.

        Args:
            workflow_id: The run's workflow.
            sent: The turn.
            reason: Why its answer is not known.
            progress: Where the state is reported.
            cancelled: Set to stop the run.
            stop: Asks the server to stop a run, and returns whether it did; called once the run is known.

        Raises:
            StaleTurnError: The turn was not executed, and the run has newer turns.
            NotExecutedError: The turn was not executed.
            RunEndedError: The run is not there any more.
            OutcomeUnknownError: Nothing tells.
        """
        started = time.monotonic()
        deadline = started + self._timeout
        progress.phase, progress.message, progress.until = "reconciling", reason.message, deadline
        wait, stopped = FIRST_WAIT, False
        while True:
            is_last = time.monotonic() >= deadline
            try:
                found, failure = self.find(workflow_id, sent), None
            except NotFoundError as error:
                raise RunEndedError(
                    f"Run {sent.run_id} is not on record any more.", advice="Start a new run."
                ) from error
            except DebuggerError as error:
                found, failure = None, error
            if found is not None:
                progress.record = found.record
                run_id = found.run_id if found.is_certain else sent.run_id
                is_over = found.record is not None and found.record.run.is_over
                if cancelled.is_set() and run_id is not None and not is_over and not stopped:
                    stopped = stop(run_id)
                    is_last = is_last and not stopped
                elif found.state == "finished":
                    return found
                elif found.state == "ambiguous":
                    raise _unknown(reason, "More than one turn on record fits it.")
                elif is_over and sent.run_id is not None:
                    raise _ended(found)
                elif found.state == "running":
                    deadline = max(deadline, started + self._turn_timeout)
                    progress.until = deadline
            if is_last:
                raise _outcome(sent, reason, found, failure)
            time.sleep(min(wait * random.uniform(0.75, 1.0), max(deadline - time.monotonic(), 0.0)))
            wait = min(2 * wait, MAX_WAIT)

    def find(self, workflow_id: str, sent: SentTurn) -> FoundTurn:
        """Read the record once and search it for the turn.

        Raises:
            NotFoundError: The run is not there.
            DebuggerError: The record cannot be read.
        """
        if sent.run_id is not None:
            return self._in_run(self._run(sent.run_id), sent)
        found = [self._in_run(run, sent) for run in self._possible_runs(workflow_id, sent)]
        fitting = [turn for turn in found if turn.state != "absent"]
        finished = [turn for turn in fitting if turn.state in ("finished", "ambiguous")]
        if len(finished) > 1:
            return FoundTurn("ambiguous")
        return (finished or fitting or [FoundTurn("absent")])[0]

    def find_in(self, run_id: str, sent: SentTurn) -> FoundTurn:
        """Read the record of one run and search it for the turn.

        Raises:
            DebuggerError: The record cannot be read.
        """
        return self._in_run(self._run(run_id), sent)

    def _possible_runs(self, workflow_id: str, sent: SentTurn) -> Iterator[Run]:
        """Yield the runs, read whole, that the first turn may have started."""
        for row in self._newest_runs(workflow_id, MAX_RUNS)[:MAX_RUNS]:
            is_new = not self._check.knows_run(row.workflow_run_id)
            if is_new and _created_after(row, sent.sent_at - CLOCK_SKEW):
                with suppress(NotFoundError):  # deleted meanwhile
                    yield self._run(row.workflow_run_id)

    def _in_run(self, run: Run, sent: SentTurn) -> FoundTurn:
        self.returns_ids = self.returns_ids or any(turn.client_turn_id for turn in run.input_output_pairs)
        turns = [(turn, log) for turn, log in numbered_turns(run) if not log.is_background]
        fitting = [log for turn, log in turns if self._fits(turn, log, sent)]
        executing = [turn for turn in run.input_output_pairs if turn.is_in_progress]
        is_busy = bool(executing) or run.status in _ACTIVE
        found = FoundTurn("absent", run_id=run.workflow_run_id, record=RunRecord.of(run), is_run_busy=is_busy)
        if len(fitting) > 1:
            return replace(found, state="ambiguous")
        if fitting:
            log = fitting[0]
            result = result_from_events(
                run.workflow_run_id, run.status, log.number, list(log.events), self._may_continue
            )
            return replace(found, state="finished", result=result, is_certain=True)
        if any(turn.client_turn_id == sent.turn_input.client_turn_id for turn in executing):
            return replace(found, state="running", is_certain=True)
        if run.status in _ACTIVE and not executing:
            # It may be ours: the platform puts a turn on record when the turn is over.
            return replace(found, state="running")
        expected = sent.turn_number or 1
        return replace(found, newer_turns=sum(log.number >= expected for _, log in turns))

    def _fits(self, turn: Turn, log: TurnLog, sent: SentTurn) -> bool:
        """Return whether a turn on record is the one that was sent.

        By its client turn id; where the record does not return any, by number and text.
        """
        if turn.client_turn_id is not None:
            return turn.client_turn_id == sent.turn_input.client_turn_id
        if self.returns_ids and sent.turn_input.client_turn_id is not None:
            return False
        is_late = sent.turn_number is not None and log.number < sent.turn_number
        return not is_late and log.message == sent.turn_input.message


def _created_after(run: Run, moment: float) -> bool:
    """Return whether a run may have been created after a moment (seconds since the epoch)."""
    if run.created_at is None:
        return True
    try:
        created = datetime.fromisoformat(run.created_at)
    except ValueError:
        return True
    return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp() >= moment


def _outcome(
    sent: SentTurn, reason: DebuggerError, found: FoundTurn | None, failure: DebuggerError | None
) -> DebuggerError:
    """Return the error for a turn that the last read has not found."""
    if found is None:
        return _unknown(reason, f"The record cannot be read: {failure.message if failure else ''}")
    if found.state == "running":
        return _unknown(reason, f"Run {found.run_id} is being executed, and the record has no result yet.")
    if found.newer_turns:
        return stale(sent, found.newer_turns)
    return NotExecutedError(
        f"{reason.message} The record does not hold the turn, so it was not executed.",
        advice="Send it again.",
    )


def stale(sent: SentTurn, newer_turns: int) -> StaleTurnError:
    """Return the error for a turn that was refused because other clients have continued the run."""
    first = sent.turn_number or 1
    last = first + newer_turns - 1
    turns = f"turn {first}" if newer_turns == 1 else f"turns {first} to {last}"
    return StaleTurnError(
        f"Another client has continued run {sent.run_id}: {turns} came first. Nothing was executed.",
        turn_number=last,
        advice="Look at the newer turns, then send the message again or change it.",
    )


def _ended(found: FoundTurn) -> RunEndedError:
    assert found.record is not None
    return RunEndedError(
        f"Run {found.run_id} is over ({found.record.run.status}); the turn was not executed.",
        advice="Start a new run.",
    )


def _unknown(reason: DebuggerError, finding: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{reason.message} {finding} Nothing tells whether the turn was executed.",
        advice="Check again, or send it again, which may execute it twice.",
    )
