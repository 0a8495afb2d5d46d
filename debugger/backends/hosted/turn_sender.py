"""The channels of a turn: a socket where possible, else a request."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial

import httpx

from debugger.backends.hosted.client import Answer, ApiClient, encode_body, read_json, read_object
from debugger.backends.hosted.http_errors import AnswerLost, RequestInfo, make_refusal_error
from debugger.backends.hosted.outcome import classify_status
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
    find_gap,
    names_turn,
)
from debugger.backends.hosted.websocket import MAX_FRAME_SENT, Socket, SocketConnector
from debugger.engine.background_call import call_cancellable
from debugger.errors import (
    AnswerError,
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    DebuggerError,
    NotFoundError,
    RunEndedError,
)
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import EXPECTED_TURN_HEADER, EXPECTED_TURN_KEY, SentTurn, TurnResult

STREAMED_COMMANDS = frozenset({"start", "data", "resume"})
"""Commands that are worth a socket: the others are over at once."""
ENDING_COMMANDS = frozenset({"stop", "pause"})
"""Commands that need not count as turns, nor leave events, or are answered with the turn that they end."""
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
        """Keep what sends and checks turns; nothing is sent yet."""
        self._client = client
        self._connector = connector
        self._check = check
        self._active_version = active_version
        self._background = background
        self._reconciliation = reconciliation

    def send(self, turn: TurnCall) -> Generator[Event, None, TurnResult]:
        """Send the turn once, yield its events and return its result.

        Raises:
            AnswerLost: It has no answer that can be shown.
            RunEndedError: There is no run to stop.
            AuthenticationError: There is no key.
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
            raise AnswerLost(error, "lost" if error.was_sent else "unsent") from error
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
            AnswerLost: It does not hold the whole result of this turn.
            RunEndedError: There is no run to stop.
        """
        is_stop = sent.turn_input.command == "stop"
        is_ending = sent.turn_input.command in ENDING_COMMANDS
        if not response.is_success:
            error = make_refusal_error(request, response)
            if is_stop and isinstance(error, RunEndedError):
                raise error
            state = classify_status(
                response.status_code,
                read_json(response),
                has_started=sent.run_id is not None,
                uses_known_run=self._check.has_used(sent.run_id),
            )
            raise AnswerLost(error, state)
        try:
            answer = Answer(request, read_object(request, response))
            result = answer.read(turn_result)
            self._check.check_run(sent, result.run_id)
            events = [answer.read(parse_event, event) for event in result.events]
            for event in events:
                self._check.check_event(event.logical_id, sent)
            if not is_ending:
                self._check_turn(sent, result)
        except AnswerError as error:
            raise AnswerLost(error) from error
        gap = "" if is_ending else find_gap(result)
        if gap:
            raise AnswerLost(answer.make_answer_error(gap), "incomplete", result=result)
        return result, events

    def _check_turn(self, sent: SentTurn, result: TurnResult) -> None:
        """Check that an answer is that of the turn.

        Raises:
            AnswerLost: It is, and another client took the number that was expected.
            AnswerError: It is of another turn.
        """
        is_named = names_turn(result.events, sent)
        if is_named is False:
            raise AnswerError("The answer is of a turn with another message.")
        try:
            self._check.check_number(sent, result.turn_number)
        except AnswerError as error:
            if not is_named or result.turn_number < (sent.turn_number or 0):
                raise
            lost = AnswerLost(error, "incomplete", result=result)
            lost.event_ids = {event["logical_id"] for event in result.events if event.get("logical_id")}
            raise lost from error

    def _confirm_first(self, turn: TurnCall, result: TurnResult) -> None:
        """Check that the answer names the run that this turn started.

        Where its events repeat neither the client turn id nor the message, the record is read once. A run
        without turns on record is believed: that of another turn would have them.

        Raises:
            AnswerLost: It is of another run, or the record cannot be read.
        """
        is_named = names_turn(result.events, turn.sent)
        if is_named or (is_named is None and turn.sent.turn_input.client_turn_id is None):
            return
        foreign = AnswerLost(
            AnswerError(f"The answer is of run {result.run_id}, which another turn started.")
        )
        if is_named is False:
            raise foreign
        try:
            found = self._reconciliation.search(turn.workflow_id, replace(turn.sent, run_id=result.run_id))
        except NotFoundError:
            return
        except DebuggerError as error:
            raise AnswerLost(error, "incomplete", result=result) from error
        has_turns = found.record is None or bool(found.record.turns)
        if has_turns and not (found.is_certain or found.state == "finished"):
            raise foreign

    def _confirm_acknowledged(self, turn: TurnCall, result: TurnResult) -> None:
        """Check that the acknowledged run is the one whose events came.

        The events do not name their run, nor does the acknowledgement name the turn, so the record is read
        once; the new runs, too, where the acknowledged one is not there. A run that is not on record yet, or
        without turns, is believed.

        Raises:
            AnswerLost: It is another turn's run, or cannot be read.
        """
        wrong = AnswerError(f"Run {result.run_id} was acknowledged, and the events are of another turn.")
        lost = AnswerLost(wrong)
        lost.seen = {event["logical_id"] for event in result.events if event.get("logical_id")}
        sent = replace(turn.sent, event_ids=frozenset(lost.seen))
        try:
            try:
                found = self._reconciliation.search(turn.workflow_id, replace(sent, run_id=result.run_id))
            except NotFoundError:
                found = self._reconciliation.search(turn.workflow_id, sent)
        except DebuggerError as error:
            lost.run_id = result.run_id
            raise lost from error
        has_turns = found.record is not None and bool(found.record.turns)
        is_ours = found.is_certain and found.run_id == result.run_id
        if has_turns and not is_ours:
            lost.run_id = found.run_id if found.is_certain else None
            raise lost

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
        """Send a turn on a socket and yield its events.

        The socket is kept for the next turn of the run if one can follow, else it is closed. A reused socket
        on which nothing was answered ends the reuse of sockets.

        Raises:
            AnswerLost: There is no answer, or one that cannot be used.
        """
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
            if sent.run_id is None:
                self._confirm_acknowledged(turn, result)
            keeps = not (result.is_completed or result.has_background_work)
        except AnswerLost as lost:
            was_answered = streamed.is_acknowledged or lost.answer != "lost"
            if is_reused and not was_answered and not turn.cancelled.is_set():
                self._connector.keeps_sockets = False
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
        error = ConnectionFailedError("The turn was stopped before it was sent.", was_sent=False)
        raise AnswerLost(error, "unsent")
