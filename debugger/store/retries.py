"""Repetition of a transaction whose outcome is not known, because the database went away while committing."""

from __future__ import annotations

import time
from collections.abc import Callable

from debugger.errors import ConflictError, StoreLostError

_SECONDS_TO_RETURN = 10.0
"""How long a turn waits for a database that does not answer any more."""
_POLL_SECONDS = 0.1


def repeat_if_lost(attempt: Callable[[], None], is_done: Callable[[], bool]) -> None:
    """Run a transaction, again while the connection to the database is lost, until it is known to be done.

    A database that is restarted is back soon; a client that is answered with an error sends the turn again.

    Args:
        attempt: The transaction; raises `ConflictError` where it was committed already.
        is_done: Reads whether it was.

    Raises:
        ConflictError: Another client was first.
        StoreLostError: The database did not come back in time.
    """
    try:
        attempt()
        return
    except StoreLostError:
        deadline = time.monotonic() + _SECONDS_TO_RETURN
    while True:
        try:
            _attempt_again(attempt, is_done)
            return
        except StoreLostError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


def _attempt_again(attempt: Callable[[], None], is_done: Callable[[], bool]) -> None:
    try:
        attempt()
    except ConflictError:
        if not is_done():
            raise
