"""What a condition could see, as far as a run's events tell."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.scopes import scopes_at
from debugger.expressions import Scope
from debugger.protocol.runs import MAIN_THREAD, TurnLog


def recorded_scope(turns: Sequence[TurnLog], index: int | None = None, thread: str = MAIN_THREAD) -> Scope:
    """The variables of a thread as they stood after an event.

    Args:
        turns: The run's turns.
        index: The event, counted over the run from 0; ``None`` is its end.
        thread: The thread as people know it.
    """
    found = scopes_at(turns, index)
    threads = {name: {**found.qualified.get(name, {}), **own} for name, own in found.runtime.items()}
    return Scope(
        dynamic={**found.system, **found.dynamic},
        runtime=threads.get(thread, {}),
        workflow={**found.seeds, **found.workflow},
        threads=threads,
    )
