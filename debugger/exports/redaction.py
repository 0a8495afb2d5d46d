"""Redaction of secrets in JSON values, by names and places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from debugger.engine.outbound.masking import mask_body, mask_header, mask_url
from debugger.engine.outbound.secrets import MARK
from debugger.protocol.base import SECRET_VARIABLES

_HEADERS = frozenset({"headers", "api_headers"})
_PLAIN = frozenset({int, float, bool, type(None)})
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_URL = re.compile(r"://(?:\{\{[^{}]*\}\}|\S)*")
"""A URL in a text after its scheme, which ends at a blank; a placeholder in it may have blanks."""
_LONE_URL = re.compile(r"\s*[\w+.-]+://[^/?#\s:]*:[^/?#]*@\S*\s*")
"""A text that is but a URL, whose password may have blanks."""
_PLACEHOLDER = re.compile(r"(?:\w+ )?(?:\{\{[^{}]*\}\}|\[\[[^\[\]]*\]\])")


def redact(value: Any) -> Any:
    """Return a copy with secrets replaced by a mark or removed.

    Masked are a field with a secret's name and all that is in it, a header with one, and the user and the
    secret parameters of a URL. A text that is but a placeholder, as ``Bearer {{NAME}}``, is no secret.
    """
    kind = value.__class__  # exports go through millions of values: `isinstance` of a mapping takes longer
    if kind is str:
        return redact_text(value)
    if kind is dict or (kind not in _PLAIN and isinstance(value, Mapping)):
        return {key: _field(str(key), inner) for key, inner in value.items() if key != SECRET_VARIABLES}
    if kind is list or isinstance(value, list):
        return [redact(inner) for inner in value]
    return value


def redact_text(text: str) -> str:
    """Return a text with the secrets of its URLs replaced by a mark."""
    if "://" not in text:
        return text
    if _LONE_URL.fullmatch(text):
        return mask_url(text)
    return _URL.sub(_masked_url, text)


def _masked_url(found: re.Match[str]) -> str:
    url = found[0].rstrip("\"'),.;>]")
    return mask_url(url) + found[0][len(url) :]


def names_in(path: str) -> list[str]:
    """Return the names in a dotted path, without places in lists."""
    return [name for name in _BRACKETS.sub("", path).split(".") if name] or [path]


def redact_at(path: str, value: Any) -> Any:
    """Return a value without secrets, as it is inside the objects that a path names."""
    names = names_in(path)
    for name in reversed(names):
        value = {name: value}
    kept = redact(value)
    for name in names:
        kept = kept.get(name) if isinstance(kept, Mapping) else kept
    return kept


def is_plain_name(name: str) -> bool:
    """Return whether only the value of such a field is redacted."""
    return name != SECRET_VARIABLES and name not in _HEADERS and not _is_secret(name)


def _field(name: str, value: Any) -> Any:
    if name in _HEADERS and isinstance(value, Mapping):
        return {header: _header(str(header), text) for header, text in value.items()}
    return _marked(value) if _is_secret(name) else value if value.__class__ in _PLAIN else redact(value)


def _header(name: str, value: Any) -> Any:
    return value if not isinstance(value, str) or _is_placeholder(value) else mask_header(name, value)


def _marked(value: Any) -> Any:
    """Return the value with every possible secret replaced by a mark."""
    if isinstance(value, Mapping):
        return {key: _marked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner) for inner in value]
    if value is None or value == "" or isinstance(value, bool):
        return value
    return value if isinstance(value, str) and _is_placeholder(value) else MARK


def _is_placeholder(text: str) -> bool:
    return _PLACEHOLDER.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return bool(mask_body({name: ""})[name] == MARK)
