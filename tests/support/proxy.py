"""A reverse proxy in a thread: round robin, with or without sticky sessions.

It works on connections: all requests of one go to one server.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

Address = tuple[str, int]

_STICKY = re.compile(rb"^cookie:.*\broute=(\d+)", re.IGNORECASE | re.MULTILINE)


@contextmanager
def proxy(servers: list[Address], *, is_sticky: bool) -> Iterator[tuple[int, list[int]]]:
    """Run a proxy for a block; yield its port and the number of connections of each server."""
    turns, numbers = count(), [0] * len(servers)
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            sent = _STICKY.search(head) if is_sticky else None
            chosen = int(sent[1]) if sent else next(turns) % len(servers)
            numbers[chosen] += 1
            behind_reader, behind_writer = await asyncio.open_connection(*servers[chosen])
            writers.add(behind_writer)
            behind_writer.write(head)
            requests = asyncio.create_task(_copy(reader, behind_writer))
            if is_sticky and not sent:
                status, _, rest = (await behind_reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
                writer.write(status + b"\r\nset-cookie: route=%d; path=/\r\n" % chosen + rest)
            await _copy(behind_reader, writer)
            await requests
        writer.close()

    loop, ports, ended = asyncio.new_event_loop(), [], asyncio.Event()
    is_ready = threading.Event()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1_000_000)
        ports.append(server.sockets[0].getsockname()[1])
        is_ready.set()
        await ended.wait()
        server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for writer in writers:
                writer.close()
            await asyncio.wait(others, timeout=0.1)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    is_ready.wait(10)
    try:
        yield ports[0], numbers
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while content := await reader.read(65_536):
            writer.write(content)
            await writer.drain()
    writer.close()
