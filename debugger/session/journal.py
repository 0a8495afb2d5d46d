"""The journal of a turn under way: what is left of it should the program end before the turn does."""

from __future__ import annotations

import time
from collections.abc import Callable

from debugger.errors import StoreError
from debugger.protocol.json_text import encode
from debugger.protocol.runs import TurnLog
from debugger.store import Notebook, UnfinishedTurn

EVERY = 1.0
"""Seconds between two entries of a turn that goes on; where it stands still it is entered at once."""


class Journal:
    """Enters the turns of one session.

    A quick turn is never entered: it is in the store before anybody has seen it.

    Args:
        notebook: Keeps the entries; without one nothing is entered.
        workflow_id: The session's workflow.
        version_number: The version that runs.
        now: Gives the time in seconds since the epoch.
    """

    def __init__(
        self,
        notebook: Notebook | None,
        workflow_id: str,
        version_number: int | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._notebook = notebook
        self._workflow_id = workflow_id
        self._version_number = version_number or 0
        self._now = now
        self._began_at = 0.0
        self._entered_at = 0.0
        self._run_id: str | None = None

    def begin(self) -> None:
        """A turn begins."""
        self._began_at = self._entered_at = self._now()
        self._run_id = None

    def follow(self, run_id: str | None, log: TurnLog, *, stands_still: bool) -> None:
        """Enter a turn if it is time to; a run whose id is not known cannot be."""
        if self._notebook is None or run_id is None:
            return
        if not stands_still and self._now() - self._entered_at < EVERY:
            return
        self._entered_at, self._run_id = self._now(), run_id
        turn = UnfinishedTurn(
            run_id,
            self._workflow_id,
            self._version_number,
            self._began_at,
            encode(log.run_input.to_wire()),
            encode([event.to_wire() for event in log.events]),
        )
        try:
            self._notebook.keep_unfinished(turn)
        except StoreError:
            return  # the turn itself goes on, and fails by itself if the store is gone for good

    def end(self) -> None:
        """The turn is over, and in the record."""
        if self._notebook is None or self._run_id is None:
            return
        run_id, self._run_id = self._run_id, None
        try:
            self._notebook.forget_unfinished(run_id)
        except StoreError:
            return
