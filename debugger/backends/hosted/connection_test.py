"""The test of a connection to the hosted API, without turns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import httpx

from debugger.backends.hosted.client import Answer, ApiClient, Query, read_object
from debugger.backends.hosted.http_errors import RequestInfo, make_refusal_error
from debugger.backends.hosted.payloads import Paging
from debugger.backends.hosted.websocket import HANDSHAKE_ERRORS, handshake, handshake_failure
from debugger.errors import (
    AnswerError,
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    DebuggerError,
    RequestTimeoutError,
)
from debugger.protocol import urls
from debugger.protocol.runs import unwrap_run
from debugger.settings import HostedSettings

MAX_RUNS_READ = 5


@dataclass(frozen=True)
class ConnectionCheck:
    """One call of the test and its result."""

    call: str
    path: str
    """Method and path, without host and query."""
    sentence: str
    outcome: Literal["ok", "note", "failed"]
    """``note``: turns can be executed, with the limit that the sentence states."""
    status: str = ""
    """The status of the answer; empty where there was none."""
    milliseconds: int | None = None
    """``None`` where the call was not made."""


def check_connection(
    settings: HostedSettings, *, own_run_ids: Sequence[str] = (), transport: httpx.BaseTransport | None = None
) -> list[ConnectionCheck]:
    """Make each call that runs need and report it.

    Args:
        settings: The connection.
        own_run_ids: Runs with turns of this client; a record of theirs shows whether client turn ids return.
        transport: Carries the requests instead of the network.

    Raises:
        SettingsError: The base URL, the key or an id in the settings cannot be used; nothing was sent.
    """
    client = ApiClient(settings, transport=transport)
    try:
        return _ConnectionTest(client, settings, own_run_ids).checks()
    finally:
        client.close()


class _ConnectionTest:
    """The calls of one test, in order."""

    def __init__(self, client: ApiClient, settings: HostedSettings, own_run_ids: Sequence[str]) -> None:
        """Keep what is tested; nothing is sent yet."""
        self._client = client
        self._settings = settings
        self._own_run_ids = own_run_ids
        self._base_path = httpx.URL(client.base_url).path.rstrip("/")
        self._is_unreachable = False

    def checks(self) -> list[ConnectionCheck]:
        """Make the calls."""
        workflows, _ = self._list("List workflows", urls.WORKFLOWS, "workflow", "workflows")
        runs, run_ids = self._list("List runs", urls.RUNS, "run", "workflow_runs")
        return [workflows, runs, self._socket(), self._client_turn_id(run_ids)]

    def _list(self, call: str, path: str, noun: str, key: str) -> tuple[ConnectionCheck, list[str]]:
        """Read the first page of a list and return its check; of runs their ids, too, else an empty list.

        An error is a failed check with its sentence. After a call without an answer none is made.
        """
        found: list[str] = []
        if self._is_unreachable:
            return self._not_made(call, path), found
        started = time.perf_counter()
        request = self._client.describe_request("GET", path, f"the list of {noun}s")
        status, answer = self._read(request, {"page": 1, "size": 20})
        try:
            if isinstance(answer, DebuggerError):
                raise answer
            rows = answer.rows(key, "items", "data")
            if key == "workflow_runs":
                found = [answer.read(unwrap_run, row).workflow_run_id for row in rows]
        except DebuggerError as error:
            ending = "" if error.message.endswith((".", "!", "?")) else "."
            sentence = f"{error.message}{ending} {error.advice}".rstrip()
            return self._check(call, path, sentence, "failed", status, started), []
        total = Paging.from_wire(answer.body).total
        number = total if total is not None else len(rows)
        sentence = f"{number:,} {noun}{'' if number == 1 else 's'}."
        return self._check(call, path, sentence, "ok", status, started), found

    def _read(self, request: RequestInfo, query: Query | None = None) -> tuple[str, Answer | DebuggerError]:
        """Send a request once; return the status, and the answer or its error.

        The status is empty where no answer came. Without a connection, an answer in time or a key, the API
        counts as unreachable from then on.
        """
        try:
            response = self._client.send(request, query=query)
        except ApiError as error:
            unreachable = (ConnectionFailedError, RequestTimeoutError, AuthenticationError)
            self._is_unreachable = self._is_unreachable or isinstance(error, unreachable)
            return "", error
        status = str(response.status_code)
        if not response.is_success:
            return status, make_refusal_error(request, response)
        try:
            return status, Answer(request, read_object(request, response))
        except AnswerError as error:
            return status, error

    def _socket(self) -> ConnectionCheck:
        """Open a socket and close it again, and return the check; one that does not open is a note.

        It is not opened where live events are off, or the API is unreachable.
        """
        call, path = "Open a socket", urls.STREAM
        if self._settings.live_events == "off":
            sentence = "Not opened: live_events is off for this connection, so each turn is one request."
            return self._check(call, path, sentence, "note")
        if self._is_unreachable:
            return self._not_made(call, path)
        started = time.perf_counter()
        try:
            with handshake(self._client):
                sentence = "Opened and closed again; events arrive as they happen."
                return self._check(call, path, sentence, "ok", "101", started)
        except HANDSHAKE_ERRORS as error:
            status, reason = handshake_failure(error)
        sentence = f"Not opened ({reason}), so the events of a turn arrive together when it is over."
        if not status:
            sentence += " A proxy on the way may not pass WebSockets on."
        return self._check(call, path, sentence, "note", status, started)

    def _client_turn_id(self, run_ids: Sequence[str]) -> ConnectionCheck:
        """Read runs until a record has a client turn id, and return the check.

        Runs of this client come first, `MAX_RUNS_READ` are read at most, and those that cannot be read are
        skipped. Without an id it is a note: ``No`` where a finished turn of this client has lost it, else not
        known yet.
        """
        call, path = "Record returns the client turn id", urls.RUN
        if self._is_unreachable:
            return self._not_made(call, path)
        if not self._settings.client_turn_ids:
            sentence = "Not sent: client_turn_ids is off for this connection."
            return self._check(call, path, sentence, "note")
        started, status = time.perf_counter(), ""
        is_dropped = False
        wanted = list(dict.fromkeys([*self._own_run_ids, *run_ids]))[:MAX_RUNS_READ]
        for run_id in wanted:
            request = self._client.describe_request("GET", path.format(run_id=run_id), f"run {run_id!r}")
            last_status, answer = self._read(request)
            if isinstance(answer, DebuggerError):
                continue
            status = last_status
            try:
                run = answer.read(unwrap_run)
            except DebuggerError:
                continue
            if any(turn.client_turn_id for turn in run.input_output_pairs):
                sentence = "Yes: a turn whose answer is lost is found in the record by its id."
                return self._check(call, path, sentence, "ok", status, started)
            is_dropped |= run_id in self._own_run_ids and bool(run.finished_turns)
        if is_dropped:
            sentence = "No: a turn whose answer is lost is searched by its number and its text."
            return self._check(call, path, sentence, "note", status, started)
        sentence = "Not known yet: the newest runs have no turn of this client. Run a turn, then test again."
        return self._check(call, path, sentence, "note", status, started if wanted else None)

    def _not_made(self, call: str, path: str) -> ConnectionCheck:
        return self._check(call, path, "Not called, since the first call had no answer.", "failed")

    def _check(
        self,
        call: str,
        path: str,
        sentence: str,
        outcome: Literal["ok", "note", "failed"],
        status: str = "",
        started: float | None = None,
    ) -> ConnectionCheck:
        """Return a check with the milliseconds since its start; without a start it has none."""
        took = None if started is None else round((time.perf_counter() - started) * 1000)
        return ConnectionCheck(call, f"GET {self._base_path}{path}", sentence, outcome, status, took)
