"""The socket's route, and the one that gives out tokens for it (``platform/wire.md`` 6.1)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, WebSocket
from starlette.datastructures import Headers

from debugger.backends.base import Backend
from debugger.protocol import urls
from debugger.server.live.drivers import Drivers
from debugger.server.live.quiet_log import keep_secrets_out_of_the_log
from debugger.server.live.stream import LiveStream
from debugger.server.live.tokens import SessionTokens
from debugger.server.reply import JsonReply
from debugger.server.running import RunningTurns

live_router = APIRouter()


class LiveServer:
    """What the sockets of one app share.

    Args:
        backend: What runs the workflows.
        running: The turns under way, for other requests to stop.
        frame_limit: Bytes that a client's frame may have.
    """

    def __init__(self, backend: Backend, running: RunningTurns, *, frame_limit: int) -> None:
        keep_secrets_out_of_the_log()
        self.tokens = SessionTokens()
        self._backend = backend
        self._running = running
        self._drivers = Drivers()
        self._frame_limit = frame_limit

    def stream(self, socket: WebSocket) -> LiveStream:
        """What serves a socket."""
        return LiveStream(socket, self._backend, self._running, self._drivers, self._frame_limit)


@live_router.websocket(urls.STREAM)
async def stream(socket: WebSocket) -> None:
    """Run turns, and send each event as it happens."""
    if _comes_from_another_page(socket.headers):
        refusal = JsonReply({"detail": "A page of another site may not open this socket."}, status_code=403)
        await socket.send_denial_response(refusal)
        return
    live: LiveServer = socket.app.state.live
    await live.stream(socket).serve()


async def session_token(request: Request) -> JsonReply:
    """A token that opens one socket, soon."""
    live: LiveServer = request.app.state.live
    return JsonReply({"data": {"id": live.tokens.mint()}})


def _comes_from_another_page(headers: Headers) -> bool:
    """Whether a browser opens the socket for a page that this server has not given it.

    Browsers let any page open sockets to any host and send along where it comes from; other clients say
    nothing. Without this, a server without a key could be used by every page that its owner visits.
    """
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
