"""Sessions that play recorded runs, and the origin of what they store."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from debugger.errors import StoreError
from debugger.protocol.runs import ForkRecord, TurnResult
from debugger.protocol.turn_logs import TurnLog
from debugger.replays.playback import Playback
from debugger.session.input_replay import InputReplay
from debugger.session.session import DebugSession
from debugger.session.verification import Fidelity
from debugger.store import ForkRepository

_log = logging.getLogger(__name__)


def play_record(session: DebugSession, book: ForkRepository, *, note: str = "", by: str = "") -> InputReplay:
    """Return the replay of what is left of the record that a session plays; it is not begun yet.

    After each turn it is compared with the record. The origin is stored once the run has an id, as that of a
    fork with its first turn; a failure to store it is only logged.

    Args:
        session: A session with a playback.
        book: Remembers where the run came from.
        note: The note of the origin.
        by: Who plays it.
    """
    playback = session.playback
    assert playback is not None
    record = ForkRecord(
        run_id=session.run_id or "",
        source_run_id=playback.run_id,
        turn_number=1,
        way="played",
        note=note,
        forked_by=by,
        created_at=time.time(),
    )
    origin = _Origin(book, record, playback)
    return InputReplay(
        session,
        playback.inputs,
        on_first_turn=origin.on_first_turn,
        on_input=origin.take,
        on_end=origin.judge,
        stop_reason=lambda: playback.problem,
    )


def has_other_turns(session: DebugSession) -> bool:
    """Return whether a run that plays a record has turns of other input: another session has continued it.

    What is left of the record does not follow on them.
    """
    playback = session.playback
    return playback is not None and not session.busy and len(session.turns) > len(playback.segments)


class _Origin:
    """Compares the turns of a played run; stores its origin, and how it compares.

    A store failure is only logged.
    """

    def __init__(self, book: ForkRepository, record: ForkRecord, playback: Playback) -> None:
        self._book = book
        self._record = record
        self._playback = playback

    def on_first_turn(self, result: TurnResult) -> None:
        """Store the origin of a run that has no id before its first turn has ended."""
        if not self._record.run_id:
            self._record = replace(self._record, run_id=result.run_id)
            self._store(lambda: self._book.keep(self._record))

    def take(self, played: TurnLog | None) -> None:
        """Compare a turn or step with the record; the first difference is stored at once.

        The run may end with it, or is never played to its end.
        """
        had_difference = self._playback.first_difference is not None
        self._playback.take(played)
        if not had_difference and self._playback.first_difference is not None:
            self.judge()

    def judge(self) -> None:
        """Store the first difference, or that all turns were as recorded."""
        first = self._playback.first_difference
        if first is None:
            fidelity = Fidelity("verified", "Path, variables and words of all turns are the recorded ones.")
        else:
            fidelity = Fidelity("differs", f"First difference from the record: {first.difference}.")
        self._store(lambda: self._book.judge(self._record.run_id, fidelity.to_json()))

    def _store(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StoreError as error:
            _log.warning("the origin of run %s is not on record: %s", self._record.run_id, error)
