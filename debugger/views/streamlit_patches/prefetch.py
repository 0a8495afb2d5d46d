"""Prefetch of a recorded run while the browser loads the page."""

from __future__ import annotations

from urllib.parse import parse_qsl

from debugger.session.registry import prefetcher
from debugger.views.asgi import Application, Receive, Scope, Send
from debugger.views.backends import embedded_backend
from debugger.views.url_state import Address


class Prefetch:
    """Middleware that begins to read the run of a page's address.

    Args:
        app: Answers.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; read the run of the embedded engine that its address names meanwhile.

        Nothing is read ahead for another backend, or for an address without backend or run.
        """
        if scope["type"] == "http":
            wanted = Address.from_parameters(dict(parse_qsl(scope["query_string"].decode("latin-1"))))
            if wanted.run and wanted.backend == "embedded":
                prefetcher.begin(embedded_backend, wanted.run)
        await self._app(scope, receive, send)
