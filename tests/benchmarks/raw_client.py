"""A cheap HTTP client: many timed requests over few connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """Address of a server and the headers of every request."""

    host: str
    port: int
    headers: Mapping[str, str]


@dataclass
class Connection:
    """Persistent connection."""

    address: Address
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seconds: list[float]
    """How long each answer took."""

    async def post(self, path: str, body: bytes) -> bytes:
        """The body of the answer to one request.

        Raises:
            RuntimeError: The answer is another one than 200.
        """
        fields = {"Host": f"{self.address.host}:{self.address.port}", **self.address.headers}
        fields["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        began = time.perf_counter()
        self.writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        answered = await self.reader.readuntil(b"\r\n\r\n")
        answer = await self.reader.readexactly(_length(answered))
        self.seconds.append(time.perf_counter() - began)
        if not answered.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path}: {answered[:60]!r} {answer[:300]!r}")
        return answer


@asynccontextmanager
async def connected(address: Address, seconds: list[float]) -> AsyncIterator[Connection]:
    """A connection for the length of a block."""
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=2**24)
    yield Connection(address, reader, writer, seconds)
    writer.close()
    await writer.wait_closed()


def _length(head: bytes) -> int:
    lines: Iterable[bytes] = head.lower().split(b"\r\n")
    return next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
