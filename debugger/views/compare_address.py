"""The address of the page Compare: two runs, and the backend of each where it is not the page's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, get_args

BackendKey = Literal["embedded", "hosted", "recording"]

_NAMES: tuple[BackendKey, ...] = get_args(BackendKey)


@dataclass(frozen=True)
class RunPlace:
    """A run, and the backend that has it."""

    backend: BackendKey
    run: str

    @classmethod
    def parse(cls, text: str, default: BackendKey) -> Self:
        """Read ``run`` or ``backend:run``, as it is typed or stands in an address."""
        lead, colon, run = text.strip().partition(":")
        found = next((name for name in _NAMES if colon and lead == name), None)
        return cls(found, run.strip()) if found else cls(default, text.strip())

    def text(self, default: BackendKey) -> str:
        """The same as a text. A hosted run always names its backend, for a new tab begins with the other."""
        is_plain = self.backend == default == "embedded"
        return self.run if is_plain else f"{self.backend}:{self.run}"


@dataclass(frozen=True)
class CompareAddress:
    """What a link to the page names; what is absent is empty."""

    a: str = ""
    b: str = ""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address bar."""
        return cls(parameters.get("a", "").strip(), parameters.get("b", "").strip())

    def to_parameters(self) -> dict[str, str]:
        """What to put into the address bar: only what is there."""
        return {key: value for key, value in (("a", self.a), ("b", self.b)) if value}
