from __future__ import annotations

import gzip

import anyio
import pytest

from debugger.views.compressed_files import CompressedFiles

SCRIPT = b"export const rows = [];\n" * 400
HEADERS = {
    "content-type": "text/javascript; charset=utf-8",
    "content-length": str(len(SCRIPT)),
    "cache-control": "public, immutable, max-age=31536000",
    "etag": '"a1"',
    "accept-ranges": "bytes",
}


class Files:
    """An application that answers every request with one file, in parts."""

    def __init__(self, status=200, headers=None, parts=(SCRIPT[:500], SCRIPT[500:], b"")):
        self.status, self.parts = status, parts
        self.headers = HEADERS if headers is None else headers

    async def __call__(self, scope, receive, send):
        pairs = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": pairs})
        for number, part in enumerate(self.parts, start=1):
            more = number < len(self.parts)
            await send({"type": "http.response.body", "body": part, "more_body": more})


def fetch(app, accepted="gzip, deflate, br", method="GET", path="/static/js/a.js", query=b""):
    """Return status, headers and body of an answer."""
    sent = []

    async def send(message):
        sent.append(message)

    headers = [] if accepted is None else [(b"accept-encoding", accepted.encode())]
    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": headers}
    anyio.run(app, scope, None, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message["body"] for message in sent[1:])


def test_script_is_compressed():
    status, headers, body = fetch(CompressedFiles(Files()))

    assert status == 200
    assert gzip.decompress(body) == SCRIPT
    assert len(body) < len(SCRIPT) / 10
    assert headers == {
        "content-type": HEADERS["content-type"],
        "cache-control": HEADERS["cache-control"],
        "content-encoding": "gzip",
        "vary": "accept-encoding",
        "content-length": str(len(body)),
    }


@pytest.mark.parametrize("accepted", ["gzip", "br,gzip", "br;q=1.0, gzip;q=0.5, *;q=0", "gzip;q=0.01"])
def test_accepted(accepted):
    assert fetch(CompressedFiles(Files()), accepted)[1]["content-encoding"] == "gzip"


@pytest.mark.parametrize("accepted", [None, "", "br", "x-gzip", "gzip;q=0", "gzip; q=0.000, br"])
def test_not_accepted(accepted):
    assert fetch(CompressedFiles(Files()), accepted) == (200, HEADERS, SCRIPT)


@pytest.mark.parametrize(
    "change",
    [
        {"cache-control": "no-cache"},
        {"cache-control": "max-age=60, x-immutable-not"},
        {"content-type": "font/woff2"},
        {"content-encoding": "br"},
    ],
)
def test_other_answers_are_passed_on(change):
    headers = {**HEADERS, **change}

    assert fetch(CompressedFiles(Files(headers=headers))) == (200, headers, SCRIPT)


@pytest.mark.parametrize("status", [206, 304, 404])
def test_only_whole_files(status):
    assert fetch(CompressedFiles(Files(status)))[:2] == (status, HEADERS)


def test_head_is_passed_on():
    assert fetch(CompressedFiles(Files(parts=(b"",))), method="HEAD") == (200, HEADERS, b"")


def test_each_file_is_compressed_once_and_kept_once(monkeypatch):
    app = CompressedFiles(Files())
    first = fetch(app)

    monkeypatch.setattr("debugger.views.compressed_files._compress", lambda text: pytest.fail("again"))

    assert fetch(app, query=b"x=1") == first
    assert fetch(app, path="/static/./js/a.js") == first
    assert len(app._compressed) == 1


def test_changed_file_is_compressed_anew():
    files = Files()
    app = CompressedFiles(files)
    fetch(app)
    files.parts = (b"new",)

    assert gzip.decompress(fetch(app)[2]) == b"new"


def test_websocket_is_passed_on():
    seen = []

    async def behind(scope, receive, send):
        seen.append(send)

    anyio.run(CompressedFiles(behind), {"type": "websocket", "path": "/_stcore/stream"}, None, fetch)

    assert seen == [fetch]
