"""Turns over a WebSocket: each event goes out as it happens (``platform/wire.md`` section 6)."""

from __future__ import annotations

from debugger.server.live.routes import LiveServer, live_router, session_token

__all__ = ["LiveServer", "live_router", "session_token"]
