"""Turns and background work of runs on the hosted API.

A turn is sent once. What certainly was not executed is sent again by itself; where the answer is lost, the
record of the run is read. Nothing else is ever sent twice.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Generator
from functools import partial

from debugger.backends.base import TurnProgress
from debugger.backends.hosted.client import ApiClient
from debugger.backends.hosted.http_errors import AnswerLost
from debugger.backends.hosted.payloads import execute_body, run_named, turn_result
from debugger.backends.hosted.reconciliation import Reconciliation
from debugger.backends.hosted.turn_results import AnswerCheck, TurnCall
from debugger.backends.hosted.turn_sender import ENDING_COMMANDS, RISK, TurnSender
from debugger.engine.background_call import call_cancellable
from debugger.errors import DebuggerError, NotExecutedError, RateLimitError, RunEndedError
from debugger.protocol import urls
from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import SentTurn, TurnInput, TurnResult

MAX_RESENDS = 3
"""Repeats of a turn that certainly was not executed, at most."""
RESEND_WAIT = 0.5
"""Seconds before the first time, doubled each time, where the server names no wait."""
STOP_TIMEOUT = 10.0
"""Seconds that a stopped run's own answer is waited for."""


class HostedTurns:
    """Sends each turn once, and reads the record without an answer.

    Args:
        client: Sends the requests that stop a run or advance its background work.
        sender: Sends turns.
        check: Remembers the turns that were answered.
        reconciliation: Finds out what became of a turn whose answer was lost.
    """

    def __init__(
        self, client: ApiClient, *, sender: TurnSender, check: AnswerCheck, reconciliation: Reconciliation
    ) -> None:
        """Keep what sends turns and reads the record; nothing is sent yet."""
        self._client = client
        self._sender = sender
        self._check = check
        self._reconciliation = reconciliation
        self._settings = client.settings

    def execute(
        self,
        workflow_id: str,
        turn_input: TurnInput,
        run_id: str | None,
        turn_number: int | None,
        version: int | None,
        cancelled: threading.Event,
        progress: TurnProgress,
    ) -> Generator[Event, None, TurnResult]:
        """Execute one turn, yield its events and return its result; without ``run_id`` it starts a run.

        A turn that certainly was not executed is sent again, `MAX_RESENDS` times at most; after a lost answer
        events that were yielded before are left out. ``progress`` gets the state. Raises NotExecutedError
        where it is stopped before it was sent, else the errors of `TurnSender.send` and
        `Reconciliation.resolve`, or the refusal.
        """
        number = 1 if run_id is None else turn_number
        name = turn_input.client_turn_id or str(uuid.uuid4()) if self._settings.client_turn_ids else None
        sent = SentTurn(
            turn_input.with_client_turn_id(name),
            run_id,
            number,
            time.time(),
            server_date=self._client.latest_date,
        )
        progress.sent = sent
        turn = TurnCall(workflow_id, sent, version, cancelled, progress)
        resends = 0
        seen: set[str] | None = None  # of a turn whose answer was lost: what was yielded before
        self._raise_if_stopped(turn)
        while True:
            try:
                result = yield from self._sender.send(turn)
                break
            except RunEndedError:
                if run_id is None:
                    raise
                result = self._reconciliation.end_of(run_id)
                if not result.is_completed:  # the API has forgotten the run, which may still wait on record
                    raise
                break
            except AnswerLost as lost:
                refused, recovered = self._recover(turn, lost)
                if recovered is not None:
                    result, seen = recovered, lost.seen
                    break
            self._raise_if_stopped(turn)
            if resends == MAX_RESENDS:
                raise refused
            self._wait(turn, refused, resends)
            self._raise_if_stopped(turn)
            resends += 1
            progress.phase, progress.message, progress.until = "executing", "", None
        progress.phase, progress.message, progress.until = "executing", "", None
        if seen is not None:
            new = [event for event in result.events if event.get("logical_id") not in seen]
            yield from [parse_event(event) for event in new]
        event_ids = (event.get("logical_id") for event in result.events)
        number = None if turn_input.command in ENDING_COMMANDS else result.turn_number
        self._check.remember(result.run_id, event_ids, sent, number)
        return result

    def pump(
        self, workflow_id: str, run_id: str, cancelled: threading.Event
    ) -> Generator[Event, None, TurnResult]:
        """Advance a run's background work once, yield its events and return its result.

        When cancelled, it asks the API to stop the run and returns the recorded end without events. Raises
        AnswerError where the answer is of another run or repeats an event, and the errors of
        `ApiClient.post`.
        """
        post = partial(
            self._client.post,
            urls.PUMP.format(workflow_id=workflow_id, run_id=run_id),
            run_named(run_id),
            {},
            risk="The background work may have been advanced.",
        )
        answer = call_cancellable(cancelled, post)
        if answer is None:
            self._stop(workflow_id, run_id)
            return self._reconciliation.end_of(run_id)
        result = answer.read(turn_result)
        if result.run_id != run_id:
            raise answer.make_answer_error(f"it is of run {result.run_id}")
        events = [answer.read(parse_event, event) for event in result.events]
        for event in events:
            self._check.check_event(event.logical_id)
        yield from events
        self._check.remember(run_id, (event.logical_id for event in events))
        return result

    def _recover(self, turn: TurnCall, lost: AnswerLost) -> tuple[DebuggerError, TurnResult | None]:
        """Return why a turn has no answer, and its recorded result; ``None`` where it can be sent again.

        Raises:
            DebuggerError: See `Reconciliation.resolve`.
        """
        try:
            return lost.reason, self._reconciliation.resolve(
                turn, lost, partial(self._stop, turn.workflow_id)
            )
        except RateLimitError as limit:
            return limit, None

    def _wait(self, turn: TurnCall, refused: DebuggerError, resends: int) -> None:
        """Wait before a turn is sent again that was not executed.

        Raises:
            DebuggerError: The server asks to wait for longer than a turn may take.
        """
        wait = RESEND_WAIT * 2**resends
        if isinstance(refused, RateLimitError) and refused.retry_after is not None:
            wait = refused.retry_after
        if wait > self._settings.timeout:
            raise refused
        turn.progress.phase, turn.progress.message = "retrying", refused.message
        turn.progress.until = time.monotonic() + wait
        turn.cancelled.wait(wait)

    def _raise_if_stopped(self, turn: TurnCall) -> None:
        """Raise NotExecutedError where the turn is cancelled; a run that it was sent to is stopped before."""
        if not turn.cancelled.is_set():
            return
        if turn.sent.run_id is not None:
            self._stop(turn.workflow_id, turn.sent.run_id)
        raise NotExecutedError("The turn was stopped before it was sent.")

    def _stop(self, workflow_id: str, run_id: str) -> bool:
        """Ask the API to stop a run, and return whether it did; true of a run that is over.

        No DebuggerError leaves it.
        """
        try:
            self._client.post(
                urls.EXECUTE.format(workflow_id=workflow_id),
                run_named(run_id),
                execute_body(TurnInput(command="stop"), run_id, None),
                risk=RISK,
                timeout=min(self._settings.timeout, STOP_TIMEOUT),
            )
        except RunEndedError:
            return True
        except DebuggerError:
            return False
        return True
