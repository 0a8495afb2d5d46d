"""The id of a request: in every answer, and in the log when something breaks."""

from __future__ import annotations

import logging
import secrets

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from debugger.server.quiet_log import shown
from debugger.server.reply import JsonReply

logger = logging.getLogger(__name__)


class RequestIds:
    """Give every answer an ``X-Request-Id``, and answer 500 for what nobody foresaw.

    The body then says nothing of the cause; the log has it under the same id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and see that it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            path = shown(scope["path"])
            logger.info("%s %s: the client left (request %s)", scope["method"], path, request_id)
        except Exception:
            path = shown(scope["path"])
            logger.exception("%s %s failed (request %s)", scope["method"], path, request_id)
            if begun:
                raise
            reply = JsonReply({"detail": "Internal server error"}, status_code=500)
            await reply(scope, receive, send_with_id)
