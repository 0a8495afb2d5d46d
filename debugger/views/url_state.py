"""Addresses of the pages, as query parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, get_args

_KEYS = ("backend", "connection", "workflow", "run", "turn", "event", "skin", "session", "setup")
_DEMO = "demo"


@dataclass(frozen=True)
class Address:
    """Address of a run on the page Debug; absent parts are empty."""

    backend: str = ""
    workflow: str = ""
    run: str = ""
    turn: int | None = None
    is_demo: bool = False
    """Whether the run is shown to someone who wants the conversation and nothing technical."""
    session: str = ""
    """The token of a session in which a turn is under way (`debugger.session.registry`)."""
    connection: str = ""
    """The name of the hosted backend's connection: never its URL, never its key."""
    event: int | None = None
    """The cursor: the index of an event in the run; absent while the run is followed live."""
    setup: str = ""
    """The token of what this tab has set for a run to be started; it means nothing in another browser."""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address bar; an invalid turn or event counts as absent.

        Missing parameters are empty. Other values are taken as they are, also an unknown backend.
        """
        return cls(
            parameters.get("backend", ""),
            parameters.get("workflow", ""),
            parameters.get("run", ""),
            _number(parameters.get("turn", "")),
            parameters.get("skin") == _DEMO,
            parameters.get("session", ""),
            parameters.get("connection", ""),
            _number(parameters.get("event", "")),
            parameters.get("setup", ""),
        )

    def to_parameters(self) -> dict[str, str]:
        """Return the query parameters, absent ones left out; turn and event 0 are not absent."""
        turn, event = ("" if number is None else str(number) for number in (self.turn, self.event))
        skin = _DEMO if self.is_demo else ""
        values = (
            self.backend,
            self.connection,
            self.workflow,
            self.run,
            turn,
            event,
            skin,
            self.session,
            self.setup,
        )
        return {key: value for key, value in zip(_KEYS, values, strict=True) if value}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


BackendName = Literal["embedded", "hosted", "recording"]

_NAMES: tuple[BackendName, ...] = get_args(BackendName)
BACKEND_NAMES: dict[BackendName, str] = {
    "embedded": "Embedded engine",
    "hosted": "Hosted API",
    "recording": "Recording",
}
"""The backends as people read them."""


@dataclass(frozen=True)
class RunPlace:
    """A run, and the backend that has it."""

    backend: BackendName
    run: str
    version: int | None = None
    """The version on which the run is replayed; ``None`` is the run as it was recorded."""

    @classmethod
    def parse(cls, text: str, default: BackendName) -> Self:
        """Read ``run``, ``backend:run`` or either with ``@version``."""
        rest, at, number = text.strip().rpartition("@")
        version = _number(number) if at else None
        if version is None:
            rest = text.strip()
        lead, colon, run = rest.partition(":")
        found = next((name for name in _NAMES if colon and lead == name), None)
        return cls(found, run.strip(), version) if found else cls(default, rest, version)

    @property
    def name(self) -> str:
        """Return the run's id, with the version on which it is replayed."""
        return self.run if self.version is None else f"{self.run}@{self.version}"

    def text(self, default: BackendName) -> str:
        """Return the run as a text.

        A hosted run always names its backend: in an address a run without one is the embedded engine's.
        """
        is_plain = self.backend == default == "embedded"
        return self.name if is_plain else f"{self.backend}:{self.name}"


@dataclass(frozen=True)
class CompareAddress:
    """Address of a comparison; absent parts are empty."""

    a: str = ""
    b: str = ""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read the address bar; missing parameters are empty, and blanks around the others are removed."""
        return cls(parameters.get("a", "").strip(), parameters.get("b", "").strip())

    def to_parameters(self) -> dict[str, str]:
        """Return the query parameters, absent ones left out."""
        return {key: value for key, value in (("a", self.a), ("b", self.b)) if value}
