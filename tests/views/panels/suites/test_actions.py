from __future__ import annotations

import pytest

from debugger.scenarios.stored import Suite, SuiteScenario
from debugger.views import state
from debugger.views.panels.suites import actions
from debugger.views.panels.suites.actions import SuitesState, run_changed
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


def suite(*cases):
    return Suite([SuiteScenario("Tea", None, None, "", list(cases))])


def test_first_scenario_of_a_watched_suite_runs(ran):
    run_changed(suite())

    run_changed(suite(_Case()))
    run_changed(suite(_Case()))

    assert ran == [{"a"}]


def test_scenarios_that_were_there_do_not_run(ran):
    run_changed(suite(_Case()))

    assert ran == []


def test_scenarios_of_other_tags_do_not_run(ran):
    state.record(SuitesState).seen = {"a": "0"}

    run_changed(suite(_Case(), _Case("b")))
    run_changed(suite(_Case(), _Case("b", "2")))

    assert ran == [{"a"}, {"b"}]
