"""Turns over a WebSocket, with each event as it happens.

Source: ``platform/wire.md`` section 6.
"""
