"""Requests for tests, sent for real."""

from __future__ import annotations

import threading

from debugger.engine.outbound import MaskedValue
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.outbound.http import send
from debugger.engine.outbound.http_request import HttpBody, HttpRequest


def plain(text):
    return MaskedValue(text, text)


def get(url, method="GET", *, seconds=5.0, limits=None, cancelled=None, headers=None, body=None):
    """Send one request for real."""
    values = {name: plain(value) for name, value in (headers or {}).items()}
    request = HttpRequest(method, plain(url), values, body)
    return send(request, seconds, limits or HttpLimits(), cancelled or threading.Event())


def text_body(text):
    return HttpBody("text/plain", plain(text))
