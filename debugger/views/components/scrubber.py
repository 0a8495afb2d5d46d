"""Scrubber: a place in a run as an item of a bar, with play."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from debugger.protocol.base import JsonObject

PLAY, PAUSE = "play", "pause"
"""What the browser sends besides places: one step of a play, and its end."""


@dataclass(frozen=True)
class Scrubber:
    """Slider over the events of a run, and a button that plays them."""

    key: str
    label: str
    """For screen readers."""
    value: int
    last: int
    """The last place; the first is 0."""
    words: str
    """The place in words, for screen readers."""
    marks: Sequence[int]
    """The places that are marked."""
    on_move: Callable[[int], None]
    on_play: Callable[[], None]
    """One step of a play."""
    on_pause: Callable[[], None]
    hold_seconds: float = 1.0
    """How long a play at normal speed stays at the place."""
    shortcut: str | None = None
    """Plays, or pauses the play."""
    reason: str = ""
    """Why it cannot be moved."""

    def to_props(self) -> JsonObject:
        """Return what the browser draws."""
        props = {"label": self.label, "value": self.value, "last": self.last, "words": self.words}
        more = {"marks": list(self.marks), "disabled": bool(self.reason), "help": self.reason}
        more |= {"hold_ms": round(self.hold_seconds * 1000), "shortcut": self.shortcut}
        return {"kind": "scrubber", "key": self.key, **props, **more}

    def on_event(self, value: object) -> None:
        """A person has moved it, or it plays."""
        if self.reason:
            return
        if value == PLAY:
            self.on_play()
        elif value == PAUSE:
            self.on_pause()
        elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= self.last:
            self.on_move(value)
