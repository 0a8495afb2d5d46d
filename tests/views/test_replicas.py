from __future__ import annotations

import anyio
import pytest
import streamlit as st

from debugger.views.replicas import ProcessCookie, comes_from_other_process

STARTED = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("aaaa-1800000100", True),
        ("mine-1800000100", False),
        ("aaaa-1799999999", False),  # of the process before this one
        ("aaaa-1800000001", False),  # of its last moment
        ("aaaa-", False),
        ("", False),
    ],
)
def test_other_process_of_same_time_is_found(value, expected):
    assert comes_from_other_process(value, "mine", STARTED) is expected


@pytest.mark.parametrize(
    ("accept", "host", "name"),
    [(b"text/html", b"localhost:8501", "_8501="), (b"text/html", b"qa.example", "_="), (b"*/*", b"a", None)],
)
def test_page_gets_cookie_of_its_port(accept, host, name):
    sent = []

    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"accept", accept), (b"host", host)]}
    anyio.run(ProcessCookie(page), scope, None, send)

    cookies = [value.decode() for _, value in sent[0]["headers"]]
    assert [f"workflow_debugger_process{name}" in each for each in cookies] == ([True] if name else [])


def test_cookie_is_for_path_of_page(monkeypatch):
    sent = []
    option = st.get_option
    base = {"server.baseUrlPath": "team-a"}
    monkeypatch.setattr(st, "get_option", lambda name: base.get(name) or option(name))

    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    headers = [(b"accept", b"text/html"), (b"host", b"tools.example")]
    scope = {"type": "http", "method": "GET", "path": "/team-a/", "headers": headers}
    anyio.run(ProcessCookie(page), scope, None, send)

    [(_, cookie)] = sent[0]["headers"]
    assert "; Path=/team-a;" in cookie.decode()
