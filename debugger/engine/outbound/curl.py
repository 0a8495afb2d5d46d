"""An HTTP request as a command that a person can copy into a shell."""

from __future__ import annotations

import shlex

from debugger.engine.outbound.http_message import HttpRequest, form_fields
from debugger.protocol.json_text import encode


def curl_command(request: HttpRequest) -> str:
    """The command; a mark stands where a secret must be put back before it is run."""
    method = ["--head"] if request.method == "HEAD" else ["-X", request.method]
    words = ["curl", *method, request.shown_url]
    for name, value in request.shown_headers.items():
        words += ["-H", f"{name}: {value}"]
    return shlex.join([*words, *_body(request)])


def _body(request: HttpRequest) -> list[str]:
    body, shown = request.body, request.shown_body
    if body is None:
        return []
    if body.content_type == "multipart/form-data":
        pairs = [f"{name}={text}" for name, text in form_fields(shown)]
        return [word for pair in pairs for word in ("--form-string", pair)]
    words = [] if _has_content_type(request) else ["-H", f"Content-Type: {body.content_type}"]
    if body.content_type == "application/x-www-form-urlencoded":
        pairs = [f"{name}={text}" for name, text in form_fields(shown)]
        return words + [word for pair in pairs for word in ("--data-urlencode", pair)]
    return [*words, "--data-raw", encode(shown).decode() if body.content_type.endswith("json") else shown]


def _has_content_type(request: HttpRequest) -> bool:
    return any(name.lower() == "content-type" for name in request.headers)
