"""How a run begins that a socket asks for: let in, and from a re-run token where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import DebuggerError, RerunTokenError
from debugger.server import rerun_tickets
from debugger.server.admission import Admission
from debugger.server.live.frames import TurnFrame


class Beginnings:
    """Lets runs begin.

    Args:
        backend: What runs the workflows.
        admission: Knows how many runs of a workflow there may be at once.
    """

    def __init__(self, backend: Backend, admission: Admission) -> None:
        self._backend = backend
        self._admission = admission

    @contextmanager
    def of(self, workflow_id: str, frame: TurnFrame) -> Iterator[str | None]:
        """Admit a run while its first turn is claimed; gives the run's id where it has one, as a re-run has.

        Raises:
            RateLimitError: No more runs of the workflow may be under way.
            RerunTokenError: The token cannot be redeemed.
        """
        if not isinstance(self._backend, EmbeddedBackend):
            if frame.rerun_token is not None:
                raise RerunTokenError("Runs are not taken again here.")
            yield None
            return
        with self._admission.of(self._backend, workflow_id, frame.turn_input.client_turn_id):
            yield _redeemed(self._backend, workflow_id, frame)


def _redeemed(engine: EmbeddedBackend, workflow_id: str, frame: TurnFrame) -> str | None:
    """The run that a frame's token stands for (``platform/wire.md`` 6.2)."""
    if frame.rerun_token is None:
        return None
    given = frame.turn_input
    try:
        return rerun_tickets.redeem(
            engine,
            frame.rerun_token,
            workflow_id=workflow_id,
            version_number=given.version_number,
            run_by=given.run_by,
        )
    except DebuggerError as error:
        if error.status >= 500:  # the token may be good all the same
            raise
        found = engine.store.claims.find(given.client_turn_id) if given.client_turn_id else None
        if found is not None:  # the frame was sent before, and the token redeemed
            return found.run_id
        raise RerunTokenError(error.message) from error
