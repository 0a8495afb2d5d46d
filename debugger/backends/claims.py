"""Runs that something is under way with, so that nothing else begins meanwhile."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

from debugger.errors import ConflictError


class Claims:
    """The runs of this process that are being gone on with; the store guards across processes."""

    def __init__(self) -> None:
        self._claimed: set[str] = set()
        self._lock = threading.Lock()

    def claimed(self, run_id: str) -> AbstractContextManager[None]:
        """Keep everything else away from a run while the block lasts.

        The block begins with a `ConflictError` where the run is claimed already.
        """
        return _Claim(self, run_id)

    def take(self, run_id: str) -> None:
        """Claim a run.

        Raises:
            ConflictError: The run is claimed already.
        """
        with self._lock:
            if run_id in self._claimed:
                raise ConflictError(
                    f"A turn of run {run_id} is under way already.", advice="Wait for it to end, or stop it."
                )
            self._claimed.add(run_id)

    def give_up(self, run_id: str) -> None:
        """Let go of a run."""
        with self._lock:
            self._claimed.discard(run_id)


class _Claim(AbstractContextManager[None]):
    """A run that is claimed for the length of a block."""

    __slots__ = ("_claims", "_run_id")

    def __init__(self, claims: Claims, run_id: str) -> None:
        self._claims = claims
        self._run_id = run_id

    def __enter__(self) -> None:
        self._claims.take(self._run_id)

    def __exit__(self, *_: object) -> None:
        self._claims.give_up(self._run_id)
