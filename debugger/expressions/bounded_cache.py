"""A cache that is bounded by the bytes of what it holds."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

_LARGEST_SHARE = 8
"""An entry that takes more than this fraction of the cache would displace too many others."""


class BoundedCache(Generic[Key, Value]):
    """Values by key; the oldest make room for new ones.

    The oldest go first whether or not they are in use, because a lookup that changes nothing needs no lock; a
    value that is needed again is computed again.

    Args:
        max_bytes: Of all entries together, by the sizes that callers state.
    """

    def __init__(self, max_bytes: int) -> None:
        """Begin empty."""
        self.max_bytes = max_bytes
        self.used_bytes = 0
        self._values: dict[Key, Value] = {}
        self._sizes: dict[Key, int] = {}
        self._lock = threading.Lock()
        self.get = self._values.get
        """Return the value of a key, or ``None``."""

    def put(self, key: Key, value: Value, size: int) -> None:
        """Add a value of a size in bytes, unless it takes more than an eighth of the cache.

        The oldest entries are removed until there is room. A key that is there keeps its value.
        """
        if size > self.max_bytes // _LARGEST_SHARE:
            return
        with self._lock:
            if key in self._values:
                return
            while self._values and self.used_bytes + size > self.max_bytes:
                oldest = next(iter(self._values))
                del self._values[oldest]
                self.used_bytes -= self._sizes.pop(oldest)
            self._values[key] = value
            self._sizes[key] = size
            self.used_bytes += size

    def __len__(self) -> int:
        return len(self._values)
