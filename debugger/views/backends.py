"""The backend that a tab works with."""

from __future__ import annotations

import streamlit as st

from debugger.backends import open_embedded
from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.errors import NotFoundError, SettingsError
from debugger.session.live_sessions import LiveSessions
from debugger.settings import HostedSettings, read_settings
from debugger.store import ForkBook, Notebook
from debugger.views import state
from debugger.views.state import BackendName


@st.cache_resource(show_spinner=False)
def embedded_backend() -> EmbeddedBackend:
    """The embedded engine: one for the process, since it keeps no one's credentials."""
    return open_embedded(read_settings())


@st.cache_resource(show_spinner=False)
def live_sessions() -> LiveSessions:
    """The sessions of the embedded engine in which a turn is under way, each behind a token of its own.

    Those of the hosted API hold somebody's key, and so are never found from another tab.
    """
    return LiveSessions()


def notebook() -> Notebook:
    """What people note on runs, of whichever backend: it is kept beside the embedded engine's runs.

    Raises:
        StoreError: The store cannot be opened.
    """
    return embedded_backend().store.notebook


def fork_book() -> ForkBook:
    """What is remembered of forks, of whichever backend: it is kept beside the embedded engine's runs.

    Raises:
        StoreError: The store cannot be opened.
    """
    return embedded_backend().store.forks


def current_backend() -> Backend:
    """The backend that this tab has chosen.

    Raises:
        SettingsError: It is the hosted API, and nothing says where that is.
        NotFoundError: It is a recording that another tab has opened.
        DebuggerError: It cannot be opened.
    """
    return named_backend(state.page().backend_name)


def named_backend(name: BackendName) -> Backend:
    """One of the backends, whether this tab has chosen it or not.

    Raises:
        SettingsError: It is the hosted API, and nothing says where that is.
        DebuggerError: It cannot be opened.
    """
    page = state.page()
    if name == "embedded":
        return embedded_backend()
    if name == "recording":
        return _recording()
    if page.hosted_backend is None:
        connect_hosted(read_settings().hosted)
    assert page.hosted_backend is not None
    return page.hosted_backend


def _recording() -> Backend:
    found = state.page().recording
    if found is None:
        raise NotFoundError(
            "This link is to a recording, which only the tab that opened its file knows.",
            advice="Open the file again on the page Runs, or choose another backend on the page Connection.",
        )
    return found


def connect_hosted(wanted: HostedSettings) -> None:
    """Work with the hosted API from now on.

    Raises:
        SettingsError: The address is missing, or something in the settings cannot be used.
    """
    if not wanted.base_url:
        raise SettingsError(
            "The hosted API needs a base URL.", advice="Enter it on the page Connection, with a key."
        )
    page = state.page()
    before, page.hosted_backend = page.hosted_backend, HostedBackend(wanted)
    page.hosted_settings = wanted
    if before is not None:
        before.close()


def with_key_of_environment(typed: HostedSettings) -> HostedSettings:
    """Fill in the environment's key where none was typed.

    It goes to the environment's own address only: whoever may type an address shall not learn the key by it.
    """
    ours = read_settings().hosted
    if typed.api_key.get_secret_value() or typed.base_url.rstrip("/") != ours.base_url.rstrip("/"):
        return typed
    return typed.model_copy(update={"api_key": ours.api_key})
