"""The start of a run over a socket: admitted by its workflow's limit, or redeemed with a re-run token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import DebuggerError, RerunTokenError
from debugger.server import rerun_tickets
from debugger.server.live.frames import TurnFrame
from debugger.server.services import Services


@contextmanager
def admit_run(services: Services, workflow_id: str, frame: TurnFrame) -> Iterator[str | None]:
    """Admit a run while its first turn is claimed; gives the run's id where it has one, as a re-run has.

    Raises:
        RateLimitError: No more runs of the workflow may be under way.
        RerunTokenError: The token cannot be redeemed.
    """
    backend = services.backend
    if not isinstance(backend, EmbeddedBackend):
        if frame.rerun_token is not None:
            raise RerunTokenError("Runs are not taken again here.")
        yield None
        return
    with services.admission.of(backend, workflow_id, frame.turn_input.client_turn_id):
        yield _redeem(backend, workflow_id, frame)


def _redeem(engine: EmbeddedBackend, workflow_id: str, frame: TurnFrame) -> str | None:
    if frame.rerun_token is None:
        return None
    turn_input = frame.turn_input
    try:
        return rerun_tickets.redeem(
            engine,
            frame.rerun_token,
            workflow_id=workflow_id,
            version_number=turn_input.version_number,
            run_by=turn_input.run_by,
        )
    except DebuggerError as error:
        if error.status >= 500:  # the token may be good all the same
            raise
        claim = engine.store.claims.find(turn_input.client_turn_id) if turn_input.client_turn_id else None
        if claim is not None:  # the frame was sent before, and the token redeemed
            return claim.run_id
        raise RerunTokenError(error.message) from error
