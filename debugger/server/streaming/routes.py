"""Routes of the socket and of its tokens (``platform.md#websocket``)."""

from __future__ import annotations

from fastapi import APIRouter, Request, WebSocket
from typing_extensions import TypedDict

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol import urls
from debugger.protocol.runs import TURN_NUMBERS_HEADER
from debugger.server.auth import principal_of
from debugger.server.auth.middleware import is_same_site
from debugger.server.responses import RawJsonResponse
from debugger.server.services import services_of
from debugger.server.streaming.turn_socket import TurnSocket

router = APIRouter(tags=["turns"])
token_router = APIRouter(tags=["turns"])
"""The route of tokens, whose path is outside the base path."""


class SessionToken(TypedDict):
    """A token that opens one socket."""

    id: str


class SessionTokenAnswer(TypedDict):
    """A token for a socket."""

    data: SessionToken


@router.websocket(urls.STREAM)
async def stream(socket: WebSocket) -> None:
    """Execute turns, and send each event as it happens.

    Returns once the socket is closed. On a server without keys a handshake by a page of another site gets
    status 403.
    """
    if principal_of(socket.scope).key_id is None and not is_same_site(socket.headers):
        await socket.send_denial_response(
            RawJsonResponse({"detail": "A page of another site may not open this socket."}, status_code=403)
        )
        return
    await TurnSocket(socket, services_of(socket.scope)).serve()


@token_router.get(urls.SESSION, response_model=SessionTokenAnswer)
async def session_token(request: Request) -> RawJsonResponse:
    """Create a token that opens one socket within a minute.

    The header ``X-Turn-Numbers: checked`` says that the server checks the turn numbers that clients expect.
    """
    services = services_of(request.scope)
    checks_numbers = isinstance(services.backend, EmbeddedBackend)
    headers = {TURN_NUMBERS_HEADER: "checked"} if checks_numbers else None
    token = services.tokens.mint(principal_of(request.scope))
    return RawJsonResponse({"data": {"id": token}}, headers=headers)
