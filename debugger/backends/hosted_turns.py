"""Turns and background work of runs on the hosted API."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from functools import partial

from debugger.backends.api_client import Answer, ApiClient, encoded
from debugger.backends.api_shapes import (
    execute_body,
    given_up,
    live_input,
    run_named,
    turn_result,
    workflow_named,
)
from debugger.backends.live_background import Outlook
from debugger.backends.live_lookup import LostTurns
from debugger.backends.live_socket import LARGEST_START, LiveDoor
from debugger.backends.live_turns import LiveTurn
from debugger.backends.waiting import wait_unless
from debugger.errors import DebuggerError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import TurnInput, TurnResult

LIVE_COMMANDS = frozenset({"start", "data", "resume"})
"""What is worth a socket: the rest is over at once."""
RISK = "The turn may have been run nevertheless."


class HostedTurns:
    """Asks the API to go on with runs: over a socket where one can be had, else by one request a turn.

    What is cancelled is no longer waited for, and the API is asked to stop the run.

    Args:
        client: Sends the requests.
        door: Opens sockets.
        active_version: Gives the active version of a workflow.
        outlook: Knows whether a run may go on without its user.
        lost: Finds out what became of a turn whose socket was lost.
        timeout: Seconds that the API may take until it is heard of.
        stop_timeout: Seconds that a stopped run's own answer is waited for.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        door: LiveDoor,
        active_version: Callable[[str], int | None],
        outlook: Outlook,
        lost: LostTurns,
        timeout: float,
        stop_timeout: float,
    ) -> None:
        self._client = client
        self._door = door
        self._active_version = active_version
        self._outlook = outlook
        self._lost = lost
        self._timeout = timeout
        self._stop_timeout = stop_timeout

    def execute(
        self,
        workflow_id: str,
        turn_input: TurnInput,
        run_id: str | None,
        version: int | None,
        cancelled: threading.Event,
    ) -> Generator[Event, None, TurnResult]:
        """Run one turn, the first of a new run unless ``run_id`` names one."""
        live = None
        if turn_input.command in LIVE_COMMANDS and not cancelled.is_set():
            given = live_input(workflow_id, turn_input, run_id, version)
            live = self._live(given, version, cancelled)
        if live is not None:
            begun_in = (workflow_id, version) if run_id is None else None
            return (yield from live.events(self._lost, partial(self._outlook.may_go_on, begun_in=begun_in)))
        return (
            yield from self._told(
                lambda: self._send(workflow_id, turn_input, run_id, version), workflow_id, run_id, cancelled
            )
        )

    def pump(
        self, workflow_id: str, run_id: str, cancelled: threading.Event
    ) -> Generator[Event, None, TurnResult]:
        """Advance a run's background work."""
        return self._told(lambda: self._pump(workflow_id, run_id), workflow_id, run_id, cancelled)

    def _live(self, given: JsonObject, version: int | None, cancelled: threading.Event) -> LiveTurn | None:
        """A turn over a socket, not sent yet; ``None`` where it is to be sent by a request."""
        if not self._door.may_open or len(encoded(given)) > LARGEST_START:
            return None
        socket = self._door.open()
        if socket is None:
            return None
        if cancelled.is_set() or not self._can_name(version, given["workflow_id"]):
            socket.close()
            return None
        run_id = given.get("workflow_run_id")
        subject = run_named(run_id) if run_id else workflow_named(given["workflow_id"])
        return LiveTurn(
            socket,
            given,
            self._client.asked("WebSocket", urls.STREAM, subject, RISK),
            cancelled=cancelled,
            silence=self._timeout,
            stop_timeout=self._stop_timeout,
        )

    def _can_name(self, version: int | None, workflow_id: str) -> bool:
        """Whether a run input alone can say which version a run is to begin with.

        A 0 stands for the active one there, and only a request can name version 0 in another way
        (``platform/wire.md`` 2.5).
        """
        try:
            return version != 0 or self._active_version(workflow_id) == 0
        except DebuggerError:
            return False

    def _told(
        self, ask: Callable[[], Answer], workflow_id: str, run_id: str | None, cancelled: threading.Event
    ) -> Generator[Event, None, TurnResult]:
        """The events that an answer tells of, and the result that it is."""
        answer = wait_unless(cancelled, ask)
        ending = self._stop(workflow_id, run_id) if answer is None else answer
        if isinstance(ending, TurnResult):
            return ending
        result = ending.read(turn_result)
        yield from [ending.read(parse_event, event) for event in result.events]
        return result

    def _send(
        self,
        workflow_id: str,
        turn_input: TurnInput,
        run_id: str | None,
        version: int | None = None,
        *,
        timeout: float | None = None,
    ) -> Answer:
        return self._client.post(
            urls.EXECUTE.format(workflow_id=workflow_id),
            run_named(run_id) if run_id else workflow_named(workflow_id),
            execute_body(turn_input, run_id, version),
            query=None if version is None else {"version": version},
            risk=RISK,
            timeout=timeout,
        )

    def _pump(self, workflow_id: str, run_id: str) -> Answer:
        nothing: JsonObject = {}
        return self._client.post(
            urls.PUMP.format(workflow_id=workflow_id, run_id=run_id),
            run_named(run_id),
            nothing,
            risk="The background work may have gone on nevertheless.",
        )

    def _stop(self, workflow_id: str, run_id: str | None) -> Answer | TurnResult:
        """Ask the API to stop a run whose answer is no longer waited for."""
        if run_id is None:
            return given_up("", "The id of the new run is not known yet, so it may go on at the API.")
        try:
            stop = TurnInput(command="stop")
            return self._send(workflow_id, stop, run_id, timeout=self._stop_timeout)
        except DebuggerError as error:
            return given_up(run_id, f"The API was asked to stop the run, which failed: {error}")
