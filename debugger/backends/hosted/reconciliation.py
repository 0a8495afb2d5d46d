"""The search of a run's record for a turn without answer.

Both channels use it, and nothing is sent again.

A read that fails decides nothing. A turn counts as not executed only where a read after the reconciliation
timeout shows a run at rest without it: the request may still have been on its way before.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from debugger.backends.base import FoundTurn
from debugger.backends.hosted.http_errors import AnswerLost
from debugger.backends.hosted.turn_results import AnswerCheck, TurnCall, recorded_result
from debugger.errors import (
    ApiError,
    DebuggerError,
    NotExecutedError,
    NotFoundError,
    OutcomeUnknownError,
    RunEndedError,
    StaleTurnError,
)
from debugger.protocol.runs import Run, SentTurn, TurnResult
from debugger.protocol.turn_logs import LazyRun, TurnLog, numbered_turns

FIRST_WAIT = 0.05
MAX_WAIT = 2.0
"""Seconds between two reads of the record: the first, and the longest."""
MAX_RUNS = 20
"""Runs that are read one by one in the search for a first turn."""
CLOCK_SKEW = 60.0
"""Seconds by which the server's clock may be behind the client's."""
_ACTIVE = frozenset({"pending", "started", "running"})


class Reconciliation:
    """Finds out what became of a turn.

    Args:
        run: Returns a run's record.
        newest_runs: Returns the newest runs of a workflow, without their turns.
        check: Knows the runs that this client has started.
        timeout: Seconds in which the record is read until the outcome is known.
        turn_timeout: Seconds that a turn may take that is on record as being executed.
    """

    def __init__(
        self,
        run: Callable[[str], Run],
        newest_runs: Callable[[str, int], list[Run]],
        check: AnswerCheck,
        *,
        timeout: float,
        turn_timeout: float,
    ) -> None:
        self._run = run
        self._newest_runs = newest_runs
        self._check = check
        self._timeout = timeout
        self._turn_timeout = turn_timeout
        self.returns_ids = False
        """True once a record of this connection has returned a client turn id."""

    def resolve(self, turn: TurnCall, lost: AnswerLost, stop: Callable[[str], bool]) -> FoundTurn:
        """Read the record until the turn is found, and return it.

        Args:
            turn: The turn; it is cancelled to stop the run.
            lost: Why its answer is not known.
            stop: Asks the server to stop a run, and returns whether it did; called once the run is known.

        Raises:
            StaleTurnError: The turn was not executed, and the run has newer turns.
            NotExecutedError: The turn was not executed.
            RunEndedError: The run is over, or not there any more.
            OutcomeUnknownError: The record does not show whether it was executed.
        """
        sent, reason, cancelled, progress = turn.sent, lost.reason, turn.cancelled, turn.progress
        started = time.monotonic()
        deadline = started + self._timeout
        progress.phase, progress.message, progress.until = "reconciling", reason.message, deadline
        was_stopped = was_accepted = False
        if sent.run_id is None and lost.run_id is not None:
            sent = progress.sent = replace(sent, run_id=lost.run_id)
            was_accepted = True
        wait = FIRST_WAIT
        while True:
            is_last = time.monotonic() >= deadline
            found, failure = self._read(turn.workflow_id, sent, is_new=was_accepted)
            if found is not None:
                progress.record = found.record
                if found.is_certain and sent.run_id is None:
                    sent = progress.sent = replace(sent, run_id=found.run_id)
                    was_accepted = True
                is_over = found.record is not None and found.record.run.is_over
                can_stop = sent.run_id is not None and not (is_over or was_stopped)
                if cancelled.is_set() and can_stop and stop(sent.run_id or ""):
                    was_stopped, wait = True, FIRST_WAIT
                    deadline = progress.until = max(deadline, time.monotonic() + self._timeout)
                    continue
                if found.state == "finished":
                    return found
                if found.state == "ambiguous":
                    raise _unknown(reason, "More than one turn on record fits it.")
                if is_over and sent.run_id is not None:
                    if was_stopped or was_accepted or sent.turn_input.command == "stop":
                        return _without_turn(found, sent)
                    if is_last:  # the last turn may be on record later than the end
                        raise make_ended_error(found)
                if found.state == "running":
                    deadline = progress.until = max(deadline, started + self._turn_timeout)
            if is_last:
                raise _outcome(sent, reason, found, failure, was_accepted)
            pause = min(wait * random.uniform(0.75, 1.0), max(deadline - time.monotonic(), 0.0))
            wait = min(2 * wait, MAX_WAIT)
            if cancelled.is_set():
                time.sleep(pause)
            elif cancelled.wait(pause):
                wait = FIRST_WAIT

    def find(self, workflow_id: str, sent: SentTurn) -> FoundTurn:
        """Read the record once and search it for the turn.

        Raises:
            NotFoundError: The run is not there.
            DebuggerError: The record cannot be read, or has more new runs than are searched.
        """
        if sent.run_id is not None:
            return self._in_run(self._run(sent.run_id), sent)
        fitting: list[FoundTurn] = []
        rows = self._newest_runs(workflow_id, MAX_RUNS)[:MAX_RUNS]
        newer = [row for row in rows if _created_after(row, sent.sent_at - CLOCK_SKEW)]
        for run in self._possible_runs(newer, sent):
            found = self._in_run(run, sent)
            if found.is_certain:
                return found
            if found.state != "absent":
                fitting.append(found)
        # The turn may still be executing in one of these, even where another run fits.
        running = [found for found in fitting if found.state == "running"]
        if running or len(fitting) == 1:
            return (running or fitting)[0]
        if len(newer) == MAX_RUNS and not fitting:
            raise ApiError(f"There are {MAX_RUNS} newer runs, and the turn may be in one before them.")
        return FoundTurn("ambiguous" if fitting else "absent")

    def end_of(self, run_id: str) -> TurnResult:
        """Return the state of a run whose background work was stopped."""
        run = self._run(run_id)
        number = max((log.number for _, log in numbered_turns(run)), default=0)
        return recorded_result(run, number, [])

    def _read(
        self, workflow_id: str, sent: SentTurn, *, is_new: bool
    ) -> tuple[FoundTurn | None, DebuggerError | None]:
        """Return the outcome of one search, or the error that prevented it.

        Raises:
            RunEndedError: The run is not there any more; one that has just started may not be there yet.
        """
        try:
            return self.find(workflow_id, sent), None
        except NotFoundError as error:
            if sent.run_id is None or is_new:
                return None, error
            raise RunEndedError(
                f"Run {sent.run_id} is not on record any more.", advice="Start a new run."
            ) from error
        except DebuggerError as error:
            return None, error

    def _possible_runs(self, rows: list[Run], sent: SentTurn) -> Iterator[Run]:
        """Yield the runs, read whole, that the first turn may have started."""
        for row in rows:
            if not self._check.knows_run(row.workflow_run_id, sent):
                with suppress(NotFoundError):  # deleted meanwhile
                    yield self._run(row.workflow_run_id)

    def _in_run(self, run: Run, sent: SentTurn) -> FoundTurn:
        """Search one run for the turn by its client turn id.

        Where there are no ids, by number and text.
        """
        self.returns_ids = self.returns_ids or any(turn.client_turn_id for turn in run.input_output_pairs)
        name = sent.turn_input.client_turn_id
        executing = [turn for turn in run.input_output_pairs if turn.is_in_progress]
        turns = [(turn, log) for turn, log in numbered_turns(run) if not log.is_background]
        named = [log for turn, log in turns if name is not None and turn.client_turn_id == name]
        fitting = named
        if not named and not (self.returns_ids and name is not None):
            fitting = [log for turn, log in turns if turn.client_turn_id is None and _is_like(log, sent)]
        found = FoundTurn(
            "absent",
            run_id=run.workflow_run_id,
            record=LazyRun.of(run),
            # The platform puts a turn on record when it is over: until then only the status shows it.
            is_run_busy=bool(executing) or run.status in _ACTIVE,
        )
        if len(fitting) > 1:
            return replace(found, state="ambiguous")
        # One without events in a busy run is being executed.
        if fitting and (fitting[0].events or not found.is_run_busy):
            result = recorded_result(run, fitting[0].number, list(fitting[0].events))
            return replace(found, state="finished", result=result, is_certain=bool(named))
        expected = sent.turn_number
        newer_turns = sum(log.number >= expected for _, log in turns) if expected is not None else 0
        is_ours = name is not None and any(turn.client_turn_id == name for turn in executing)
        state: Literal["running", "absent"] = "running" if found.is_run_busy else "absent"
        return replace(found, state=state, is_certain=is_ours, newer_turns=newer_turns)


def _without_turn(found: FoundTurn, sent: SentTurn) -> FoundTurn:
    """Return the end of a run whose turn left no events."""
    assert found.record is not None
    number = sent.turn_number or len(found.record.turns)
    return replace(found, state="finished", result=recorded_result(found.record.run, number, []))


def _is_like(log: TurnLog, sent: SentTurn) -> bool:
    """Return whether a recorded turn has a fitting text and number."""
    is_earlier = sent.turn_number is not None and log.number < sent.turn_number
    return not is_earlier and log.message.strip() == sent.turn_input.message.strip()


def _created_after(run: Run, moment: float) -> bool:
    """Return whether a run may be newer than a Unix time."""
    if run.created_at is None:
        return True
    try:
        created = datetime.fromisoformat(run.created_at)
    except ValueError:
        return True
    return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp() >= moment


def _outcome(
    sent: SentTurn,
    reason: DebuggerError,
    found: FoundTurn | None,
    failure: DebuggerError | None,
    was_accepted: bool,
) -> DebuggerError:
    """Return the error for a turn missing from the last read."""
    if found is None:
        return _unknown(reason, f"The record cannot be read: {failure.message if failure else ''}")
    if found.state == "running":
        return _unknown(reason, f"Run {found.run_id} is being executed, and the record has no result yet.")
    if was_accepted:
        return _unknown(reason, f"Run {found.run_id} was started, and its record does not hold the turn.")
    if found.newer_turns:
        return make_stale_turn_error(sent, found.newer_turns)
    return NotExecutedError(
        f"{reason.message} The record does not hold the turn, so it was not executed.",
        advice="Send it again.",
    )


def make_stale_turn_error(sent: SentTurn, newer_turns: int) -> StaleTurnError:
    """Return the error for a turn refused because of newer turns."""
    first = sent.turn_number or 1
    last = first + newer_turns - 1
    turns = f"turn {first}" if newer_turns == 1 else f"turns {first} to {last}"
    return StaleTurnError(
        f"Another client has continued run {sent.run_id}: {turns} came first. Nothing was executed.",
        turn_number=last,
        advice="Look at the newer turns, then send the message again or change it.",
    )


def make_ended_error(found: FoundTurn) -> RunEndedError:
    """Return the error for a turn refused because its run is over."""
    assert found.record is not None
    return RunEndedError(
        f"Run {found.run_id} has ended ({found.record.run.status}); the turn was not executed.",
        advice="Start a new run.",
    )


def _unknown(reason: DebuggerError, finding: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{reason.message} {finding} It is not known whether the turn was executed.",
        advice="Check again, or send it again, which may execute it twice.",
    )
