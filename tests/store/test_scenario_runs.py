from __future__ import annotations

import pytest

from debugger.protocol.scenario_runs import ScenarioCheck, ScenarioMark
from tests.store.test_search import found, keep
from tests.store.test_suites import FIRST, SECOND, begin, change, stored

BOOKING = ScenarioMark(
    "Booking",
    "clinic/booking.scenario.yaml",
    "failed",
    2,
    ("smoke", "clinic"),
    (
        ScenarioCheck(1, False, "that it greets", "'Hi'", True),
        ScenarioCheck(None, False, "completed", "failed", False, why="The calendar is closed"),
    ),
)
OTHER = ScenarioMark("Hours", "clinic/hours.scenario.yaml", "passed", tags=("smoke",))


@pytest.fixture
def runs(store):
    """Three runs, of which two are of scenarios."""
    booking, hours, _ = found = [keep(store) for _ in range(3)]
    store.scenario_runs.save(booking, OTHER)
    store.scenario_runs.save(booking, BOOKING)
    store.scenario_runs.save(hours, OTHER)
    return found


def test_scenario_comes_back(store, runs):
    assert store.scenario_runs.of(runs[0]) == BOOKING
    assert store.scenario_runs.of(runs[2]) is None


def test_outcomes_are_those_of_scenarios(store, runs):
    assert store.scenario_runs.outcomes(runs) == {runs[0]: "failed", runs[1]: "passed"}


def test_names_and_tags_are_listed(store, runs):
    assert store.scenario_runs.names() == ["Booking", "Hours"]
    assert store.scenario_runs.tags() == ["clinic", "smoke"]


@pytest.mark.parametrize(
    ("search", "places"),
    [
        ({"scenario": "Booking"}, [0]),
        ({"scenario_outcome": "passed"}, [1]),
        ({"scenario": "Booking", "scenario_outcome": "passed"}, []),
        ({"tag": "smoke"}, [0, 1]),
        ({"tag": "smo"}, []),
        ({"text": "booking.scenario"}, [0]),
        ({"without_scenarios": True}, [2]),
    ],
)
def test_runs_are_found_by_scenario(store, runs, search, places):
    assert set(found(store, **search)) == {runs[place] for place in places}


def test_runs_of_scenarios_are_told_from_others(store, runs):
    assert set(store.scenario_runs.outcomes(runs)) == set(runs[:2])
    assert store.scenario_runs.outcomes([]) == {}


def test_scenario_goes_with_its_run(store, runs):
    store.delete_run(runs[0])

    assert store.scenario_runs.of(runs[0]) is None
    assert store.scenario_runs.names() == ["Hours"]


def test_scenario_of_a_hosted_run_goes_with_its_suite(store, runs):
    hosted = {"first": "f" * 24, "second": "e" * 24}
    for suite_id, run_id in zip((FIRST, SECOND), hosted.values(), strict=True):
        begin(store, suite_id)
        store.suites.add(suite_id, stored(run_id=run_id))
        store.scenario_runs.save(run_id, OTHER)
    change(store, FIRST, started_at=0)

    store.suites.prune(2)

    assert store.scenario_runs.of(hosted["first"]) is None
    assert store.scenario_runs.of(hosted["second"]) == OTHER
    assert store.scenario_runs.of(runs[0]) == BOOKING


def test_names_of_hosted_runs_alone_are_not_listed(store):
    store.scenario_runs.save("f" * 24, BOOKING)

    assert (store.scenario_runs.names(), store.scenario_runs.tags()) == ([], [])
