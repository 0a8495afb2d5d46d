"""The control of a fork: the turn run again unedited, and what that tells of any fork of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.forks import ForkWay
from debugger.protocol.runs import TurnInput, TurnLog
from debugger.session.fidelity import UNCHECKED, Fidelity, judge
from debugger.session.fork_draft import ForkDraft, ForkPoint

_log = logging.getLogger(__name__)


class ControlCheck:
    """Runs a turn again on a thread of its own; on a backend without checkpoints that is a real run.

    Args:
        backend: Where the run is.
        draft: The fork; its edits are left out.
    """

    def __init__(self, backend: Backend, draft: ForkDraft) -> None:
        self.fidelity = UNCHECKED
        self._backend = backend
        self._draft = draft
        self._cancelled = threading.Event()
        self._over = threading.Event()
        self._waiting: list[Callable[[Fidelity], None]] = []
        self._lock = threading.Lock()

    @property
    def is_under_way(self) -> bool:
        """Whether it has not come to an end."""
        return not self._over.is_set()

    def begin(self) -> None:
        """Run the turn."""
        threading.Thread(target=self._check, name="control run", daemon=True).start()

    def stop(self) -> None:
        """End it early; nothing is then known."""
        self._cancelled.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it came in time (seconds)."""
        return self._over.wait(timeout)

    def then(self, take: Callable[[Fidelity], None]) -> None:
        """Hand over what is found once it is known; at once where it is."""
        with self._lock:
            if self.is_under_way:
                self._waiting.append(take)
                return
        take(self.fidelity)

    def _check(self) -> None:
        try:
            again = self._run_again(self._draft.point)
            if not self._cancelled.is_set():
                self.fidelity = judge(self._draft.point.original, again, self._draft.way)
        except DebuggerError as error:
            self.fidelity = Fidelity("unchecked", f"The control run failed: {error}")
        except Exception as error:  # a page must say something, whatever broke
            _log.exception("a control run broke off")
            self.fidelity = Fidelity("unchecked", f"The control run broke off ({type(error).__name__}).")
        finally:
            with self._lock:
                self._over.set()
            for take in self._waiting:
                take(self.fidelity)

    def _run_again(self, point: ForkPoint) -> TurnLog:
        if self._draft.way == "exact":
            events = self._backend.replay(point.run_id, point.number, cancelled=self._cancelled)
            return TurnLog(point.number, TurnInput(), events)
        run_id, log = None, TurnLog(point.number, TurnInput())
        for given in self._draft.unedited().inputs():
            if self._cancelled.is_set():
                break
            stream = self._backend.execute(
                point.workflow_id,
                given,
                run_id=run_id,
                version_number=point.version_number,
                cancelled=self._cancelled,
            )
            log = TurnLog(point.number, given, [event for event in stream if event.is_kept])
            run_id = stream.finish().run_id
        return log


def price_of_check(way: ForkWay, *, asks_models: bool) -> str:
    """What a control run costs besides time, as a sentence; empty where it may be made unasked.

    Args:
        way: How the fork is made.
        asks_models: Whether models are really asked.
    """
    if way != "exact":
        return "A check is a real run here, which stays on record; what the workflow calls is really called."
    return (
        "It asks the models once more; nothing that writes or reaches a person is called."
        if asks_models
        else ""
    )
