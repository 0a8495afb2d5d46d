"""Scenarios on a server in another process."""

from __future__ import annotations

import pytest

from debugger.backends.hosted import HostedBackend
from debugger.errors import InputError
from debugger.scenarios.loading import load_scenario
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import HostedSettings, Settings
from tests.backends.server_process import KEY, server_process
from tests.scenarios.test_suite import FILES


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    with server_process(tmp_path_factory.mktemp("served")) as (_, url):
        backend = HostedBackend(HostedSettings(base_url=url, api_key=KEY))
        with ScenarioRunner({"hosted": backend}.__getitem__, Settings()) as made:
            yield made
        backend.close()


def loaded(name):
    [file] = [file for file in FILES if file.name == f"{name}.scenario.yaml"]
    return load_scenario(file)


@pytest.mark.parametrize(
    "name", ["tea_welcome", "city_bulky_waste", "city_questions_from_csv", "clinic_bill", "tea_path"]
)
def test_suite_passes_on_server(runner, name):
    for result in runner.run(loaded(name), backend="hosted"):
        [repetition] = result.repetitions
        assert ([each.text for each in repetition.failures], repetition.error) == ([], "")
        assert repetition.run_id is not None


def test_nothing_is_sent_that_server_cannot_do(runner):
    before = runner.backend("hosted").runs().total

    with pytest.raises(InputError, match=r"needs mocks, which the connection 'hosted' does not have"):
        list(runner.run(loaded("tea_mocked"), backend="hosted"))
    assert runner.backend("hosted").runs().total == before
