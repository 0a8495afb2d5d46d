"""Forks: which run a run came from, where it left it, what was changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from debugger.protocol.base import JsonObject

ForkWay = Literal["exact", "rebuilt", "replayed"]
"""From a checkpoint; from what the record tells of that moment; by sending all earlier inputs again."""


@dataclass(frozen=True, kw_only=True)
class ForkRecord:
    """One fork, as it is remembered beside its run."""

    run_id: str
    source_run_id: str
    """The run that it left; that one is kept untouched."""
    turn_number: int
    """The turn that it begins with, counted from 1 in the numbers of the source."""
    way: ForkWay = "exact"
    changes: tuple[JsonObject, ...] = ()
    """What was changed for it: objects with ``path``, ``op``, ``before`` and ``after``."""
    note: str = ""
    forked_by: str = ""
    fidelity: JsonObject | None = None
    """What a control run found, if there was one; only its writer reads it."""
    created_at: float = 0.0
    """Seconds since 1970."""
