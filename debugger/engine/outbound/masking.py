"""Masking of values whose names mark them as secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

import regex

from debugger.engine.outbound.secrets import MARK, Secrets
from debugger.protocol.json_codec import decode, encode

_SECRET_PARTS = (
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "authorization",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "cookie",
    "credential",
    "functionskey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "privatetoken",
    "refreshtoken",
    "secret",
    "securitytoken",
    "sessiontoken",
    "signingkey",
    "subscriptionkey",
    "vaulttoken",
)
"""Parts of names, without what separates their words."""
_SECRET_NAMES = frozenset(
    {"auth", "idtoken", "key", "pwd", "sessionid", "sig", "signature", "token", "xtoken"}
)
"""Whole names that tell it of a header or of a part of a query, but not of a body's field."""

_SHORTEST = 6
"""Characters; a shorter text is part of too many others to be masked in them."""

_LONG = 2_000
"""Characters of a text from which a search releases the interpreter's lock."""
_USER = regex.compile(r"(?<=//)(?>[^/?#]*@)")
_PARAMETER = regex.compile(r"(?<=[?&])(?P<name>[^=&#]++)(?:=(?P<value>[^&#]++))?+")
_SCHEME = re.compile(r"(?i)(?:basic|bearer|digest|token|apikey)(?=\s)")


def names_secret(name: str) -> bool:
    """Return whether a header or query parameter is named like a secret."""
    bare = _bare(name)
    return bare in _SECRET_NAMES or bare.endswith("signature") or _has_secret_part(bare)


def find_literal_secrets(url: str, headers: Mapping[str, str], more: Iterable[str] = ()) -> Secrets:
    """Return the author's literal secrets, to be masked in answers.

    Args:
        url: A URL as it is called.
        headers: Headers as they are sent.
        more: Other texts that are masked like secrets.
    """
    found = {value for value in (*_written(url, headers), *more) if len(value) >= _SHORTEST}
    return Secrets({str(number): value for number, value in enumerate(sorted(found))})


def mask_url(url: str) -> str:
    """Mask the user in a URL and the parameters named like secrets."""
    if "//" in url:
        url = substitute(_USER, lambda _: f"{MARK}@", url)
    return substitute(_PARAMETER, _shown_parameter, url) if "=" in url else url


def substitute(pattern: regex.Pattern[str], replace: Callable[[regex.Match[str]], str], text: str) -> str:
    """Replace what a linear pattern finds; in a long text other threads run meanwhile."""
    replaced: str = pattern.sub(replace, text, concurrent=len(text) > _LONG)
    return replaced


def mask_header(name: str, value: str) -> str:
    """Mask a header's value, except for a scheme such as ``Bearer``.

    The value of a header that is not named like a secret is returned as it is.
    """
    if not names_secret(name):
        return value
    scheme = _SCHEME.match(value)
    return f"{scheme[0]} {MARK}" if scheme else MARK


def mask_body(value: Any) -> Any:
    """Return a copy of a value whose fields named like secrets are masked, at any depth.

    Short names such as ``key`` and ``token`` are not masked, nor what can be no secret: true, false and null.
    A value that is no object or list stays.
    """
    if isinstance(value, Mapping):
        return {
            key: MARK if _is_secret(str(key), inner) else mask_body(inner) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [mask_body(inner) for inner in value]
    return value


def mask_recorded(value: Any, secrets: Secrets) -> Any:
    """Return a value for a recording: fields named like secrets are masked, and the secrets in all texts.

    A text that is JSON has fields, too, as the body of an HTTP answer. Secrets of fewer than six characters
    are masked in such fields alone.
    """
    return _mask_texts(mask_body(secrets.of_length(_SHORTEST).mask_value(value)))


def _mask_texts(value: Any) -> Any:
    """Return a value with the texts in it masked that are JSON objects or lists."""
    if isinstance(value, Mapping):
        return {key: _mask_texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mask_texts(inner) for inner in value]
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        read = decode(value.encode("utf-8", "surrogatepass"))
        masked = mask_body(read)
    except (ValueError, RecursionError):
        return value
    return value if masked == read else encode(masked).decode()


def _written(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the password in a URL, and values of headers and parameters named like secrets.

    Of ``Bearer x`` also ``x``, and of a user with a password what is sent for both.
    """
    parts = urlsplit(url)
    if parts.password:
        yield from (parts.password, unquote(parts.password))
        # As it is sent, in base64.
        yield f"{unquote(parts.username or '')}:{unquote(parts.password)}"
    for name, value in [*headers.items(), *parse_qsl(parts.query)]:
        if names_secret(name):
            yield from (value, value.rpartition(" ")[2])


def _shown_parameter(match: regex.Match[str]) -> str:
    if match["value"] is None or not names_secret(unquote_plus(match["name"])):
        return str(match[0])
    return f"{match['name']}={MARK}"


def _is_secret(name: str, value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and _is_secret_name(name)


@lru_cache(maxsize=4_096)
def _is_secret_name(name: str) -> bool:
    """Return whether a field of a body is named like a secret; fields of a prompt have few names.

    Without the cache a sixth of the CPU of a replay was spent here (2026-12-03).
    """
    return _has_secret_part(_bare(name))


def _has_secret_part(bare: str) -> bool:
    return any(part in bare for part in _SECRET_PARTS)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
