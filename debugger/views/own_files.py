"""What the elements of our own are made of goes to a browser once: it keeps each file for good."""

from __future__ import annotations

from debugger.views.asgi import Application, Receive, Scope, Send
from debugger.views.parts.own_component import FOLDER, own_file

_HEADERS = [
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", b"public, max-age=31536000, immutable"),  # another content has another name
    (b"x-content-type-options", b"nosniff"),
]


class OwnFiles:
    """Stands before the app, and answers for the files of its elements.

    Args:
        app: Answers all else.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a file by its name, under whatever path the app itself is served."""
        _, _, name = scope.get("path", "").rpartition(FOLDER)
        content = own_file(name) if scope["type"] == "http" else None
        if content is None:
            await self._app(scope, receive, send)
            return
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": content if scope["method"] != "HEAD" else b""})
