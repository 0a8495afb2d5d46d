"""Make long recorded runs of a real workflow in a store.

Run from the top of the repository: ``python -m tests.benchmarks.long_runs FILE.sqlite3 50000 100``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import Json, direct, document, node, say, static, when, worker

EVENTS_A_TURN = 25
"""About as many events as the long way around takes, and the short way sometimes."""

_WISHES = ("green tea", "a cake with cherries", "black tea and the bill", "something cold, without sugar")


def tea_room() -> Json:
    """Return a workflow without end.

    A turn reads an order, routes it, serves it and asks again.
    """
    order = {"topic": {"type": "string"}, "count": {"type": "integer"}}
    return document(
        say("desk", "Help the guest to order.", self_loop=False, is_start=True),
        worker("reader", order),
        node("sort", "no_op"),
        static("tea", "Tea it is: [[topic]], [[count]] of it."),
        static("cake", "Cake it is: [[topic]]."),
        direct("desk", "reader"),
        direct("reader", "sort"),
        when("sort", "tea", "[[count]] < 5000"),
        when("sort", "cake", "isAbsent([[count]])"),
        when("sort", "desk", "[[count]] >= 5000"),
        direct("tea", "desk"),
        direct("cake", "desk"),
        name="Tea room",
        logical_id="workflow_tea_room",
    )


def words_of_turn(number: int) -> str:
    """Return the guest's message of a turn.

    Most of them are numbers of the long way, some are numbers of the short way.
    """
    wish = _WISHES[number % len(_WISHES)]
    many = 9000 + number % 500 if number % 3 == 0 else number % 5000
    return f"I would like {many} of {wish}, please, for table {number % 12} by the window."


def record(backend: EmbeddedBackend, events: int, turns: int | None = None) -> str:
    """Run until so many events or turns; return the run id.

    Args:
        backend: Whose engine runs it, and whose store keeps it.
        events: How many events the run shall have at least.
        turns: How many turns, whatever the events.
    """
    found = next((each.id for each in backend.workflows("Tea room")), None)
    workflow_id = found or backend.create_workflow(tea_room()).id
    result = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    made, number = len(result.events), 1
    while made < events if turns is None else number < turns:
        number += 1
        turn_input = TurnInput.with_message(words_of_turn(number), command="data")
        result = backend.execute(workflow_id, turn_input, run_id=result.run_id).finish()
        made += len(result.events)
    return result.run_id


def main() -> None:
    """Make the runs that the command line asks for."""
    path, *sizes = sys.argv[1:]
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{Path(path).resolve()}", responder="rules"))
    for size in sizes:
        began = time.perf_counter()
        run_id = record(backend, int(size))
        print(f"{size} events: run {run_id}, {time.perf_counter() - began:.1f} s", flush=True)
    backend.close()


if __name__ == "__main__":
    main()
