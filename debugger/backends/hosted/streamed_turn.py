"""Turns whose events come over a socket (``platform.md#websocket``)."""

from __future__ import annotations

import time
from collections.abc import Generator

import httpx

from debugger.backends.hosted.client import encode_body
from debugger.backends.hosted.http_errors import (
    NOT_STORED_ADVICE,
    AnswerLost,
    RequestInfo,
    make_refusal_error,
)
from debugger.backends.hosted.outcome import NOT_STORED
from debugger.backends.hosted.turn_results import AnswerCheck, MayContinue, TurnCall, result_from_events
from debugger.backends.hosted.websocket import Socket, SocketClosed
from debugger.engine.background_call import POLL_SECONDS
from debugger.errors import (
    AnswerError,
    ConnectionFailedError,
    InputError,
    NotStartableError,
    RequestTimeoutError,
    TurnNotStoredError,
)
from debugger.protocol.base import JsonObject
from debugger.protocol.events import EndWorkflowIterationEvent, Event, parse_event
from debugger.protocol.runs import FRAME_NUMBER, TRUNCATED, RunStatus, TurnResult

CLOSING_SECONDS = 0.5
"""Time in which the last event follows the end of an iteration; some turns have none.

Source: ``platform.md#event-order``.
"""

_STATUS_BY_EVENT: dict[str, RunStatus] = {
    "workflow_ready_for_input": "waiting_for_user_input",
    "end_workflow": "completed",
    "workflow_error": "failed",
}
_REFUSALS = range(4400, 4500)
"""Close codes that stand for the status of an HTTP answer, plus 4000."""
_CONFLICT = 4409
_OTHER_REFUSALS = {4006: 422, 4007: 409, 1009: 413}


class StreamedTurn:
    """Sends one turn over a socket, once, and receives its events.

    Args:
        socket: An open socket.
        frame: The frame to send: the input of the turn, with its workflow and run.
        turn: The turn.
        check: Checks that what comes belongs to the turn.
        request: The turn, as errors name it.
        timeout: Seconds after which a silent server is not waited for any more.
        acknowledged_within: Seconds in which the server must acknowledge the frame; ``None`` on a socket
            whose first frame this is.
    """

    def __init__(
        self,
        socket: Socket,
        frame: JsonObject,
        turn: TurnCall,
        check: AnswerCheck,
        request: RequestInfo,
        *,
        timeout: float,
        acknowledged_within: float | None,
    ) -> None:
        """Keep what is to be sent; nothing is sent yet."""
        self.run_id = turn.sent.run_id
        """The run; of a first turn from the acknowledgement on."""
        self.is_acknowledged = False
        """True once the server has accepted the turn."""
        self._socket = socket
        self._frame = frame
        self._sent = turn.sent
        self._check = check
        self._request = request
        self._cancelled = turn.cancelled
        self._timeout = timeout
        self._acknowledged_within = acknowledged_within
        self._events: list[Event] = []
        self._ids: set[str] = set()
        self._frames = 0
        self._is_truncated = False

    def events(self, may_continue: MayContinue) -> Generator[Event, None, TurnResult]:
        """Yield the events as they come, and return the result.

        Raises:
            AnswerLost: The outcome is not known, or the server refuses the turn.
        """
        try:
            try:
                self._socket.send(encode_body(self._frame).decode())
                yield from self._receive()
            except SocketClosed as closed:
                raise self._closed(closed) from closed
            except AnswerError as error:
                raise AnswerLost(error) from error
            return self._result(may_continue)
        except AnswerLost as lost:
            lost.run_id, lost.seen = self.run_id, self._ids
            raise

    def _receive(self) -> Generator[Event, None, None]:
        """Yield events until one of them ends the turn, or none follows the end of its iteration.

        Raises AnswerLost where the turn is cancelled, which stops the run, or the server is silent for too
        long; SocketClosed and AnswerError of a frame leave it.
        """
        received_at = time.monotonic()
        while self._status is None:
            if self._cancelled.is_set():
                self._stop()
            frame = self._socket.receive(POLL_SECONDS)
            if frame is not None:
                received_at = time.monotonic()
                event = self._take(frame)
                if event is not None:
                    yield event
                continue
            silent = time.monotonic() - received_at
            if self._has_ended_iteration and silent > CLOSING_SECONDS:
                return
            limit = self._timeout
            if not self.is_acknowledged and self._acknowledged_within is not None:
                limit = self._acknowledged_within
            if silent > limit:
                raise AnswerLost(
                    RequestTimeoutError(
                        f"No frame of {self._request} came for {limit:g} s.",
                        advice="INTERACTLY_TIMEOUT allows more time.",
                    )
                )

    def _take(self, frame: JsonObject) -> Event | None:
        """Check a frame, record it and return its event; ``None`` of an acknowledgement, which names the run.

        Raises AnswerError where a frame is missing or came twice, or is of another turn, or cannot be read.
        """
        if "type" not in frame:
            self.run_id = self._check.check_run(self._sent, frame.get("workflow_run_id"))
            self.is_acknowledged = True
            return None
        if not self.is_acknowledged and self._acknowledged_within is not None:
            raise AnswerError("An event came before the acknowledgement of the turn.")
        self.is_acknowledged = True
        number = frame.pop(FRAME_NUMBER, None)
        self._frames += 1
        if number is not None and number != self._frames:
            raise AnswerError(f"Frame {self._frames} of the turn is missing or came twice.")
        self._is_truncated = self._is_truncated or TRUNCATED in frame
        try:
            event = parse_event(frame)
        except InputError as error:
            raise AnswerError(f"An event of {self._request} cannot be used: {error.message}") from None
        self._check.check_event(event.logical_id, self._sent)
        if isinstance(event, EndWorkflowIterationEvent):
            self._check.check_number(self._sent, event.iteration_number)
        if event.logical_id in self._ids:
            raise AnswerError(f"The event {event.logical_id} came twice.")
        if event.logical_id:
            self._ids.add(event.logical_id)
        self._events.append(event)
        return event

    @property
    def _status(self) -> RunStatus | None:
        """The run's status, as soon as the last event has ended the turn; ``None`` before.

        The end of an iteration is ``paused`` after a paused thread, else it ends nothing.
        """
        last = self._events[-1] if self._events else None
        if last is None:
            return None
        if last.type == "end_workflow_iteration" and any(
            event.type == "pause_thread" for event in self._events
        ):
            return "paused"
        return _STATUS_BY_EVENT.get(last.type)

    @property
    def _has_ended_iteration(self) -> bool:
        return bool(self._events) and self._events[-1].type == "end_workflow_iteration"

    def _result(self, may_continue: MayContinue) -> TurnResult:
        """Return the result of the events that came.

        Raises AnswerLost where status, number or run are not known, or an event was truncated.
        """
        ends = (event for event in reversed(self._events) if isinstance(event, EndWorkflowIterationEvent))
        number = next((event.iteration_number for event in ends), None)
        if number is None and self._status == "failed":  # such a turn has no closing event
            number = self._sent.turn_number
        if self._status is None or number is None or self.run_id is None or self._is_truncated:
            raise AnswerLost(AnswerError(f"The frames of {self._request} do not contain the whole turn."))
        return result_from_events(self.run_id, self._status, number, self._events, may_continue)

    def _stop(self) -> None:
        """Send the command that stops the run, and raise AnswerLost.

        The record then has the outcome of the turn. Raises SocketClosed where the command cannot be sent.
        """
        named = {} if self.run_id is None else {"workflow_run_id": self.run_id}
        stop = {"command": "stop", "workflow_id": self._frame["workflow_id"], **named}
        self._socket.send(encode_body(stop).decode())
        raise AnswerLost(ConnectionFailedError(f"{self._request} was stopped."))

    def _closed(self, closed: SocketClosed) -> AnswerLost:
        """Return what the end of the connection means (``platform.md#close-codes``).

        Before the acknowledgement a code of a refusal gives ``refused``, ``conflict`` or ``denied``; the code
        of a turn that is not stored gives ``refused`` at any time, and all else is ``lost``.
        """
        if closed.code == _CONFLICT and closed.reason.startswith(f"{NOT_STORED}: "):
            message = self._request.quote(closed.reason.partition(": ")[2])
            return AnswerLost(TurnNotStoredError(message, advice=NOT_STORED_ADVICE), "refused")
        if not self.is_acknowledged and closed.code is not None:
            status = closed.code - 4000 if closed.code in _REFUSALS else _OTHER_REFUSALS.get(closed.code, 500)
            error = make_refusal_error(self._request, httpx.Response(status, json={"detail": closed.reason}))
            if isinstance(error, NotStartableError):
                return AnswerLost(error, "refused")
            if status < 500:
                return AnswerLost(error, "conflict" if status == 409 and closed.code != 4007 else "denied")
        code = f" ({self._request.quote(f'{closed.code} {closed.reason}')})" if closed.code else ""
        return AnswerLost(
            ConnectionFailedError(f"The connection for {self._request} broke before the turn was over{code}.")
        )
