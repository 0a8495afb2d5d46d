"""Time and chance, the two things that no workflow says. Injected, so that a test can fix both."""

from __future__ import annotations

import copy
import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

NEVER = threading.Event()
"""Stands for the wish to end something early where nobody can have it: an event costs as much as a model."""


@dataclass
class World:
    """Time and chance."""

    now: Callable[[], float] = time.time
    """Seconds since the epoch."""
    random: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float, threading.Event], object] = lambda seconds, woken: woken.wait(seconds)
    """Waits some seconds, less when the event is set meanwhile."""

    def __post_init__(self) -> None:
        self._prefix = str(self.random_uuid())[:23]
        self._numbers = itertools.count(1)

    def seeded(self, seed: int) -> Self:
        """The same world, where chance falls as the seed says; its UUIDs are still like no others."""
        found = copy.copy(self)
        found.random = random.Random(seed)
        return found

    def uuid(self) -> str:
        """A UUID that nothing else has: random in its first four groups, counted in its last.

        Every event takes one, and counting is many times quicker than chance.
        """
        return f"{self._prefix}-{next(self._numbers):012x}"

    def random_uuid(self) -> UUID:
        """A UUID of version 4 that nobody can foresee from another."""
        return UUID(int=self.random.getrandbits(128), version=4)
