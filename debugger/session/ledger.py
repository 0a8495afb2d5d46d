"""The ledger of a session's run: its calls to the world outside, as far as only the record tells them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from debugger.analysis.side_effects import ledgers, needs_record
from debugger.backends.base import Backend, TurnStream
from debugger.errors import DebuggerError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnLog, TurnResult


class Ledger:
    """Remembers what the record said of turns that do not tell it themselves.

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

    def follow(self, stream: TurnStream, log: TurnLog) -> TurnStream:
        """The same stream, at whose end the ledger is read from the record where only that has it.

        Args:
            stream: A turn, or some background work.
            log: Where its events are put as they are pulled.
        """
        return TurnStream(stream.run_id, self._followed(stream, log))

    def _followed(self, stream: TurnStream, log: TurnLog) -> Generator[Event, None, TurnResult]:
        yield from stream
        result = stream.finish()
        if needs_record(log):
            self._read(result.run_id)
        return result

    def _read(self, run_id: str) -> None:
        try:
            self.recorded = ledgers(self._backend.run(run_id))
            self.error = None
            self.reads += 1
        except DebuggerError as error:
            self.error = error
