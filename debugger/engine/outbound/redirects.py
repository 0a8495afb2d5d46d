"""Where an HTTP answer sends the caller on to, and what may be taken there."""

from __future__ import annotations

import httpx

from debugger.engine.outbound.base import OutboundError
from debugger.engine.outbound.http_message import HttpRequest
from debugger.engine.outbound.masking import names_secret, shown_url
from debugger.engine.outbound.secrets import Veiled

STATUSES = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


def redirected(request: HttpRequest, status: int, location: str) -> HttpRequest:
    """The request to make next.

    Another host is given no header that holds a secret or is named like one, and no body that holds one.

    Args:
        request: The one that was answered.
        status: One of `STATUSES`.
        location: The header of that name.

    Raises:
        OutboundError: It leads to something that is not http or https, from https to http, or would take a
            secret to another host.
    """
    here = httpx.URL(str(request.url.real).strip())
    there = _joined(request, here, location)
    method = _method(request.method, status)
    moves_body = request.body is not None and method == request.method
    is_same = _is_same_place(here, there)
    if moves_body and not is_same and request.body is not None and request.body.value.holds_secret:
        raise OutboundError(
            f"{request.target} redirects to {shown_url(str(there))}, another host; the body holds a secret, "
            "so it was not sent there."
        )
    return HttpRequest(
        method=method,
        url=Veiled(str(there), shown_url(str(there))),
        headers=_headers(request, is_same=is_same, moves_body=moves_body),
        body=request.body if moves_body else None,
    )


def _joined(request: HttpRequest, here: httpx.URL, location: str) -> httpx.URL:
    try:
        there = here.join(location)
    except (httpx.InvalidURL, ValueError):
        raise OutboundError(f"{request.target} redirects to something that is no URL.") from None
    shown = f"{request.target} redirects to {shown_url(location)}"
    if there.scheme not in _PORTS or not there.host:
        raise OutboundError(f"{shown}, which is not http or https.")
    if here.scheme == "https" and there.scheme == "http":
        raise OutboundError(f"{shown}, from https to http.")
    return there


def _method(method: str, status: int) -> str:
    """As browsers have it: see other means to look, and a moved POST is looked at too."""
    if method == "HEAD":
        return method
    looks = status == 303 or (status in (301, 302) and method == "POST")
    return "GET" if looks else method


def _is_same_place(here: httpx.URL, there: httpx.URL) -> bool:
    if here.host != there.host:
        return False
    ports = [url.port or _PORTS[url.scheme] for url in (here, there)]
    return ports[0] == ports[1] or ports == [80, 443]


def _headers(request: HttpRequest, *, is_same: bool, moves_body: bool) -> dict[str, Veiled]:
    kept = {name: value for name, value in request.headers.items() if name.lower() != "host"}
    if not is_same:
        kept = {name: value for name, value in kept.items() if not (names_secret(name) or value.holds_secret)}
    if not moves_body:
        kept = {name: value for name, value in kept.items() if not name.lower().startswith("content-")}
    return kept
