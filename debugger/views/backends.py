"""The backend that a tab works with."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import streamlit as st

from debugger.backends import open_embedded
from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.recorded import RecordedBackend
from debugger.engine.tools.sandbox import python_status
from debugger.errors import NotFoundError, SettingsError
from debugger.session.registry import LiveSessions
from debugger.settings import Settings, read_settings
from debugger.store import NoteRepository, Store
from debugger.views import state
from debugger.views.auth.login_method import is_beyond_this_machine
from debugger.views.auth.logins import page_logins, secret_folder, signing_secret
from debugger.views.connections import (
    HostedConnection,
    connect_hosted,
    connection,
    default_connection,
    drop_withheld_key,
    owner,
)
from debugger.views.url_state import BackendName

_log = logging.getLogger(__name__)


@dataclass
class CurrentBackend:
    """The backend that a tab has chosen."""

    name: BackendName = field(default_factory=lambda: owner().backend_name)
    """An address that names none opens the one that this browser used last."""
    recording: RecordedBackend | None = None
    """The run of a file that was opened in this tab; gone with it, as the file is not stored."""


@dataclass
class EngineChoices:
    """Choices that replace settings of the embedded engine until the tab is reloaded."""

    values: dict[str, str] = field(default_factory=dict)
    """Values by names of settings: ``responder`` and the ``outbound_...`` of the classes of calls."""


@st.cache_resource(show_spinner=False)
def embedded_backend() -> EmbeddedBackend:
    """Return the embedded engine of the process.

    A page without a login answers to a single user on this machine, and its user's consents count.
    """
    settings = read_settings()
    if is_beyond_this_machine(settings):
        settings = settings.beyond_loopback()
    _log.info("Inline Python: %s", python_status(settings.inline_python).description)
    return open_embedded(settings, python_consent_key=_consent_key(settings))


def _consent_key(settings: Settings) -> bytes | None:
    """Return the key of consents to Python; ``None`` where the page needs a login, or it cannot be had.

    It is the secret in the folder of the settings, see `signing_secret`.
    """
    try:
        # Not by the current user: to find it, the login reads the store of this very backend.
        return None if page_logins().is_needed else signing_secret(secret_folder(settings))
    except SettingsError:
        return None


@st.cache_resource(show_spinner=False)
def live_sessions() -> LiveSessions:
    """Return the embedded engine's sessions with a turn under way.

    Each has a token of its own. Sessions of the hosted API use a user's key, so other tabs never find
    them.
    """
    return LiveSessions()


def local_store() -> Store:
    """Return the embedded engine's store, with what is noted on runs of any backend.

    Raises:
        StoreError: The store cannot be opened.
    """
    return embedded_backend().store


def local_notes() -> NoteRepository:
    """Return the notes on runs of any backend.

    They are stored beside the embedded engine's runs.

    Raises:
        StoreError: The store cannot be opened.
    """
    return embedded_backend().store.notes


def current_backend() -> Backend:
    """Return the backend that this tab has chosen.

    Raises:
        SettingsError: It is the hosted API, and nothing says where that is.
        NotFoundError: It is a recording that another tab has opened, or a connection that is not defined.
        DebuggerError: It cannot be opened.
    """
    return named_backend(state.record(CurrentBackend).name)


def named_backend(name: BackendName) -> Backend:
    """Return a backend by its name.

    Raises:
        SettingsError: It is the hosted API, and nothing says where that is.
        ForbiddenError: The connection's key is for users with another role.
        DebuggerError: It cannot be opened.
    """
    hosted = state.record(HostedConnection)
    if name == "embedded":
        return embedded_backend().with_choices(state.record(EngineChoices).values)
    if name == "recording":
        return _recording()
    drop_withheld_key()
    if hosted.backend is None:
        connection_name = hosted.name or default_connection()
        connect_hosted(connection_name, connection(connection_name))
    assert hosted.backend is not None
    return hosted.backend


def _recording() -> Backend:
    """Return the recording that was opened in this tab.

    Raises `NotFoundError` without one.
    """
    found = state.record(CurrentBackend).recording
    if found is None:
        raise NotFoundError(
            "This link is to a recording, which only the tab that opened its file knows.",
            advice="Open the file again on the page Runs, or choose another backend on the page Connection.",
        )
    return found
