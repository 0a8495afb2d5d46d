"""Turns over a WebSocket: each event goes out as it happens (``platform/wire.md`` section 6)."""
