"""The socket's route, and the one that gives out tokens for it (``platform/wire.md`` 6.1)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, WebSocket
from starlette.datastructures import Headers

from debugger.backends.base import Backend
from debugger.protocol import urls
from debugger.server.answers.server import SessionTokenAnswer
from debugger.server.concurrency import Admission
from debugger.server.live.beginnings import Beginnings
from debugger.server.live.drivers import Drivers
from debugger.server.live.quiet_log import keep_secrets_out_of_the_log
from debugger.server.live.stream import LiveStream
from debugger.server.live.tokens import SessionTokens
from debugger.server.operations import described
from debugger.server.reply import JsonReply
from debugger.server.running import RunningTurns

live_router = APIRouter()


class LiveServer:
    """What the sockets of one app share.

    Args:
        backend: What runs the workflows.
        running: The turns under way, for other requests to stop.
        admission: Knows how many runs of a workflow there may be at once.
        frame_limit: Bytes that a client's frame may have.
        has_key: Whether a socket is opened to those only that have a key, or a token that somebody with a
            key has given them.
    """

    def __init__(
        self,
        backend: Backend,
        running: RunningTurns,
        admission: Admission,
        *,
        frame_limit: int,
        has_key: bool,
    ) -> None:
        keep_secrets_out_of_the_log()
        self.tokens = SessionTokens()
        self._backend = backend
        self._running = running
        self._drivers = Drivers()
        self._beginnings = Beginnings(backend, admission)
        self._frame_limit = frame_limit
        self._has_key = has_key

    def lets_in(self, headers: Headers) -> bool:
        """Whether a handshake may be accepted that the door has let by.

        Browsers let any page open sockets to any host and send along where it comes from; other clients say
        nothing. A server without a key could so be used by every page that its owner visits.
        """
        origin = headers.get("origin")
        if self._has_key or origin is None:
            return True
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()

    def stream(self, socket: WebSocket) -> LiveStream:
        """What serves a socket."""
        return LiveStream(
            socket, self._backend, self._running, self._drivers, self._beginnings, self._frame_limit
        )


@live_router.websocket(urls.STREAM)
async def stream(socket: WebSocket) -> None:
    """Run turns, and send each event as it happens."""
    live: LiveServer = socket.app.state.live
    if not live.lets_in(socket.headers):
        refusal = JsonReply({"detail": "A page of another site may not open this socket."}, status_code=403)
        await socket.send_denial_response(refusal)
        return
    await live.stream(socket).serve()


@described(SessionTokenAnswer)
async def session_token(request: Request) -> JsonReply:
    """A token that opens one socket, soon."""
    live: LiveServer = request.app.state.live
    return JsonReply({"data": {"id": live.tokens.mint()}})
