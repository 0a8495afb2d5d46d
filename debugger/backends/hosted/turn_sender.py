"""The channels of a turn: a socket where possible, else a request."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial

import httpx

from debugger.backends.hosted.client import Answer, ApiClient, encode_body, read_object
from debugger.backends.hosted.http_errors import AnswerLost, RequestInfo, make_refusal_error
from debugger.backends.hosted.payloads import (
    execute_body,
    live_input,
    run_named,
    turn_result,
    workflow_named,
)
from debugger.backends.hosted.reconciliation import Reconciliation
from debugger.backends.hosted.streamed_turn import StreamedTurn
from debugger.backends.hosted.turn_results import (
    AnswerCheck,
    BackgroundProbe,
    MayContinue,
    TurnCall,
    client_turn_id_of,
)
from debugger.backends.hosted.websocket import MAX_FRAME_SENT, Socket, SocketConnector
from debugger.engine.background_call import call_cancellable
from debugger.errors import (
    AnswerError,
    ApiError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    DebuggerError,
    NotFoundError,
    NotStartableError,
    RunEndedError,
    UnsupportedError,
)
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import EXPECTED_TURN_HEADER, EXPECTED_TURN_KEY, SentTurn, TurnResult

STREAMED_COMMANDS = frozenset({"start", "data", "resume"})
"""Commands that are worth a socket: the others are over at once."""
RISK = "The turn may have been executed."


class TurnSender:
    """Sends a turn by socket or request, and checks the answer.

    Args:
        client: Sends the requests.
        connector: Opens sockets.
        check: Checks that answers belong to the turns that were sent.
        active_version: Returns the active version of a workflow.
        background: Knows whether a run may continue without its user.
        reconciliation: Reads the record of a run that a first turn has started.
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
    ) -> None:
        self._client = client
        self._connector = connector
        self._check = check
        self._active_version = active_version
        self._background = background
        self._reconciliation = reconciliation

    def send(self, turn: TurnCall) -> Generator[Event, None, TurnResult]:
        """Send the turn once, yield its events and return its result.

        Raises:
            AnswerLost: The outcome is not known, or the turn certainly was not sent.
            ConflictError: Another turn of the run is being executed, or came first.
            DebuggerError: The API refuses the turn.
        """
        opened = self._socket(turn)
        if opened is not None:
            return (yield from self._send_frame(turn, *opened))
        _raise_if_cancelled(turn)
        sent, version = turn.sent, turn.version
        request = self._request("POST", urls.EXECUTE.format(workflow_id=turn.workflow_id), turn)
        send = partial(
            self._client.send,
            request,
            content=encode_body(execute_body(sent.turn_input, sent.run_id, version)),
            query=None if version is None else {"version": version},
            headers=None if sent.turn_number is None else {EXPECTED_TURN_HEADER: str(sent.turn_number)},
        )
        try:
            response = call_cancellable(turn.cancelled, send)
        except AuthenticationError:  # there is no key
            raise
        except ApiError as error:
            raise AnswerLost(error) from error
        if response is None:
            raise AnswerLost(ConnectionFailedError(f"{request} was stopped before it was answered."))
        result, events = self._read(request, response, sent)
        if sent.run_id is None:
            self._confirm_first(turn, result)
        yield from events
        return result

    def _read(
        self, request: RequestInfo, response: httpx.Response, sent: SentTurn
    ) -> tuple[TurnResult, list[Event]]:
        """Return the result that a response holds, and its events, checked.

        Raises:
            AnswerLost: It is a failure of the server, not readable, or not of this turn.
            DebuggerError: The API refuses the turn.
        """
        if response.status_code == 429 or response.status_code >= 500:
            error = make_refusal_error(request, response)
            if isinstance(error, NotStartableError | UnsupportedError):
                raise error
            raise AnswerLost(error)
        if not response.is_success:
            error = make_refusal_error(request, response)
            if isinstance(error, RunEndedError) and sent.turn_input.command != "stop":
                # It may be the answer to another turn: a first turn belongs to no run that could have ended.
                raise AnswerLost(error, is_refusal=sent.run_id is not None)
            raise error
        try:
            answer = Answer(request, read_object(request, response))
            result = answer.read(turn_result)
            self._check.check_run(sent, result.run_id)
            if sent.turn_input.command != "stop":  # it need not count as a turn
                self._check.check_number(sent, result.turn_number)
            events = [answer.read(parse_event, event) for event in result.events]
            for event in events:
                self._check.check_event(event.logical_id, sent)
        except AnswerError as error:
            raise AnswerLost(error) from error
        return result, events

    def _confirm_first(self, turn: TurnCall, result: TurnResult) -> None:
        """Check that the answer names the run that this turn started.

        The closing event repeats the client turn id, in our own server's answers always; where none does, the
        record is read once, and compared by its text if it has no ids. A run without turns on record is
        believed: that of another turn would have them.

        Raises:
            AnswerLost: It is of another run, or the record cannot be read.
        """
        ours, named = turn.sent.turn_input.client_turn_id, client_turn_id_of(result.events)
        if ours is None or ours == named:
            return
        found = None
        try:
            if named is None:
                sent = replace(turn.sent, run_id=result.run_id)
                found = self._reconciliation.find(turn.workflow_id, sent)
        except NotFoundError:
            return
        except DebuggerError as error:
            raise AnswerLost(error) from error
        has_turns = found is None or found.record is None or bool(found.record.turns)
        if has_turns and not (found and (found.is_certain or found.state == "finished")):
            raise AnswerLost(
                AnswerError(f"The answer is of run {result.run_id}, which another turn started.")
            )

    def _socket(self, turn: TurnCall) -> tuple[Socket, bool, JsonObject] | None:
        """Return a socket, whether it was used before, and the frame.

        ``None`` where no socket is used.
        """
        sent, version = turn.sent, turn.version
        if sent.turn_input.command not in STREAMED_COMMANDS or sent.turn_input.initial_state is not None:
            return None
        frame = live_input(turn.workflow_id, sent.turn_input, sent.run_id, version)
        is_small = len(encode_body(frame)) <= MAX_FRAME_SENT
        cached = self._connector.take(sent.run_id) if sent.run_id is not None else None
        if cached is not None and is_small:
            return cached, True, frame
        if cached is not None:
            cached.close()  # the request goes past it
        if not (is_small and self._connector.can_open and self._can_name(version, turn.workflow_id)):
            return None
        socket = self._connector.open()
        return None if socket is None else (socket, False, frame)

    def _send_frame(
        self, turn: TurnCall, socket: Socket, is_reused: bool, frame: JsonObject
    ) -> Generator[Event, None, TurnResult]:
        sent = turn.sent
        if sent.turn_number is not None and self._client.server_checks_numbers:
            frame[EXPECTED_TURN_KEY] = sent.turn_number
        streamed = StreamedTurn(
            socket,
            frame,
            turn,
            self._check,
            self._request("WebSocket", urls.STREAM, turn),
            timeout=self._client.settings.timeout,
            acknowledged_within=self._client.settings.connect_timeout if is_reused else None,
        )
        keeps = False
        try:
            _raise_if_cancelled(turn)
            started_in = (turn.workflow_id, turn.version) if sent.run_id is None else None
            may_continue: MayContinue = partial(self._background.may_continue, started_in=started_in)
            result = yield from streamed.events(may_continue)
            keeps = not (result.is_completed or result.has_background_work)
        except AnswerLost as lost:
            was_answered = streamed.is_acknowledged or lost.is_refusal
            if is_reused and not was_answered and not turn.cancelled.is_set():
                self._connector.keeps_sockets = False
            if lost.is_refusal and isinstance(lost.reason, ConflictError):
                raise lost.reason from lost
            raise
        finally:
            if not keeps:
                socket.close()
        self._connector.keep(result.run_id, socket)
        return result

    def _can_name(self, version: int | None, workflow_id: str) -> bool:
        """Return whether a run input can name the version to start with.

        0 means there that none is chosen; only a request can name version 0 (``platform.md#versions``).
        """
        try:
            return version != 0 or self._active_version(workflow_id) == 0
        except DebuggerError:
            return False

    def _request(self, method: str, path: str, turn: TurnCall) -> RequestInfo:
        run_id = turn.sent.run_id
        subject = run_named(run_id) if run_id else workflow_named(turn.workflow_id)
        return self._client.describe_request(method, path, subject, RISK)


def _raise_if_cancelled(turn: TurnCall) -> None:
    """Raise the error for a turn stopped while a channel was opened."""
    if turn.cancelled.is_set():
        raise AnswerLost(ConnectionFailedError("The turn was stopped before it was sent.", was_sent=False))
