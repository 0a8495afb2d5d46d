"""The calls of a session's run to the world outside, as far as only the record tells them."""

from __future__ import annotations

from typing import Any

from debugger.analysis.side_effects import ledgers, needs_record
from debugger.backends.base import Backend
from debugger.errors import DebuggerError
from debugger.protocol.runs import TurnLog


class SideEffectLog:
    """The side effects that the record holds of turns whose events do not tell them.

    Args:
        backend: Has the record.
        recorded: What the record says already, where the run is on record.
    """

    def __init__(self, backend: Backend, recorded: dict[str, list[Any]] | None = None) -> None:
        self.recorded = recorded or {}
        """See `debugger.analysis.side_effects.Ledgers`."""
        self.reads = 0
        """How often the record was read: what was made of it before is out of date."""
        self.error: DebuggerError | None = None
        """Why some of it could not be read."""
        self._backend = backend

    def update(self, run_id: str, log: TurnLog) -> None:
        """Read the side effects of a finished turn from the record, where only that has them."""
        if not needs_record(log):
            return
        try:
            self.recorded = ledgers(self._backend.run(run_id))
            self.error = None
            self.reads += 1
        except DebuggerError as error:
            self.error = error
