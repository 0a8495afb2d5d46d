"""Side effects of a run: calls to the outside, blocked ones included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from debugger.analysis.event_fields import EventFields, iso_utc, text, values_of
from debugger.analysis.fold import EventFold
from debugger.analysis.node_origins import label_of
from debugger.protocol.base import JsonObject
from debugger.protocol.event_values import EndState, LedgerEntry
from debugger.protocol.runs import Run, Turn
from debugger.protocol.turn_logs import TurnLog

Ledgers = Mapping[str, Sequence[JsonObject]]
"""The ledger of each turn that has one, by the logical id of the turn's last event."""

LEDGER_KEY = "side_effects"
"""The key of a turn's ledger in ``iteration_end_state_miscellaneous``."""

_CLASSES = ("talk", "read", "write", "contact")
_CLOSING = "end_workflow_iteration"


class SideEffect(NamedTuple):
    """One call to the outside."""

    turn_number: int
    """Counts turns from 1; for background work, that of the turn before it."""
    is_background: bool
    """Whether it was made in background work."""
    time: str
    """ISO 8601, UTC; empty if unknown."""
    node_logical_id: str
    node_name: str
    """The node's label, with the super nodes around it: ``Booking › Ask``."""
    kind: str
    """``http``, ``model``, ``mcp``, ``sms`` and the like."""
    call_class: str
    """``talk``, ``read``, ``write`` or ``contact``."""
    target: str
    """Method and URL, or another address; secrets masked."""
    how: str
    """``live``, ``simulated`` or ``blocked``."""
    success: bool
    status_code: int | None
    error: str
    """Empty without one."""
    duration_milliseconds: float | None
    request: Mapping[str, Any]
    """The payload; secrets masked."""
    place: int = 0
    """The index of its turn, or piece of background work, among both."""

    @property
    def outcome(self) -> str:
        """``"ok"``, ``"failed"``, or ``"not made"`` for a blocked one."""
        if self.how == "blocked":
            return "not made"
        return "ok" if self.success else "failed"


def ledgers(run: Run) -> dict[str, list[JsonObject]]:
    """Return the ledgers of a record's turns, background work among them."""
    found: dict[str, list[JsonObject]] = {}
    for turn in run.input_output_pairs:
        found |= ledger_of(turn)
    return found


def ledger_of(turn: Turn) -> dict[str, list[JsonObject]]:
    """Return the ledger of one turn of a record, if any."""
    events, entries = turn.run_output.events, EndState(turn.iteration_end_state_miscellaneous).side_effects
    return {str(events[-1].get("logical_id")): entries} if events and entries else {}


def needs_recorded_ledger(turn: TurnLog) -> bool:
    """Return whether only the record has a turn's ledger.

    That is so for failed turns and background work.

    All others have it in their last event.
    """
    return bool(turn.events) and not any(event.type == _CLOSING for event in turn.events)


def side_effects(
    turns: Iterable[TurnLog], recorded: Ledgers | None = None, names: Mapping[str, str] | None = None
) -> list[SideEffect]:
    """Return all calls of a run in order.

    Args:
        turns: The run's turns.
        recorded: The ledgers of those turns that do not have it in their events.
        names: The author's node names by id.
    """
    return SideEffectCollector(names or {}).catch_up(list(turns)).effects(recorded or {})


class SideEffectCollector(EventFold):
    """The side effects of a run, event by event."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Begin without turns; names are those of the author's nodes, by id."""
        super().__init__()
        self._author_names = names
        self._event_names: dict[str, str] = {}
        """Names of the nodes that the author's workflow does not have."""
        self._turns: list[tuple[int, bool]] = []
        """Number of each turn, and whether it is background work."""
        self._last_events: dict[int, str | None] = {}
        """By turn index, the logical id by which the record has the turn's ledger."""
        self._effects: dict[int, tuple[SideEffect, ...]] = {}
        """By turn index, for the turns that have the ledger in their events."""

    def begin_turn(self, turn: TurnLog) -> None:
        """Begin a turn whose ledger is not known yet."""
        self._turns.append((turn.number, turn.is_background))

    def apply(self, event: EventFields) -> None:
        """Note the node's name, the turn's last event, and the ledger of the event that closes the turn."""
        if event.node and not self._author_names.get(event.node):
            node, name = text(event.event, "origin_node_logical_id"), text(event.event, "origin_node_name")
            if node and name:
                self._event_names[node] = name
        index = self.turn_index
        self._last_events[index] = event.event.logical_id
        if event.type == _CLOSING:
            state = values_of(event.event).run_input_output_pair.iteration_end_state_miscellaneous
            self._effects[index] = tuple(self._read(index, state.side_effects))

    def effects(self, recorded: Ledgers) -> list[SideEffect]:
        """Return all calls in the order of the turns, from events and else from the record.

        There are none where neither has them.
        """
        found: list[SideEffect] = []
        for index in range(len(self._turns)):
            if index in self._effects:
                found += self._effects[index]
            else:
                entries = recorded.get(self._last_events.get(index) or "", ())
                found += self._read(index, entries)
        return found

    def _read(self, place: int, entries: Iterable[JsonObject]) -> Iterator[SideEffect]:
        """Yield a side effect for each entry in the ledger of the turn with this index, in its order."""
        turn_number, is_background = self._turns[place]
        for entry in map(LedgerEntry, entries):
            node = entry.node_logical_id
            name = self._author_names.get(node) or self._event_names.get(node) or node
            yield SideEffect(
                turn_number=turn_number,
                is_background=is_background,
                time=iso_utc(entry.at),
                node_logical_id=node,
                node_name=label_of(node, name, self._author_names),
                kind=entry.kind,
                call_class=entry.call_class,
                target=entry.target,
                how=entry.how,
                success=entry.success,
                status_code=entry.status_code,
                error=entry.error,
                duration_milliseconds=entry.duration_milliseconds,
                request=entry.request,
                place=place,
            )


def summary(effects: Iterable[SideEffect]) -> str:
    """Count calls by class: ``2 read, 1 read (failed), 1 write (blocked)``."""
    counted = Counter((effect.call_class, _manner(effect)) for effect in effects)
    return ", ".join(
        f"{counted[key]} {key[0]}{f' ({key[1]})' if key[1] else ''}" for key in sorted(counted, key=_rank)
    )


def blocked_call_advice(effects: Iterable[SideEffect]) -> list[str]:
    """Return a sentence for each reason why calls were blocked, with their number; empty for none."""
    refused = Counter(
        effect.error.partition(" was not called: ")[2] or effect.error
        for effect in effects
        if effect.how == "blocked"
    )
    return [
        f"{number} {'call' if number == 1 else 'calls'} not made: {reason}"
        for reason, number in refused.items()
    ]


def _manner(effect: SideEffect) -> str:
    parts = [] if effect.how == "live" else [effect.how]
    return ", ".join([*parts, "failed"] if effect.outcome == "failed" else parts)


def _rank(key: tuple[str, str]) -> tuple[int, str, str]:
    call_class, manner = key
    place = _CLASSES.index(call_class) if call_class in _CLASSES else len(_CLASSES)
    return place, call_class, manner
