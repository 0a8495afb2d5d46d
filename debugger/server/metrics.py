"""Counters for Prometheus.

Labels have values of a small fixed set: a route's template and not its path, no id, nothing that a client
chooses.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from debugger.errors import DebuggerError
from debugger.protocol.runs import TurnResult

MEDIA_TYPE = CONTENT_TYPE_LATEST

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_OTHER = "other"
_NO_ROUTE = "none"
_NO_ANSWER = "none"
_NODE_RUN = "start_node_run"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""From a lookup to a turn with long texts of models."""
_REFUSALS = {401: "key", 403: "rights"}
_TOO_MANY = 429
_Measured = tuple[Counter, Histogram]
Limit = Literal["rate", "concurrency"]
"""A limit that a 429 is about: wrong keys of an address in a minute, or runs and turns at once."""


@dataclass
class CountedTurn:
    """A turn that is being executed."""

    result: TurnResult | None = None
    """Its result; ``None`` until it ends, and for one that fails."""


class Metrics:
    """The counters of one app.

    Args:
        version: The version of this program.
    """

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        build = Gauge(
            "debugger_build_info", "The program that runs.", ["version", "python"], registry=self.registry
        )
        build.labels(version, platform.python_version()).set(1)
        self._requests = Counter(
            "debugger_http_requests",
            "Requests that were answered, or left before.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._latency = Histogram(
            "debugger_http_request_seconds",
            "Time until an answer was sent.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._turns = Counter(
            "debugger_turns",
            "Turns and steps of background work, by the status of the run after it, "
            "or 'refused' or 'error' where there was no result.",
            ["status"],
            registry=self.registry,
        )
        self._under_way = Gauge("debugger_turns_under_way", "Turns that are running.", registry=self.registry)
        self._sockets = Gauge("debugger_sockets_open", "WebSockets that are open.", registry=self.registry)
        self._events = Counter("debugger_events", "Events of turns that have ended.", registry=self.registry)
        self._node_runs = Counter(
            "debugger_node_runs", "Node runs in turns that have ended.", registry=self.registry
        )
        self._refused = Counter(
            "debugger_refused",
            "What was not let in: 'key', 'rights', 'rate' of requests without a valid key, "
            "'concurrency' of runs and turns.",
            ["reason"],
            registry=self.registry,
        )
        # Looking a labelled metric up is most of its cost.
        self._known: dict[tuple[str, str, int], _Measured] = {}

    def exposition(self) -> bytes:
        """Return all counters as text, in the format of `MEDIA_TYPE`."""
        return generate_latest(self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: The method; an unknown one counts as ``other``.
            route: The template of the path; empty where no route was found.
            status: The status of the response; 0 where there was none.
            seconds: The time until the response was sent.
        """
        key = (method, route, status)
        measured = self._known.get(key)
        if measured is None:
            name = route or _NO_ROUTE
            known_method = method if method in _METHODS else _OTHER
            counter = self._requests.labels(known_method, name, str(status) if status else _NO_ANSWER)
            measured = (counter, self._latency.labels(name))
            if known_method == method:  # unknown methods have no bound
                self._known[key] = measured
        measured[0].inc()
        measured[1].observe(seconds)
        if status >= 400:
            # Wrong keys are rejected before the route is known, and runs beyond a limit after it.
            self.refusal(status, "concurrency" if route else "rate")

    def refusal(self, status: int, limit: Limit) -> None:
        """Count a refusal, if a status is one.

        Args:
            status: The status of a response, or of a socket's end.
            limit: The limit that a status 429 is about.
        """
        reason = limit if status == _TOO_MANY else _REFUSALS.get(status)
        if reason is not None:
            self._refused.labels(reason).inc()

    def open_socket(self) -> None:
        """Count an opened socket."""
        self._sockets.inc()

    def close_socket(self) -> None:
        """Count a closed socket."""
        self._sockets.dec()

    @contextmanager
    def turn(self) -> Iterator[CountedTurn]:
        """Count the turn or the background step of the block."""
        turn = CountedTurn()
        self._under_way.inc()
        error: BaseException | None = None
        try:
            yield turn
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._end_turn(turn.result, error)

    def refuse_turn(self) -> None:
        """Count a turn that is refused before it is executed."""
        self._turns.labels("refused").inc()

    def _end_turn(self, result: TurnResult | None, error: BaseException | None) -> None:
        self._under_way.dec()
        if result is None:
            was_refused = isinstance(error, DebuggerError) and error.status < 500
            self._turns.labels("refused" if was_refused else "error").inc()
        elif result.events:  # background work that had nothing to do is none
            self._turns.labels(result.status).inc()
            self._events.inc(len(result.events))
            self._node_runs.inc(sum(event.get("type") == _NODE_RUN for event in result.events))
