"""Turns that are being run for one request, so that another request can stop them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from debugger.protocol.runs import TurnResult
from debugger.server.metrics import Metrics


@dataclass
class RunningTurn:
    """One turn under way."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set to end it early."""
    over: threading.Event = field(default_factory=threading.Event)
    run_id: str | None = None
    """The run under which others find it."""
    result: TurnResult | None = None
    """How it ended; ``None`` until then, and when it ended in an error."""


class RunningTurns:
    """The turns under way by run. A first turn has no run id yet and so cannot be stopped.

    Args:
        metrics: Where they are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._turns: dict[str, RunningTurn] = {}
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, run_id: str | None, cancelled: threading.Event | None = None) -> Iterator[RunningTurn]:
        """A turn that can be stopped for as long as the block lasts, unless the run has another one.

        Args:
            run_id: The run, where it is known already; see `name`.
            cancelled: What ends the turn early, where there is something already.
        """
        turn = RunningTurn(cancelled or threading.Event())
        self._metrics.begin_turn()
        error: BaseException | None = None
        try:
            if run_id is not None:
                self.name(turn, run_id)
            yield turn
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._metrics.end_turn(turn.result, error)
            if turn.run_id is not None:
                with self._lock:
                    del self._turns[turn.run_id]
            turn.over.set()

    def name(self, turn: RunningTurn, run_id: str) -> None:
        """Say whose a turn under way is that was begun without a run: it can be stopped from now on."""
        with self._lock:
            if self._turns.setdefault(run_id, turn) is turn:
                turn.run_id = run_id

    def has(self, run_id: str) -> bool:
        """Whether a turn of a run is under way."""
        with self._lock:
            return run_id in self._turns

    def stop(self, run_id: str) -> TurnResult | None:
        """End the turn of a run and wait until it has ended.

        Returns:
            The turn's result, ``None`` when no turn is under way or when it ended in an error.
        """
        with self._lock:
            turn = self._turns.get(run_id)
        if turn is None:
            return None
        turn.cancelled.set()
        turn.over.wait()
        return turn.result
