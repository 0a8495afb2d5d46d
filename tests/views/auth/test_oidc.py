from __future__ import annotations

import json
import time

import pytest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from debugger.errors import SettingsError
from debugger.store import Role
from debugger.views.auth.oidc import read_identity, read_roles, role_of
from debugger.views.streamlit_patches.login import COOKIE_NAME

SETTING = "ada@example.com=admin, *@example.com = read, claim:groups:qa=run, claim:tid:t:1=run"


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "Ada@Example.com"}, Role.ADMIN),
        ({"email": "bob@example.com"}, Role.READ),
        ({"email": "bob@example.com", "groups": ["dev", "qa"]}, Role.RUN),
        ({"groups": "qa"}, Role.RUN),
        ({"tid": "t:1"}, Role.RUN),
        ({"email": "bob@sub.example.com"}, None),
        ({"email": "bob@evil-example.com"}, None),
        ({"email": "eve@evil.com@example.com"}, None),
        ({"email": "ada@example.com", "email_verified": True}, Role.ADMIN),
        ({"email": "ada@example.com", "email_verified": False}, None),
        ({"email": "ada@example.com", "email_verified": "false"}, None),
        ({"groups": ["QA", 1, None]}, None),
        ({"email": 1}, None),
        ({"email": ["ada@example.com"]}, None),
        ({"email": {"ada@example.com": 1}}, None),
        ({"email": "ada@example.com\n"}, None),
        ({"email": "ada\x1b[2J@example.com"}, None),
        ({"groups": {"qa": 1}}, None),
        ({}, None),
    ],
)
def test_role_is_highest_that_rule_gives(claims, role):
    assert role_of(claims, read_roles(SETTING)) == role


@pytest.mark.parametrize(
    "entry",
    [
        "ada@example.com",
        "ada@example.com=owner",
        "*=admin",
        "*@*=admin",
        "a*@b.c=run",
        "@b=run",
        "ada@=run",
        "=run",
        "claim:=run",
        "claim:groups=run",
        "claim:groups:=run",
        "claim:email:ada@example.com=run",
        "a@b@c=run",
    ],
)
def test_malformed_role_is_refused_with_its_entry(entry):
    with pytest.raises(SettingsError, match="WORKFLOW_DEBUGGER_ROLES"):
        read_roles(f"ada@example.com=admin,{entry}")


def cookie_of(secret="page-secret", **claims):
    content = {"is_logged_in": True, "exp": time.time() + 60, "email": "ada@example.com", **claims}
    return {COOKIE_NAME: create_signed_value(secret, COOKIE_NAME, json.dumps(content)).decode()}


@pytest.fixture
def secret(monkeypatch):
    monkeypatch.setattr("streamlit.auth_util.get_signing_secret", lambda: "page-secret")


def test_identity_is_read_from_signed_cookie(secret):
    identity = read_identity(cookie_of())

    assert identity.name == "ada@example.com"
    assert identity.digest == read_identity(cookie_of(exp=identity.expires_at)).digest


def test_padded_copy_of_cookie_has_same_digest(secret):
    cookies = cookie_of()
    padded = {COOKIE_NAME: cookies[COOKIE_NAME] + "!"}

    found = read_identity(padded)
    assert found is None or found.digest == read_identity(cookies).digest


@pytest.mark.parametrize(
    "cookies",
    [
        {},
        {COOKIE_NAME: ""},
        {COOKIE_NAME: "x"},
        cookie_of("another secret"),
        cookie_of(exp=time.time() - 1),
        cookie_of(exp=None),
        cookie_of(exp=True),
        cookie_of(exp=float("nan")),
        cookie_of(exp=10**400),
        cookie_of(email=None),
        cookie_of(email=["ada@example.com"]),
        cookie_of(email=7, sub=7),
        cookie_of(email="ada\x1b[2J@example.com", sub="\n"),
        cookie_of(is_logged_in=False),
    ],
    ids=[
        "none",
        "empty",
        "garbage",
        "forged",
        "expired",
        "without expiry",
        "exp is true",
        "exp is nan",
        "exp is endless",
        "no name",
        "addresses",
        "number",
        "controls",
        "logged out",
    ],
)
def test_other_cookies_are_no_identity(secret, cookies):
    assert read_identity(cookies) is None


@pytest.mark.parametrize("email", [["ada@example.com"], 7, None, {"a": 1}, "no address", "a@b\n"])
def test_address_of_another_kind_is_no_name(secret, email):
    identity = read_identity(cookie_of(email=email, sub="user-7"))

    assert (identity.name, role_of(identity.claims, read_roles(SETTING))) == ("user-7", None)


def test_long_names_stay_different(secret):
    names = {read_identity(cookie_of(email=None, sub="x" * 200 + last)).name for last in "ab"}

    assert len(names) == 2
    assert all(len(name) == 80 for name in names)


def test_unverified_address_is_no_name(secret):
    assert read_identity(cookie_of(email_verified=False, sub="user-7")).name == "user-7"
