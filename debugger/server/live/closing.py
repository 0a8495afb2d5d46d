"""How a socket is closed: with which code, and why (``platform/wire.md`` 6.4)."""

from __future__ import annotations

from debugger.errors import DebuggerError, NotFoundError, RerunTokenError, RunEndedError
from debugger.server.errors import SESSION_NOT_FOUND

DONE = 1000
READS_TOO_SLOWLY = 1008
TOO_LARGE = 1009
BROKEN = 1011
HAS_INITIAL_STATE = 4006
BAD_RERUN_TOKEN = 4007
REFUSED = 4000
"""What is added to an HTTP status between 400 and 499; what the platform itself uses is below these."""

_LONGEST_REASON = 123
"""Bytes that fit into the frame."""


class Closing(Exception):
    """The socket is to be closed.

    Args:
        code: What the client tells the cases apart by.
        reason: The same for people.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = _cut(reason)

    @classmethod
    def refusing(cls, status: int, reason: str) -> Closing:
        """For what a request would be answered with a status from 400 to 499."""
        return cls(REFUSED + status, reason)

    @classmethod
    def after(cls, error: DebuggerError) -> Closing:
        """For an error of a turn."""
        if isinstance(error, RunEndedError):
            return cls.refusing(404, SESSION_NOT_FOUND)
        if isinstance(error, RerunTokenError):
            return cls(BAD_RERUN_TOKEN, error.message)
        if error.status < 500:
            return cls.refusing(error.status, error.message)
        # Where a database is and what ails it is for the one who runs the server.
        return cls(BROKEN, "Service unavailable" if error.status == 503 else error.message)

    @classmethod
    def of_missing_run(cls, error: NotFoundError) -> Closing:
        """For a run that is not there, which counts as a session that has ended, as it does over HTTP."""
        return cls.after(RunEndedError(error.message))


def _cut(reason: str) -> str:
    told = reason.encode(errors="replace")
    return (
        reason if len(told) <= _LONGEST_REASON else told[: _LONGEST_REASON - 3].decode(errors="ignore") + "…"
    )
