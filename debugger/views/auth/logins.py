"""Logins of the page, by cookies."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from debugger.errors import SettingsError, StoreError
from debugger.settings import Settings, default_database_path, read_settings
from debugger.store import ApiKey, Role, Store
from debugger.views.auth import oidc
from debugger.views.auth.login_method import LoginMethod, login_method
from debugger.views.streamlit_patches.login import configured_cookie_secret

FRESH_SECONDS = 1.0
"""Age up to which keys and ended logins are used without reading them again."""
MAX_UNREAD_SECONDS = 30.0
"""Age up to which they are used while the store cannot be read; after that no user is signed in."""


@dataclass(frozen=True)
class Login:
    """A user who has signed in."""

    person: str
    role: Role | None
    """``None`` for a user to whom no setting gives a role."""
    digest: str
    """By which the login is ended."""
    expires_at: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class _Snapshot:
    """Keys and ended logins as they were in the store."""

    keys: Mapping[str, ApiKey]
    """Keys that are not revoked, by their ids."""
    ended: frozenset[str]


class Logins:
    """Logins by one method.

    Args:
        method: Where users sign in.
        settings: The roles of users, and where the secret of cookies is stored.
        store: Returns the store, which holds the keys and the ended logins.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        method: LoginMethod,
        settings: Settings,
        store: Callable[[], Store],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the secret of cookies for the method ``key``, or the rules of roles for ``oidc``.

        The store is read later.

        Raises:
            SettingsError: The secret cannot be read or stored, or a rule is malformed.
        """
        self.method = method
        self._store = store
        self._clock = clock
        self._snapshot = _Snapshot({}, frozenset())
        self._read_at = self._tried_at = float("-inf")
        self._fault: StoreError | None = None
        self._lock = threading.Lock()
        self.secret = signing_secret(secret_folder(settings)) if method == "key" else b""
        self._roles = oidc.read_roles(settings.roles) if method == "oidc" else ()

    @property
    def is_needed(self) -> bool:
        """Return whether a request without a login is refused."""
        return self.method != "none"

    def find(self, cookies: Mapping[str, str]) -> Login | None:
        """Return the login of cookies.

        ``None`` if it is forged, revoked, ended or expired.

        Raises:
            StoreError: The store cannot be read for longer than `MAX_UNREAD_SECONDS`.
        """
        snapshot = self.snapshot()
        login = None
        if self.method == "key":
            login = self._read_key(cookies, snapshot.keys)
        elif self.method == "oidc":
            login = self._read_identity(cookies)
        return login if login is not None and login.digest not in snapshot.ended else None

    def _read_key(self, cookies: Mapping[str, str], keys: Mapping[str, ApiKey]) -> Login | None:
        """Return the login of the app's own cookie; ``None`` without a valid one of a key in `keys`."""
        cookie = read_cookie(self.secret, cookies.get(login_cookie_name(), ""))
        key = keys.get(cookie.key_id) if cookie is not None else None
        if cookie is None or key is None:
            return None
        return Login(key.person, key.role, cookie.digest, cookie.expires_at)

    def _read_identity(self, cookies: Mapping[str, str]) -> Login | None:
        """Return the login of Streamlit's cookies; ``None`` without a valid one.

        The role of a user to whom no rule gives one is ``None``.
        """
        identity = oidc.read_identity(cookies)
        if identity is None:
            return None
        role = oidc.role_of(identity.claims, self._roles)
        return Login(identity.name, role, identity.digest, identity.expires_at)

    async def find_nonblocking(self, cookies: Mapping[str, str]) -> Login | None:
        """Return the login without blocking the event loop: the store is read in a thread.

        ``None`` and the StoreError are as of `find`.
        """
        if self._is_fresh:
            return self.find(cookies)
        return await asyncio.to_thread(self.find, cookies)

    def has_keys(self) -> bool:
        """Return whether there is an API key that is not revoked.

        Raises:
            StoreError: See `find`.
        """
        return bool(self.snapshot().keys)

    def key(self, digest: str) -> ApiKey | None:
        """Return the key with a digest, if it is not revoked.

        Raises:
            StoreError: See `find`.
        """
        return next((key for key in self.snapshot().keys.values() if key.digest == digest), None)

    def end(self, login: Login) -> None:
        """End a login, so that copies of its cookie are refused.

        Raises:
            StoreError: The store cannot be written.
        """
        self._store().ended_logins.add(login.digest, login.expires_at)
        self._tried_at = float("-inf")

    def audit(self, person: str, role: str, action: str, target: str) -> None:
        """Append to the audit list.

        Raises:
            StoreError: The store cannot be written.
        """
        self._store().audit.append(person, role, action, target)

    def snapshot(self) -> _Snapshot:
        """Return keys and ended logins as they were at most `FRESH_SECONDS` ago.

        Raises:
            StoreError: See `find`.
        """
        with self._lock:
            if not self._is_fresh:
                began = self._clock()
                try:
                    store = self._store()
                    keys = {key.id: key for key in usable_keys(store)}
                    self._snapshot = _Snapshot(keys, store.ended_logins.digests())
                    self._fault = None
                    self._read_at = began
                except StoreError as error:
                    self._fault = error
                # Not before: the event loop would take the old ones for fresh, and wait for the lock.
                self._tried_at = began
            if self._fault is not None and self._tried_at - self._read_at > MAX_UNREAD_SECONDS:
                raise self._fault.with_traceback(None)
            return self._snapshot

    @property
    def _is_fresh(self) -> bool:
        return self._clock() - self._tried_at <= FRESH_SECONDS


def usable_keys(store: Store) -> list[ApiKey]:
    """Return the keys that open the page.

    Revoked keys do not, nor those of a team with a store of its own.

    Raises:
        StoreError: The store cannot be read.
    """
    return [key for key in store.api_keys.all() if key.revoked_at is None and key.team is None]


def secret_folder(settings: Settings) -> Path:
    """Return the folder of the login secret.

    It is that of the SQLite file; of another database the user's data folder.
    """
    url = urlsplit(settings.database_url)
    path = url.path.removeprefix("/")
    if url.scheme != "sqlite" or not path or path == ":memory:":
        return default_database_path().parent
    return Path(path).parent


@cache
def page_logins() -> Logins:
    """Return the logins of this process, by the settings.

    Raises:
        SettingsError: A setting cannot be used.
    """
    settings = read_settings()
    return Logins(login_method(settings), settings, _store)


def _store() -> Store:
    from debugger.views.backends import embedded_backend  # it needs the owners, which need the login

    return embedded_backend().store


MAX_AGE_SECONDS = 12 * 3600
_FILE = "page-login.secret"


@dataclass(frozen=True)
class LoginCookie:
    """The content of a cookie."""

    key_id: str
    digest: str
    """The digest of the content, which differs between two logins with one key."""
    expires_at: float
    """Seconds since 1970."""


def login_cookie_name() -> str:
    """Return the name of the login's cookie.

    Browsers send a cookie to all ports of a host, so the port is part of it.
    """
    return f"workflow_debugger_login_{st.get_option('server.port')}"


def issue_cookie(secret: bytes, key_id: str) -> str:
    """Return the value of a new cookie for an API key."""
    content = f"{key_id}.{int(time.time())}.{secrets.token_hex(16)}"
    return f"{content}.{_signature(secret, content)}"


def read_cookie(secret: bytes, value: str) -> LoginCookie | None:
    """Return the content of a cookie.

    ``None`` if it was not issued here or has expired.
    """
    content, _, signature = value.rpartition(".")
    if not hmac.compare_digest(_signature(secret, content).encode(), signature.encode()):
        return None
    key_id, issued_at, _ = content.split(".")
    expires_at = float(issued_at) + MAX_AGE_SECONDS
    if expires_at <= time.time():
        return None
    return LoginCookie(key_id, hashlib.sha256(content.encode()).hexdigest(), expires_at)


def _signature(secret: bytes, content: str) -> str:
    return hmac.new(secret, b"login:" + content.encode(), hashlib.sha256).hexdigest()


def signing_secret(folder: Path) -> bytes:
    """Return the secret that cookies are signed with.

    Several processes of one page share it by ``server.cookieSecret``; a single one keeps its own in a file
    that only its user can read, so that a restart ends no login.

    Args:
        folder: Where the file is.

    Raises:
        SettingsError: The file cannot be read or written.
    """
    if configured := configured_cookie_secret():
        return configured
    path = folder / _FILE
    try:
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The secret that logins are signed with cannot be stored in {path}: {error}.",
            advice="Give the page the right to write there, or set server.cookieSecret.",
        ) from error
    if len(secret) < 32:
        raise SettingsError(f"The file {path} holds no secret.", advice="Delete it; all users sign in again.")
    return secret.encode()


def _create(path: Path) -> None:
    """Write a new secret into a file of its user alone; one that another process has made meanwhile stays.

    Raises:
        OSError: The file, or the draft beside it, cannot be written.
    """
    # Written aside and linked: of two processes that start together neither reads half a secret.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")  # a process id is used again in a container
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
