"""An HTTP request in two forms: as sent, and as displayed with secrets masked."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote, urlencode

import httpx

from debugger.engine.outbound.destinations import Destination, parse_url
from debugger.engine.outbound.masking import find_literal_secrets, mask_body, mask_header, mask_url
from debugger.engine.outbound.secrets import MARK, MaskedValue, RequestBudget, Secrets
from debugger.errors import InputError
from debugger.expressions import Scope
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode

ContentType = Literal[
    "application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"
]

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\ud7ff\ue000-\uffff]*")
_DEFAULT_HEADERS = (("Accept", "*/*"), ("User-Agent", "workflow-debugger"), ("Connection", "close"))


_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_QUOTE_ADVICE = "Put quotes around a placeholder that stands for a text."


@dataclass(frozen=True)
class HttpBody:
    """The body of a request."""

    content_type: ContentType
    value: MaskedValue
    """A JSON value, of a form an object; of plain text the text."""


@dataclass(frozen=True)
class HttpRequest:
    """One request."""

    method: str
    url: MaskedValue
    """Texts."""
    headers: Mapping[str, MaskedValue] = field(default_factory=dict)
    """Texts by name."""
    body: HttpBody | None = None
    authored: Destination | None = None
    """The destination that the workflow's author wrote; see `Secrets.refusal`."""
    secrets: Secrets = field(default_factory=Secrets)
    """Those of the run."""

    @property
    def secret_names(self) -> frozenset[str]:
        """Return the names of the secrets in it."""
        values = [self.url, *self.headers.values(), *([] if self.body is None else [self.body.value])]
        return frozenset().union(*(each.secret_names for each in values))

    @property
    def refusal(self) -> str:
        """Return why it must not be sent with the secrets in it; empty where it may be.

        A request without secrets may always be sent.
        """
        host = host_header({name: str(each.real) for name, each in self.headers.items()})
        destination = Destination.of(str(self.url.real), host)
        return self.secrets.refusal(
            self.secret_names, destination, self.authored, self.target, self.masked_url
        )

    @property
    def masked_host(self) -> str:
        """Return the host for the user, secrets masked."""
        url = parse_url(self.masked_url)
        return MARK if url is None else url.host

    @property
    def masked_url(self) -> str:
        """Return the URL for people."""
        return mask_url(self.url.masked)

    @property
    def target(self) -> str:
        """Method and URL for people: ``POST https://api.example/slots``."""
        return f"{self.method} {self.masked_url}"

    @property
    def masked_headers(self) -> dict[str, str]:
        """Return the author's headers for people."""
        return {name: mask_header(name, value.masked) for name, value in self.headers.items()}

    @property
    def masked_body(self) -> Any:
        """Return the body's value for people; ``None`` where there is none."""
        return None if self.body is None else mask_body(self.body.value.masked)

    @property
    def literal_secrets(self) -> Secrets:
        """Return the literal secrets in URL and headers, to be masked in the answer, with a masked host.

        Values of fewer than six characters are left out.
        """
        url = str(self.url.real)
        parsed = parse_url(url)
        hosts: list[str] = []
        if parsed is not None and parsed.host != self.masked_host:
            hosts = [parsed.host, parsed.raw_host.decode("ascii")]
        headers = {name: str(each.real) for name, each in self.headers.items()}
        return find_literal_secrets(url, headers, hosts)

    def to_ledger(self) -> JsonObject:
        """Return the request as the ledger has it."""
        shown = {"method": self.method, "url": self.masked_url, "headers": self.masked_headers}
        return shown if self.body is None else {**shown, "body": self.masked_body}


def wire_request(request: HttpRequest) -> httpx.Request:
    """Return the request as it is sent, with default headers, and a user in the URL as ``Authorization``.

    Raises:
        InputError: Its URL is not absolute, or it has a header that HTTP does not allow.
    """
    url = parse_url(str(request.url.real))
    if url is None:
        raise InputError(
            f"The URL {request.masked_url!r} cannot be called.",
            advice="Write an absolute one that begins with https:// or http:// and a host.",
        )
    headers = httpx.Headers([*_DEFAULT_HEADERS])
    for name, value in request.headers.items():
        headers[name] = header_value(name, str(value.real))
    if url.userinfo and "authorization" not in headers:
        user = f"{url.username}:{url.password}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(user).decode()
    content: dict[str, Any] = {} if request.body is None else _content(request.body, headers)
    return httpx.Request(request.method, url, headers=headers, **content)


def header_value(name: str, value: str) -> str:
    """Return the value of a header as it is sent: stripped.

    Raises:
        InputError: HTTP does not allow the name or the value; the message does not show the value.
    """
    value = value.strip()
    if not _HEADER_NAME.fullmatch(name):
        raise InputError(f"{name!r} cannot be the name of a header.", advice="Use letters, digits and '-'.")
    if not _HEADER_VALUE.fullmatch(value):
        raise InputError(
            f"The value of the header {name!r} has a line break or something else that HTTP does not allow.",
            advice="Keep it on one line.",
        )
    return value


def form_fields(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a form's fields: one per list element, nested values as JSON.

    Null is an empty text, and an empty list gives no field.
    """
    return [
        (name, _field_text(each))
        for name, inner in value.items()
        for each in (inner if isinstance(inner, list) else [inner])
    ]


def with_query(url: str, query: Mapping[str, Any]) -> str:
    """Return a URL with parameters added to its query, before a fragment; unchanged without any."""
    if not query:
        return url
    address, mark, fragment = url.partition("#")
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    # The mark of a secret is left readable.
    return f"{address}{joint}{_encoded(query, quote_via=quote, safe='*')}{mark}{fragment}"


def host_header(headers: Mapping[str, str]) -> str:
    """Return the header Host; all values where several differ in case."""
    return ",".join(value for name, value in headers.items() if name.strip().lower() == "host")


def _content(body: HttpBody, headers: httpx.Headers) -> dict[str, Any]:
    """Return a body as keyword arguments of `httpx.Request`; the content type in ``headers`` is set.

    A type of the author's stays, but a multipart form's without a boundary is removed.
    """
    value = body.value.real
    if body.content_type == "multipart/form-data":
        if "boundary=" not in headers.get("content-type", ""):
            headers.pop("content-type", None)
        fields = form_fields(value)
        return {"files": [(_bytes(name).decode(), (None, _bytes(text))) for name, text in fields]}
    headers.setdefault("content-type", body.content_type)
    if body.content_type == "application/x-www-form-urlencoded":
        return {"content": _encoded(value).encode()}
    return {"content": encode(value) if body.content_type == "application/json" else _bytes(str(value))}


def _encoded(fields: Mapping[str, Any], **how: Any) -> str:
    return urlencode(form_fields(fields), errors="replace", **how)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _field_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else encode(value).decode()


def read_query(written: Any, scope: Scope, secrets: Secrets, budget: RequestBudget) -> MaskedValue | None:
    """Return the query, an object; ``None`` where there is none.

    Args:
        written: A text of JSON with placeholders, or an object.
        scope: The variables.
        secrets: The run's.
        budget: The request's.

    Raises:
        InputError: It is not JSON once its placeholders are filled in, or no object.
        RunError: It exceeds the budget.
    """
    found = _read(written, scope, secrets, budget, "query_parameters")
    if found is not None and not isinstance(found.real, dict):
        raise InputError("query_parameters must be a JSON object.", advice='Write it as {"name": "value"}.')
    return found


def read_body(
    written: Any, content_type: ContentType, scope: Scope, secrets: Secrets, budget: RequestBudget
) -> HttpBody | None:
    """Return the body, plain text not read as JSON; ``None`` where it is absent or blank.

    Args:
        written: A text of JSON with placeholders, or a JSON value.
        content_type: What it is sent as.
        scope: The variables.
        secrets: The run's.
        budget: The request's.

    Raises:
        InputError: It is not JSON once its placeholders are filled in, or no object where a form needs one.
        RunError: It exceeds the budget.
    """
    if content_type == "text/plain":
        text = written if isinstance(written, str) or written is None else encode(written).decode()
        return HttpBody(content_type, secrets.fill(text, scope, budget)) if text else None
    found = _read(written, scope, secrets, budget, "body_parameters")
    if found is None:
        return None
    if content_type in _FORMS and not isinstance(found.real, dict):
        raise InputError(
            f"body_parameters must be a JSON object to be sent as {content_type}.",
            advice='Write it as {"name": "value"}.',
        )
    return HttpBody(content_type, found)


def _read(
    written: Any, scope: Scope, secrets: Secrets, budget: RequestBudget, field_name: str
) -> MaskedValue | None:
    """Return the filled value of a field, its JSON read; ``None`` where it is absent, blank or null.

    Raises InputError where it is not JSON once its placeholders are filled in, and RunError where it exceeds
    the budget.
    """
    if not isinstance(written, str):
        return None if written is None else secrets.fill_value(written, scope, budget)
    filled = secrets.fill(written, scope, budget, is_json=True)
    if not filled.real.strip():
        return None
    real = _parsed(filled.real, field_name)
    try:
        shown = _parsed(filled.masked, field_name)
    except InputError:  # where the mark of a secret leaves no JSON, nothing is shown
        shown = {MARK: MARK}
    return None if real is None else replace(filled, real=real, masked=secrets.mask_value(shown))


def _parsed(text: str, field_name: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        InputError: It is none; the message names the field and does not show the text.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        # Without the text, which may hold a secret.
        raise InputError(
            f"{field_name} is not JSON once its placeholders are filled in: {error.msg} at line "
            f"{error.lineno}, column {error.colno}.",
            advice=_QUOTE_ADVICE,
        ) from None
    except (RecursionError, ValueError):
        raise InputError(f"{field_name} is nested too deep, or has too long a number.") from None


def curl_command(request: HttpRequest) -> str:
    """Return a shell command for the request, with a mark in place of each secret."""
    method = ["--head"] if request.method == "HEAD" else ["-X", request.method]
    words = ["curl", *method, request.masked_url]
    for name, value in request.masked_headers.items():
        words += ["-H", f"{name}: {value}"]
    return shlex.join([*words, *_curl_body(request)])


def _curl_body(request: HttpRequest) -> list[str]:
    """Return the words of a curl command for the masked body, with its content type; empty without one.

    The content type is left out where the request has such a header, and of a multipart form.
    """
    body, shown = request.body, request.masked_body
    if body is None:
        return []
    if body.content_type == "multipart/form-data":
        pairs = [f"{name}={text}" for name, text in form_fields(shown)]
        return [word for pair in pairs for word in ("--form-string", pair)]
    has_type = any(name.lower() == "content-type" for name in request.headers)
    words = [] if has_type else ["-H", f"Content-Type: {body.content_type}"]
    if body.content_type == "application/x-www-form-urlencoded":
        pairs = [f"{name}={text}" for name, text in form_fields(shown)]
        return words + [word for pair in pairs for word in ("--data-urlencode", pair)]
    return [*words, "--data-raw", encode(shown).decode() if body.content_type.endswith("json") else shown]
