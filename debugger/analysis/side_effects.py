"""What a run did to the world outside: every call that left, was answered here, or was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from debugger.analysis.facts import iso_utc
from debugger.protocol.runs import Run, Turn

KEY = "side_effects"
"""Where a turn keeps its ledger, in ``iteration_end_state_miscellaneous``."""

_CLASSES = ("talk", "read", "write", "contact")
_YEAR_10000 = 253402300799


class SideEffect(NamedTuple):
    """One call, as a row of a table or of a CSV file."""

    turn_number: int
    """Counts turns from 1."""
    time: str
    """ISO 8601, UTC; empty where it is not known."""
    node_logical_id: str
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


def side_effects(run: Run) -> list[SideEffect]:
    """All calls of a run in the order in which they were made; none where its turns kept no ledger."""
    return [
        _side_effect(number, entry)
        for number, turn in enumerate(run.input_output_pairs, start=1)
        for entry in _entries(turn)
    ]


def summary(effects: Iterable[SideEffect]) -> str:
    """How many of each class, as ``2 read, 1 write (blocked)``; empty where there are none."""
    counted = Counter((effect.call_class, effect.how) for effect in effects)
    return ", ".join(
        f"{counted[key]} {key[0]}{'' if key[1] == 'live' else f' ({key[1]})'}"
        for key in sorted(counted, key=_rank)
    )


def _rank(key: tuple[str, str]) -> tuple[int, str, str]:
    call_class, how = key
    place = _CLASSES.index(call_class) if call_class in _CLASSES else len(_CLASSES)
    return place, call_class, "" if how == "live" else how


def _entries(turn: Turn) -> Iterator[Mapping[str, Any]]:
    kept = (turn.iteration_end_state_miscellaneous or {}).get(KEY)
    return (entry for entry in kept if isinstance(entry, Mapping)) if isinstance(kept, list) else iter(())


def _side_effect(number: int, entry: Mapping[str, Any]) -> SideEffect:
    request, status = entry.get("request"), entry.get("status_code")
    return SideEffect(
        turn_number=number,
        time=_time(entry.get("at")),
        node_logical_id=_text(entry, "node_logical_id"),
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
