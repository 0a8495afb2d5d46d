"""What the sockets of one team share."""

from __future__ import annotations

from fastapi import WebSocket

from debugger.backends.base import Backend
from debugger.server.access.visit import Visit
from debugger.server.admission import Admission
from debugger.server.live.beginnings import Beginnings
from debugger.server.live.drivers import Drivers
from debugger.server.live.stream import LiveStream
from debugger.server.metrics import Metrics
from debugger.server.turn_limiter import TurnLimiter


class LiveServer:
    """Serves the sockets of one team.

    Args:
        backend: What runs the workflows.
        admission: Knows how many runs of a workflow there may be at once.
        metrics: Where turns are counted, and what is refused.
    """

    def __init__(self, backend: Backend, admission: Admission, metrics: Metrics) -> None:
        self._backend = backend
        self._metrics = metrics
        self._drivers = Drivers()
        self._beginnings = Beginnings(backend, admission)

    def stream(self, socket: WebSocket, visit: Visit, turns: TurnLimiter, *, frame_limit: int) -> LiveStream:
        """What serves a socket.

        Args:
            socket: Not accepted yet.
            visit: Its caller's.
            turns: Has the threads for turns.
            frame_limit: Bytes that a frame of the client may have.
        """
        return LiveStream(
            socket,
            self._backend,
            self._drivers,
            self._beginnings,
            self._metrics,
            visit,
            turns,
            frame_limit,
        )
