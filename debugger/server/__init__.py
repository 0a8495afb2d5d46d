"""The hosted API's URLs, served from any backend."""

from __future__ import annotations

from debugger.server.app import create_app
from debugger.server.serve import serve

__all__ = ["create_app", "serve"]
