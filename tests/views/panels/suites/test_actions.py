from __future__ import annotations

import pytest

from debugger.samples import sample_scenarios
from debugger.views import state
from debugger.views.panels.suites import actions
from debugger.views.panels.suites.actions import ScenarioFolder, SuitesState, copy_samples, run_changed
from debugger.views.state import LastAction
from tests.views.records import keep_records


@pytest.fixture
def ran(monkeypatch):
    """Gives the ids of the scenarios that were run."""
    found = []
    monkeypatch.setattr(actions, "run_again", found.append)
    monkeypatch.setattr(actions, "_fingerprints", lambda cases: {case.id: case.digest for case in cases})
    monkeypatch.setattr(actions, "reason_against", lambda case: "")
    keep_records(monkeypatch, SuitesState())
    return found


class _Case:
    def __init__(self, name="a", digest="1"):
        self.id, self.digest = name, digest


def test_first_scenario_of_a_watched_folder_runs(ran, tmp_path):
    run_changed(ScenarioFolder(tmp_path))

    run_changed(ScenarioFolder(tmp_path, [_Case()]))
    run_changed(ScenarioFolder(tmp_path, [_Case()]))

    assert ran == [{"a"}]


def test_scenarios_that_were_there_do_not_run(ran, tmp_path):
    run_changed(ScenarioFolder(tmp_path, [_Case()]))

    assert ran == []


def test_scenarios_of_other_tags_do_not_run(ran, tmp_path):
    state.record(SuitesState).seen = {"a": "0"}

    run_changed(ScenarioFolder(tmp_path, [_Case(), _Case("b")]))
    run_changed(ScenarioFolder(tmp_path, [_Case(), _Case("b", "2")]))

    assert ran == [{"a"}, {"b"}]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """The folder of scenarios, which does not exist yet."""
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SCENARIOS", str(tmp_path / "new" / "scenarios"))
    keep_records(monkeypatch, LastAction())
    return tmp_path / "new" / "scenarios"


def test_copied_samples_leave_own_files(folder):
    folder.mkdir(parents=True)
    (folder / "tea_welcome.scenario.yaml").write_text("own")

    copy_samples()

    assert {file.name for file in folder.iterdir()} == set(sample_scenarios())
    assert (folder / "tea_welcome.scenario.yaml").read_text() == "own"
    assert state.record(LastAction).error is None


def test_copying_into_a_file_is_an_error(folder):
    folder.parent.mkdir()
    folder.write_text("no folder")

    copy_samples()

    assert "cannot be written: File exists" in str(state.record(LastAction).error)
