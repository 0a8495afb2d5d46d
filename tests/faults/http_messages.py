"""Requests and answers of HTTP/1.1 as they are on the wire."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

_END_OF_HEAD = b"\r\n\r\n"
_WITHOUT_BODY = frozenset({101, 204, 304})


@dataclass(frozen=True)
class Message:
    """Request or response: its bytes, and its content without chunk framing."""

    head: bytes
    body: bytes
    content: bytes

    @property
    def raw(self):
        return self.head + self.body

    @property
    def first_line(self):
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    @cached_property
    def headers(self):
        """The values of the last header of each name, in lower case."""
        lines = self.head[: -len(_END_OF_HEAD)].split(b"\r\n")[1:]
        pairs = (line.decode("latin-1").partition(":") for line in lines)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    @property
    def status(self):
        """The status of an answer."""
        return int(self.first_line.split(" ", 2)[1])

    @property
    def closes(self):
        """Return whether the connection is closed after it."""
        return self.headers.get("connection", "").lower() == "close"

    def with_content(self, content):
        """Return the same answer with another content and the length of it."""
        return self._reframed(f"Content-Length: {len(content)}", content, content)

    def with_status(self, status):
        """Return the same answer with another status."""
        rest = self.head.partition(b"\r\n")[2]
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        return Message(first + rest, self.body, self.content)

    def with_headers(self, headers):
        """Return the same message with some headers added."""
        lines = [f"{name}: {text}".encode("latin-1") for name, text in headers]
        head = b"\r\n".join([self.head[: -len(_END_OF_HEAD)], *lines]) + _END_OF_HEAD
        return Message(head, self.body, self.content)

    def in_chunks(self, *chunks):
        """Return the same answer in chunks, without the one that ends it."""
        body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        return self._reframed("Transfer-Encoding: chunked", body, b"".join(chunks))

    def _reframed(self, framing, body, content):
        lines = self.head[: -len(_END_OF_HEAD)].split(b"\r\n")
        headers = [
            line for line in lines if not line.lower().startswith((b"content-length:", b"transfer-encoding:"))
        ]
        return Message(b"\r\n".join([*headers, framing.encode(), b"", b""]), body, content)


def answer(status, content=b"", content_type="application/json", **headers):
    """Return a response of the proxy itself.

    An underscore in a header's name means a hyphen.
    """
    fields = {
        "Content-Type": content_type,
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {text}" for name, text in fields.items() if text is not None]
    lines += [f"Content-Length: {len(content)}", "", ""]
    return Message("\r\n".join(lines).encode("latin-1"), content, content)


async def read_request(reader):
    """Return the next request; ``None`` where the client has closed the connection."""
    return await _read(reader, lambda message: False)


async def read_answer(reader):
    """Return a response; ``None`` where the server closed without one."""
    return await _read(reader, lambda message: message.status not in _WITHOUT_BODY)


async def _read(reader, lasts_until_the_end):
    """Read a message; without a length it lasts until the close."""
    try:
        head = await reader.readuntil(_END_OF_HEAD)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    message = Message(head, b"", b"")
    if message.headers.get("transfer-encoding", "").lower() == "chunked":
        return Message(head, *await _read_chunks(reader))
    if "content-length" in message.headers:
        body = await reader.readexactly(int(message.headers["content-length"]))
        return Message(head, body, body)
    body = await reader.read() if lasts_until_the_end(message) else b""
    return Message(head, body, body)


async def _read_chunks(reader):
    raw, content = [], []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        chunk = await reader.readexactly(size + 2) if size else b""
        raw += [line, chunk]
        content.append(chunk[:-2])
        if not size:
            break
    while raw[-1] != b"\r\n":  # trailers, and the line that ends them
        raw.append(await reader.readuntil(b"\r\n"))
    return b"".join(raw), b"".join(content)


def brief(message):
    """Return a request or an answer, or the bytes of one, on one short line, for a trace."""
    if isinstance(message, bytes):
        head, _, body = message.partition(_END_OF_HEAD)
        message = Message(head + _END_OF_HEAD, body, body)
    first = message.first_line.replace(" HTTP/1.1", "").replace("HTTP/1.1 ", "")
    marks = [f"{name}: {message.headers[name]}" for name in ("age", "retry-after") if name in message.headers]
    try:
        body = json.loads(message.content)
    except ValueError:
        return " ".join([first, *marks, repr(message.content[:80]) if message.content else ""])
    return " ".join([first, *marks, brief_json(body)])


def brief_json(value):
    """Return what a trace says of a body or a frame of the API."""
    match value:
        case {"workflow_runs": list(rows)}:
            inner = [row.get("workflow_run", row) for row in rows]
            return f"runs {[(row.get('workflow_run_id', '')[-4:], row.get('status')) for row in inner[:4]]}"
        case {"workflow_run": {"workflow_run": run}}:
            pairs = run.get("input_output_pairs") or []
            return f"run {run['workflow_run_id'][-4:]} {run['status']} with {len(pairs)} turns"
        case {"events": list(events), "status": status}:
            last = events[-1]["type"] if events else None
            return (
                f"run {value['run_id'][-4:]} {status}, turn {value['turn_number']}, {len(events)} events, "
                f"the last {last}"
            )
        case {"run_input": run_input} if "type" not in value:
            return f"run {str(value.get('run_id'))[-4:]} {_brief_input(run_input)}"
        case {"command": _}:
            return f"run {str(value.get('workflow_run_id'))[-4:]} {_brief_input(value)}"
        case {"type": kind}:
            return f"{kind} {str(value.get('logical_id'))[-4:]}"
    return json.dumps(value)[:160]


def _brief_input(run_input):
    inputs = run_input.get("thread_to_node_inputs", {}).get("0", {}).get("node_run_inputs", [])
    texts = [message["content"] for node in inputs for message in node.get("messages", [])]
    name = str((run_input.get("miscellaneous") or {}).get("client_turn_id"))[-4:]
    return f"{run_input.get('command')} {texts} id {name}"
