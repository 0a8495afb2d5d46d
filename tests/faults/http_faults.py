"""One request through the proxy, and the faults that can strike it."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct
from socket import SO_LINGER, SOL_SOCKET

from tests.faults.fault import EXECUTE
from tests.faults.http_messages import answer, brief, read_answer

DRIP_STEP = 0.005
"""Seconds between two pieces of an answer that drips."""
_AT_ONCE = struct.pack("ii", 1, 0)
"""For ``SO_LINGER``: what is not sent yet is discarded, and the peer gets a reset."""


class Exchange:
    """One request of a client, and what it gets for it.

    Args:
        proxy: Opens connections to the server and remembers answers.
        request: The request.
        target: Which of the targets of faults it is.
        reader: From the client.
        writer: To the client.
    """

    def __init__(self, proxy, request, target, reader, writer):
        self.request = request
        self.sent = None
        """The answer that the client got unchanged; ``None`` where it got another one or none."""
        self.upstream = None
        """The connection to the server over which the request went last."""
        self.is_open = True
        """Whether the client's connection can carry another request."""
        self._proxy = proxy
        self._path = request.first_line.split(" ")[1]
        self._target = target
        self._reader = reader
        self._writer = writer

    async def run(self, fault):
        """Answer the request, with a fault or without."""
        await (FAULTS[fault.kind](self, fault) if fault else _pass(self))
        if self.request.closes:
            self.is_open = False

    async def forward(self):
        """Send the request to the server and return its answer."""
        self.leave_upstream()
        self.upstream = reader, writer = await self._proxy.connect()
        writer.write(self.request.raw)
        await writer.drain()
        message = await read_answer(reader)
        if message is None:
            raise ConnectionResetError("the server closed the connection without an answer")
        message = self._proxy.as_of_then(self._target, message)
        self._proxy.remember(self._target, self._path, message)
        if self._target == EXECUTE:
            self._proxy.note(f"server answers {brief(message)}")
        return message

    def forward_aside(self):
        """Send the request to the server, and do not wait for its answer."""
        self._proxy.run_aside(self.forward_copy(0))

    async def forward_copy(self, seconds):
        """Send the request again later, over another connection."""
        await asyncio.sleep(seconds)
        copy = Exchange(self._proxy, self.request, self._target, self._reader, self._writer)
        try:
            await copy.forward()
        finally:
            copy.leave_upstream()

    def earlier_answer(self):
        """Return the server's last response to the same target."""
        return self._proxy.remembered(self._target)

    def cached_answer(self):
        """Return the server's last response to the same URL, and its age; ``None`` without one."""
        return self._proxy.cached(self._path)

    async def send(self, message):
        """Send an answer to the client."""
        await self.send_bytes(message.raw)
        self.sent = message
        self.is_open = self.is_open and not message.closes

    async def send_bytes(self, data):
        """Send some bytes of an answer to the client."""
        if data.startswith(b"HTTP/"):
            self._proxy.note(f"client gets {brief(data)}")
        self._writer.write(data)
        await self._writer.drain()

    def close(self, *, is_reset=False):
        """Close the client's connection."""
        self._proxy.note("the client's connection is closed")
        self.is_open = False
        close(self._writer, is_reset=is_reset)

    async def wait_for_client(self):
        """Wait until the client closes its connection."""
        self.is_open = False
        while await self._reader.read(65_536):
            pass

    def leave_upstream(self):
        """Close the connection to the server."""
        if self.upstream is not None:
            close(self.upstream[1])
            self.upstream = None


def close(writer, *, is_reset=False):
    """Close a connection: as usual, or by a reset of TCP."""
    if is_reset:
        sock = writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(SOL_SOCKET, SO_LINGER, _AT_ONCE)
        writer.transport.abort()
    else:
        writer.close()


async def _pass(exchange):
    await exchange.send(await exchange.forward())


async def _delay_request(exchange, fault):
    await asyncio.sleep(fault.seconds)
    await _pass(exchange)


async def _delay_answer(exchange, fault):
    message = await exchange.forward()
    await asyncio.sleep(fault.seconds)
    await exchange.send(message)


async def _drop(exchange, fault):
    if fault.is_forwarded:
        await exchange.forward()
    exchange.close(is_reset=fault.is_reset)


async def _no_answer(exchange, fault):
    if fault.is_forwarded:
        await exchange.forward()
    await exchange.wait_for_client()


async def _cut_answer(exchange, fault):
    message = await exchange.forward()
    half = message.content[: len(message.content) // 2]
    if fault.is_chunked:
        await exchange.send_bytes(message.in_chunks(half).raw)
    elif message.body:
        await exchange.send_bytes(message.head + message.body[: len(message.body) // 2])
    else:
        await exchange.send_bytes(message.head[: len(message.head) // 2])
    exchange.close()


async def _duplicate_answer(exchange, fault):
    earlier = exchange.earlier_answer()
    if fault.is_forwarded:
        await exchange.forward()
    await exchange.send_bytes(earlier.with_headers(fault.headers).raw)


async def _duplicate_request(exchange, fault):
    message, _ = await asyncio.gather(exchange.forward(), exchange.forward_copy(fault.seconds))
    if fault.is_answered:
        await exchange.send(message)
    else:
        exchange.close()


async def _half_json(exchange, fault):
    message = await exchange.forward()
    await exchange.send_bytes(message.with_content(message.content[: len(message.content) // 2]).raw)


async def _replace_answer(exchange, fault):
    if fault.is_forwarded and fault.is_awaited:
        await exchange.forward()
    elif fault.is_forwarded:
        exchange.forward_aside()
    message = answer(fault.status, fault.content, fault.content_type, **dict(fault.headers))
    await exchange.send_bytes(message.raw)


async def _broken_gzip(exchange, fault):
    message = await exchange.forward()
    packed = gzip.compress(message.content)
    broken = packed[: len(packed) // 2] + bytes(20) + packed[len(packed) // 2 :]
    await exchange.send_bytes(message.with_content(broken).with_headers([("Content-Encoding", "gzip")]).raw)


async def _change_events(exchange, fault):
    earlier = exchange.earlier_answer()
    message = await exchange.forward()
    answered = json.loads(message.content)
    if "events" in answered:
        former = json.loads(earlier.content).get("events", []) if earlier else []
        answered["events"] = CHANGES[fault.change](answered["events"], former)
    await exchange.send_bytes(message.with_content(json.dumps(answered).encode()).raw)


async def _cache(exchange, fault):
    found = exchange.cached_answer()
    is_old = found is None or found[1] > fault.seconds
    asks = fault.heeds_no_cache and "no-cache" in exchange.request.headers.get("cache-control", "")
    if is_old or asks:
        await _pass(exchange)
        return
    message, age = found
    await exchange.send_bytes(message.with_headers([("Age", str(int(age)))]).raw)


async def _drip(exchange, fault):
    raw = (await exchange.forward()).raw
    size = max(1, len(raw) // max(1, int(fault.seconds / DRIP_STEP)))
    for start in range(0, len(raw), size):
        await exchange.send_bytes(raw[start : start + size])
        await asyncio.sleep(DRIP_STEP)


FAULTS = {
    "delay request": _delay_request,
    "delay answer": _delay_answer,
    "drop": _drop,
    "no answer": _no_answer,
    "cut answer": _cut_answer,
    "duplicate answer": _duplicate_answer,
    "duplicate request": _duplicate_request,
    "half json": _half_json,
    "broken gzip": _broken_gzip,
    "change events": _change_events,
    "cache": _cache,
    "replace answer": _replace_answer,
    "drip": _drip,
}

CHANGES = {
    "reversed": lambda events, former: events[::-1],
    "last first": lambda events, former: [events[-1], *events[:-1]],
    "without the last": lambda events, former: events[:-1],
    "without one": lambda events, former: [*events[:2], *events[3:]],
    "without all": lambda events, former: [],
    "one twice": lambda events, former: [*events[:3], *events[2:]],
    "all twice": lambda events, former: events * 2,
    "of the former turn": lambda events, former: former,
    "behind those of the former turn": lambda events, former: [*former, *events],
}
"""What can be done with a turn's events, by name."""
