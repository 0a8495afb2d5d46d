"""Docstrings as those read them who call the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import getdoc
from typing import Any

from debugger.protocol.base import JsonObject

_SOURCES = re.compile(r"\s*\((?:[^()]*(?:``platform/|\b\d+\.\d+\b)[^()]*|(?:section )?\d+, \d+)\)")
"""Where a docstring says what its rule comes from."""
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
_FOR_READERS_OF_CODE = re.compile(r"\n\n(?:Args|Raises|Returns|Source):.*", re.DOTALL)


def words_of(handler: Callable[..., Any]) -> JsonObject:
    """The summary of a route, and its description where there is more to say."""
    first, _, rest = for_callers(getdoc(handler) or "").partition("\n\n")
    sentence, _, more = first.partition(". ")
    words = {"summary": sentence.rstrip(".")}
    description = "\n\n".join(part for part in (more, rest) if part)
    return {**words, "description": description} if description else words


def schema_for_callers(schema: Any) -> Any:
    """A schema whose descriptions are for those who call."""
    if isinstance(schema, list):
        return [schema_for_callers(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: for_callers(part) if key == "description" and isinstance(part, str) else schema_for_callers(part)
        for key, part in schema.items()
    }


def for_callers(text: str) -> str:
    """A docstring without what is for those who read the code."""
    shown = _SOURCES.sub("", _FOR_READERS_OF_CODE.sub("", text))
    return _LINE_END.sub(" ", shown).replace("``", "`")
