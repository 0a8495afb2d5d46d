"""The logins of the page: whose a request is by its cookies, and until when."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from debugger.errors import StoreError
from debugger.settings import Settings, default_database_path, read_settings
from debugger.store import ApiKey, Role, Store
from debugger.views.auth import login_cookie, oidc
from debugger.views.auth.login_method import LoginMethod, login_method

FRESH_SECONDS = 1.0
"""Age up to which keys and ended logins are used without reading them again."""
MAX_UNREAD_SECONDS = 30.0
"""Age up to which they are used while the store cannot be read; after that nobody is signed in."""


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
    """The logins by one method.

    Args:
        method: Where users sign in.
        settings: The roles of users, and where the secret of cookies is kept.
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
        self.method = method
        self._store = store
        self._clock = clock
        self._snapshot = _Snapshot({}, frozenset())
        self._read_at = self._tried_at = float("-inf")
        self._fault: StoreError | None = None
        self._lock = threading.Lock()
        self.secret = b""
        self._reader: _Reader | None = None
        if method == "key":
            self.secret = login_cookie.signing_secret(secret_folder(settings))
            self._reader = _KeyReader(self.secret)
        elif method == "oidc":
            self._reader = _OidcReader(oidc.read_roles(settings.roles))

    @property
    def is_needed(self) -> bool:
        """Return whether a request without a login is refused."""
        return self.method != "none"

    def find(self, cookies: Mapping[str, str]) -> Login | None:
        """Return the login that cookies belong to; ``None`` if it is forged, revoked, ended or expired.

        Raises:
            StoreError: The store cannot be read for longer than `MAX_UNREAD_SECONDS`.
        """
        snapshot = self.snapshot()
        login = self._reader.read(cookies, snapshot.keys) if self._reader is not None else None
        return login if login is not None and login.digest not in snapshot.ended else None

    async def find_soon(self, cookies: Mapping[str, str]) -> Login | None:
        """Do the same without holding up the event loop while the store is read."""
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
        """End a login, so that a copy of its cookie is refused, too.

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
                    self._snapshot, self._fault = _read(self._store()), None
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


def _read(store: Store) -> _Snapshot:
    return _Snapshot({key.id: key for key in usable_keys(store)}, store.ended_logins.digests())


class _Reader(Protocol):
    """Reads whose a login is from its cookies."""

    def read(self, cookies: Mapping[str, str], keys: Mapping[str, ApiKey]) -> Login | None: ...


@dataclass(frozen=True)
class _KeyReader:
    secret: bytes

    def read(self, cookies: Mapping[str, str], keys: Mapping[str, ApiKey]) -> Login | None:
        cookie = login_cookie.read(self.secret, cookies.get(login_cookie.cookie_name(), ""))
        key = keys.get(cookie.key_id) if cookie is not None else None
        if cookie is None or key is None:
            return None
        return Login(key.person, key.role, cookie.digest, cookie.expires_at)


@dataclass(frozen=True)
class _OidcReader:
    roles: tuple[oidc.RoleRule, ...]

    def read(self, cookies: Mapping[str, str], keys: Mapping[str, ApiKey]) -> Login | None:
        identity = oidc.read_identity(cookies)
        if identity is None:
            return None
        return Login(
            identity.name, oidc.role_of(identity.claims, self.roles), identity.digest, identity.expires_at
        )


def usable_keys(store: Store) -> list[ApiKey]:
    """Return the keys that open the page: not revoked, and not those of a team with a store of its own.

    Raises:
        StoreError: The store cannot be read.
    """
    return [key for key in store.api_keys.all() if key.revoked_at is None and key.team is None]


def secret_folder(settings: Settings) -> Path:
    """Return the folder of the SQLite file; the user's data folder for another database."""
    url = urlsplit(settings.database_url)
    path = url.path.removeprefix("/")
    if url.scheme != "sqlite" or not path or path == ":memory:":
        return default_database_path().parent
    return Path(path).parent


@cache
def page_logins() -> Logins:
    """Return the logins of this process, by the settings of the environment and Streamlit's.

    Raises:
        SettingsError: A setting cannot be used.
    """
    settings = read_settings()
    return Logins(login_method(settings), settings, _store)


def _store() -> Store:
    from debugger.views.backends import embedded_backend  # it needs the owners, which need the login

    return embedded_backend().store
