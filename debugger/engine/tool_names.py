"""Names of tools in the form that providers of models take."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_TOOL_NAME = 64
_UNNAMED_TOOL = "tool"
_NOT_IN_TOOL_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def model_name(name: str | None) -> str:
    """Return a name in the form of the providers.

    It has 1 to 64 of ``A-Z a-z 0-9 _ -``, and no digit first.
    """
    plain = _NOT_IN_TOOL_NAME.sub("_", (name or "").strip()).strip("_") or _UNNAMED_TOOL
    return (plain if plain[0].isalpha() else f"_{plain}")[:_MAX_TOOL_NAME].rstrip("_")


def model_names(names: Sequence[str | None]) -> list[str]:
    """Return distinct names of several tools in the form of the providers, in the same order.

    Of two that would be alike the later one gets a number, as ``lookup_2``; it is cut to 64 characters with
    it.
    """
    taken: list[str] = []
    for name in names:
        plain = unlike = model_name(name)
        number = 1
        while unlike in taken:
            number += 1
            end = f"_{number}"
            unlike = plain[: _MAX_TOOL_NAME - len(end)] + end
        taken.append(unlike)
    return taken
