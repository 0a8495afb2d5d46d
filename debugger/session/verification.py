"""The verification of a fork by running its turn again unedited."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from debugger.analysis.comparison.comparison import TurnEquality, compare_turns
from debugger.analysis.comparison.ignored import IGNORED_BETWEEN_REPLAYS
from debugger.analysis.event_fields import node_of, text, values_of
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.backends.base import Backend
from debugger.engine.background_call import BackgroundCall
from debugger.errors import DebuggerError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.runs import ForkMode, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.session.fork_draft import ForkDraft, ForkPoint

_log = logging.getLogger(__name__)


class ForkVerification:
    """Runs a turn again on a thread of its own.

    On a backend without checkpoints that is a real run.

    Args:
        backend: Where the run is.
        draft: The fork; its edits are left out.
    """

    def __init__(self, backend: Backend, draft: ForkDraft) -> None:
        self.fidelity = UNCHECKED
        self._backend = backend
        self._draft = draft
        self._cancelled = threading.Event()
        self._over = threading.Event()
        self._waiting: list[Callable[[Fidelity], None]] = []
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Return whether the verification has not ended."""
        return not self._over.is_set()

    def begin(self) -> None:
        """Run the turn."""
        BackgroundCall(self._check, "control run")

    def stop(self) -> None:
        """End it early; nothing is then known."""
        self._cancelled.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it came in time (seconds)."""
        return self._over.wait(timeout)

    def then(self, take: Callable[[Fidelity], None]) -> None:
        """Call a function with the result once it is known: now, or later on the control run's thread."""
        with self._lock:
            if self.is_running:
                self._waiting.append(take)
                return
        take(self.fidelity)

    def _check(self) -> None:
        """Execute the control run and compare it; pass the result to all who wait, never raise.

        A run that failed or was stopped leaves the fork unchecked.
        """
        try:
            again = self._run_again(self._draft.point)
            if not self._cancelled.is_set():
                self.fidelity = compare(self._draft.point.original, again, self._draft.way)
        except DebuggerError as error:
            self.fidelity = Fidelity("unchecked", f"The control run failed: {error}")
        except Exception as error:  # a page must say something, whatever broke
            _log.exception("a control run broke off")
            self.fidelity = Fidelity(
                "unchecked", f"The control run was interrupted ({type(error).__name__})."
            )
        finally:
            with self._lock:
                self._over.set()
            for take in self._waiting:
                take(self.fidelity)

    def _run_again(self, point: ForkPoint) -> TurnLog:
        """Return the fork's turn, run again unedited: replayed exactly, or by a new run of its inputs.

        Raises:
            DebuggerError: The backend cannot run it.
        """
        if self._draft.way == "exact":
            events = self._backend.replay(point.run_id, point.number, cancelled=self._cancelled)
            return TurnLog(point.number, TurnInput(), events)
        run_id, log = None, TurnLog(point.number, TurnInput())
        for turn_input in self._draft.unedited().inputs():
            if self._cancelled.is_set():
                break
            stream = self._backend.execute(
                point.workflow_id,
                turn_input,
                run_id=run_id,
                version_number=point.version_number,
                cancelled=self._cancelled,
            )
            log = TurnLog(point.number, turn_input, [event for event in stream if event.is_persisted])
            run_id = stream.finish().run_id
        return log


def verification_cost(way: ForkMode, *, asks_models: bool) -> str:
    """Return the cost of a verification as a sentence; empty where it is free.

    Args:
        way: How the fork is made.
        asks_models: Models are really called.
    """
    if way != "exact":
        return "The control run is a real run that stays on record and makes real calls."
    if not asks_models:
        return ""
    return "The control run calls the models again; no call that writes or contacts a person is made."


FidelityLevel = Literal["verified", "approximate", "differs", "replayed", "unchecked"]

_PATH_TYPES = frozenset({*TRANSITION_TYPES, "start_node_run", "busy_wait_for_user_message", "end_thread"})
_BEGINNING = frozenset({"start_workflow", "start_thread"})
_PASSED_OVER: dict[ForkMode, str] = {"exact": "ids and times", "rebuilt": "ids, times and counters"}
_BY_HAND = frozenset({"pinned", "person"})
"""Names in place of the model's where something else answered."""
_MOST_TOLD = 50


@dataclass(frozen=True)
class Fidelity:
    """The result of a verification."""

    level: FidelityLevel
    sentence: str
    """For people."""
    differences: tuple[str, ...] = ()
    """The events that differ, in words."""

    def to_json(self) -> JsonObject:
        """Return the stored form, with the first `_MOST_TOLD` of the differences."""
        return {
            "verdict": self.level,
            "sentence": self.sentence,
            "differences": list(self.differences[:_MOST_TOLD]),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Self:
        """Read the result of `to_json`; ``None`` means that nothing was checked."""
        if not stored:
            return cls("unchecked", "No control run was made.")
        return cls(stored["verdict"], stored["sentence"], tuple(stored["differences"]))


UNCHECKED = Fidelity.from_json(None)


def compare(original: TurnLog, again: TurnLog, way: ForkMode = "exact") -> Fidelity:
    """Compare a turn with the same turn run again, unedited.

    Return the level, a sentence and the differences. The same is ``verified``, the same path or a turn
    changed by hand ``approximate``, another path ``differs``; all turns run again are ``replayed``.

    Args:
        original: As it was recorded.
        again: As it fell out when it was run again.
        way: The way it was made. Rebuilt, it is the first turn of a run: that it reports a beginning, and
            counts from 1, is passed over.
    """
    found = _compared(original, again, way)
    lines = tuple(str(difference) for difference in found.differences)
    if way == "replayed":
        outcome = "and the result was the same." if found.is_same else "and the result differed."
        return Fidelity("replayed", f"All turns were run again from turn 1, {outcome}", lines)
    if found.is_same:
        return Fidelity(
            "verified", f"Run again unedited, the turn had the same result apart from {_PASSED_OVER[way]}."
        )
    if hand := manual_changes(original):
        return Fidelity("approximate", f"The turn was {hand}, which running it again cannot repeat.", lines)
    if path_of(original) == path_of(again):
        return Fidelity(
            "approximate",
            "Run again unedited, the turn followed the same path with other words or values.",
            lines,
        )
    return Fidelity("differs", "Run again unedited, the turn followed another path.", lines)


def _compared(original: TurnLog, again: TurnLog, way: ForkMode) -> TurnEquality:
    if way != "rebuilt":
        return compare_turns(original, again, IGNORED_BETWEEN_REPLAYS)
    return compare_turns(
        _without_start(original), _without_start(again), IGNORED_BETWEEN_REPLAYS | {"counters"}
    )


def _without_start(turn: TurnLog) -> TurnLog:
    """Return a turn without the events that only a first turn has."""
    return replace(turn, events=[event for event in turn.events if event.type not in _BEGINNING])


def manual_changes(turn: TurnLog) -> str:
    """Return the manual changes to a turn in words; empty without any."""
    found = [word for word, has in _HANDS.items() if any(has(event) for event in turn.events)]
    return " and ".join(found)


def path_of(turn: TurnLog) -> list[tuple[str, str | None, Any]]:
    """Return the events of a turn that make its path, in order: type, node and destination of each."""
    return [
        (event.type, node_of(event), text(event, "destination_node_logical_id"))
        for event in turn.events
        if event.type in _PATH_TYPES
    ]


def _edited(event: Event) -> bool:
    return event.type == "workflow_debug_log" and bool(event.to_wire().get("edits"))


def _pinned(event: Event) -> bool:
    wire = event.to_wire()
    return bool(wire.get("pinned") or wire.get("fault")) or _answered_as(event) == "pinned"


def _answered(event: Event) -> bool:
    return _answered_as(event) == "person"


def _answered_as(event: Event) -> str | None:
    named = values_of(event).llm_usage_info.response_model
    return named if named in _BY_HAND else None


_HANDS = {"changed manually": _edited, "pinned": _pinned, "answered by the user": _answered}
