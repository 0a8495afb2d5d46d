"""To look up what became of a turn whose socket was lost before the turn was over."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from debugger.backends.http_errors import Asked, refusal
from debugger.backends.live_results import HeardTurn, MayGoOn, recorded_result
from debugger.backends.live_socket import SocketClosed
from debugger.errors import ConnectionFailedError, DebuggerError, NotFoundError
from debugger.protocol.runs import Run, TurnResult

LOOK_EVERY = 0.5
"""Seconds between two looks at the record."""

_REFUSED = range(4400, 4500)
"""Close codes that say what a request would be answered with, plus 4000."""
_SAID_TO_BE_WRONG = {4006: 422, 4007: 409, 1009: 413}
_FAILED = 1011


def refused(closed: SocketClosed, asked: Asked, heard: HeardTurn) -> DebuggerError | None:
    """The error for a turn that the server has refused; ``None`` where it may have been run.

    Source: ``platform/wire.md`` 6.4.
    """
    if closed.code is None:
        return None
    status = closed.code - 4000 if closed.code in _REFUSED else _SAID_TO_BE_WRONG.get(closed.code)
    if status is None and closed.code == _FAILED and not heard.is_begun and closed.reason:
        status = 500
    if status is None:
        return None
    return refusal(asked, httpx.Response(status, json={"detail": closed.reason}))


class LostTurns:
    """Asks the record of a run what became of a turn. Nothing is ever sent again.

    Args:
        run: Gives a run's record.
        patience: Seconds in which a turn must be on record; the server may still be running it.
    """

    def __init__(self, run: Callable[[str], Run], *, patience: float) -> None:
        self._run = run
        self._patience = patience

    def found(self, heard: HeardTurn, closed: SocketClosed, asked: Asked, may_go_on: MayGoOn) -> TurnResult:
        """How a turn ended.

        Args:
            heard: What was heard of it.
            closed: How its socket was lost.
            asked: The turn, as errors tell of it.
            may_go_on: Tells whether the run may go on without its user.

        Raises:
            ConnectionFailedError: That cannot be found out.
        """
        if heard.run_id is None:
            raise self._lost(asked, closed, "The run of the turn is not known, so its record is not either.")
        ends = time.monotonic() + self._patience
        while True:
            result = self._look(heard, closed, asked, may_go_on)
            if result is not None:
                return result
            if time.monotonic() >= ends:
                raise self._lost(
                    asked, closed, f"The record of run {heard.run_id} does not hold the turn, or not yet."
                )
            time.sleep(LOOK_EVERY)

    def _look(
        self, heard: HeardTurn, closed: SocketClosed, asked: Asked, may_go_on: MayGoOn
    ) -> TurnResult | None:
        assert heard.run_id is not None
        try:
            return recorded_result(self._run(heard.run_id), heard, may_go_on)
        except NotFoundError:
            return None
        except DebuggerError as error:
            raise self._lost(asked, closed, f"The record cannot be read: {error.message}") from error

    def _lost(self, asked: Asked, closed: SocketClosed, found: str) -> ConnectionFailedError:
        told = f" ({asked.quote(f'{closed.code} {closed.reason}')})" if closed.code else ""
        return ConnectionFailedError(
            f"The connection for {asked} broke before the turn was over{told}. {found} {asked.risk}",
            advice="Look at the run before you send the turn again: it stands at its last finished turn.",
        )
