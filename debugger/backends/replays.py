"""Turns run again from their checkpoint, to see whether they fall out as they did; nothing is kept of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from debugger.backends.forks import Forks
from debugger.backends.opened import Interpreters
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnInput, TurnLog
from debugger.store import Store


class Replays:
    """Runs recorded turns again.

    Args:
        store: Has the record.
        forks: Knows how a run stood before a turn.
        interpreters: Whose doors let nothing out that writes or that reaches a person.
        past: Gives the finished turns of a run, by its id.
    """

    def __init__(
        self,
        store: Store,
        forks: Forks,
        interpreters: Interpreters,
        past: Callable[[str], list[TurnLog]],
    ) -> None:
        self._store = store
        self._forks = forks
        self._interpreters = interpreters
        self._past = past

    def replay(self, run_id: str, turn_number: int, cancelled: threading.Event | None = None) -> list[Event]:
        """The events of a turn when it is run again. See `Backend.replay`."""
        moment = self._forks.moment(run_id, turn_number)
        recorded = TurnInput.from_wire(self._store.pair(run_id, moment.pair_count + 1).run_input)
        interpreter = self._interpreters.of(moment.workflow_id, moment.version_number)
        turn = interpreter.turn(
            moment.state,
            moment.given(recorded, interpreter),
            past=lambda: [log for log in self._past(run_id) if log.number < turn_number],
            cancelled=cancelled,
        )
        return [event for event in turn if event.is_kept]
