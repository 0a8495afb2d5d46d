"""The search of a run's record for a turn without an answer.

Both channels use it, and nothing is sent again. It reports what the record shows; `outcome` decides what that
means.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar, get_args

from debugger.backends.base import FoundTurn, TurnOutcome
from debugger.backends.hosted.http_errors import NOT_STORED_ADVICE, AnswerLost
from debugger.backends.hosted.outcome import BELIEVED, AnswerState, RecordState, Step, decide, record_state
from debugger.backends.hosted.turn_results import (
    AnswerCheck,
    TurnCall,
    plain_text,
    recorded_result,
    said_texts,
)
from debugger.errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    DebuggerError,
    ForbiddenError,
    NotExecutedError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    RunEndedError,
    ServerError,
    StaleTurnError,
    TurnInProgressError,
    TurnNotStoredError,
)
from debugger.protocol.base import JsonObject, as_objects
from debugger.protocol.runs import Run, SentTurn, TurnInput, TurnResult
from debugger.protocol.turn_logs import LazyRun, TurnLog, holds_events, numbered_turns

FIRST_WAIT = 0.05
MAX_WAIT = 2.0
"""Seconds between two reads of the record: the first, and the longest."""
MAX_RUNS = 20
"""Runs that are read one by one in the search for a first turn."""
DATE_SECONDS = 1.2
"""Seconds after which an answer has another ``Date``."""
ROW_SKEW = 60.0
"""Seconds by which the clock that dates runs may be behind the one that dates answers."""
TEXT_SKEW = 2.0
"""The same, where a run is told by its text alone: an older one may be of another client."""
PAGE_SKEW = 5.0
"""The same, where the oldest run of a page shows that the turn's run cannot be on the next page."""
_ACTIVE = frozenset({"pending", "started", "running"})

Value = TypeVar("Value")


@dataclass(frozen=True)
class Reading(Generic[Value]):
    """A part of the record, and how old it is."""

    value: Value
    age: float = 0.0
    """Seconds since the server made the answer: those that a cache has kept it."""
    date: float | None = None
    """When the server made it, by its own clock, in whole seconds since the epoch."""
    server_time: float | None = None
    """The time by the server's clock, in seconds since the epoch, where it tells it."""


class Reconciliation:
    """Finds out what became of a turn.

    Args:
        run: Returns a run's record.
        newest_runs: Returns the newest runs of a workflow, without their turns.
        check: Knows the runs that this client has started, and the turns that were answered.
        checks_numbers: Returns whether the server refuses a turn whose number was taken meanwhile.
        timeout: Seconds in which the record is read until the outcome is known.
        turn_timeout: Seconds that a turn may take that is on record as being executed.
    """

    def __init__(
        self,
        run: Callable[[str], Reading[Run]],
        newest_runs: Callable[[str, int], Reading[list[Run]]],
        check: AnswerCheck,
        *,
        checks_numbers: Callable[[], bool],
        timeout: float,
        turn_timeout: float,
    ) -> None:
        """Keep what reads the record; nothing is read yet."""
        self._checks_numbers = checks_numbers
        self._run = run
        self._newest_runs = newest_runs
        self._check = check
        self._timeout = timeout
        self._turn_timeout = turn_timeout
        self.returns_ids = False
        """True once a record of this connection has returned a client turn id."""

    def resolve(self, turn: TurnCall, lost: AnswerLost, stop: Callable[[str], bool]) -> TurnResult | None:
        """Read the record until the outcome of the turn is known, and return its result.

        Args:
            turn: The turn; it is cancelled to stop the run.
            lost: Why its answer is not known.
            stop: Asks the server to stop a run, and returns whether it did; called once the run is known.

        Returns:
            ``None`` where the turn was not executed and what was in its way has ended.

        Raises:
            StaleTurnError: The turn was not executed, and the run has newer turns.
            TurnInProgressError: The turn was not executed, and another one takes too long.
            NotExecutedError: The turn was not executed.
            RunEndedError: The run is over, or not there any more.
            OutcomeUnknownError: Nothing shows whether it was executed.
            DebuggerError: The API has refused the turn.
        """
        if lost.answer in BELIEVED:
            return _conclude(BELIEVED[lost.answer], turn, lost, turn.sent, None, None)
        reason, cancelled, progress = lost.reason, turn.cancelled, turn.progress
        answer: AnswerState = lost.answer
        sent = turn.sent
        sent = replace(sent, event_ids=frozenset(lost.seen | lost.event_ids))
        if sent.run_id is None:
            sent = replace(sent, named_run_id=lost.run_id)
        started = time.monotonic()
        limit = max(self._timeout, self._check.longest_lag, 0.0 if sent.server_date is None else DATE_SECONDS)
        if answer == "conflict":
            limit = self._turn_timeout
        deadline = started + limit
        progress.phase = "retrying" if answer == "conflict" else "reconciling"
        progress.message, progress.until = reason.message, deadline
        was_stopped = False
        wait = FIRST_WAIT
        broken = 0
        if isinstance(reason, RequestTimeoutError) and answer == "lost":
            sent = replace(sent, is_doubtful=True)  # it may still be on its way
        while True:
            is_last = time.monotonic() >= deadline
            state, found, failure = self._look(turn.workflow_id, sent, waited=is_last)
            broken = broken + 1 if isinstance(failure, ConnectionFailedError) else 0
            # A proxy closes each connection while its server is away; one alone is the network's.
            is_away = _is_unreachable(failure) or broken > 1
            if answer in ("lost", "failed") and is_away:
                sent = replace(sent, is_doubtful=True)
            progress.sent, progress.found = sent, found
            if found is not None:
                progress.record = found.record
                if sent.run_id is None and found.is_certain:
                    sent = progress.sent = replace(sent, run_id=found.run_id)
                is_known = sent.run_id is not None or found.run_id == sent.named_run_id
                run_id = found.run_id if is_known else None
                is_over = found.record is not None and found.record.run.is_over
                can_stop = run_id is not None and not (is_over or was_stopped)
                if cancelled.is_set() and can_stop and stop(run_id or ""):
                    was_stopped, wait = True, FIRST_WAIT
                    deadline = progress.until = max(deadline, time.monotonic() + self._timeout)
                    continue
                is_ours = was_stopped or turn.sent.run_id is None or sent.turn_input.command == "stop"
                if state == "over" and is_ours and run_id is not None:
                    return _result_without_turn(found, sent)
                if state in ("busy", "executing"):
                    deadline = progress.until = max(deadline, started + self._turn_timeout)
            step = decide(self._doubted(answer, sent), state, waited=is_last)
            if step != "read_on":
                return _conclude(step, turn, lost, sent, found, failure)
            pause = min(wait * random.uniform(0.75, 1.0), max(deadline - time.monotonic(), 0.0))
            wait = min(2 * wait, MAX_WAIT)
            if cancelled.is_set():
                if answer == "conflict":
                    return None
                time.sleep(pause)
            elif cancelled.wait(pause):
                wait = FIRST_WAIT

    def find(self, workflow_id: str, sent: SentTurn, record: LazyRun | None = None) -> FoundTurn:
        """Search the record once, and say what it tells of a turn whose answer was lost.

        Args:
            workflow_id: The workflow.
            sent: The turn.
            record: The record of its run, where it was read already.

        Raises:
            DebuggerError: The record cannot be read, which decides nothing.
        """
        if record is not None:
            turns = [read() for read in record.turns]
            found = self._in_run(Reading(record.run.model_copy(update={"input_output_pairs": turns})), sent)
        else:
            found = self.search(workflow_id, sent, waited=True)
        step = decide(self._doubted("lost", sent), record_state(found), waited=True)
        outcome = _OUTCOMES.get(step, "unknown")
        return replace(found, outcome=outcome, doubt=_finding(found, None) if outcome == "unknown" else "")

    def search(self, workflow_id: str, sent: SentTurn, *, waited: bool = False) -> FoundTurn:
        """Search the record once for a turn.

        Args:
            workflow_id: The workflow.
            sent: The turn.
            waited: Whether the run that the server has named for a first turn had the time to come on record.

        Raises:
            NotFoundError: The run is not there.
            DebuggerError: The record cannot be read.
        """
        if sent.run_id is not None:
            return self._in_run(self._run(sent.run_id), sent)
        named = self._named_run(sent, waited=waited)
        if named is not None:
            found = self._in_run(named, sent)
            if found.state == "absent" and found.record is not None and not found.record.turns:
                return replace(
                    found, doubt=f"Run {found.run_id} was started, and its record does not hold the turn."
                )
            if found.state != "absent":
                return found
        found = self._in_new_runs(workflow_id, sent)
        if found.state == "absent" and sent.named_run_id is not None and named is None:
            return replace(found, doubt=f"Run {sent.named_run_id} was started, and is not on record.")
        return found

    def _named_run(self, sent: SentTurn, *, waited: bool) -> Reading[Run] | None:
        """Return the run that the server has named for a first turn; ``None`` without one.

        Raises:
            NotFoundError: It is not on record yet.
        """
        if sent.named_run_id is None:
            return None
        try:
            return self._run(sent.named_run_id)
        except NotFoundError:
            if not waited:
                raise
            return None

    def end_of(self, run_id: str) -> TurnResult:
        """Return the state of a run whose background work was stopped."""
        run = self._run(run_id).value
        number = max((log.number for _, log in numbered_turns(run)), default=0)
        return recorded_result(run, number, [])

    def _doubted(self, answer: AnswerState, sent: SentTurn) -> AnswerState:
        """Return the state of an answer whose turn a record may lack although it was executed.

        A server that checks turn numbers refuses a late request, and names the turns that it could not store.
        """
        is_open = answer in ("lost", "failed") and sent.is_doubtful
        return "interrupted" if is_open and not self._checks_numbers() else answer

    def _look(
        self, workflow_id: str, sent: SentTurn, *, waited: bool
    ) -> tuple[RecordState, FoundTurn | None, DebuggerError | None]:
        """Return what one search shows, or the error that prevented it; no DebuggerError leaves it.

        A run that is not found is ``gone``, or ``unread`` for a first turn; a refused read is ``denied``, and
        any other error ``unread``.
        """
        try:
            found = self.search(workflow_id, sent, waited=waited)
        except NotFoundError as error:  # a run that has just started may not be there yet
            return ("unread" if sent.turn_number == 1 else "gone"), None, error
        except (AuthenticationError, ForbiddenError, RateLimitError) as error:
            return "denied", None, error
        except DebuggerError as error:
            return "unread", None, error
        return record_state(found), found, None

    def _in_new_runs(self, workflow_id: str, sent: SentTurn) -> FoundTurn:
        """Search the workflow's newest runs for a first turn.

        Only the server's clock says which of them began after the turn was sent: without it, each may have.
        """
        reading = self._newest_runs(workflow_id, MAX_RUNS)
        rows = reading.value[:MAX_RUNS]
        now = reading.server_time
        began = None if now is None else now - sent.longest_age
        newer = [row for row in rows if began is None or _created_after(row, began - ROW_SKEW)]
        certain: list[FoundTurn] = []
        recent: list[FoundTurn] = []
        older: list[FoundTurn] = []
        for row, run in self._possible_runs(newer, sent):
            found = self._in_run(run, sent)
            is_recent = began is not None and _created_after(row, began - TEXT_SKEW)
            if found.state == "finished" and not (found.is_certain or sent.turn_input.message):
                found = replace(found, state="ambiguous")  # any run without a message is like another
            if found.is_certain:
                certain.append(found)
            elif found.state != "absent":
                (recent if is_recent else older).append(found)
            if certain and not is_recent:
                break  # what began before the turn is no copy of it
        if certain:
            run_ids = tuple(found.run_id or "" for found in reversed(certain))
            return replace(certain[-1], state="repeated", run_ids=run_ids) if certain[1:] else certain[-1]
        # The turn may still be executing in one of these, even where another run fits.
        running = [found for found in recent if found.state == "running"]
        if running or len(recent) == 1:
            return (running or recent)[0]
        if recent or any(found.state != "running" for found in older):
            return FoundTurn("ambiguous")
        if older:
            return older[0]
        doubt = self._doubt_of_reading(reading, sent)
        if (
            not doubt
            and len(rows) == MAX_RUNS
            and (began is None or _created_after(rows[-1], began - PAGE_SKEW))
        ):
            doubt = f"There are {MAX_RUNS} newer runs, and the turn may be in one before them."
        return FoundTurn("absent", doubt=doubt)

    def _possible_runs(self, rows: list[Run], sent: SentTurn) -> Iterator[tuple[Run, Reading[Run]]]:
        """Yield the rows of runs that the first turn may have started, with the runs read whole.

        Runs that other turns of this client started, and deleted ones, are skipped. Raises DebuggerError
        where a run cannot be read.
        """
        for row in rows:
            if not self._check.knows_run(row.workflow_run_id, sent):
                with suppress(NotFoundError):  # deleted meanwhile
                    yield row, self._run(row.workflow_run_id)

    def _in_run(self, reading: Reading[Run], sent: SentTurn) -> FoundTurn:
        """Search one run for the turn by its client turn id, or by its text and an event that came.

        Where there are neither, by number and text.

        Raises:
            InputError: The record shows a turn without an id whose input does not say what was sent.
        """
        run = reading.value
        has_ids = any(turn.client_turn_id for turn in run.input_output_pairs)
        self.returns_ids = self.returns_ids or has_ids
        name = sent.turn_input.client_turn_id
        executing = [turn for turn in run.input_output_pairs if turn.is_in_progress]
        turns = [(turn, log) for turn, log in numbered_turns(run) if not log.is_background]
        named = [log for turn, log in turns if name is not None and turn.client_turn_id == name]
        if not named and sent.event_ids:
            named = [log for _, log in turns if _is_like(log, sent) and _has_event(log, sent.event_ids)]
        # A record without any id may come another way than those with ids, or lose them on its way.
        returns_ids = has_ids if sent.run_id is not None and turns else self.returns_ids
        fitting = named
        if not named and not (returns_ids and name is not None):
            _check_shown_inputs(run)
            fitting = [log for turn, log in turns if turn.client_turn_id is None and _is_like(log, sent)]
        found = FoundTurn(
            "absent",
            run_id=run.workflow_run_id,
            record=LazyRun.of(run),
            # The platform puts a turn on record when it is over: until then only the status shows it.
            is_run_busy=bool(executing) or run.status in _ACTIVE,
            turn_numbers=tuple(log.number for log in named),
        )
        calls = None if named or name is None else _unstored_calls(run, name)
        if calls is not None:
            return replace(found, state="unstored", calls=calls, is_certain=True)
        if len(fitting) > 1 and not named:
            return replace(found, state="ambiguous")
        # One without events in a busy run is being executed.
        if fitting and (fitting[0].events or not found.is_run_busy):
            began = (log for log in fitting if _has_event(log, sent.event_ids))
            shown = next(began, fitting[-1])
            result = recorded_result(run, shown.number, list(shown.events))
            state: Literal["repeated", "finished"] = "repeated" if len(fitting) > 1 else "finished"
            return replace(found, state=state, result=result, is_certain=bool(named))
        expected = sent.turn_number
        newer_turns = sum(log.number >= expected for _, log in turns) if expected is not None else 0
        is_ours = name is not None and any(turn.client_turn_id == name for turn in executing)
        last = max((log.number for _, log in turns), default=0)
        return replace(
            found,
            state="running" if found.is_run_busy else "absent",
            is_certain=is_ours,
            newer_turns=newer_turns,
            doubt=self._doubt_of(reading, sent, last),
        )

    def _doubt_of(self, reading: Reading[Run], sent: SentTurn, last: int) -> str:
        """Return why a record without the turn proves nothing; empty where it does.

        Args:
            reading: The record.
            sent: The turn.
            last: The number of the last turn in it.
        """
        answered = self._check.note_record(reading.value.workflow_run_id, last)
        if last < answered:
            return f"The record ends with turn {last}, although turn {answered} was answered."
        if sent.turn_number is not None and last < sent.turn_number - 1:
            return f"The record ends with turn {last}, although turn {sent.turn_number - 1} was executed."
        return self._doubt_of_reading(reading, sent)

    def _doubt_of_reading(self, reading: Reading[Any], sent: SentTurn) -> str:
        """Return why what was read may be older than the turn, as a sentence; empty where it is not.

        It may be by its age in a cache, by its date, or because records of this server were late before.
        """
        if reading.age > sent.age:
            return "The record comes from a cache and is older than the turn."
        if reading.date is not None and sent.server_date is not None and reading.date <= sent.server_date:
            return "The record may be older than the turn."
        lag = self._check.longest_lag
        return f"The records of this server were seen to be up to {lag:.0f} s late." if sent.age < lag else ""


_OUTCOMES: dict[Step, TurnOutcome] = {outcome: outcome for outcome in get_args(TurnOutcome)}


def _is_unreachable(failure: DebuggerError | None) -> bool:
    """Return whether a read failed because the server is not there, or a gateway says so.

    A network that is away on this side says nothing about the server.
    """
    if isinstance(failure, ServerError):
        return failure.is_unreachable
    return isinstance(failure, ConnectionFailedError) and failure.is_refused


def _result_without_turn(found: FoundTurn, sent: SentTurn) -> TurnResult:
    """Return the end of a run whose turn left no events."""
    assert found.record is not None
    number = sent.turn_number or len(found.record.turns)
    return recorded_result(found.record.run, number, [])


def _unstored_calls(run: Run, client_turn_id: str) -> tuple[JsonObject, ...] | None:
    """Return the calls of a turn that a run names as interrupted after calls; ``None`` of any other."""
    for turn in run.unfinished_turns:
        if turn.get("client_turn_id") == client_turn_id:
            return tuple(as_objects(turn.get("calls")))
    return None


def _check_shown_inputs(run: Run) -> None:
    """Refuse a record from whose inputs odd values were left out: a turn may be any that was sent.

    Raises:
        InputError: Command or messages of a turn without a client turn id have an invalid value.
    """
    for turn in run.finished_turns:
        if turn.client_turn_id is None:
            shown = {name: turn.run_input.get(name) for name in ("command", "thread_to_node_inputs")}
            TurnInput.from_wire({name: value for name, value in shown.items() if value is not None})


def _is_like(log: TurnLog, sent: SentTurn) -> bool:
    """Return whether a recorded turn has the expected number or a later one, and the text that was sent.

    A turn without a text has to have the same command, too. Where the recorded input has no text, one that
    its events repeat counts.
    """
    text, message = plain_text(sent.turn_input.message), plain_text(log.message)
    if sent.turn_number is not None and log.number < sent.turn_number:
        return False
    if not text and log.run_input.command != sent.turn_input.command:
        return False
    return message == text if message else text in (said_texts(log.events) or {""})


def _has_event(log: TurnLog, event_ids: frozenset[str]) -> bool:
    return any(event.logical_id in event_ids for event in log.events)


def _created_after(run: Run, moment: float) -> bool:
    """Return whether a run may be newer than a Unix time.

    True where the time of the run is missing or cannot be read; a time without a zone is UTC.
    """
    if run.created_at is None:
        return True
    try:
        created = datetime.fromisoformat(run.created_at)
    except ValueError:
        return True
    return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp() >= moment


def _conclude(
    step: Step,
    turn: TurnCall,
    lost: AnswerLost,
    sent: SentTurn,
    found: FoundTurn | None,
    failure: DebuggerError | None,
) -> TurnResult | None:
    """Return the result of a turn, or raise the error for it; ``None`` where it can be sent again.

    What was found is noted in the turn's progress. Raises TurnNotStoredError, TurnInProgressError,
    StaleTurnError, RunEndedError, NotExecutedError or OutcomeUnknownError by the step, or the reason why the
    answer was lost where the turn is refused.
    """
    reason = lost.reason
    match step:
        case "arrived" | "seems_arrived" | "executed_twice":
            assert found is not None and found.result is not None
            answered = lost.result
            is_found = step == "executed_twice" or answered is None  # else it was answered, and not lost
            turn.progress.found = replace(found, outcome=step) if is_found else None
            is_other = answered is None or answered.run_id != found.result.run_id
            if answered is None or is_other or holds_events(found.result.events, answered.events):
                return found.result
            turn.progress.record = None  # a record takes no events away
            return answered
        case "unstored":
            assert found is not None
            raise TurnNotStoredError(
                "The turn was executed, and its server could not store it.",
                calls=found.calls,
                advice=NOT_STORED_ADVICE,
            ) from lost
        case "as_answered":
            turn.progress.record = None
            return lost.result
        case "send_again":
            if lost.answer == "conflict" and sent.run_id is None:  # nothing can be in the way of a first turn
                raise reason
            return None
        case "refused":
            raise reason
        case "in_progress":
            raise TurnInProgressError(reason.message, advice=reason.advice) from lost
        case "stale":
            assert found is not None
            raise _stale(sent, found.newer_turns) from lost
        case "over":
            raise _ended(sent, found) from lost
        case "not_executed" if isinstance(reason, ApiError):
            is_passing = isinstance(reason, ServerError | ConnectionFailedError | RequestTimeoutError)
            raise NotExecutedError(
                f"{reason.message} The record does not hold the turn, so it was not executed.",
                advice="Send it again." if is_passing else reason.advice,
            ) from lost
        case "not_executed":  # the API, or what is in front of it, says what is wrong with the turn
            raise reason
    raise _unknown(reason, _finding(found, failure)) from lost


def _finding(found: FoundTurn | None, failure: DebuggerError | None) -> str:
    """Return what the last read of the record showed, as a sentence.

    Without a finding it is the error that prevented the read.
    """
    if found is None:
        return f"The record cannot be read: {failure.message if failure else ''}"
    if found.state == "ambiguous":
        return "More than one turn on record fits it."
    if found.state == "running":
        return f"Run {found.run_id} is being executed, and the record has no result yet."
    if found.doubt:
        return found.doubt
    return (
        "The record does not hold the turn. The server was out of reach meanwhile and may have lost what it "
        "had not recorded, or the request may still be on its way."
    )


def _stale(sent: SentTurn, newer_turns: int) -> StaleTurnError:
    """Return the error for a turn refused because of newer turns; it has the number of the last of them."""
    first = sent.turn_number or 1
    last = first + newer_turns - 1
    turns = f"turn {first}" if newer_turns == 1 else f"turns {first} to {last}"
    return StaleTurnError(
        f"Another client has continued run {sent.run_id}: {turns} came first. Nothing was executed.",
        turn_number=last,
        advice="Look at the newer turns, then send the message again or change it.",
    )


def _ended(sent: SentTurn, found: FoundTurn | None) -> RunEndedError:
    """Return the error for a turn refused because its run is over, or not there any more."""
    state = f"Run {sent.run_id} is not on record any more."
    if found is not None and found.record is not None:
        state = f"Run {found.run_id} has ended ({found.record.run.status}); the turn was not executed."
    return RunEndedError(state, advice="Start a new run.")


def _unknown(reason: DebuggerError, finding: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{reason.message} {finding} It is not known whether the turn was executed.",
        advice="Check again, or send it again, which may execute it twice.",
    )
