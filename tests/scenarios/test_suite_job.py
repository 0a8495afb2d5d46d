from pathlib import Path

import pytest

from debugger.backends import open_embedded
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StoreError
from debugger.scenarios.runner import ScenarioRunner
from debugger.scenarios.suite import load_cases
from debugger.scenarios.suite_job import SuiteJob
from debugger.settings import Settings

SCENARIO = """
version: 1
name: {name}
workflow: workflow_tea_welcome
turns:
  - expect: [{{says: {text}}}]
"""


@pytest.fixture
def backend(tmp_path: Path):
    backend = open_embedded(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3"))
    yield backend
    backend.close()


def job(backend: EmbeddedBackend, folder: Path, **texts: str) -> SuiteJob:
    for name, text in texts.items():
        (folder / f"{name}.scenario.yaml").write_text(SCENARIO.format(name=name, text=text))

    def runner() -> ScenarioRunner:
        return ScenarioRunner(lambda name: backend, backend.settings, store=backend.store)

    return SuiteJob(load_cases([folder]), backend.store.suites, runner, "Ada")


def test_job_stores_results_that_can_be_opened(backend, tmp_path):
    ran = job(backend, tmp_path, right="welcome", wrong="farewell")

    ran.start()

    assert ran.wait(30)
    assert not ran.is_running
    assert ran.counts == {"passed": 1, "failed": 1}
    (suite,) = backend.store.suites.newest()
    assert (suite.id, suite.is_complete, suite.started_by) == (ran.suite_id, True, "Ada")
    for stored in backend.store.suites.results(ran.suite_id):
        assert backend.run(stored.repetitions[0].run_id).input_output_pairs


def test_cancelled_job_is_incomplete(backend, tmp_path):
    ran = job(backend, tmp_path, a="welcome", b="welcome")
    ran.cancel()

    ran.start()

    assert ran.wait(30)
    (suite,) = backend.store.suites.newest()
    assert (suite.is_complete, suite.selected, suite.counts.total()) == (False, 2, 0)


def test_store_failure_is_reported(backend, tmp_path, monkeypatch):
    def fail(*_):
        raise StoreError("The disk is full.")

    ran = job(backend, tmp_path, a="welcome")
    monkeypatch.setattr(backend.store.suites, "add", fail)

    ran.start()

    assert ran.wait(30)
    assert "The disk is full." in str(ran.error)
    (suite,) = backend.store.suites.newest()
    assert (suite.ended_at is None, suite.is_complete) == (False, False)
