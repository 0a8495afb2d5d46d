"""The access to the page: the guard, and the login where one is needed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from debugger.settings import read_settings
from debugger.views.asgi import Application
from debugger.views.auth.guard import Guard
from debugger.views.auth.login_gate import LoginGate
from debugger.views.auth.login_method import check_login_method
from debugger.views.auth.logins import page_logins


def page_access() -> Callable[[Application], Application]:
    """Return the outermost middleware of the app, by the settings of the environment and Streamlit's.

    Raises:
        SettingsError: A setting cannot be used, or the page needs a login and has none.
        StoreError: The store with the API keys cannot be read.
    """
    settings = read_settings()
    logins = page_logins()
    check_login_method(logins.method, logins.has_keys)
    base = page_base()

    def guarded(app: Application) -> Application:
        inner = LoginGate(app, logins=logins, base=base) if logins.is_needed else app
        return Guard(
            inner, allowed_hosts=settings.allowed_host_names, needs_login=logins.is_needed, base=base
        )

    return guarded


def page_base() -> str:
    """Return the path that the page is served under; empty for the root."""
    path = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""
