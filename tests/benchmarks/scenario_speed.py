"""The cost of scenarios beside the same turns without expectations.

``python -m tests.benchmarks.scenario_speed [runs]`` prints the CPU time of both: one process, one store.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.progress import Progress

from debugger.backends.base import Backend
from debugger.protocol.runs import TurnInput
from debugger.scenarios.loading import LoadedScenario, load_scenario
from debugger.scenarios.preparation import EMBEDDED
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings

SUITE = Path(__file__).parents[1] / "scenarios" / "suite"
NAMES = ("tea_path", "city_night_line", "lab_opening_hours", "clinic_refill")
PART = 60
"""Runs of each kind in a row, so that both share what the machine does meanwhile."""


def main(runs: int = 2000) -> None:
    """Run both by turns and print the ratio."""
    loaded = [load_scenario(SUITE / f"{name}.scenario.yaml") for name in NAMES]
    queue = [loaded[number % len(loaded)] for number in range(runs)]
    plain = checked = 0.0
    with ScenarioRunner(dict[str, Backend]().__getitem__, Settings()) as runner, Progress() as progress:
        bar = progress.add_task("Scenarios", total=runs)
        for each in loaded:  # workflows are read and stored once
            list(runner.run(each))
        for first in range(0, runs, PART):
            part = queue[first : first + PART]
            began = time.process_time()
            for each in part:
                execute(runner, each)
            between = time.process_time()
            for each in part:
                [result] = runner.run(each)
                assert result.outcome == "passed", result.repetitions[0].failures
                progress.advance(bar)
            plain, checked = plain + between - began, checked + time.process_time() - between
    print(f"execute: {plain / runs * 1000:.2f} ms a run; scenario: {checked / runs * 1000:.2f} ms a run")
    print(f"scenarios at {plain / checked:.2f} times the speed of execute, {runs} runs of each")


def execute(runner: ScenarioRunner, loaded: LoadedScenario) -> None:
    """Run the turns of a scenario without it."""
    backend, run_id = runner.backend(EMBEDDED), None
    workflow_id = runner.workflow_id(loaded)
    for turn in loaded.scenario.turns:
        turn_input = TurnInput.with_message(turn.say, command="data" if run_id else "start")
        run_id = backend.execute(workflow_id, turn_input, run_id=run_id).finish().run_id


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
