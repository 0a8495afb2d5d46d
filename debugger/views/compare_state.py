"""What the page Compare remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from debugger.analysis.comparison.ignored import IGNORED_BETWEEN_RUNS
from debugger.session.comparison import SideBySide
from debugger.session.loading import RecordedRun
from debugger.views.compare_address import CompareAddress, RunPlace

Side = Literal["a", "b"]

SIDES: tuple[Side, ...] = ("a", "b")


@dataclass
class CompareState:
    """Which runs are on view, and how they are looked at."""

    places: dict[Side, RunPlace] = field(default_factory=dict)
    """The runs that were asked for."""
    runs: dict[Side, RecordedRun] = field(default_factory=dict)
    """Those of them that could be read."""
    ignoring: frozenset[str] = IGNORED_BETWEEN_RUNS
    shift: int = 0
    """How many turns of A came before the first of B."""
    row: int | None = None
    """The chosen row of the comparison."""
    top: int = 0
    """Which of the rows on view is the uppermost."""
    only_differences: bool = False
    shown: CompareAddress = field(default_factory=CompareAddress)
    """What the address bar was last given."""
    left: CompareAddress = field(default_factory=CompareAddress)
    """What it was given before that."""
    left_at: float = 0.0
    """When it was given something else, on the clock that only goes forward."""
    seen: SideBySide | None = None
    """What was worked out of the runs last."""

    def side_by_side(self) -> SideBySide | None:
        """The comparison as it is asked for now; ``None`` until both runs are there."""
        a, b = self.runs.get("a"), self.runs.get("b")
        if a is None or b is None:
            return None
        wanted = (a, b, self.ignoring, self.shift)
        if self.seen is None or (self.seen.a, self.seen.b, self.seen.ignoring, self.seen.shift) != wanted:
            self.seen = SideBySide(*wanted)
        return self.seen
