"""Turns and background work of runs on the hosted API."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

from debugger.backends.api_client import Answer, ApiClient
from debugger.backends.api_shapes import execute_body, given_up, run_named, turn_result, workflow_named
from debugger.backends.waiting import wait_unless
from debugger.errors import DebuggerError
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import TurnInput, TurnResult


class HostedTurns:
    """Asks the API to go on with runs.

    What is cancelled is no longer waited for, and the API is asked to stop the run.

    Args:
        client: Sends the requests.
        stop_timeout: Seconds that a stopped run's own answer is waited for.
    """

    def __init__(self, client: ApiClient, *, stop_timeout: float) -> None:
        self._client = client
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
        return self._told(
            lambda: self._send(workflow_id, turn_input, run_id, version), workflow_id, run_id, cancelled
        )

    def pump(
        self, workflow_id: str, run_id: str, cancelled: threading.Event
    ) -> Generator[Event, None, TurnResult]:
        """Advance a run's background work."""
        return self._told(lambda: self._pump(workflow_id, run_id), workflow_id, run_id, cancelled)

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
            risk="The turn may have been run nevertheless.",
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
