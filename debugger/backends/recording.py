"""The recording of turns and background work: events are collected, results are stored."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from debugger.backends.leases import HeldClaim
from debugger.backends.opened import OpenedRun
from debugger.engine.segment import TurnEnd
from debugger.engine.world import World
from debugger.errors import ConflictError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_text import encode
from debugger.protocol.runs import TERMINAL_STATUSES, TurnResult
from debugger.store import FinishedTurn, Store

Segment = Generator[Event, None, TurnEnd]
"""What the engine executes at one go: a turn, or some background work."""


@dataclass(slots=True)
class SegmentOutput:
    """The events and the end of a segment."""

    events: list[JsonObject]
    kept: list[JsonObject]
    """Those of the events that are recorded."""
    end: TurnEnd

    @property
    def includes_pair(self) -> bool:
        """Return whether the events hold the input/output pair; the one that does is one of the last."""
        return any(event["type"] == "end_workflow_iteration" for event in reversed(self.kept))


class Recorder:
    """Stores what is executed under a claim.

    Args:
        store: Where it is stored.
        world: Time and chance.
    """

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    def collect(self, segment: Segment, held: HeldClaim) -> Generator[Event, None, SegmentOutput]:
        """Pass a segment's events on, and collect what they are on the wire.

        Raises:
            ConflictError: The claim was taken away meanwhile: nothing more is executed.
        """
        events = held.events
        while not held.is_lost:
            try:
                event = next(segment)
            except StopIteration as stop:
                kept = [event.to_wire() for event in events if event.is_kept]
                all_kept = len(kept) == len(events)
                return SegmentOutput(
                    kept if all_kept else [event.to_wire() for event in events], kept, stop.value
                )
            events.append(event)
            yield event
        raise ConflictError(
            f"The turn of run {held.claim.run_id} was interrupted: its claim has lapsed.",
            advice="Load the run and continue from its last turn.",
        )

    def turn(self, opened: OpenedRun, output: SegmentOutput, held: HeldClaim) -> TurnResult:
        """Store a turn that has ended.

        Raises:
            ConflictError: The claim has lapsed; nothing of the turn is stored.
            NotFoundError: The run was deleted meanwhile.
        """
        self._finish(opened, output, held)
        return _result(opened, output, opened.pair_number)

    def background(self, opened: OpenedRun, output: SegmentOutput, held: HeldClaim) -> TurnResult:
        """Store background work if there was any.

        Work whose events are all left out of the record adds nothing to it, since it may come every second;
        which conditions were evaluated, and when, is stored in the run's state.

        Raises:
            ConflictError: The claim has lapsed; nothing of the work is stored.
            NotFoundError: The run was deleted meanwhile.
        """
        if output.kept or output.end.status in TERMINAL_STATUSES:
            self._finish(opened, output, held)
            return _result(opened, output, opened.pair_number)
        checkpoint = opened.state.to_json() if output.events else None
        self._store.claims.release(held.claim, checkpoint=checkpoint)
        return _result(opened, output, opened.pair_number - 1)

    def _finish(self, opened: OpenedRun, output: SegmentOutput, held: HeldClaim) -> None:
        end = output.end
        self._store.claims.finish(
            FinishedTurn(
                run_id=opened.run_id,
                workflow_id=opened.workflow_id,
                version_number=opened.version_number,
                turn_number=opened.pair_number,
                claim_id=held.claim.claim_id,
                status=end.status,
                termination_source="execution_error" if end.status == "failed" else None,
                events_json=encode(output.kept),
                pair_json=None if output.includes_pair else encode(end.pair),
                checkpoint=opened.state.to_json(),
                token_usage_json=encode(end.token_usage),
                latency_stats_json=encode(end.latency_stats),
                started_at=held.claim.started_at,
                finished_at=self._world.now(),
            ),
            clears_unfinished=opened.has_unfinished,
        )


def _result(opened: OpenedRun, output: SegmentOutput, record_length: int) -> TurnResult:
    end = output.end
    return TurnResult.of(
        run_id=opened.run_id,
        status=end.status,
        turn_number=opened.state.turn_number,
        events=output.events,
        is_waiting_for_input=end.status == "waiting_for_user_input",
        is_completed=end.status in TERMINAL_STATUSES,
        error=end.error,
        next_input_hint=end.hint,
        has_active_companions=end.has_active_companions,
        has_background_work=end.has_background_work,
        next_due=end.next_due,
        record_length=record_length,
    )
