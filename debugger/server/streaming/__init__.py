"""Turns over a WebSocket: each event is sent as it happens (``platform/wire.md`` section 6)."""
