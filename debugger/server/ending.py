"""A server that is asked to end."""

from __future__ import annotations

from types import FrameType

import uvicorn

from debugger.server.readiness import Readiness


class EndingServer(uvicorn.Server):
    """Says that it is not ready from the moment on at which it is asked to end.

    Args:
        config: What is served, and how.
        readiness: What the served app tells of itself.
    """

    def __init__(self, config: uvicorn.Config, readiness: Readiness) -> None:
        super().__init__(config)
        self._readiness = readiness

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal to end."""
        self._readiness.end()
        super().handle_exit(sig, frame)
