"""The threads of a run: where each one stands, and when it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from debugger.analysis.facts import field, thread_id_of
from debugger.analysis.node_table import place_words
from debugger.analysis.position import Position
from debugger.protocol.events import COMPANION, Event, reference_id
from debugger.protocol.runs import TurnLog

_OVER = frozenset({"ended", "failed", "cancelled", "looping"})
_SAYS_WHEN = frozenset({"self_loop_delay", "start_node_run", "end_thread"})


@dataclass(frozen=True)
class ThreadRow:
    """One thread."""

    id: str
    """The internal id."""
    name: str
    """``main``, or the id that people know a companion by."""
    status: str
    """Of the main thread how the run stands; of a companion ``"in the background"``, ``"ended"``, or
    ``"stopped"`` where the run ended before it."""
    node_id: str
    node: str
    """The node that it stands at, or stood at last."""
    next_due: float | None = None
    """When a companion goes on, in seconds since the epoch, where its record tells."""


def thread_names(position: Position) -> dict[str, str]:
    """What people call each thread, by internal id: the main thread first, then in the order they began."""
    ids = sorted(position.threads, key=lambda thread: COMPANION in thread)  # stable: the order stays
    return {thread: reference_id(thread) or thread if COMPANION in thread else "main" for thread in ids}


def thread_table(
    position: Position, names: Mapping[str, str], turns: Sequence[TurnLog] = ()
) -> list[ThreadRow]:
    """Every thread of a run.

    Args:
        position: Where the run stands.
        names: The graph's node names by id.
        turns: The run's turns; they tell when a companion goes on.
    """
    return [
        ThreadRow(
            id=thread,
            name=name,
            status=_status(thread, name, position),
            node_id=position.threads[thread],
            node=place_words(position, position.threads[thread], names),
            next_due=_next_due(thread, turns) if name in position.companions else None,
        )
        for thread, name in thread_names(position).items()
    ]


def _status(thread: str, name: str, position: Position) -> str:
    if COMPANION not in thread:
        return position.state.replace("_", " ")
    if name not in position.companions:
        return "ended"
    return "stopped" if position.state in _OVER else "in the background"


def _next_due(thread: str, turns: Sequence[TurnLog]) -> float | None:
    """When the wait between two attempts is over, if a thread is in one (``platform/engine.md`` 3.8)."""
    last = next((event for event in _backwards(turns, thread)), None)
    if last is None or last.type != "self_loop_delay" or not last.timestamp:
        return None
    delay = field(last, "delay_seconds")
    return last.timestamp + delay if isinstance(delay, int | float) else None


def _backwards(turns: Sequence[TurnLog], thread: str) -> Iterator[Event]:
    """The events of a thread that say whether it goes on, the latest first."""
    events: Iterable[Event] = (event for turn in reversed(turns) for event in reversed(turn.events))
    return (event for event in events if event.type in _SAYS_WHEN and thread_id_of(event) == thread)
