"""What a debugger puts on nodes and edges: breakpoints and pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from debugger.views.selection import Element

Look = Literal["verified", "hollow", "disabled", "log"]


@dataclass(frozen=True)
class Mark:
    """A breakpoint as it is drawn."""

    look: Look
    """``"hollow"`` cannot be met here, ``"log"`` writes down and does not stop."""
    title: str
    """What it is, and why it looks as it does; read aloud with its node or edge."""


@dataclass(frozen=True)
class Badges:
    """Everything that is set on the graph."""

    breakpoints: Mapping[Element, Mark] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    """For each pinned node, by id, what is pinned there."""


NONE = Badges()
