"""Clock and random values, injected so that a test can fix both.

No workflow describes them.

The time during which a segment waits for the user is left out of its durations and reported in its events.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from uuid import UUID

from debugger.protocol.base import JsonObject

NEVER_SET = threading.Event()
"""Used where nothing can end the work early: making an event costs as much as making a model."""

PauseKind = Literal["paused", "manual_answer"]
"""Held between two events by the debugger, or waiting for the user to answer in a model's place."""

PAUSED_INTERVALS = "paused_intervals"
"""The key of an event that lists the pauses since the event before it."""

_SHORTEST = 0.001
"""Seconds; a shorter interval is not recorded as a pause."""


@dataclass
class Environment:
    """Clock, random values and sleep."""

    now: Callable[[], float] = time.time
    """Seconds since the epoch."""
    random: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float, threading.Event], object] = lambda seconds, woken: woken.wait(seconds)
    """Waits some seconds, less when the event is set meanwhile."""
    uuid: Callable[[], str] = field(init=False)
    """A UUID that nothing else has: random in its first four groups, counted in its last, which is many times
    faster than a random one."""

    def __post_init__(self) -> None:
        prefix = str(self.random_uuid())[:24]
        # Made of what is written in C: every event takes one, and a method would take four times as long.
        self.uuid = map(prefix.__add__, map("%012x".__mod__, itertools.count(1))).__next__

    def time_of(self, place: str) -> float:
        """Return the time in seconds since the epoch by which something is decided.

        A recording has it, and gives it again where it is played.

        Args:
            place: The id of the node or edge whose limit or pause is looked at.
        """
        return self.now()

    def draw(self) -> bytes:
        """Return 64 random bytes."""
        return self.random.randbytes(64)

    def random_uuid(self) -> UUID:
        """Return an unpredictable UUID of version 4."""
        return UUID(int=self.random.getrandbits(128), version=4)


class SeededEnvironment(Environment):
    """An environment whose random values follow from a seed.

    Each segment of a run has its own.

    Args:
        environment: Has the time, and the UUIDs that nothing else has.
        seed: From 0 to 2^64 - 1.
    """

    def __init__(self, environment: Environment, seed: int) -> None:
        self.now, self.sleep, self.uuid = environment.now, environment.sleep, environment.uuid
        self._seed = seed
        self._draws = itertools.count()

    @cached_property
    def random(self) -> random.Random:  # type: ignore[override]
        """Return the generator, which is seeded on first use.

        Seeding takes as long as three events.
        """
        return random.Random(self._seed)

    def draw(self) -> bytes:
        """Return 64 bytes of a digest, ten times faster than the generator."""
        return hashlib.blake2b(b"%d %d" % (self._seed, next(self._draws))).digest()


@dataclass(eq=False)
class PauseClock:
    """Clock of one segment that stops during pauses.

    Events keep their real times, so that the intervals are recorded: the next event that the record keeps
    carries them as ``paused_intervals``, a list of objects with ``kind``, ``began_at`` and ``ended_at``.

    Args:
        now: Gives the time in seconds since the epoch.
    """

    now: Callable[[], float] = time.time
    unreported: list[JsonObject] = field(default_factory=list, init=False)
    """Pauses that no event carries yet."""
    _paused: float = field(default=0.0, init=False)

    def active_time(self) -> float:
        """Return a time in seconds whose differences are durations without pauses."""
        return self.now() - self._paused

    @contextmanager
    def hold(self, kind: PauseKind) -> Iterator[None]:
        """Leave the time of the block out of the clock at its end, also where it raises.

        Inside the block the clock goes on.
        """
        started = self.now()
        try:
            yield
        finally:
            self.leave_out(kind, started, self.now())

    def leave_out(self, kind: PauseKind, began: float, ended: float) -> None:
        """Leave a pause out of the clock, and note it in ``unreported``.

        One shorter than a millisecond is neither left out of durations nor noted.
        """
        if ended - began >= _SHORTEST:
            self._paused += ended - began
            self.unreported.append({"kind": kind, "began_at": began, "ended_at": ended})

    def take_unreported(self) -> list[JsonObject]:
        """Return the pauses that no event carries yet, once."""
        taken, self.unreported = self.unreported, []
        return taken
