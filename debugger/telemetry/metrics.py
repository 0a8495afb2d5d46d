"""Counters of a process for Prometheus, of the server and of the app.

Labels have values of a small fixed set: no id, nothing that a client chooses.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, Protocol

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

MEDIA_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Buckets from a lookup to a turn with long texts of models."""
_NODE_RUN = "start_node_run"


class EndedTurn(Protocol):
    """A result of a turn."""

    @property
    def status(self) -> str:
        """The status of the run after it."""

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """Its events in wire form; none for background work that had nothing to do."""


@dataclass
class CountedTurn:
    """A turn that is being executed."""

    result: EndedTurn | None = None
    """Its result; ``None`` until it ends, and for one that fails."""


class ProcessMetrics:
    """The counters of a process that executes turns.

    Args:
        version: The version of this program.
    """

    def __init__(self, version: str) -> None:
        """Create the counters, and those of the process and the platform, in a registry of their own."""
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        build = Gauge(
            "debugger_build_info", "The program that runs.", ["version", "python"], registry=self.registry
        )
        build.labels(version, platform.python_version()).set(1)
        self._turns = Counter(
            "debugger_turns",
            "Turns and steps of background work, by the status of the run after it, "
            "or 'refused' or 'error' where there was no result.",
            ["status"],
            registry=self.registry,
        )
        self._turn_seconds = Histogram(
            "debugger_turn_duration_seconds",
            "Time of a turn with a result.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._in_progress = Gauge(
            "debugger_turns_in_progress", "Turns that are running.", registry=self.registry
        )
        self._events = Counter("debugger_events", "Events of turns that have ended.", registry=self.registry)
        self._node_runs = Counter(
            "debugger_node_runs", "Node runs in turns that have ended.", registry=self.registry
        )

    def exposition(self) -> bytes:
        """Return all counters as text, in the format of `MEDIA_TYPE`."""
        return generate_latest(self.registry)

    @contextmanager
    def turn(self) -> Iterator[CountedTurn]:
        """Count the turn or the background step of the block.

        The block sets the result of the yielded object. Without one it counts as refused where a
        DebuggerError with a status below 500 leaves the block, else as an error. Errors leave unchanged.
        """
        turn = CountedTurn()
        began = time.perf_counter()
        self._in_progress.inc()
        error: BaseException | None = None
        try:
            yield turn
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._in_progress.dec()
            self._end_turn(turn.result, error, time.perf_counter() - began)

    def refuse_turn(self) -> None:
        """Count a turn that is refused before it is executed."""
        self._turns.labels("refused").inc()

    def _end_turn(self, result: EndedTurn | None, error: BaseException | None, seconds: float) -> None:
        """Count the end of a turn by its status, with its time, events and node runs.

        A result without events counts nothing. Without a result only its refusal or error counts.
        """
        if result is None:
            was_refused = isinstance(error, DebuggerError) and error.status < 500
            self._turns.labels("refused" if was_refused else "error").inc()
        elif result.events:  # background work that had nothing to do is none
            self._turns.labels(result.status).inc()
            self._turn_seconds.observe(seconds)
            self._events.inc(len(result.events))
            self._node_runs.inc(sum(event.get("type") == _NODE_RUN for event in result.events))


@cache
def app_metrics() -> ProcessMetrics:
    """Return the counters of the app, with the turns of all its tabs."""
    return ProcessMetrics(version("workflow-debugger"))
