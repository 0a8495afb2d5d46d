"""State of the time cursor besides its place, which is `PageState.event`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class CursorState:
    """State of the cursor of one tab."""

    seen_events: int = 0
    """Events that the run had when the cursor left its end; those since are new."""
    is_playing: bool = False
    """Whether the scrubber moves the cursor by itself."""
    event_to_open: int | None = None
    """The event that a run was opened at, until the run is read."""
