"""Texts as the bytes of files that people and their terminals read."""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def without_controls(text: str) -> str:
    """Return a text that commands no terminal: U+FFFD for each control but tabs and line ends."""
    return _CONTROLS.sub("\ufffd", text) if _CONTROLS.search(text) else text


def text_bytes(text: str) -> bytes:
    """Return a text as UTF-8, without control characters.

    A lone surrogate has no bytes in UTF-8: it is written as its escape, so that the file does not fail.
    """
    return without_controls(text).encode("utf-8", "backslashreplace")
