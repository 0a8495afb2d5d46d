"""What the conversation on view says."""

from __future__ import annotations

import html
import re

_WORDS = re.compile(r'<p class="words">(.*?)</p>', re.DOTALL)
_SPEAKER = re.compile(r"<small>(.*?)</small>")


def words(app) -> list[str]:
    """What each bubble says, in order."""
    return _found(app, _WORDS)


def speakers(app) -> list[str]:
    """Who spoke and when, below each bubble of the agent."""
    return _found(app, _SPEAKER)


def _found(app, wanted: re.Pattern[str]) -> list[str]:
    bodies = [element.proto.body for element in app.get("html")]
    return [html.unescape(text) for body in bodies for text in wanted.findall(body)]
