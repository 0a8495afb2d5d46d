"""Takes one step of a run of each generated workflow in a process of its own; prints what happened as JSON.

The arguments are a folder with a database of runs, and which turn it is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.protocol.events import EVENT_TYPES, Event
from debugger.protocol.runs import TERMINAL_STATUSES, TurnInput, TurnResult
from debugger.settings import Settings
from tests.support.generated import COMMANDS
from tests.support.generated_nodes import SCRIPT

BEGINNING = 1_750_000_000.0
TICK = 3.0
PUMPS = 4
FILES = {"scripts/generated.yaml": SCRIPT, "knowledge/kb_1/hours.md": "Opening hours: 9 to 5."}


class Clock:
    """Moves with each look, and on without a wait when someone sleeps."""

    def __init__(self, turn: int, look: float) -> None:
        self.seconds = BEGINNING + 1000.0 * turn
        self.look = look

    def now(self) -> float:
        self.seconds += self.look
        return self.seconds

    def sleep(self, seconds: float, _woken: object) -> None:
        self.seconds += seconds


def open_backend(folder: Path, turn: int, seed: int, look: float = 0.001, url: str = "") -> EmbeddedBackend:
    """A backend as a process finds it that knows nothing of the run; its chance depends on the turn alone.

    Args:
        folder: Where its files are.
        turn: By which its clock is set.
        seed: Of the workflow.
        look: Seconds by which each look at the clock moves it.
        url: The database; empty for one in the folder.
    """
    clock = Clock(turn, look)
    world = Environment(now=clock.now, sleep=clock.sleep)
    world.random.seed(chance(seed, turn))
    for name, text in (
        ("scripts/generated.yaml", SCRIPT),
        ("knowledge/kb_1/hours.md", "Opening hours: 9 to 5."),
    ):
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    settings = Settings(
        database=url or f"sqlite:///{folder / 'runs.sqlite3'}",
        responder="scripted",
        linger_after_reply=seed % 5 == 0,
        max_node_runs=40,
        scripts=str(folder / "scripts"),
        knowledge=str(folder / "knowledge"),
        outbound_read="simulated",
        outbound_write="simulated",
        outbound_contact="simulated",
    )
    return EmbeddedBackend(settings, world=world)


def chance(seed: int, turn: int) -> int:
    """Return the seed of a turn."""
    return 1000 * seed + turn


def step(
    backend: EmbeddedBackend, workflow_id: str, run_id: str | None, text: str | None
) -> tuple[TurnResult, list[Event]]:
    """Return the user's next message, or run background work after the end."""
    if run_id is not None and backend.run(run_id).status == "running":
        stream = backend.pump(workflow_id, run_id)
    else:
        stream = backend.execute(workflow_id, input_of(text, run_id), run_id=run_id)
    events = list(stream)
    result = stream.finish()
    for _ in range(PUMPS):
        if not result.has_background_work:
            break
        backend._world.sleep(TICK, None)
        stream = backend.pump(workflow_id, result.run_id)
        events += list(stream)
        result = stream.finish()
    return result, events


def input_of(text: str | None, run_id: str | None) -> TurnInput:
    """A turn's input: what the user says, or the command that stands for it."""
    if text in COMMANDS:
        return TurnInput.with_message(None, command=text[1:])
    return TurnInput.with_message(text, command="start" if run_id is None else "data")


def is_over(result: TurnResult) -> bool:
    """Return whether the run has ended."""
    return result.status in TERMINAL_STATUSES


def known(events: list[Event]) -> bool:
    """Return whether every event has a known type."""
    return all(type(event) is EVENT_TYPES.get(event.type) for event in events)


def main(folder: Path, turn: int) -> None:
    jobs = json.loads((folder / "jobs.json").read_text(encoding="utf-8"))
    told = []
    for job in jobs:
        backend = open_backend(folder, turn, job["seed"])
        result, events = step(backend, job["workflow_id"], job["run_id"], job["text"])
        told.append(
            {
                "run_id": result.run_id,
                "status": result.status,
                "events": [event.to_wire() for event in events],
            }
        )
        backend.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
