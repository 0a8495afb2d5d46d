"""The cookie of a login by API key: signed, so that only this installation can have issued it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from debugger.errors import SettingsError

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


def cookie_name() -> str:
    """Return the cookie's name. Browsers send a cookie to all ports of a host, so the port is part of it."""
    return f"workflow_debugger_login_{st.get_option('server.port')}"


def issue(secret: bytes, key_id: str) -> str:
    """Return the value of a new cookie for an API key."""
    content = f"{key_id}.{int(time.time())}.{secrets.token_hex(16)}"
    return f"{content}.{_signature(secret, content)}"


def read(secret: bytes, value: str) -> LoginCookie | None:
    """Return what a cookie holds; ``None`` if it was not issued here or has expired."""
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
    if st.config.is_manually_set("server.cookieSecret"):
        return str(st.get_option("server.cookieSecret")).encode()
    path = folder / _FILE
    try:
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The secret that logins are signed with cannot be kept in {path}: {error}.",
            advice="Give the page the right to write there, or set server.cookieSecret.",
        ) from error
    if len(secret) < 32:
        raise SettingsError(f"The file {path} holds no secret.", advice="Delete it; all users sign in again.")
    return secret.encode()


def _create(path: Path) -> None:
    # Written aside and linked: of two processes that start together neither reads half a secret.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
