"""Which socket goes on with the background work of a run."""

from __future__ import annotations

import threading


class Drivers:
    """The sockets that drive runs: for each run the one that sent its last turn, while it is open."""

    def __init__(self) -> None:
        self._drivers: dict[str, object] = {}
        self._lock = threading.Lock()

    def enter(self, run_id: str, driver: object) -> None:
        """Let a socket drive a run from now on, instead of any other."""
        with self._lock:
            self._drivers[run_id] = driver

    def drives(self, run_id: str, driver: object) -> bool:
        """Whether a socket still drives a run."""
        return self._drivers.get(run_id) is driver

    def leave(self, run_id: str, driver: object) -> None:
        """Let a socket drive a run no longer."""
        with self._lock:
            if self._drivers.get(run_id) is driver:
                del self._drivers[run_id]
