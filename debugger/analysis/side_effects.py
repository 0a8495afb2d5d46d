"""What a run did to the world outside: every call that left, was answered here, or was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

from debugger.analysis.event_fields import EventFields, field, fields_of, iso_utc, text
from debugger.analysis.node_origins import label_of
from debugger.protocol.events import Event
from debugger.protocol.runs import Run, Turn
from debugger.protocol.turn_logs import TurnLog

Ledgers = Mapping[str, Sequence[Any]]
"""The ledger of each turn that kept one, by the logical id of the turn's last event."""

LEDGER_KEY = "side_effects"
"""Where a turn keeps its ledger, in ``iteration_end_state_miscellaneous``."""

_CLASSES = ("talk", "read", "write", "contact")
_YEAR_10000 = 253402300799


class SideEffect(NamedTuple):
    """One call, as a row of a table or of a CSV file."""

    turn_number: int
    """Counts turns from 1. Of background work, that of the turn after which it was done."""
    is_background: bool
    """Whether it was made in background work."""
    time: str
    """ISO 8601, UTC; empty where it is not known."""
    node_logical_id: str
    node_name: str
    """The node in words, with the super nodes around it: ``Booking › Ask``."""
    kind: str
    """``http``, ``model``, ``mcp``, ``sms`` and the like."""
    call_class: str
    """``talk``, ``read``, ``write`` or ``contact``."""
    target: str
    """Method and URL, or what else says where it went; secrets masked."""
    how: str
    """``live``, ``simulated`` or ``blocked``."""
    success: bool
    status_code: int | None
    error: str
    """Empty where there was none."""
    duration_milliseconds: float | None
    request: Mapping[str, Any]
    """What was sent; secrets masked."""

    @property
    def outcome(self) -> str:
        """``"ok"``, ``"failed"``, or ``"not made"`` of one that was refused here."""
        if self.how == "blocked":
            return "not made"
        return "ok" if self.success else "failed"


def ledgers(run: Run) -> dict[str, list[Any]]:
    """What the turns of a record kept, background work among them."""
    found: dict[str, list[Any]] = {}
    for turn in run.input_output_pairs:
        found |= ledger_of(turn)
    return found


def ledger_of(turn: Turn) -> dict[str, list[Any]]:
    """The same of one turn of a record: one entry, or none."""
    events, kept = turn.run_output.events, _kept(turn.iteration_end_state_miscellaneous)
    return {str(events[-1].get("logical_id")): kept} if events and kept else {}


def needs_recorded_ledger(turn: TurnLog) -> bool:
    """Whether only the record can tell a turn's ledger, as of one that failed and of background work.

    All others tell it themselves when they end.
    """
    return bool(turn.events) and _closing(turn) is None


def side_effects(
    turns: Iterable[TurnLog], recorded: Ledgers | None = None, names: Mapping[str, str] | None = None
) -> list[SideEffect]:
    """All calls of a run in the order in which they were made; none where its turns kept no ledger.

    Args:
        turns: The run's turns.
        recorded: What the record says of those turns that do not tell it themselves.
        names: The author's node names by id.
    """
    reader = SideEffectCollector(names or {})
    for turn in turns:
        reader.take(turn, fields_of(turn.events))
    return reader.effects(recorded or {})


class SideEffectCollector:
    """The calls so far, followed from turn to turn.

    Args:
        names: The author's node names by id.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = _Names(names)
        self._found: list[SideEffect | _Untold] = []

    def take(self, turn: TurnLog, events: Sequence[EventFields]) -> None:
        """Take in the next turn, or piece of background work, and its events."""
        self._names.learn(events)
        closing = _closing(turn)
        if closing is not None:
            pair = field(closing, "run_input_output_pair") or {}
            kept = _kept(pair.get("iteration_end_state_miscellaneous"))
            self._found += _side_effects(turn.number, turn.is_background, kept, self._names)
        elif turn.events:
            self._found.append(_Untold(turn.number, turn.is_background, turn.events[-1].logical_id or ""))

    def copy(self) -> SideEffectCollector:
        """Another one that stands here, to go on by itself."""
        other = copy(self)
        other._names, other._found = self._names.copy(), self._found.copy()
        return other

    def effects(self, recorded: Ledgers) -> list[SideEffect]:
        """All calls; those of turns that do not tell them as the record has them."""
        found: list[SideEffect] = []
        for each in self._found:
            if isinstance(each, SideEffect):
                found.append(each)
            else:
                kept = recorded.get(each.last_event, ())
                found += _side_effects(each.turn_number, each.is_background, kept, self._names)
        return found


@dataclass(frozen=True)
class _Untold:
    """A turn whose calls only the record tells."""

    turn_number: int
    is_background: bool
    last_event: str
    """Its logical id."""


def summary(effects: Iterable[SideEffect]) -> str:
    """How many of each class, as ``2 read, 1 read (failed), 1 write (blocked)``; empty without any."""
    counted = Counter((effect.call_class, _manner(effect)) for effect in effects)
    return ", ".join(
        f"{counted[key]} {key[0]}{f' ({key[1]})' if key[1] else ''}" for key in sorted(counted, key=_rank)
    )


def blocked_call_advice(effects: Iterable[SideEffect]) -> list[str]:
    """What to set for calls that were refused here: a sentence for each kind of refusal, and how many."""
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
    told = [] if effect.how == "live" else [effect.how]
    return ", ".join([*told, "failed"] if effect.outcome == "failed" else told)


def _rank(key: tuple[str, str]) -> tuple[int, str, str]:
    call_class, manner = key
    place = _CLASSES.index(call_class) if call_class in _CLASSES else len(_CLASSES)
    return place, call_class, manner


class _Names:
    """What people call the nodes: as the author does, else as the events of the run do."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._own = names
        self._told: dict[str, str] = {}

    def learn(self, events: Iterable[EventFields]) -> None:
        for facts in events:
            if facts.node and not self._own.get(facts.node):
                event = facts.event
                node, name = text(event, "origin_node_logical_id"), text(event, "origin_node_name")
                if node and name:
                    self._told[node] = name

    def copy(self) -> _Names:
        other = _Names(self._own)
        other._told = self._told.copy()
        return other

    def of(self, node_id: str) -> str:
        return label_of(node_id, self._own.get(node_id) or self._told.get(node_id) or node_id, self._own)


def _closing(turn: TurnLog) -> Event | None:
    # It is one of the last.
    return next((event for event in reversed(turn.events) if event.type == "end_workflow_iteration"), None)


def _kept(state: Any) -> list[Any]:
    kept = state.get(LEDGER_KEY) if isinstance(state, Mapping) else None
    return kept if isinstance(kept, list) else []


def _side_effects(
    turn_number: int, is_background: bool, kept: Iterable[Any], names: _Names
) -> Iterator[SideEffect]:
    entries = (entry for entry in kept if isinstance(entry, Mapping))
    return (_side_effect(turn_number, is_background, entry, names) for entry in entries)


def _side_effect(
    turn_number: int, is_background: bool, entry: Mapping[str, Any], names: _Names
) -> SideEffect:
    request, status = entry.get("request"), entry.get("status_code")
    return SideEffect(
        turn_number=turn_number,
        is_background=is_background,
        time=_time(entry.get("at")),
        node_logical_id=_text(entry, "node_logical_id"),
        node_name=names.of(_text(entry, "node_logical_id")),
        kind=_text(entry, "kind"),
        call_class=_text(entry, "call_class"),
        target=_text(entry, "target"),
        how=_text(entry, "how"),
        success=entry.get("success") is True,
        status_code=status if isinstance(status, int) and not isinstance(status, bool) else None,
        error=_text(entry, "error"),
        duration_milliseconds=_number(entry.get("duration_milliseconds")),
        request=request if isinstance(request, Mapping) else {},
    )


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return "" if value is None else str(value)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _time(value: Any) -> str:
    seconds = _number(value)
    return iso_utc(seconds if seconds is not None and 0 < seconds < _YEAR_10000 else None)
