"""Secrets that this process has read, to be masked by their values in whatever leaves it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from debugger.engine.outbound.secrets import Secrets, is_recognizable

_MAX_VALUES = 2_000
"""Values that are remembered; the oldest that is not lasting is forgotten first."""


class KnownSecrets:
    """Values that are masked in texts, in every spelling in which they are sent."""

    def __init__(self) -> None:
        """Begin without values."""
        self._lock = threading.Lock()
        self._values: dict[str, bool] = {}
        """Whether each value is lasting."""
        self._secrets = Secrets()
        self.version = 0
        """Increases when a value is added."""

    def __bool__(self) -> bool:
        return bool(self._values)

    def add(self, values: Iterable[str], *, is_lasting: bool = False) -> None:
        """Remember values; what is too short to be recognised in a text is left out.

        Beyond `_MAX_VALUES` the oldest that are not lasting are forgotten; ``version`` grows where something
        is new.

        Args:
            values: The values.
            is_lasting: Whether they are never forgotten, as those of the environment: users store others, one
                after the other.
        """
        new = [value.strip() for value in values if is_recognizable(value.strip())]
        with self._lock:
            if all(self._values.get(value) in (True, is_lasting) for value in new):
                return
            self._values.update({value: is_lasting or self._values.get(value, False) for value in new})
            passing = [value for value, lasts in self._values.items() if not lasts]
            for value in passing[: max(0, len(self._values) - _MAX_VALUES)]:
                del self._values[value]
            self._secrets = Secrets({str(at): value for at, value in enumerate(self._values)})
            self.version += 1

    def mask(self, text: str) -> str:
        """Return a text without the values."""
        return self._secrets.mask(text) if self._values else text


KNOWN_SECRETS = KnownSecrets()
"""Those of this process."""
