"""Queue of frames to a client that may read slowly."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

MAX_WAITING = 4 * 1024 * 1024
"""Characters that wait for one client; the last frame may exceed it."""
PATIENCE_SECONDS = 5.0
"""Time that a turn waits for a client to read, before it continues without."""


class Outbox:
    """Frames to be sent to one client.

    Filled by a turn's thread, emptied by the event loop, created on the loop. While it is full the turn
    waits; once the turn has waited for too long, or the client has gone, further frames are dropped: the
    backend stores the turn in any case.

    Args:
        limit: Characters that wait.
        patience_seconds: Time that a turn waits.
    """

    def __init__(self, limit: int = MAX_WAITING, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Begin empty, on the running event loop; raises RuntimeError without one."""
        self._limit = limit
        self._patience_seconds = patience_seconds
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
        """Add a frame, from any thread but the loop's; wait for room.

        A frame of any size has room in an empty queue. After `patience_seconds` without room all frames are
        dropped and `overrun` is set. Once that has happened, or after `abandon`, the frame is dropped at
        once.
        """
        with self._changed:
            has_room = self._changed.wait_for(self._has_room, self._patience_seconds)
            if self._abandoned:
                return
            if not has_room:
                self._drop_all()
            else:
                self._frames.append(frame)
                self._size += len(frame)
        self._set(self._filled if has_room else self.overrun)

    async def next(self) -> str:
        """Return the next frame to send; call `sent` afterwards.

        Waits while there is none, after `abandon` for ever. The frame stays in the queue until `sent`.
        """
        while not self._frames:
            self._filled.clear()
            if not self._frames:
                await self._filled.wait()
        return self._frames[0]

    def sent(self) -> None:
        """Remove the frame that was sent, if frames were not dropped meanwhile.

        Wakes turns that wait for room, and `wait_until_sent`.
        """
        with self._changed:
            if self._frames:
                self._size -= len(self._frames.popleft())
            self._changed.notify_all()
        self._emptied.set()

    async def wait_until_sent(self) -> None:
        """Wait until all frames are sent; return at once without any.

        While it waits, dropping the frames does not wake it.
        """
        while self._frames:
            self._emptied.clear()
            await self._emptied.wait()

    def abandon(self) -> None:
        """Drop the frames, and those still to come."""
        with self._changed:
            self._drop_all()

    def _has_room(self) -> bool:
        return self._abandoned or not self._frames or self._size < self._limit

    def _drop_all(self) -> None:
        self._abandoned = True
        self._frames.clear()
        self._size = 0
        self._changed.notify_all()

    def _set(self, event: asyncio.Event) -> None:
        try:
            self._loop.call_soon_threadsafe(event.set)
        except RuntimeError:  # the server has ended
            self.abandon()
