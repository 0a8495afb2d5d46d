"""Streamlit's own login: configuration, cookie and identity provider.

The modules are imported when they are needed: in another version of Streamlit they may be elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from debugger.errors import SettingsError
from debugger.views.streamlit_patches import SETTING, is_enabled

COOKIE_NAME = "_streamlit_user"
"""Prefix of the names of Streamlit's cookies of a user."""


def check_login_support() -> None:
    """Refuse a login by an identity provider while the patch is off.

    Nothing could check its cookie then.

    Raises:
        SettingsError: It is off.
    """
    if not is_enabled("login"):
        raise SettingsError(
            f"The login by [auth] is not tested with Streamlit {st.__version__}, or is off by {SETTING}.",
            advice=f"Install a tested version, or set {SETTING}=on.",
        )


def check_provider(name: str) -> None:
    """Check the credentials of an identity provider in ``[auth]``.

    Raises:
        SettingsError: One is missing.
    """
    from streamlit.auth_util import validate_auth_credentials
    from streamlit.errors import StreamlitAuthError

    try:
        validate_auth_credentials(name)
    except StreamlitAuthError as error:
        raise SettingsError(" ".join(str(error).split())) from error


def provider_url(name: str) -> str:
    """Return the address that begins a login; valid for two minutes."""
    from streamlit.user_info import generate_login_redirect_url

    url: str = generate_login_redirect_url(name)
    return url


def read_login_cookie(cookies: Mapping[str, str]) -> bytes | None:
    """Return the content of Streamlit's login cookie.

    ``None`` without one, and where its signature is wrong or has expired.
    """
    from streamlit.auth_util import get_cookie_with_chunks, get_signing_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

    secret = get_signing_secret()

    def content_of(name: str) -> bytes | None:
        value = cookies.get(name)
        return decode_signed_value(secret, name, value) if value else None

    content: bytes | None = get_cookie_with_chunks(content_of, COOKIE_NAME)
    return content


def configured_cookie_secret() -> bytes | None:
    """Return ``server.cookieSecret`` where it was configured.

    Streamlit makes one up where it was not.
    """
    if is_enabled("login") and st.config.is_manually_set("server.cookieSecret"):
        return str(st.get_option("server.cookieSecret")).encode()
    return None
