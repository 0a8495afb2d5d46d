"""Turns over a WebSocket, with each event as it happens.

Source: ``platform.md#websocket``.
"""
