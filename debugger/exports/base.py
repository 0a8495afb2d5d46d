"""What an export has to offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from debugger.analysis.transcript import TranscriptRow


@dataclass(frozen=True)
class Export:
    """One format that a transcript can be saved in."""

    label: str
    """How people know it."""
    extension: str
    """With its dot."""
    media_type: str
    render: Callable[[Sequence[TranscriptRow]], bytes]
    """The whole file."""
