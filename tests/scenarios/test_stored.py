from __future__ import annotations

import io
import json
import threading
import zipfile
from contextlib import closing

import pytest

from debugger.errors import EditConflictError, ForbiddenError, InputError
from debugger.scenarios.runner import ScenarioRunner
from debugger.scenarios.stored import archive_of, read_stored, read_suite, store_scenario
from debugger.scenarios.suite import cases_of
from debugger.store import Role, Store
from debugger.store.scenarios import Writer
from tests.support.factories import document, static
from tests.support.scenarios import embedded

TEXT = "version: 1\nname: {name}\ntags: [{tag}]\nworkflow: workflow_tea_welcome\nturns: [{{say: Hi}}]\n"
ADA = Writer("Ada", Role.RUN)


def text(name="Tea", tag="smoke"):
    return TEXT.format(name=name, tag=tag)


@pytest.fixture
def scenarios():
    with closing(Store("sqlite://")) as store:
        yield store.scenarios


def test_suite_has_scenarios_of_store_and_folder(scenarios, tmp_path):
    store_scenario(scenarios, text("Stored  one"), ADA, expected=0)
    (tmp_path / "tea.scenario.yaml").write_text(text("Tea", "slow"))

    suite = read_suite(scenarios.all(), tmp_path)

    assert [(each.name, each.source) for each in suite.scenarios] == [
        ("Stored one", "Ada"),
        ("Tea", "tea.scenario.yaml"),
    ]
    assert suite.cases[0].id == "stored::Stored  one"
    assert (suite.tags, suite.mistakes) == (["slow", "smoke"], [])
    assert [case.scenario.name for case in suite.tagged("slow")] == ["Tea"]
    assert suite.of_id(suite.cases[1].id) is suite.scenarios[1]


def test_name_in_store_and_folder_is_a_mistake_of_both(scenarios, tmp_path):
    store_scenario(scenarios, text(), ADA, expected=0)
    store_scenario(scenarios, text("Coffee"), ADA, expected=0)
    (tmp_path / "tea.scenario.yaml").write_text(text())

    suite = read_suite(scenarios.all(), tmp_path)

    assert [case.scenario.name for case in suite.cases] == ["Coffee"]
    [mistake] = suite.mistakes
    assert "'Tea'" in mistake
    assert "tea.scenario.yaml" in mistake


def test_text_that_cannot_be_read_stops_no_other(scenarios, tmp_path):
    scenarios.save("Broken", "name: [", ADA, expected=0)
    store_scenario(scenarios, text(), ADA, expected=0)

    suite = read_suite(scenarios.all(), tmp_path / "none")

    assert [case.scenario.name for case in suite.cases] == ["Tea"]
    assert suite.mistakes[0].startswith("Broken:1:")


def test_json_is_read_as_yaml(scenarios):
    content = {"version": 1, "name": "Tea", "workflow": "tea", "turns": [{"say": "Hi"}]}

    store_scenario(scenarios, json.dumps(content), ADA, expected=0)

    assert scenarios.find("Tea").text == json.dumps(content)


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("workflow: /etc/tea.json", "Import the workflow"),
        ("script: ../tea.script.yaml", "Remove 'script'"),
        ("rows: rows.csv", "Write the rows into the scenario"),
    ],
)
def test_stored_scenario_names_no_files(line, advice):
    key = line.partition(":")[0]
    own = [each for each in text().splitlines() if not each.startswith(f"{key}:")]

    with pytest.raises(InputError, match=f"has no file .* beside it. {advice}"):
        read_stored("\n".join([*own, line]))


def test_text_with_mistakes_is_not_stored(scenarios):
    with pytest.raises(InputError, match="Did you mean 'say'"):
        store_scenario(scenarios, text().replace("say:", "sya:"), ADA, expected=0)

    assert scenarios.all() == []


def test_changed_text_keeps_its_name(scenarios):
    stored = store_scenario(scenarios, text(), ADA, expected=0)

    with pytest.raises(InputError, match="has the name 'Coffee', and the scenario is 'Tea'"):
        store_scenario(scenarios, text("Coffee"), ADA, expected=stored.revision, name="Tea")

    store_scenario(scenarios, text(tag="new"), ADA, expected=stored.revision, name=stored.content)
    assert "new" in scenarios.find("Tea").text


@pytest.mark.parametrize("alike", ["Cafe\u0301", "Caf\u00e9\u200b", "\ufeffCaf\u00e9\u00a0", "Caf\u00e9"])
def test_names_that_look_alike_are_one(scenarios, tmp_path, alike):
    stored = store_scenario(scenarios, text("Caf\u00e9"), ADA, expected=0)
    (tmp_path / "own.scenario.yaml").write_text(text(alike))

    with pytest.raises(ForbiddenError, match="belongs to Ada"):
        store_scenario(scenarios, text(alike), Writer("Ben", Role.RUN), expected=0)
    store_scenario(scenarios, text(alike, "new"), ADA, expected=stored.revision, name="Caf\u00e9")

    assert [each.name for each in scenarios.all()] == ["Caf\u00e9"]
    assert "own.scenario.yaml" in read_suite(scenarios.all(), tmp_path).mistakes[0]


@pytest.mark.parametrize("end", ["[row 1]", "[version 2]"])
def test_name_like_the_id_of_a_result_is_refused(scenarios, end):
    with pytest.raises(InputError, match="ends as the id of a result does"):
        store_scenario(scenarios, text(f"'Tea{end}'"), ADA, expected=0)


def test_case_of_a_row_holds_no_other_rows():
    """Else the time of reading grows with the square of their number: 6,500 of them took a minute."""
    rows = "rows: [{word: a}, {word: b}]\nturns:"

    found = list(cases_of(read_stored(text().replace("turns:", rows))))

    assert [(case.row, case.scenario.rows) for case in found] == [
        ({"word": "a"}, []),
        ({"word": "b"}, []),
    ]


def test_store_decides_who_writes(scenarios):
    store_scenario(scenarios, text(), ADA, expected=0)

    with pytest.raises(ForbiddenError, match="belongs to Ada"):
        store_scenario(scenarios, text(tag="mine"), Writer("Ben", Role.RUN), expected=0)
    with pytest.raises(EditConflictError):
        store_scenario(scenarios, text(tag="mine"), ADA, expected=0)


def test_archive_has_each_scenario_under_a_name(scenarios, tmp_path):
    for name in ("Grün 1", "Gruen 1", "gruen: 1"):
        scenarios.save(name, f"name: {name}", ADA, expected=0)
    (tmp_path / "tea.scenario.yaml").write_text(text())

    content = archive_of(read_suite(scenarios.all(), tmp_path).scenarios)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == [
            "gruen-1-2.scenario.yaml",
            "gruen-1.scenario.yaml",
            "grun-1.scenario.yaml",
            "tea.scenario.yaml",
        ]
        assert archive.read("tea.scenario.yaml").decode() == text()


def test_case_of_a_version_runs_that_version():
    backend = embedded()
    stored = backend.create_workflow(document(static("hello", "Hello")))
    second = backend.store.create_version(stored.id, document=document(static("hello", "Good day")))
    loaded = read_stored(
        f"version: 1\nname: Greeting\nworkflow: {stored.id}\nrows: [{{text: Hello}}]\n"
        "turns: [{say: Hi, expect: [{says: '{{text}}'}]}]\n"
    )
    [case] = cases_of(loaded)

    with ScenarioRunner(lambda _: backend, backend.settings, store=backend.store) as runner:
        cases = [case.of_version(number) for number in (0, second.version_number)]
        results = [each.run(runner, threading.Event()) for each in cases]

    assert [(each.id.partition("::")[2], each.outcome) for each in results] == [
        ("Greeting[row 1][version 0]", "passed"),
        ("Greeting[row 1][version 1]", "failed"),
    ]
    assert len({case.digest, *(each.digest for each in cases)}) == 3
