from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
import streamlit as st
from pydantic import SecretStr

from debugger.settings import HostedSettings
from debugger.store import Role
from debugger.views.auth import owners as module
from debugger.views.auth.owners import (
    MAX_IDLE_SECONDS,
    MAX_OWNERS,
    MAX_SETUPS,
    BoundKey,
    Owner,
    OwnerCookie,
    Owners,
    cookie_name,
    owner_token,
)
from debugger.views.auth.permissions import User

PAGE = {"accept": "text/html,*/*"}


def answered(headers, *, method="GET", scheme="http", status=200):
    """The headers of a page's answer, as pairs, after the middleware."""
    sent = []

    async def app(scope, receive, send):
        pairs = [(b"content-type", b"text/html"), (b"cache-control", b"public")]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "scheme": scheme, "path": "/"}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(OwnerCookie(app)(scope, None, send))
    return [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]


def cookie_in(pairs):
    return next((value for name, value in pairs if name == "set-cookie"), None)


def test_first_page_sets_cookie_that_scripts_and_other_sites_do_not_get():
    pairs = answered(PAGE)

    name, _, rest = cookie_in(pairs).partition("=")
    token, *attributes = rest.split("; ")
    assert name == cookie_name()
    assert len(token) == 43  # 256 bits
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax"]  # and ends with the browser
    assert [value for name, value in pairs if name == "cache-control"] == ["no-store"]


def test_each_browser_gets_another_token():
    assert cookie_in(answered(PAGE)) != cookie_in(answered(PAGE))


def test_cached_page_sets_cookie_too():
    assert cookie_in(answered(PAGE, status=304))


@pytest.mark.parametrize("headers", [PAGE | {"x-forwarded-proto": "https"}, PAGE])
def test_cookie_is_secure_over_https(headers):
    pairs = answered(headers, scheme="http" if "x-forwarded-proto" in headers else "https")

    assert cookie_in(pairs).endswith("; Secure")


def test_browser_with_token_keeps_it():
    pairs = answered(PAGE | {"cookie": f"other=1; {cookie_name()}={'a' * 43}"})

    assert cookie_in(pairs) is None
    assert ("cache-control", "public") in pairs


@pytest.mark.parametrize("sent", ["short", "a" * 44, "a" * 42 + "!", '"'])
def test_malformed_token_is_replaced(sent):
    assert cookie_in(answered(PAGE | {"cookie": f"{cookie_name()}={sent}"}))


@pytest.mark.parametrize(("headers", "method"), [({"accept": "*/*"}, "GET"), (PAGE, "POST"), ({}, "GET")])
def test_other_requests_set_no_cookie(headers, method):
    assert cookie_in(answered(headers, method=method)) is None


def test_token_differs_for_each_user_of_browser(monkeypatch):
    cookies = SimpleNamespace(to_dict=lambda: {cookie_name(): "a" * 43})
    monkeypatch.setattr(st, "context", SimpleNamespace(cookies=cookies))
    users = [User("me", Role.ADMIN, True), User("Ada", Role.RUN, False), User("Eve", Role.RUN, False)]

    tokens = []
    for user in users:
        monkeypatch.setattr(module, "current_user", lambda user=user: user)
        tokens.append(owner_token())

    assert tokens[0] == "a" * 43
    assert len(set(tokens)) == 3


def test_owner_is_found_by_its_token_alone():
    owners = Owners()
    owners.find("one").custom = HostedSettings(base_url="https://api.example")

    assert owners.find("one").custom is not None
    assert owners.find("other").custom is None


def test_idle_owner_is_forgotten_and_used_one_is_not():
    now = [0.0]
    owners = Owners(clock=lambda: now[0])
    used, idle = owners.find("used"), owners.find("idle")
    now[0] = MAX_IDLE_SECONDS * 0.7
    assert owners.find("used") is used
    now[0] = MAX_IDLE_SECONDS * 1.4

    assert owners.find("used") is used
    assert owners.find("idle") is not idle


def test_owners_are_bounded():
    owners = Owners()
    first = owners.find("first")
    for number in range(MAX_OWNERS + 1):
        owners.find(str(number))

    assert owners.find("first") is not first


def test_typed_key_is_bound_to_origin_of_its_connection():
    owner = Owner(keys={"eu": BoundKey("https://api.example/workflows", SecretStr("sk"))})

    same = owner.with_key("eu", HostedSettings(base_url="https://api.example/other"))
    moved = owner.with_key("eu", HostedSettings(base_url="https://evil.example/workflows"))
    other = owner.with_key("us", HostedSettings(base_url="https://api.example/workflows"))

    assert [each.api_key.get_secret_value() for each in (same, moved, other)] == ["sk", "", ""]


class Waiting:
    """A session as an owner sees it."""

    def __init__(self, run_id=None, workflow_id="tea"):
        self.workflow_id = workflow_id
        self.started_run_id = run_id
        self.is_unsettled = True


def test_sessions_of_unknown_outcome_are_kept_by_connection_and_run():
    owner, first, later = Owner(), Waiting(), Waiting("run")
    owner.keep_session("staging", first)
    owner.keep_session("staging", later)

    assert owner.session_of("staging", "tea", "run") is later
    assert owner.session_of("staging", "tea", "") is first
    assert owner.session_of("live", "tea", "run") is None
    assert owner.session_of("staging", "coffee", "run") is None


def test_settled_sessions_are_forgotten():
    owner, first, later = Owner(), Waiting("one"), Waiting("two")
    owner.keep_session("staging", first)
    first.is_unsettled = False

    assert owner.session_of("staging", "tea", "one") is None
    owner.keep_session("staging", later)
    assert [session for _, session in owner.sessions] == [later]


def test_owner_holds_what_the_last_tabs_have_set():
    owner = Owner()
    for number in range(MAX_SETUPS + 1):
        owner.keep_setups(f"tab{number}", {"w": {"format": number}})
    owner.keep_setups("tab1", {"w": {"format": 99}})

    assert len(owner.setups) == MAX_SETUPS
    assert "tab0" not in owner.setups
    assert owner.setups["tab1"] == {"w": {"format": 99}}
