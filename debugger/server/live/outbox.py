"""Frames on their way from the thread that pulls a turn to a client who may read slowly."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

LIMIT = 4 * 1024 * 1024
"""Characters that wait for one client at most, but for the last frame of them."""
PATIENCE = 5.0
"""Seconds that a turn waits for a client to read on, before it goes on without."""


class Outbox:
    """What one client is still to be sent. A turn fills it on its thread; the event loop empties it.

    Made on the loop. While it is full the turn waits; once the turn has waited for too long, or the client
    has gone, what is put in is dropped: the turn itself is kept by the backend, whoever listens.

    Args:
        limit: Characters that wait at most.
        patience: Seconds that a turn waits.
    """

    def __init__(self, limit: int = LIMIT, patience: float = PATIENCE) -> None:
        self._limit = limit
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._frames: deque[str] = deque()
        self._size = 0
        self._abandoned = False
        self._changed = threading.Condition()
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self.overrun = asyncio.Event()
        """Set once a turn has waited for too long."""

    def put(self, frame: str) -> None:
        """Add a frame, from any thread but the loop's; waits for room."""
        with self._changed:
            has_room = self._changed.wait_for(self._has_room, self._patience)
            if self._abandoned:
                return
            if not has_room:
                self._drop_all()
            else:
                self._frames.append(frame)
                self._size += len(frame)
        self._tell(self._filled if has_room else self.overrun)

    async def next(self) -> str:
        """The next frame to send; call `sent` once it is."""
        while not self._frames:
            self._filled.clear()
            if not self._frames:
                await self._filled.wait()
        return self._frames[0]

    def sent(self) -> None:
        """Let go of the frame that was sent."""
        with self._changed:
            if self._frames:
                self._size -= len(self._frames.popleft())
            self._changed.notify_all()
        self._emptied.set()

    async def drained(self) -> None:
        """Wait until everything is sent."""
        while self._frames:
            self._emptied.clear()
            await self._emptied.wait()

    def abandon(self) -> None:
        """Drop what is there and what is still to come."""
        with self._changed:
            self._drop_all()

    def _has_room(self) -> bool:
        return self._abandoned or not self._frames or self._size < self._limit

    def _drop_all(self) -> None:
        self._abandoned = True
        self._frames.clear()
        self._size = 0
        self._changed.notify_all()

    def _tell(self, event: asyncio.Event) -> None:
        try:
            self._loop.call_soon_threadsafe(event.set)
        except RuntimeError:  # the server has ended, and nobody listens any more
            self.abandon()
