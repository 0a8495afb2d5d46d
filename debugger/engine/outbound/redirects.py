"""The request that follows a redirect, and what it may carry to another host."""

from __future__ import annotations

from dataclasses import replace

import httpx

from debugger.engine.outbound.base import OutboundError
from debugger.engine.outbound.destinations import PORTS, Destination
from debugger.engine.outbound.http_message import HttpRequest
from debugger.engine.outbound.masking import names_secret, shown_url
from debugger.engine.outbound.secrets import Veiled

STATUSES = frozenset({301, 302, 303, 307, 308})


def redirected(request: HttpRequest, status: int, location: str) -> HttpRequest:
    """The request to make next.

    A request with a secret of the run is redirected only to where the secret may be sent. Another host gets
    no header that holds a secret or is named like one.

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
    before, after = Destination.of_parsed(here), Destination.of_parsed(there)
    is_same = before is not None and after is not None and before.covers(after)
    shown = shown_url(request.written_secrets.mask(request.secrets.mask(str(there))))
    if not is_same:
        target = f"{shown}, a redirect of {request.target},"
        refusal = request.secrets.refusal(request.secret_names, after, request.authored, target, shown)
        if refusal:
            raise OutboundError(refusal)
    method = _method(request.method, status)
    moves_body = request.body is not None and method == request.method
    return replace(
        request,
        method=method,
        url=Veiled(str(there), shown, secret_names=request.url.secret_names),
        headers=_headers(request, is_same=is_same, moves_body=moves_body),
        body=request.body if moves_body else None,
    )


def _joined(request: HttpRequest, here: httpx.URL, location: str) -> httpx.URL:
    try:
        there = here.join(location)
    except (httpx.InvalidURL, ValueError):
        raise OutboundError(f"{request.target} redirects to something that is no URL.") from None
    shown = f"{request.target} redirects to {shown_url(location)}"
    if there.scheme not in PORTS or not there.host:
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


def _headers(request: HttpRequest, *, is_same: bool, moves_body: bool) -> dict[str, Veiled]:
    kept = {name: value for name, value in request.headers.items() if name.lower() != "host"}
    if not is_same:
        kept = {name: value for name, value in kept.items() if not (names_secret(name) or value.holds_secret)}
    if not moves_body:
        kept = {name: value for name, value in kept.items() if not name.lower().startswith("content-")}
    return kept
