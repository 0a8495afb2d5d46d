from __future__ import annotations

import asyncio
import re

import pytest
from streamlit.testing.v1 import AppTest

from debugger.views.streamlit_patches.component_assets import ComponentAssets


def ask(path, method="GET"):
    """Return status, headers and body of the answer to a browser."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"the app"})

    async def send(message):
        sent.append(message)

    asyncio.run(ComponentAssets(app)({"type": "http", "path": path, "method": method}, None, send))
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


def answered(answer):
    """Return one part of the app's answer."""
    got = []

    async def app(scope, receive, send):
        await send(answer)

    async def send(message):
        got.append(message)

    asyncio.run(ComponentAssets(app)({"type": "http", "path": "/", "method": "GET"}, None, send))
    return got[0]


def address_of_bar():
    """The address from which a browser fetches what a bar is made of, as the drawing of one names it."""
    app = AppTest.from_string("from debugger.views.components.toolbar import bar\nbar('one', [])").run()
    (drawn,) = app.get("bidi_component")
    return re.search(r'"(elements/control_bar-[0-9a-f]{16}\.js)"', drawn.proto.js_content)[1]


@pytest.mark.parametrize("under", ["", "/debugger", "/a/deep/path"])
def test_file_is_had_under_whatever_path_app_is_served(under):
    status, headers, body = ask(f"{under}/{address_of_bar()}")

    assert status == 200
    assert headers[b"content-type"] == b"text/javascript; charset=utf-8"
    assert headers[b"content-length"] == str(len(body)).encode()
    assert b"export default function" in body
    assert b".bar.low" in body


def test_browser_keeps_file_for_good_as_another_content_has_another_name():
    assert b"immutable" in ask(f"/{address_of_bar()}")[1][b"cache-control"]


def test_who_asks_for_head_of_file_gets_no_body():
    status, headers, body = ask(f"/{address_of_bar()}", "HEAD")

    assert (status, body) == (200, b"")
    assert int(headers[b"content-length"]) > 10_000


@pytest.mark.parametrize(
    "path",
    ["/", "/elements/", "/elements/control_bar.js", "/elements/../own_component.py", "/control_bar-0.js"],
)
def test_all_else_is_for_app(path):
    assert ask(path) == (404, {}, b"the app")


@pytest.mark.parametrize("kind", [b"text/html", b"text/html; charset=utf-8"])
def test_page_tells_of_files_that_it_is_going_to_need(kind):
    sent = answered({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})

    (_, link) = sent["headers"][1]
    assert sent["headers"][0] == (b"content-type", kind)
    assert f"<{address_of_bar()}>; rel=modulepreload" in link.decode().split(", ")


def test_page_before_any_element_is_known_tells_of_none(monkeypatch):
    monkeypatch.setattr("debugger.views.components.factory._FILES", {})
    page = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}

    assert answered(page) == page


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/css")]},
        {"type": "http.response.start", "status": 304, "headers": []},
        {"type": "http.response.body", "body": b"<html>"},
    ],
    ids=["no page", "a page that the browser has", "the body"],
)
def test_other_answers_tell_of_none(answer):
    assert answered(answer) == answer


def test_what_is_no_request_for_file_goes_to_app_as_it_came():
    met = []

    async def app(scope, receive, send):
        met.append((scope, receive, send))

    receive, send = object(), object()
    for kind in ("lifespan", "websocket"):
        asyncio.run(ComponentAssets(app)({"type": kind}, receive, send))

    assert met == [({"type": kind}, receive, send) for kind in ("lifespan", "websocket")]
