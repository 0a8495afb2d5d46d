"""Runs that something is under way with, so that nothing else begins meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from debugger.errors import ConflictError


class Claims:
    """The runs of this process that are being gone on with; the store guards across processes."""

    def __init__(self) -> None:
        self._claimed: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def claimed(self, run_id: str | None) -> Iterator[None]:
        """Keep everything else away from a run while the block lasts; a run without an id has nothing else.

        Raises:
            ConflictError: The run is claimed already.
        """
        if run_id is None:
            yield
            return
        with self._lock:
            if run_id in self._claimed:
                raise ConflictError(
                    f"A turn of run {run_id} is under way already.", advice="Wait for it to end, or stop it."
                )
            self._claimed.add(run_id)
        try:
            yield
        finally:
            with self._lock:
                self._claimed.discard(run_id)
