"""The cost of a replay beside executing the same turns with a script, by turns in one process.

``python -m tests.benchmarks.replay_cost FOLDER [runs]`` makes runs of ten turns in a new store there, replays
them on their own version, and prints the CPU time of both and the memory of the process.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from debugger.backends import open_embedded
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.replays.replayer import Replayer
from debugger.settings import Settings
from tests.support.clinic import LONG_CALL

PART = 25
"""Runs of each kind in a row, so that both share what the machine does meanwhile."""


def main(folder: str, runs: int = 200) -> None:
    """Run both by turns and print the ratio."""
    backend = open_embedded(Settings(database=f"sqlite:///{Path(folder) / 'replay.sqlite3'}"))
    clinic = next(each for each in backend.workflows("Clinic front desk"))
    version = backend.run(execute(backend, clinic.id)).version_number
    replayer = Replayer(backend, clinic.id, version, options=backend.engine_options)
    executed = replayed = 0.0
    for first in range(0, runs + PART, PART):  # the first part is not measured
        began = time.process_time()
        made = [execute(backend, clinic.id) for _ in range(PART)]
        between = time.process_time()
        for run_id in made:
            found = replayer.replay(run_id)
            assert found.verdict == "same", found
        ended = time.process_time()
        if first:
            executed, replayed = executed + between - began, replayed + ended - between
        if first in (PART, runs):
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{first + PART} runs, at most {memory} MB")
    turns = runs * (len(LONG_CALL) + 1)
    print(
        f"execute: {executed / turns * 1000:.2f} ms a turn; replay: {replayed / turns * 1000:.2f} ms a turn; "
        f"{replayed / executed:.2f} times"
    )


def execute(backend: EmbeddedBackend, workflow_id: str) -> str:
    """Return the id of a new run of ten turns."""
    result = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    for line in LONG_CALL:
        said = TurnInput.with_message(line, command="data")
        result = backend.execute(workflow_id, said, run_id=result.run_id).finish()
    return result.run_id


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
