from __future__ import annotations

import asyncio
import base64
import hashlib

import pytest

from debugger.views.auth.guard import Guard, content_security_policy, host_name

LOCAL = ("127.0.0.1", 8501)


def status_of(headers, *, path="/", needs_login=False, server=LOCAL, client=LOCAL, kind="http", base=""):
    """The status of a response; "closed" for a WebSocket that was refused."""
    sent = []

    async def app(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"x-content-type-options", b"x")]}
        )
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": "GET", "path": path, "server": server, "client": client}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers]
    guard = Guard(app, allowed_hosts={"debugger.example"}, needs_login=needs_login, base=base)
    asyncio.run(guard(scope, None, send))
    if sent[0]["type"] == "websocket.close":
        return "closed"
    assert [value for name, value in sent[0]["headers"] if name == b"x-content-type-options"] == [b"nosniff"]
    return sent[0]["status"]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:8501", "localhost"),
        ("localhost.", "localhost"),
        ("[::1]:80", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
        ("user@localhost", ""),
        ("localhost:x", ""),
        ("localhost/evil", ""),
        ("evil.example#localhost", ""),
        ("localhost evil", ""),
        ("[::1", ""),
        ("", ""),
    ],
)
def test_host_name_is_read_strictly(host, name):
    assert host_name(host) == name


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("host", "localhost"), ("host", "evil.example")],
        [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.example")],
        [("host", "localhost"), ("origin", "")],
        [("host", "localhost"), ("origin", "http://[")],
    ],
    ids=["no host", "two hosts", "two origins", "empty origin", "malformed origin"],
)
def test_ambiguous_requests_are_refused(headers):
    assert status_of(headers) == 403
    assert status_of(headers, kind="websocket") == "closed"


def test_origin_matches_host_with_its_port():
    host = ("host", "debugger.example:8443")

    assert status_of([host, ("origin", "https://Debugger.example:8443")], needs_login=True) == 200
    assert status_of([host, ("origin", "https://debugger.example")], needs_login=True) == 403


@pytest.mark.parametrize(
    ("server", "client"),
    [
        (("192.168.1.5", 8501), LOCAL),
        (LOCAL, ("192.168.1.9", 40000)),
        (("/run/page.sock", None), None),
        (None, LOCAL),
    ],
)
def test_page_without_login_answers_to_this_machine_only(server, client):
    host = [("host", "localhost")]

    assert status_of(host, server=server, client=client) == 403
    assert status_of(host, server=server, client=client, needs_login=True) == 200


def test_health_answers_to_any_name_below_its_base_alone():
    host = [("host", "10.0.0.7:8501")]

    assert status_of(host, path="/app/_stcore/health", base="/app") == 200
    assert status_of(host, path="/evil/_stcore/health", base="/app") == 403
    assert status_of([*host, ("origin", "http://evil.example")], path="/_stcore/health") == 403


def test_policy_allows_inline_script_by_its_hash_alone():
    policy = content_security_policy("<script>go()</script><script src='x.js'></script>")

    digest = base64.b64encode(hashlib.sha256(b"go()").digest()).decode()
    assert f"script-src 'self' blob: 'wasm-unsafe-eval' 'sha256-{digest}';" in policy
    assert "unsafe-eval'" not in policy.replace("wasm-unsafe-eval", "")
