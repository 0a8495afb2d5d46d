"""A sieve for JSON objects: it leaves out the values that stand at given paths, and nothing else.

A path is keys joined by ``/``. Lists are gone through by themselves. A key may be ``*`` for any key, or begin
with a star for all keys that end so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from debugger.protocol.base import JsonObject


@dataclass
class Branch:
    """The paths that go on from one object."""

    keys: dict[str, Branch | None] = field(default_factory=dict)
    """By key; ``None`` stands for a value that is left out."""
    endings: dict[str, Branch | None] = field(default_factory=dict)
    """By the end of the key, where no key fits."""

    @classmethod
    def of(cls, paths: Iterable[str]) -> Branch:
        """The paths as a tree."""
        root = cls()
        for path in paths:
            *way, last = path.split("/")
            branch = root.along(way)
            branch._among(last)[last.removeprefix("*")] = None
        return root

    def along(self, way: Iterable[str]) -> Branch:
        """The branch at the end of these keys, made where there is none; a loose one where all goes."""
        here = self
        for key in way:
            among, name = here._among(key), key.removeprefix("*")
            here = among.setdefault(name, Branch()) or Branch()
        return here

    def sift(self, value: Any) -> Any:
        """The value without what the paths leave out; whatever no path leads into is the same object."""
        if isinstance(value, list):
            return [self.sift(one) for one in value]
        return self.sift_object(value) if isinstance(value, dict) else value

    def sift_object(self, value: JsonObject) -> JsonObject:
        """The same for an object."""
        keys, has_endings = self.keys, bool(self.endings)
        left: JsonObject = {}
        for key, one in value.items():
            if key in keys:
                branch = keys[key]
            elif has_endings and (ending := self._ending(key)) is not None:
                branch = self.endings[ending]
            else:
                left[key] = one
                continue
            if branch is not None:
                left[key] = branch.sift(one)
        return left

    def _among(self, key: str) -> dict[str, Branch | None]:
        return self.endings if key.startswith("*") else self.keys

    def _ending(self, key: str) -> str | None:
        return next((ending for ending in self.endings if key.endswith(ending)), None)
