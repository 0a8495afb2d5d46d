"""The hosted API's URLs, served from any backend.

`create_app` returns an ASGI app; `serve` answers with it until the process gets a signal to end:

    >>> from starlette.testclient import TestClient
    >>> from debugger.backends.embedded import EmbeddedBackend
    >>> from debugger.server import create_app
    >>> from debugger.settings import Settings
    >>> backend = EmbeddedBackend(Settings(database="sqlite://"))
    >>> with TestClient(create_app(backend), base_url="http://localhost") as client:
    ...     client.get("/readyz").json()["status"]
    'ready'
    >>> backend.close()

The names in ``__all__`` are public (``docs/python.md``); all else may change with any version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from debugger.lazy_names import lazy_names

if TYPE_CHECKING:
    from debugger.server.app import create_app
    from debugger.server.http_server import serve
    from debugger.server.limits import ConnectionLimits
    from debugger.server.turn_limiter import TurnLimiter

__all__ = [
    "ConnectionLimits",
    "TurnLimiter",
    "create_app",
    "serve",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ConnectionLimits": "debugger.server.limits",
        "TurnLimiter": "debugger.server.turn_limiter",
        "create_app": "debugger.server.app",
        "serve": "debugger.server.http_server",
    },
)
