"""A clock that a test advances."""

from __future__ import annotations


class Clock:
    """Callable that returns ``seconds``, which only the test changes."""

    def __init__(self, seconds: float = 1_000_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds
