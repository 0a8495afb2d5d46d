"""Which runs somebody looks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RunSearch:
    """What a run must be like, besides its workflow and status. Whatever is left out does not matter."""

    version_number: int | None = None
    since: datetime | None = None
    """It began then or later; a moment that knows its zone."""
    until: datetime | None = None
    """It began before then."""
    text: str = ""
    """Words that must all be in it, in any case: in what was said, in names, notes, tags or comments."""
    tag: str = ""
    starred: bool = False
    """Only runs that have a star."""
    source_workflow_run_id: str = ""
    """Only forks of this run (``platform/wire.md`` 5.1)."""

    @property
    def words(self) -> list[str]:
        """The words to look for, in lower case."""
        return self.text.lower().split()

    @property
    def needs_notes(self) -> bool:
        """Whether only who knows the notes on the runs, or each run's record, can tell."""
        return bool(self.tag) or self.starred or self.version_number is not None
