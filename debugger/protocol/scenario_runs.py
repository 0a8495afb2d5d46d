"""The scenario that a run is of, with the results of its checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "error"]
OUTCOMES: tuple[Outcome, ...] = ("failed", "error", "passed")


@dataclass(frozen=True)
class ScenarioCheck:
    """One expectation that was checked on a run."""

    turn: int | None
    """The turn of the run, from 1; ``None`` at the end."""
    is_background: bool
    """Whether it was checked after background work that followed the turn."""
    expected: str
    got: str
    passed: bool
    is_soft: bool = False
    """Whether a failure is a warning."""
    why: str = ""
    variable: str = ""
    """The variable that was compared, whose name masking rules read; empty where it was none."""


@dataclass(frozen=True)
class ScenarioMark:
    """The scenario of a run."""

    name: str
    file: str
    outcome: Outcome
    row_number: int | None = None
    """From 1; ``None`` without rows."""
    tags: Sequence[str] = ()
    checks: Sequence[ScenarioCheck] = ()
