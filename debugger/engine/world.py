"""Time and chance, the two things that no workflow says. Injected, so that a test can fix both."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class World:
    """Time and chance."""

    now: Callable[[], float] = time.time
    """Seconds since the epoch."""
    random: random.Random = field(default_factory=random.Random)

    def uuid(self) -> str:
        """A random UUID, version 4, as text; quicker than `uuid.uuid4`, since every event takes one."""
        digits = f"{self.random.getrandbits(128):032x}"
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
