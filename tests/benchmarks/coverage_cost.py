"""The cost of the coverage of a suite beside the suite itself.

``python -m tests.benchmarks.coverage_cost [scenarios]`` prints the CPU time of both: one process, one store.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from debugger.scenarios.coverage import suite_coverage
from debugger.scenarios.loading import load_scenario
from debugger.scenarios.preparation import EMBEDDED
from debugger.scenarios.results import ScenarioResult, SuiteRun
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings

SUITE = Path(__file__).parents[1] / "scenarios" / "suite"
NAMES = ("tea_path", "city_night_line", "lab_opening_hours", "clinic_refill")
PART = 250
"""Scenarios in a row, so that both share what the machine does meanwhile."""


def main(scenarios: int = 1000) -> None:
    """Run both by turns and print the ratio."""
    loaded = [load_scenario(SUITE / f"{name}.scenario.yaml") for name in NAMES]
    running = covering = 0.0
    with ScenarioRunner({}.__getitem__, Settings()) as runner:
        for one in loaded:  # workflows are read and stored once
            list(runner.run(one))
        backend = runner.backend(EMBEDDED)
        for first in range(0, scenarios, PART):
            results: list[ScenarioResult] = []
            began = time.process_time()
            for number in range(first, first + PART):
                results += runner.run(loaded[number % len(loaded)])
            between = time.process_time()
            suite = SuiteRun("", 0.0, 0.0, results, [], {}, "")
            found = suite_coverage(suite, lambda _: backend)
            running, covering = running + between - began, covering + time.process_time() - between
            assert len(found) == len(loaded)
    each, more = (seconds / scenarios * 1000 for seconds in (running, covering))
    print(f"scenario: {each:.2f} ms, its coverage: {more:.2f} ms, by {scenarios} scenarios")
    print(f"a suite with coverage costs {1 + covering / running:.2f} times one without")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
