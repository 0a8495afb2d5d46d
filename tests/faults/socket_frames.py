"""WebSocket frames on the wire (RFC 6455 section 5)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

CLOSE = 8
_FIRST_CONTROL = 8


@dataclass(frozen=True)
class Unit:
    """A control frame, or all frames of one message."""

    raw: bytes
    opcode: int
    content: bytes
    """Without the mask."""

    @property
    def is_control(self):
        return self.opcode >= _FIRST_CONTROL


async def read_units(reader):
    """Yield units of a socket until it ends.

    Control frames between fragments come at once.
    """
    fragments, opcode, content = [], 0, []
    while True:
        try:
            raw, first, payload = await _read_frame(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        kind = first & 0x0F
        if kind >= _FIRST_CONTROL:
            yield Unit(raw, kind, payload)
            continue
        opcode = kind or opcode  # a continuation has none
        fragments.append(raw)
        content.append(payload)
        if first & 0x80:
            yield Unit(b"".join(fragments), opcode, b"".join(content))
            fragments, opcode, content = [], 0, []


def text_frame(content):
    """Return a text frame of the server."""
    length = len(content)
    if length < 126:
        return bytes([0x81, length]) + content
    if length < 65_536:
        return bytes([0x81, 126]) + length.to_bytes(2, "big") + content
    return bytes([0x81, 127]) + length.to_bytes(8, "big") + content


def close_frame(code, reason):
    """Return a close of the server."""
    payload = code.to_bytes(2, "big") + reason.encode()
    assert len(payload) < 126, "a control frame has a short payload"
    return bytes([0x80 | CLOSE, len(payload)]) + payload


async def _read_frame(reader):
    head = await reader.readexactly(2)
    length, extended = head[1] & 0x7F, b""
    if length >= 126:
        extended = await reader.readexactly(2 if length == 126 else 8)
        length = int.from_bytes(extended, "big")
    mask = await reader.readexactly(4) if head[1] & 0x80 else b""
    payload = await reader.readexactly(length)
    return head + extended + mask + payload, head[0], _unmasked(payload, mask)


def _unmasked(payload, mask):
    if not mask or not payload:
        return payload
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
