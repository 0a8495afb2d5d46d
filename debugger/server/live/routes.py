"""The socket's route, and the one that gives out tokens for it (``platform/wire.md`` 6.1)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, WebSocket
from starlette.datastructures import Headers

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol import urls
from debugger.protocol.runs import TURN_NUMBERS_HEADER
from debugger.server.access import caller_of
from debugger.server.access.visit import Visit
from debugger.server.answers.server import SessionTokenAnswer
from debugger.server.live.stream import LiveStream
from debugger.server.operations import described
from debugger.server.reply import JsonReply
from debugger.server.services import services_of

live_router = APIRouter()


@live_router.websocket(urls.STREAM)
async def stream(socket: WebSocket) -> None:
    """Run turns, and send each event as it happens."""
    caller, services = caller_of(socket.scope), services_of(socket.scope)
    if caller.key_id is None and not _is_of_this_site(socket.headers):
        refusal = JsonReply({"detail": "A page of another site may not open this socket."}, status_code=403)
        await socket.send_denial_response(refusal)
        return
    await LiveStream(socket, services, Visit(caller, services.ring)).serve()


@described(SessionTokenAnswer)
async def session_token(request: Request) -> JsonReply:
    """Return a token that opens one socket, soon, to the caller.

    The header ``X-Turn-Numbers: checked`` says that the server checks the turn numbers that clients expect.
    """
    services = services_of(request.scope)
    checks_numbers = isinstance(services.backend, EmbeddedBackend)
    headers = {TURN_NUMBERS_HEADER: "checked"} if checks_numbers else None
    return JsonReply({"data": {"id": services.tokens.mint(caller_of(request.scope))}}, headers=headers)


def _is_of_this_site(headers: Headers) -> bool:
    """Whether no page of another site asks for a handshake.

    Browsers let any page open sockets to any host and send along where it comes from; other clients say
    nothing. A server without a key could so be used by every page that its owner visits.
    """
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
