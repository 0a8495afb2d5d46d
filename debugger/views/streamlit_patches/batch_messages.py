"""Batched messages: a browser draws the page once per change.

Streamlit sends what a script draws piece by piece, and its browser side goes through the whole page for what
came in each hundredth of a second, and once more at the end of the script. Of a script that is quick, all of
that is one drawing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from debugger.views.asgi import Application, Message, Receive, Scope, Send

_DRAWN = ("delta", "ref_hash", "page_info_changed")
"""Messages of a drawing. The start of a script is sent at once: the browser marks the page meanwhile."""
_LONGEST = 0.12
"""Seconds that a part waits for others at most."""


class BatchMessages:
    """Middleware that holds back what a script draws until it ends.

    Args:
        app: Answers.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; send messages to a page in batches.

        What is still held back when the connection ends is not sent.
        """
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        outbox = _Outbox(send)
        try:
            await self._app(scope, receive, outbox.put)
        finally:
            outbox.close()


class _Outbox:
    """Messages of one connection that are held back."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[Message] = []
        self._in_turn = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    async def put(self, message: Message) -> None:
        """Hold a message of a drawing back for up to `_LONGEST` seconds.

        Any other message is sent at once, after what is held; then the error of a browser that has gone is
        raised.
        """
        self._held.append(message)
        if _kind(message) not in _DRAWN:
            self.close()
            await self._release()
        elif self._later is None:
            self._later = asyncio.create_task(self._release_later())

    def close(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def _release_later(self) -> None:
        await asyncio.sleep(_LONGEST)
        self._later = None
        with suppress(Exception):  # the next sender gets the error of a browser that has gone
            await self._release()

    async def _release(self) -> None:
        async with self._in_turn:
            while self._held:
                await self._send(self._held.pop(0))


def _kind(message: Message) -> str | None:
    """Return the kind of a message to the page; ``None`` for one that has no such content.

    Raises `DecodeError` for bytes that are no message of Streamlit.
    """
    data = message.get("bytes")
    if message["type"] != "websocket.send" or data is None:
        return None
    kind: str | None = ForwardMsg.FromString(data).WhichOneof("type")
    return kind
