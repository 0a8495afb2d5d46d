"""Turns and background work of runs on the hosted API.

A turn is sent once. What certainly was not executed is sent again by itself; where the answer is lost, the
record of the run is read. Nothing else is ever sent twice.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Generator
from functools import partial

import httpx

from debugger.backends.api_client import Answer, ApiClient, encoded, read_object
from debugger.backends.base import TurnProgress
from debugger.backends.cancellable import call_cancellable
from debugger.backends.hosted.background import BackgroundProbe
from debugger.backends.hosted.payloads import (
    execute_body,
    live_input,
    run_named,
    turn_result,
    workflow_named,
)
from debugger.backends.hosted.reconciliation import Reconciliation, stale
from debugger.backends.hosted.streamed_turn import AnswerLost, StreamedTurn
from debugger.backends.hosted.turn_results import AnswerCheck, MayContinue, client_turn_id_of
from debugger.backends.hosted.websocket import LARGEST_START, Socket, SocketConnector
from debugger.backends.http_errors import Asked, refusal
from debugger.errors import (
    AnswerError,
    ApiError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    DebuggerError,
    NotExecutedError,
    NotFoundError,
    NotStartableError,
    RateLimitError,
    RunEndedError,
)
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import (
    EXPECTED_TURN_HEADER,
    EXPECTED_TURN_KEY,
    SentTurn,
    TurnInput,
    TurnResult,
)

STREAMED_COMMANDS = frozenset({"start", "data", "resume"})
"""Commands that are worth a socket: the others are over at once."""
MAX_RESENDS = 3
"""How often a turn is sent again that certainly was not executed."""
RESEND_WAIT = 0.5
"""Seconds before the first time, doubled each time, where the server names no wait."""
CONFLICT_POLL = 0.25
"""Seconds between two reads of the record while another turn of the run is being executed."""
RISK = "The turn may have been executed."


class HostedTurns:
    """Executes turns over a socket where one can be opened, else by one request a turn.

    Args:
        client: Sends the requests.
        connector: Opens sockets.
        check: Checks that answers belong to the turns that were sent.
        active_version: Returns the active version of a workflow.
        background: Knows whether a run may continue without its user.
        reconciliation: Finds out what became of a turn whose answer was lost.
        names_turns: Send a client turn id with each turn.
        timeout: Seconds that a turn may take until it is answered.
        connect_timeout: Seconds in which a socket must acknowledge a second turn.
        stop_timeout: Seconds that the answer to a stop is waited for.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        connector: SocketConnector,
        check: AnswerCheck,
        active_version: Callable[[str], int | None],
        background: BackgroundProbe,
        reconciliation: Reconciliation,
        names_turns: bool,
        timeout: float,
        connect_timeout: float,
        stop_timeout: float,
    ) -> None:
        self._client = client
        self._connector = connector
        self._check = check
        self._active_version = active_version
        self._background = background
        self._reconciliation = reconciliation
        self._names_turns = names_turns
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._stop_timeout = stop_timeout

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
        """Execute one turn, the first of a new run unless ``run_id`` names one."""
        number = 1 if run_id is None else turn_number
        sent = SentTurn(self._named(turn_input), run_id, number, time.time())
        progress.sent = sent
        resends, seen = 0, set[str]()
        while True:
            self._raise_if_stopped(workflow_id, sent, cancelled)
            refused: DebuggerError
            try:
                result = yield from self._send(workflow_id, sent, version, cancelled)
                break
            except AnswerLost as lost:
                if not _is_unsent(lost.reason):
                    result = self._recover(workflow_id, sent, lost, cancelled, progress)
                    seen = lost.seen
                    break
                refused = lost.reason
            except ConflictError as conflict:
                found = self._wait_for_other(workflow_id, sent, conflict, cancelled, progress)
                if found is not None:
                    result = found
                    break
                refused = conflict
            if resends == MAX_RESENDS:
                raise refused
            self._wait(refused, resends, cancelled, progress)
            resends += 1
        if progress.record is not None:
            new = [event for event in result.events if event.get("logical_id") not in seen]
            yield from [parse_event(event) for event in new]
        self._check.remember(result.run_id, (event.get("logical_id") for event in result.events))
        return result

    def pump(
        self, workflow_id: str, run_id: str, cancelled: threading.Event
    ) -> Generator[Event, None, TurnResult]:
        """Advance a run's background work."""
        answer = call_cancellable(cancelled, lambda: self._pump(workflow_id, run_id))
        if answer is None:
            self._stop(workflow_id, run_id)
            raise NotExecutedError(f"The background work of {run_named(run_id)} was stopped.")
        result = answer.read(turn_result)
        if result.run_id != run_id:
            raise answer.unusable(f"it is of run {result.run_id}")
        events = [answer.read(parse_event, event) for event in result.events]
        for event in events:
            self._check.check_event(event.logical_id)
        yield from events
        self._check.remember(run_id, (event.logical_id for event in events))
        return result

    def _named(self, turn_input: TurnInput) -> TurnInput:
        """Return the input with a client turn id of its own, where the connection sends one."""
        if not self._names_turns:
            return turn_input.with_client_turn_id(None)
        return turn_input.with_client_turn_id(turn_input.client_turn_id or str(uuid.uuid4()))

    def _send(
        self, workflow_id: str, sent: SentTurn, version: int | None, cancelled: threading.Event
    ) -> Generator[Event, None, TurnResult]:
        """Send the turn over one of the channels, once.

        Raises:
            AnswerLost: The outcome is not known, or the turn certainly was not sent.
            ConflictError: Another turn of the run is being executed, or came first.
            DebuggerError: The API refuses the turn.
        """
        if sent.turn_input.command in STREAMED_COMMANDS and sent.turn_input.initial_state is None:
            frame = live_input(workflow_id, sent.turn_input, sent.run_id, version)
            opened = self._socket(frame, sent, version)
            if opened is not None:
                return (yield from self._send_frame(*opened, frame, sent, version, cancelled))
        request = self._request("POST", urls.EXECUTE.format(workflow_id=workflow_id), workflow_id, sent)
        send = partial(
            self._client.send,
            request,
            content=encoded(execute_body(sent.turn_input, sent.run_id, version)),
            query=None if version is None else {"version": version},
            headers=None if sent.turn_number is None else {EXPECTED_TURN_HEADER: str(sent.turn_number)},
        )
        try:
            response = call_cancellable(cancelled, send)
        except AuthenticationError:  # there is no key
            raise
        except ApiError as error:
            raise AnswerLost(error) from error
        if response is None:
            raise AnswerLost(ConnectionFailedError(f"{request} was stopped before it was answered."))
        result, events = self._read(request, response, sent)
        if sent.run_id is None:
            self._confirm_first(sent, result)
        yield from events
        return result

    def _read(
        self, request: Asked, response: httpx.Response, sent: SentTurn
    ) -> tuple[TurnResult, list[Event]]:
        """Return the result that a response holds, and its events, checked.

        Raises:
            AnswerLost: It is a failure of the server, not readable, or not of this turn.
            DebuggerError: The API refuses the turn.
        """
        if response.status_code == 429 or response.status_code >= 500:
            error = refusal(request, response)
            if isinstance(error, NotStartableError):
                raise error
            raise AnswerLost(error)
        if not response.is_success:
            error = refusal(request, response)
            if isinstance(error, RunEndedError):
                # It may be the answer to another turn: a first turn belongs to no run that could have ended.
                raise AnswerLost(error, is_refusal=sent.run_id is not None)
            raise error
        try:
            answer = Answer(request, read_object(request, response))
            result = answer.read(turn_result)
            self._check.check_run(sent, result.run_id)
            self._check.check_number(sent, result.turn_number)
            events = [answer.read(parse_event, event) for event in result.events]
            for event in events:
                self._check.check_event(event.logical_id)
        except AnswerError as error:
            raise AnswerLost(error) from error
        return result, events

    def _confirm_first(self, sent: SentTurn, result: TurnResult) -> None:
        """Check that the answer to a first turn is of the run that the turn has started.

        The closing event repeats the client turn id, in our own server's answers always; where none does, the
        record is read once.

        Raises:
            AnswerLost: It is of another run, or the record cannot be read.
        """
        ours, named = sent.turn_input.client_turn_id, client_turn_id_of(result.events)
        if ours is None or ours == named:
            return
        try:
            found = self._reconciliation.find_in(result.run_id, sent) if named is None else None
        except DebuggerError as error:
            raise AnswerLost(error) from error
        if found is None or not found.is_certain:
            raise AnswerLost(
                AnswerError(f"The answer is of run {result.run_id}, which another turn started.")
            )

    def _socket(self, frame: JsonObject, sent: SentTurn, version: int | None) -> tuple[Socket, bool] | None:
        """Return a socket, and whether it has carried a turn before; ``None`` where none can be used."""
        kept = self._connector.take(sent.run_id) if sent.run_id is not None else None
        if kept is not None:
            return kept, True
        if not self._connector.can_open or len(encoded(frame)) > LARGEST_START:
            return None
        if not self._can_name(version, frame["workflow_id"]):
            return None
        socket = self._connector.open()
        return None if socket is None else (socket, False)

    def _send_frame(
        self,
        socket: Socket,
        is_reused: bool,
        frame: JsonObject,
        sent: SentTurn,
        version: int | None,
        cancelled: threading.Event,
    ) -> Generator[Event, None, TurnResult]:
        if sent.turn_number is not None and self._client.server_checks_numbers:
            frame[EXPECTED_TURN_KEY] = sent.turn_number
        turn = StreamedTurn(
            socket,
            frame,
            sent,
            self._check,
            self._request("WebSocket", urls.STREAM, frame["workflow_id"], sent),
            cancelled=cancelled,
            timeout=self._timeout,
            acknowledged_within=self._connect_timeout if is_reused else None,
        )
        keeps = False
        try:
            started_in = (frame["workflow_id"], version) if sent.run_id is None else None
            may_continue: MayContinue = partial(self._background.may_continue, started_in=started_in)
            result = yield from turn.events(may_continue)
            keeps = not (result.is_completed or result.has_background_work)
        except AnswerLost as lost:
            if is_reused and not turn.is_acknowledged and not lost.is_refusal and not cancelled.is_set():
                self._connector.keeps_sockets = False
            raise
        finally:
            if not keeps:
                socket.close()
        self._connector.keep(result.run_id, socket)
        return result

    def _can_name(self, version: int | None, workflow_id: str) -> bool:
        """Return whether a run input alone can name the version that a run is to start with.

        0 means there that none is chosen; only a request can name version 0 (``platform/wire.md`` 2.5).
        """
        try:
            return version != 0 or self._active_version(workflow_id) == 0
        except DebuggerError:
            return False

    def _recover(
        self,
        workflow_id: str,
        sent: SentTurn,
        lost: AnswerLost,
        cancelled: threading.Event,
        progress: TurnProgress,
    ) -> TurnResult:
        """Return the result of a turn whose answer was lost, from the record.

        Raises:
            DebuggerError: See `Reconciliation.resolve`; or the API has refused the turn.
        """
        if lost.is_refusal and not self._is_on_record(workflow_id, sent):
            raise lost.reason
        found = self._reconciliation.resolve(
            workflow_id,
            sent,
            lost.reason,
            progress,
            cancelled,
            stop=lambda run_id: self._stop(workflow_id, run_id),
        )
        assert found.result is not None
        progress.record = found.record
        return found.result

    def _is_on_record(self, workflow_id: str, sent: SentTurn) -> bool:
        """Return whether a turn that was refused is on record all the same."""
        try:
            return self._reconciliation.find(workflow_id, sent).is_certain
        except DebuggerError:
            return False

    def _wait(
        self, refused: DebuggerError, resends: int, cancelled: threading.Event, progress: TurnProgress
    ) -> None:
        """Wait before a turn is sent again that certainly was not executed.

        Raises:
            DebuggerError: The server asks to wait for longer than a turn may take.
        """
        wait = RESEND_WAIT * 2**resends
        if isinstance(refused, RateLimitError) and refused.retry_after is not None:
            wait = refused.retry_after
        if wait > self._timeout:
            raise refused
        progress.phase, progress.message = "retrying", refused.message
        progress.until = time.monotonic() + wait
        cancelled.wait(wait)
        progress.phase, progress.message, progress.until = "executing", "", None

    def _wait_for_other(
        self,
        workflow_id: str,
        sent: SentTurn,
        conflict: ConflictError,
        cancelled: threading.Event,
        progress: TurnProgress,
    ) -> TurnResult | None:
        """Wait while another turn of the run is being executed.

        Returns:
            The result where the turn is on record all the same; ``None`` where it can be sent again.

        Raises:
            StaleTurnError: The run has newer turns.
            ConflictError: The other turn takes too long.
        """
        if sent.run_id is None:
            raise conflict
        deadline = time.monotonic() + self._timeout
        progress.phase, progress.message, progress.until = "retrying", conflict.message, deadline
        while not cancelled.is_set() and time.monotonic() < deadline:
            try:
                found = self._reconciliation.find(workflow_id, sent)
            except NotFoundError:
                raise
            except DebuggerError:
                cancelled.wait(CONFLICT_POLL)
                continue
            if found.state == "finished" or found.newer_turns:
                progress.record = found.record
            if found.newer_turns:
                raise stale(sent, found.newer_turns) from conflict
            if found.result is not None:
                return found.result
            if not found.is_run_busy:
                return None
            cancelled.wait(CONFLICT_POLL)
        if cancelled.is_set():
            return None
        raise conflict

    def _raise_if_stopped(self, workflow_id: str, sent: SentTurn, cancelled: threading.Event) -> None:
        if not cancelled.is_set():
            return
        if sent.run_id is not None:
            self._stop(workflow_id, sent.run_id)
        raise NotExecutedError("The turn was stopped before it was sent.")

    def _pump(self, workflow_id: str, run_id: str) -> Answer:
        nothing: JsonObject = {}
        return self._client.post(
            urls.PUMP.format(workflow_id=workflow_id, run_id=run_id),
            run_named(run_id),
            nothing,
            risk="The background work may have been advanced.",
        )

    def _stop(self, workflow_id: str, run_id: str) -> bool:
        """Ask the API to stop a run, and return whether it did."""
        try:
            self._client.post(
                urls.EXECUTE.format(workflow_id=workflow_id),
                run_named(run_id),
                execute_body(TurnInput(command="stop"), run_id, None),
                risk=RISK,
                timeout=self._stop_timeout,
            )
        except RunEndedError:
            return True
        except DebuggerError:
            return False
        return True

    def _request(self, method: str, path: str, workflow_id: str, sent: SentTurn) -> Asked:
        subject = run_named(sent.run_id) if sent.run_id else workflow_named(workflow_id)
        return self._client.asked(method, path, subject, RISK)


def _is_unsent(reason: DebuggerError) -> bool:
    """Return whether a turn certainly was not executed, so that it can be sent again."""
    return isinstance(reason, RateLimitError) or (isinstance(reason, ApiError) and not reason.was_sent)
