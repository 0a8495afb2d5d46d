"""Choice of the login: none, an identity provider, or API keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import streamlit as st

from debugger.errors import SettingsError, extra_advice
from debugger.settings import Settings
from debugger.views.streamlit_patches.login import check_login_support, check_provider

LoginMethod = Literal["none", "key", "oidc"]

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names by which a page is reached on its own machine, as in a ``Host`` header."""
MIN_SECRET_CHARACTERS = 32


def login_method(settings: Settings) -> LoginMethod:
    """Return the login that these settings need.

    An identity provider that is configured is used on localhost, too.

    Raises:
        SettingsError: ``secrets.toml`` cannot be read and a login is needed.
    """
    try:
        if _auth_section() is not None:
            return "oidc"
    except SettingsError:
        if is_beyond_this_machine(settings):
            raise
    return "key" if is_beyond_this_machine(settings) else "none"


def is_beyond_this_machine(settings: Settings) -> bool:
    """Return whether the page is reachable from other machines.

    It is by an address beyond loopback, or by a name that is not local.
    """
    address = st.get_option("server.address")
    # Without an address, Streamlit listens on all.
    return not is_loopback(address or "0.0.0.0") or bool(settings.allowed_host_names - LOCAL_NAMES)


def is_loopback(address: str) -> bool:
    """Return whether an address can be reached from this machine only; false for what is no address.

    "localhost" and an address in brackets count, too; other names do not.
    """
    try:
        return address == "localhost" or ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def check_login_method(method: LoginMethod, has_keys: Callable[[], bool]) -> None:
    """Refuse to start a page that needs a login and has none.

    Args:
        method: The login that is needed.
        has_keys: Returns whether the store holds an API key that is not revoked.

    Raises:
        SettingsError: There is no key, or what is needed for an identity provider is missing.
        StoreError: The store cannot be read.
    """
    if method == "oidc":
        _check_auth_section()
    if method == "key" and not has_keys():
        raise SettingsError(
            "The page is reachable from other machines (server.address or WORKFLOW_DEBUGGER_ALLOWED_HOSTS) "
            "and has no login, so it does not start.",
            advice="Make an API key (workflow-debugger keys add NAME --role ROLE), or configure [auth] in "
            ".streamlit/secrets.toml.",
        )


def _check_auth_section() -> None:
    """Refuse to start with an identity provider that cannot work.

    Raises:
        SettingsError: The patch of the login is off, ``authlib`` is missing, a provider lacks credentials, or
            the cookie secret has less than `MIN_SECRET_CHARACTERS` characters.
    """
    check_login_support()
    if find_spec("authlib") is None:
        raise SettingsError(
            "[auth] in secrets.toml needs the extra auth, which is not installed.",
            advice=extra_advice("auth"),
        )
    for provider in auth_providers():
        check_provider(provider)
    if len(str((_auth_section() or {}).get("cookie_secret"))) < MIN_SECRET_CHARACTERS:
        raise SettingsError(
            f"cookie_secret in [auth] of secrets.toml has less than {MIN_SECRET_CHARACTERS} characters, so "
            "that logins can be forged.",
            advice="Make one with python -c 'import secrets; print(secrets.token_hex(32))'.",
        )


def auth_providers() -> list[str]:
    """Return the names of the identity providers in ``[auth]``.

    ``default`` is the unnamed one; it is also the answer where none is named, as without the section.

    Raises:
        SettingsError: ``secrets.toml`` cannot be read.
    """
    section = _auth_section() or {}
    named = [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]
    return ["default", *named] if "client_id" in section or not named else named


def _auth_section() -> Mapping[str, object] | None:
    section = secrets_section("auth", "the login of the page is not known")
    return section if isinstance(section, Mapping) else None


def secrets_section(name: str, loss: str) -> object:
    """Return a section of ``secrets.toml``; ``None`` where there is no such section or file.

    Args:
        name: The section.
        loss: What is missing without it, as the end of a sentence.

    Raises:
        SettingsError: The file is not TOML.
    """
    try:
        return st.secrets.get(name)
    except FileNotFoundError as error:  # Streamlit's class for a file that cannot be parsed, too
        if not any(Path(path).exists() for path in st.get_option("secrets.files")):
            return None
        raise SettingsError(
            f"The file secrets.toml cannot be read, so {loss}.",
            advice=f"Correct it ({type(error.__cause__ or error).__name__}: {error.__cause__ or ''}).",
        ) from None
