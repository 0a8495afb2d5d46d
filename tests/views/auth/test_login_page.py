from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
import streamlit as st

from debugger.errors import StoreError
from debugger.store import Role
from debugger.views.auth.login_page import MAX_ADDRESSES, MAX_WRONG_KEYS, LoginPage, WrongKeys
from debugger.views.auth.logins import Login


@pytest.mark.parametrize(
    ("cookie", "location"),
    [("%2Fruns%3Frun%3Da%252Bb", b"/runs?run=a%2Bb"), ("", b"/"), ("%2F%2Fevil", b"/")],
)
def test_login_leads_to_the_page_of_its_cookie(cookie, location):
    sent = []

    async def send(message):
        sent.append(message)

    page = LoginPage(SimpleNamespace(method="oidc", audit=lambda *_: None), "")
    name = f"workflow_debugger_next_{st.get_option('server.port')}"
    headers = [(b"cookie", f"{name}={cookie}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    login = Login("Ada", Role.RUN, "digest", 0.0)

    assert asyncio.run(page.answers("/", scope, None, send, login))
    assert (sent[0]["status"], dict(sent[0]["headers"])[b"location"]) == (303, location)


def test_wrong_keys_of_minute_are_limited_by_address():
    now = [0.0]
    wrong = WrongKeys(clock=lambda: now[0])

    assert [wrong.count("10.0.0.1") for _ in range(MAX_WRONG_KEYS)] == [0] * MAX_WRONG_KEYS
    now[0] = 15
    assert wrong.count("10.0.0.1") == 45
    assert wrong.count("10.0.0.2") == 0
    now[0] = 60
    assert wrong.count("10.0.0.1") == 0


def test_addresses_are_bounded():
    wrong = WrongKeys(clock=lambda: 0.0)
    for number in range(MAX_ADDRESSES + 5):
        wrong.count(str(number))

    assert len(wrong._times) == MAX_ADDRESSES


@pytest.mark.parametrize(
    ("scheme", "proto", "is_secure"),
    [("https", None, True), ("http", b"https", True), ("http", b"http", False), ("http", None, False)],
)
def test_cookie_is_secure_behind_any_tls_proxy(scheme, proto, is_secure):
    sent, key = [], SimpleNamespace(id="key-1", person="Ada", role=Role.RUN)

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"key=sk-1"}

    logins = SimpleNamespace(method="key", key=lambda digest: key, audit=lambda *_: None, secret=b"secret")
    headers = [] if proto is None else [(b"x-forwarded-proto", proto)]
    scope = {"type": "http", "method": "POST", "path": "/login", "scheme": scheme, "headers": headers}

    assert asyncio.run(LoginPage(logins, "").answers("/login", scope, receive, send, None))
    cookies = [value for name, value in sent[0]["headers"] if name == b"set-cookie"]
    assert sent[0]["status"] == 303
    assert [value.endswith(b"; Secure") for value in cookies] == [is_secure] * 2


def test_logout_counts_where_audit_list_is_full():
    sent, ended = [], []

    async def send(message):
        sent.append(message)

    def fail(*_):
        raise StoreError("The disk is full.")

    page = LoginPage(SimpleNamespace(method="key", end=ended.append, audit=fail), "")
    scope = {"type": "http", "method": "POST", "path": "/logout", "headers": []}
    login = Login("Ada", Role.RUN, "digest", 0.0)

    assert asyncio.run(page.answers("/logout", scope, None, send, login))
    assert ended == [login]
    assert (sent[0]["status"], dict(sent[0]["headers"])[b"location"]) == (303, b"/login")
