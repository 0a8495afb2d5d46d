"""The suite of scenarios over the samples, and those that users get along."""

from __future__ import annotations

from pathlib import Path

import pytest

from debugger.scenarios.loading import find_scenarios, load_scenario
from debugger.scenarios.model import KINDS
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings

ROOT = Path(__file__).parents[2]
SAMPLES = find_scenarios([ROOT / "debugger" / "samples" / "scenarios"])
FILES = [*SAMPLES, *find_scenarios([Path(__file__).parent / "suite"])]
"""Those of the folder ``suite`` are collected and run by the plugin of pytest."""


@pytest.fixture(scope="module")
def runner():
    with ScenarioRunner(lambda name: pytest.fail(f"{name} is asked for"), Settings()) as made:
        yield made


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.name)
def test_scenario_passes(runner, file):
    for result in runner.run(load_scenario(file)):
        problems = [each.text for one in result.repetitions for each in one.failures]
        assert (result.outcome, problems, [one.error for one in result.repetitions]) == (
            "passed",
            [],
            [""] * len(result.repetitions),
        )


def test_suite_covers_samples_and_kinds():
    loaded = [load_scenario(file) for file in FILES]
    used = {
        expectation.kind
        for each in loaded
        for part in (each.scenario, *each.scenario.turns)
        for expectation in part.expect
    }

    assert len(FILES) >= 40
    assert used == {*KINDS} - {"judge"}
    assert {each.scenario.workflow for each in loaded} == {
        "workflow_tea_welcome",
        "workflow_city_services",
        "workflow_lab_results",
        "workflow_clinic_front_desk",
    }
