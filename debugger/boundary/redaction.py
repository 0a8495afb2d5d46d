"""Secrets that names and places tell: fields, headers, and parts of URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import regex

from debugger.boundary.rules import ALL_MARKS
from debugger.engine.outbound.masking import mask_body, mask_header, mask_url, substitute
from debugger.engine.outbound.secrets import MARK

HEADERS = frozenset({"headers", "api_headers"})
"""Fields whose objects are headers by name."""
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_URL = regex.compile(r"://[^\s{]*+(?:(?:\{{2,}+[^{}]*+\}\}|\{++)[^\s{]*+)*+")
"""A URL in a text after its scheme, which ends at a blank; a placeholder in it may have blanks. Each round of
a repetition takes memory: it passes over as much as it can."""
_LONE_URL = regex.compile(r"\s*+[\w+.-]++://[^/?#\s:]*+:(?>[^/?#]*@)\S*+\s*+")
"""A text that is but a URL, whose password may have blanks."""
_PLACEHOLDER = re.compile(r"(?:\w+ )?(?:\{\{[^{}]*\}\}|\[\[[^\[\]]*\]\])")
_TOKEN = regex.compile(r"(?<=[?&]token=)[^&\s\"]++|(?<=/rerun-token/)[^/?\s\"]++")


def redact_text(text: str) -> str:
    """Return a text with the secrets of its URLs replaced by a mark."""
    if "://" not in text:
        return text
    if _LONE_URL.fullmatch(text, concurrent=True):
        return mask_url(text)
    return substitute(_URL, _masked_url, text)


def mask_address(address: str) -> str:
    """Return a URL, or the path of a request, without user, secret parameters and tokens."""
    return substitute(_TOKEN, lambda _: MARK, mask_url(address))


def _masked_url(found: regex.Match[str]) -> str:
    whole = str(found[0])
    url = whole.rstrip("\"'),.;>]")
    return mask_url(url) + whole[len(url) :]


def names_in(path: str) -> list[str]:
    """Return the names in a dotted path, without places in lists."""
    return [name for name in _BRACKETS.sub("", path).split(".") if name] or [path]


def shown_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return headers with the values of those that are named like secrets replaced by a mark."""
    return {
        name: value if not isinstance(value, str) or _is_placeholder(value) else mask_header(str(name), value)
        for name, value in headers.items()
    }


def mark_all(value: Any) -> Any:
    """Return the value with every text and number in it replaced by a mark; keys stay.

    ``None``, truth values, empty texts, placeholders and marks stay as they are.
    """
    if isinstance(value, Mapping):
        return {key: mark_all(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [mark_all(inner) for inner in value]
    if value is None or value == "" or isinstance(value, bool):
        return value
    if isinstance(value, str) and (value in ALL_MARKS or _is_placeholder(value)):
        return value
    return MARK


def _is_placeholder(text: str) -> bool:
    return _PLACEHOLDER.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Return whether a field of this name holds a secret."""
    return bool(mask_body({name: ""})[name] == MARK)
