from __future__ import annotations

import pytest
import streamlit as st

from debugger.errors import SettingsError
from debugger.settings import Settings
from debugger.views.auth import login_method as module
from debugger.views.auth.login_method import auth_providers, check_login_method, login_method


@pytest.fixture
def options(monkeypatch):
    """Sets options of Streamlit and the content of its secrets."""

    def set_options(address="127.0.0.1", secrets=None, file=None):
        values = {"server.address": address, "secrets.files": [str(file)] if file else []}
        monkeypatch.setattr(st, "get_option", values.get)
        if secrets is not None:
            monkeypatch.setattr(st, "secrets", secrets)

    return set_options


class Unreadable(dict):
    def get(self, name):
        raise FileNotFoundError(name)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_page_on_loopback_needs_no_login(options, address):
    options(address, {})

    assert login_method(Settings(allowed_hosts="localhost, 127.0.0.1, ::1")) == "none"


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", None, "", "192.168.1.5", "debugger.example", "fe80::1%eth0"]
)
def test_page_beyond_loopback_needs_login(options, address):
    options(address, {})

    assert login_method(Settings()) == "key"


def test_page_under_another_name_needs_login(options):
    options("127.0.0.1", {})

    assert login_method(Settings(allowed_hosts="localhost,debugger.example")) == "key"


def test_identity_provider_is_used_on_localhost_too(options):
    options("127.0.0.1", {"auth": {"client_id": "debugger", "qa": {"client_id": "debugger"}, "kwargs": {}}})

    assert login_method(Settings()) == "oidc"
    assert auth_providers() == ["default", "qa"]


def test_unreadable_secrets_do_not_turn_login_off(options, tmp_path):
    file = tmp_path / "secrets.toml"
    file.write_text("[auth")
    options("0.0.0.0", Unreadable(), file)

    with pytest.raises(SettingsError, match="login of the page is not known"):
        login_method(Settings())


def test_check_refuses_page_without_keys():
    with pytest.raises(SettingsError, match="keys add NAME"):
        check_login_method("key", lambda: False)
    check_login_method("key", lambda: True)
    check_login_method("none", lambda: False)


def test_check_names_missing_library(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)

    with pytest.raises(SettingsError, match=r"'\.\[auth\]'"):
        check_login_method("oidc", lambda: False)


def test_check_refuses_secret_that_can_be_guessed(options, monkeypatch):
    options("127.0.0.1", {"auth": {"client_id": "debugger", "cookie_secret": "x" * 31}})
    monkeypatch.setattr(module, "check_provider", lambda provider: None)

    with pytest.raises(SettingsError, match="can be forged"):
        check_login_method("oidc", lambda: False)


def test_check_refuses_incomplete_credentials(options):
    options("127.0.0.1", {"auth": {"client_id": "debugger"}})

    with pytest.raises(SettingsError, match=r"secrets\.toml"):
        check_login_method("oidc", lambda: False)
