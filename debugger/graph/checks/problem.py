"""One thing that is wrong with a workflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    level: Level
    """An ``error`` keeps a run from starting or going on; a ``warning`` is hardly what the author meant."""
    code: str
    """The name of the rule."""
    message: str
    """What is wrong and where. Of an expression it has several lines: the last ones point at the fault."""
    node_logical_id: str | None = None
    edge_logical_id: str | None = None
    advice: str = ""
    """What to do about it."""
    category: str = ""
    """The heading under which the platform refuses to save such a workflow; empty where it does save it."""
