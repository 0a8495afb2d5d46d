"""The record of a run: what a turn or its background work gave, kept in the store."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from debugger.backends.opened import OpenedRun
from debugger.engine.segment import TurnEnd
from debugger.engine.world import World
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_text import encode
from debugger.protocol.runs import TERMINAL_STATUSES, TurnResult
from debugger.store import FinishedTurn, Store

Segment = Generator[Event, None, TurnEnd]
"""What the engine does at one go: a turn, or some background work."""


@dataclass(slots=True)
class Given:
    """What a segment gave."""

    began: float
    """Seconds since the epoch."""
    events: list[JsonObject]
    kept: list[JsonObject]
    """Those of the events that are recorded."""
    end: TurnEnd

    @property
    def tells_its_pair(self) -> bool:
        """Whether the events hold the input/output pair; the one that does is one of the last."""
        return any(event["type"] == "end_workflow_iteration" for event in reversed(self.kept))


class Recorder:
    """Keeps what runs give.

    Args:
        store: Where it is kept.
        world: Time and chance.
    """

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    def gathered(self, segment: Segment) -> Generator[Event, None, Given]:
        """Pass a segment's events on, and gather what they are on the wire."""
        began = self._world.now()
        events: list[Event] = []
        while True:
            try:
                event = next(segment)
            except StopIteration as stop:
                kept = [event.to_wire() for event in events if event.is_kept]
                all_kept = len(kept) == len(events)
                told = kept if all_kept else [event.to_wire() for event in events]
                return Given(began, told, kept, stop.value)
            events.append(event)
            yield event

    def turn(self, opened: OpenedRun, given: Given, run_by: str | None) -> TurnResult:
        """Keep a turn that is over.

        Raises:
            ConflictError: Somebody else went on with the run meanwhile; nothing of the turn is kept.
        """
        self._keep(opened, given, run_by)
        return _result(opened, given)

    def background(self, opened: OpenedRun, given: Given) -> TurnResult:
        """Keep background work if there was any.

        Work that tells only of what the record leaves out adds nothing to it, since it may come every
        second; what was judged, and when, is remembered in the run's state.

        Raises:
            ConflictError: Somebody else went on with the run meanwhile; nothing of the work is kept.
        """
        if given.kept or given.end.status in TERMINAL_STATUSES:
            self._keep(opened, given, None)
        elif given.events:
            self._store.renew_checkpoint(opened.run_id, opened.pair_number - 1, opened.state.to_json())
        return _result(opened, given)

    def _keep(self, opened: OpenedRun, given: Given, run_by: str | None) -> None:
        end = given.end
        self._store.append_turn(
            FinishedTurn(
                run_id=opened.run_id,
                workflow_id=opened.workflow_id,
                version_number=opened.version_number,
                version_name=opened.version_name,
                workflow_name=opened.interpreter.workflow.name if opened.pair_number == 1 else None,
                run_by=run_by,
                turn_number=opened.pair_number,
                status=end.status,
                termination_source="execution_error" if end.status == "failed" else None,
                events_json=encode(given.kept),
                pair_json=None if given.tells_its_pair else encode(end.pair),
                checkpoint=opened.state.to_json(),
                token_usage_json=encode(end.token_usage),
                latency_stats_json=encode(end.latency_stats),
                started_at=given.began,
                finished_at=self._world.now(),
            )
        )


def _result(opened: OpenedRun, given: Given) -> TurnResult:
    end = given.end
    return TurnResult.of(
        run_id=opened.run_id,
        status=end.status,
        turn_number=opened.state.turn_number,
        events=given.events,
        is_waiting_for_input=end.status == "waiting_for_user_input",
        is_completed=end.status in TERMINAL_STATUSES,
        error=end.error,
        next_input_hint=end.hint,
        has_active_companions=end.has_active_companions,
        has_background_work=end.has_background_work,
        next_due=end.next_due,
    )
