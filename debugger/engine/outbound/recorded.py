"""An answer that a person recorded for calls that are simulated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RecordedAnswer:
    """What is answered instead of a call, and which calls it is for."""

    target: re.Pattern[str]
    """Searched for in `OutboundCall.target`."""
    status: int | None = None
    """The status code; ``None`` means that the call succeeded."""
    body: Any = field(default=None, repr=False)
    """Any JSON value; a text is the answer's text as it stands."""
    error: str | None = None
    """Why no answer came; there is neither status nor body then."""


def answer_for(target: str, answers: Sequence[RecordedAnswer]) -> RecordedAnswer | None:
    """The first answer that is for a target."""
    return next((answer for answer in answers if answer.target.search(target)), None)
