"""The address that all requests to the hosted API begin with."""

from __future__ import annotations

import re
from ipaddress import ip_address

import httpx

from debugger.errors import SettingsError


def check_base_url(text: str) -> str:
    """Return a base URL without spaces around it and without a slash at its end.

    Raises:
        SettingsError: It is empty or no URL, is not http or https, has no host, has a user, a query or a
            fragment, or ends with ``/v1`` or ``/v1/workflows``.
    """
    advice = "Enter something like https://api.example/workflows (INTERACTLY_BASE_URL)."
    if not text.strip():
        raise SettingsError("No base URL is set for the hosted API.", advice=advice)
    try:
        url = httpx.URL(text.strip())
        url.raw_host.decode("ascii").encode("idna")  # as it is looked up: no part is empty or too long
    except (httpx.InvalidURL, UnicodeError) as error:
        raise SettingsError(
            f"The base URL of the hosted API is not a URL: {error}.", advice=advice
        ) from error
    shown = without_query(url)
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsError(f"The base URL {shown!r} does not begin with https:// and a host.", advice=advice)
    if url.userinfo or url.query or url.fragment:
        raise SettingsError(
            f"The base URL {shown!r} has a user, a query or a fragment, which it cannot have.",
            advice=f"{advice} The key has its own setting, INTERACTLY_API_KEY.",
        )
    base = shown.rstrip("/")
    if re.search(r"/v1(/workflows)?$", base):
        raise SettingsError(
            f"The base URL {base!r} contains a part of the API's own paths.",
            advice="Leave out /v1 and what follows: every request adds it.",
        )
    return base


def origin_of(url: httpx.URL | str) -> str:
    """Return scheme, host and port of a URL, which bind a key.

    Raises:
        httpx.InvalidURL: It is not a URL.
    """
    parsed = httpx.URL(url)
    port = parsed.port or {"http": 80, "https": 443}.get(parsed.scheme, 0)
    return f"{parsed.scheme}://{parsed.host}:{port}"


def host_of(base_url: str) -> str:
    """Return the host of a base URL; empty where it has none or is no URL."""
    try:
        return httpx.URL(base_url).host
    except httpx.InvalidURL:
        return ""


def is_same_origin(one: str, other: str) -> bool:
    """Return whether two base URLs have the same scheme, host and port.

    False for what is not a URL.
    """
    try:
        return bool(httpx.URL(one.strip()).host) and origin_of(one.strip()) == origin_of(other.strip())
    except httpx.InvalidURL:
        return False


def is_unencrypted(base_url: str) -> bool:
    """Return whether requests to a base URL are readable on their way."""
    url = httpx.URL(base_url)
    return url.scheme == "http" and not is_loopback(url.host)


def is_loopback(host: str) -> bool:
    """Return whether a host is ``localhost``, a name below it or a loopback address; no name is looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def without_query(url: httpx.URL) -> str:
    """Return a URL without user, query and fragment, which may be secret."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))
