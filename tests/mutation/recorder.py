"""A plugin of pytest that records which test runs which line: ``pytest -p tests.mutation.recorder``.

Each process writes a file of coverage data beside ``MUTATION_COVERAGE``, with the tests as contexts and
their durations in a file of the same name that ends in ``.json``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import coverage
import pytest

VARIABLE = "MUTATION_COVERAGE"


class Recorder:
    """Switches the context of the coverage from test to test."""

    def __init__(self, place: str) -> None:
        self._place = f"{place}.{os.getpid()}"
        self._coverage = coverage.Coverage(data_file=self._place, source=["debugger"], config_file=False)
        self._durations: dict[str, float] = {}
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        """Record a test's lines under its id."""
        self._coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up the seconds of a test that passed."""
        if report.passed:
            self._durations[report.nodeid] = self._durations.get(report.nodeid, 0.0) + report.duration
        else:
            self._durations[report.nodeid] = float("inf")

    def pytest_sessionfinish(self) -> None:
        """Write what was recorded."""
        self._coverage.stop()
        self._coverage.save()
        passed = {name: took for name, took in self._durations.items() if took != float("inf")}
        Path(f"{self._place}.json").write_text(json.dumps(passed))


def pytest_configure(config: pytest.Config) -> None:
    """Record in workers, or in the one process without any."""
    is_controller = config.getoption("numprocesses", None) and not hasattr(config, "workerinput")
    if not is_controller:
        config.pluginmanager.register(Recorder(os.environ[VARIABLE]))
