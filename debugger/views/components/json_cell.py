"""A JSON value in one cell of a table."""

from __future__ import annotations

import json
from typing import Any

from debugger.expressions import ABSENT

_LONGEST = 600
"""Characters; a cell shows fewer, and whoever wants the rest chooses it."""


def json_cell(value: Any) -> str:
    """A value as JSON, so 42 and "42" can be told apart; nothing where there is none."""
    if value is ABSENT:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
