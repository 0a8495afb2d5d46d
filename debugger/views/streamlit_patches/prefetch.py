"""A link to a long run lets the run be read while the browser still loads the page."""

from __future__ import annotations

from urllib.parse import parse_qsl

from debugger.session.registry import prefetcher
from debugger.views.asgi import Application, Receive, Scope, Send
from debugger.views.backends import embedded_backend
from debugger.views.url_state import Address


class Prefetch:
    """Stands before the app, and looks at what pages are asked for.

    Args:
        app: Answers.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer; a run of the embedded engine that the address names is read meanwhile."""
        if scope["type"] == "http":
            wanted = Address.from_parameters(dict(parse_qsl(scope["query_string"].decode("latin-1"))))
            if wanted.run and wanted.backend == "embedded":
                prefetcher.begin(embedded_backend, wanted.run)
        await self._app(scope, receive, send)
