"""Files of the components, which a browser loads once.

It would ask for them when the page is drawn, which is when it has most to do. So it learns of them with the
page's first answer, and loads them beside Streamlit's own scripts.
"""

from __future__ import annotations

from debugger.views.asgi import Application, Message, Receive, Scope, Send
from debugger.views.components.factory import FOLDER, component_file, component_files

_HEADERS = [
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", b"public, max-age=31536000, immutable"),  # another content has another name
]


class ComponentAssets:
    """Middleware that serves component files and announces them with pages.

    Args:
        app: Answers all else.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a file by its name, under any base path.

        All else is passed on, with links to the files on pages.
        """
        _, _, name = scope.get("path", "").rpartition(FOLDER)
        content = component_file(name) if scope["type"] == "http" else None
        if content is None:
            await self._app(scope, receive, _telling(send) if scope["type"] == "http" else send)
            return
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": content if scope["method"] != "HEAD" else b""})


def _telling(send: Send) -> Send:
    """Return a sender that adds links to the component files to the head of an HTML answer."""

    async def sent(message: Message) -> None:
        """Send a message, with the links where it is the head of a page."""
        headers, files = dict(message.get("headers", ())), component_files()
        if files and headers.get(b"content-type", b"").startswith(b"text/html"):
            links = (f"<{FOLDER[1:]}{name}>; rel=modulepreload" for name in files)
            message = {**message, "headers": [*message["headers"], (b"link", ", ".join(links).encode())]}
        await send(message)

    return sent
