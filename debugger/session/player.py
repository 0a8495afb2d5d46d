"""The player of a recording: which step is shown at this moment, and how it goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from debugger.session.playback import Recording, Step

SPEEDS = (0.5, 1.0, 2.0, 4.0)
"""How much faster than somebody reads."""

_START_SECONDS, _SHORTEST, _LONGEST, _WORD_SECONDS = 0.8, 1.6, 7.0, 0.28


def seconds_of(step: Step) -> float:
    """How long a step stays at the plain speed: long enough to be read."""
    if step.kind == "start":
        return _START_SECONDS
    return min(_LONGEST, _SHORTEST + step.words * _WORD_SECONDS)


class Player:
    """Shows one step after the other; whoever draws it looks again and again.

    However long nobody looked, as while a laptop slept, a look goes on by one step at most.

    Args:
        edition: Tells which run it plays, and how far that had come.
        recording: Its steps.
        now: Gives the time in seconds, from any beginning.
    """

    def __init__(
        self, edition: str, recording: Recording, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.edition = edition
        self.recording = recording
        self.speed = 1.0
        self._now = now
        self._number = 0
        self._shown_at = now()
        self._is_playing = False

    @property
    def is_playing(self) -> bool:
        """Whether it goes on by itself."""
        return self._is_playing

    @property
    def number(self) -> int:
        """The step that is shown, from 0."""
        return self._number

    @property
    def step(self) -> Step:
        """The step that is shown."""
        return self.recording.steps[self._number]

    @property
    def is_at_end(self) -> bool:
        """Whether nothing follows."""
        return self._number == self.recording.last

    def look(self) -> None:
        """Go on to the next step if it plays and this one has been shown long enough."""
        if self._is_playing and self._now() - self._shown_at >= seconds_of(self.step) / self.speed:
            self._show(self._number + 1)

    def play_or_pause(self) -> None:
        """Go on by itself, or stand still; from the end it begins again."""
        if self.is_at_end and not self._is_playing:
            self._show(0)
        self._is_playing = not self._is_playing and not self.is_at_end
        self._shown_at = self._now()

    def pause(self) -> None:
        """Stand still."""
        self._is_playing = False

    def step_by(self, by: int) -> None:
        """Show the step so many further on, or back, and stand still."""
        self.go_to(self._number + by)

    def turn_by(self, by: int) -> None:
        """Show the beginning of the next turn, or of the one before; playing goes on."""
        self._show(self.recording.turn_after(self._number, by))

    def go_to_turn(self, turn_number: int) -> None:
        """Show the beginning of a turn; playing goes on. A turn that there is not changes nothing."""
        self._show(self.recording.turn_starts.get(turn_number, self._number))

    def go_to(self, number: int) -> None:
        """Show a step, or the nearest one that there is, and stand still."""
        self.pause()
        self._show(number)

    def _show(self, number: int) -> None:
        self._number = max(0, min(number, self.recording.last))
        self._shown_at = self._now()
        if self.is_at_end:
            self._is_playing = False
