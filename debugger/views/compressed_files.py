"""Files of the page that never change, compressed once."""

from __future__ import annotations

import asyncio
import re
import zlib
from hashlib import sha256

from debugger.views.asgi import Application, Message, Receive, Scope, Send, header_values

_IMMUTABLE = re.compile(rb"(?:^|[\s,])immutable(?:[\s,]|$)")
_TEXT = re.compile(rb"text/|application/(?:javascript|json)|image/svg")
_ACCEPTED = re.compile(r"(?:^|,)\s*gzip\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))")
_GZIP = zlib.MAX_WBITS | 16


class CompressedFiles:
    """Middleware that sends texts which are marked ``immutable`` compressed with gzip.

    Streamlit sends its scripts as they are, since compressing them for each request would cost more than it
    gains. Each is compressed at its first request here, and is kept: 0.8 MB for those of the page. Answers
    that may change, parts of files, and files for a browser that does not accept gzip are passed on.

    Args:
        app: The next application.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._compressed: dict[bytes, bytes] = {}
        """By the digest of the file: addresses of the same file are without number."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and compress its answer where it is such a file."""
        is_read = scope["type"] == "http" and scope["method"] == "GET"
        if is_read and _ACCEPTED.search(",".join(header_values(scope, b"accept-encoding"))):
            send = _Answer(self._compressed, send).send
        await self._app(scope, receive, send)


class _Answer:
    """An answer whose head is held back until its body is complete, where it is compressed."""

    def __init__(self, compressed: dict[bytes, bytes], send: Send) -> None:
        self._compressed = compressed
        self._send = send
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Send a message of the answer on, or keep it until the last of them."""
        if message["type"] == "http.response.start" and _is_unchanging_text(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send_compressed(self._start)

    async def _send_compressed(self, start: Message) -> None:
        text = b"".join(self._parts)
        digest = sha256(text).digest()
        body = self._compressed.get(digest)
        if body is None:
            body = self._compressed[digest] = await asyncio.to_thread(_compress, text)
        headers = [(name, value) for name, value in start["headers"] if name.lower() not in _REPLACED]
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


_REPLACED = frozenset({b"content-length", b"accept-ranges", b"etag"})
"""Headers of the file as it is; a file that never changes needs no tag."""


def _is_unchanging_text(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start["headers"]}
    return (
        start["status"] == 200
        and b"content-encoding" not in headers
        and _IMMUTABLE.search(headers.get(b"cache-control", b"")) is not None
        and _TEXT.match(headers.get(b"content-type", b"")) is not None
    )


def _compress(text: bytes) -> bytes:
    maker = zlib.compressobj(zlib.Z_BEST_COMPRESSION, wbits=_GZIP)
    return maker.compress(text) + maker.flush()
