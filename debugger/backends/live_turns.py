"""A turn on the hosted API whose events come over a socket as they happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

from debugger.backends.api_client import encoded
from debugger.backends.api_shapes import given_up
from debugger.backends.http_errors import Asked
from debugger.backends.live_lookup import LostTurns, refused
from debugger.backends.live_results import HeardTurn, MayGoOn
from debugger.backends.live_socket import LiveSocket, SocketClosed
from debugger.errors import AnswerError, InputError, RequestTimeoutError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import TurnResult

LOOK_EVERY = 0.05
"""Seconds between two looks at whether the turn was cancelled."""
FOLLOWS_WITHIN = 0.5
"""Seconds in which the last events follow the accounts of a turn; some have none (``engine.md`` 7.2)."""


class LiveTurn:
    """Sends one turn over a socket and hears it to its end. A turn is sent once only, whatever happens.

    Args:
        socket: An open socket, which the turn closes.
        given: What is sent: the input of the turn, with the workflow and the run that it is for.
        asked: The turn, as errors tell of it.
        cancelled: Set to end it early.
        silence: Seconds after which a server that says nothing is given up.
        stop_timeout: Seconds that the end of a stopped turn is waited for.
    """

    def __init__(
        self,
        socket: LiveSocket,
        given: JsonObject,
        asked: Asked,
        *,
        cancelled: threading.Event,
        silence: float,
        stop_timeout: float,
    ) -> None:
        self._socket = socket
        self._given = given
        self._asked = asked
        self._heard = HeardTurn(given.get("workflow_run_id"))
        self._cancelled = cancelled
        self._silence = silence
        self._stop_timeout = stop_timeout
        self._stop_sent_at: float | None = None

    def events(self, lost: LostTurns, may_go_on: MayGoOn) -> Generator[Event, None, TurnResult]:
        """The events as they come, and how the turn ended.

        Args:
            lost: Finds out what became of a turn that was not heard to its end.
            may_go_on: Tells whether the run may go on without its user.
        """
        try:
            yield from self._hear()
            closed = SocketClosed(None, "")
        except SocketClosed as error:
            closed = error
        finally:
            self._socket.close()
        result = self._heard.result(may_go_on)
        if result is None:
            problem = refused(closed, self._asked, self._heard)
            if problem is not None:
                raise problem
            if self._is_given_up:
                return given_up(self._heard.run_id or "", "The API was asked to stop the run.")
            result = lost.found(self._heard, closed, self._asked, may_go_on)
        known = len(self._heard.events)
        yield from [parse_event(event) for event in result.events[known:]]
        return result

    def _hear(self) -> Generator[Event, None, None]:
        """Send the turn, and hear it until the events tell that it is over, or nothing more is to come."""
        self._socket.send(encoded(self._given).decode())
        heard_at = time.monotonic()
        while self._heard.status is None and not self._is_given_up:
            self._stop_if_cancelled()
            frame = self._socket.receive(LOOK_EVERY)
            if frame is not None:
                heard_at = time.monotonic()
                yield from self._take(frame)
                continue
            silent = time.monotonic() - heard_at
            if self._heard.has_accounts and silent > FOLLOWS_WITHIN:
                return
            if silent > self._silence and self._stop_sent_at is None:
                raise self._too_slow()

    def _take(self, frame: JsonObject) -> Generator[Event, None, None]:
        if "type" not in frame:  # the acknowledgement
            run_id = frame.get("workflow_run_id")
            self._heard.begun(run_id if isinstance(run_id, str) else None)
            return
        try:
            event = parse_event(frame)
        except InputError as error:
            raise AnswerError(f"An event of {self._asked} cannot be used: {error.message}") from None
        self._heard.add(event)
        yield event

    @property
    def _is_given_up(self) -> bool:
        """Whether the end of a stopped turn was waited for in vain."""
        return self._stop_sent_at is not None and (time.monotonic() - self._stop_sent_at > self._stop_timeout)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set() and self._stop_sent_at is None:
            self._stop_sent_at = time.monotonic()
            stop = {
                "command": "stop",
                "workflow_id": self._given["workflow_id"],
                "workflow_run_id": self._heard.run_id,
            }
            self._socket.send(encoded(stop).decode())

    def _too_slow(self) -> RequestTimeoutError:
        return RequestTimeoutError(
            f"Nothing was heard of {self._asked} for {self._silence:g} s. {self._asked.risk}",
            advice="Look whether it was done before you send it again. INTERACTLY_TIMEOUT allows more time.",
        )
