from __future__ import annotations

import json
import re

import pytest

from debugger.errors import InputError, StoreError
from debugger.samples import sample_scenarios
from debugger.scenarios.stored import read_suite, store_scenario
from debugger.store import Role, StoredRepetition, StoredResult, SuiteRepository
from debugger.store.scenarios import Writer
from debugger.views.pages import suites
from debugger.views.panels.suites import actions, storing
from debugger.views.panels.suites.actions import WATCH_KEY, SuitesState
from debugger.views.state import LastAction
from tests.support.factories import document, static
from tests.views.bars import control, use
from tests.views.records import record_of
from tests.views.row_lists import column

ADA = Writer("Ada", Role.RUN)
SCENARIO = "version: 1\nname: Hours\nworkflow: hello.json\nrows: [{word: a}, {word: b}]\nturns: [{say: Hi}]\n"


@pytest.fixture
def file(tmp_path):
    """A scenario of two rows, with its workflow."""
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "hello.json").write_text(json.dumps(document(static("hello", "Hello"))))
    made = folder / "hours.scenario.yaml"
    made.write_text(SCENARIO)
    return made


@pytest.fixture
def app(view, file, backend, monkeypatch):
    """The page."""
    made = view("suites")
    for module in (actions, suites):  # each has the function by a name of its own
        monkeypatch.setattr(module, "embedded_backend", lambda: backend)
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SCENARIOS", str(file.parent))
    return made


def test_label_has_a_space_before_the_row(app, backend):
    stored, suite_id = backend.store.suites, "f" * 24
    stored.begin(suite_id, started_by="Ada", program_version="", selected=1)
    repetition = StoredRepetition(None, {"outcome": "failed"})
    stored.add(suite_id, StoredResult("hours.yaml::Hours[row 12]", "", "failed", "new", [repetition]))

    app.run()

    assert column(app, "scenario", "Scenarios") == ["Hours [row 12]", "Hours [row 1]", "Hours [row 2]"]
    assert column(app, "now", "Scenarios") == ["✗ Failed", "Not run", "Not run"]
    assert "**Hours \\[row 12\\]**" in [text.value for text in app.markdown]


def test_watching_reads_the_scenarios_once(app, monkeypatch):
    read = []
    monkeypatch.setattr(storing, "read_suite", lambda *found: read.append(found) or read_suite(*found))
    app.session_state[WATCH_KEY] = True

    app.run()

    assert len(read) == 1


def test_watching_runs_what_was_changed(app, file):
    app.session_state[WATCH_KEY] = True
    app.run()
    assert record_of(app, SuitesState).job is None

    file.write_text(SCENARIO.replace("Hi", "Hello"))
    app.run()

    assert len(record_of(app, SuitesState).job.cases) == 2


def test_error_stays_while_files_are_watched(app):
    app.session_state[WATCH_KEY] = True
    app.run()
    record_of(app, LastAction).error = InputError("It is red.")

    app.run()
    app.run()

    assert record_of(app, LastAction).error is not None
    assert app.error[0].value == "It is red\\."


@pytest.mark.parametrize("has_history", [False, True])
def test_empty_suite_offers_the_samples(app, backend, file, has_history):
    for each in file.parent.iterdir():
        each.unlink()
    if has_history:
        backend.store.suites.begin("f" * 24, started_by="Ada", program_version="", selected=1)
    app.run()
    [text] = [each.value for each in app.caption if "no scenario yet" in each.value]

    app.button(key="copy_samples").click().run()

    assert not re.search(r"WORKFLOW_DEBUGGER|/", text.partition("[Help]")[0])
    assert len(backend.store.scenarios.all()) == len(sample_scenarios()) == 7
    assert list(file.parent.iterdir()) == []
    with pytest.raises(KeyError):
        app.button(key="copy_samples")


def test_list_has_stored_scenarios_and_files(app, backend):
    store(backend, "Tea")

    app.run()

    assert column(app, "scenario", "Scenarios") == ["Tea", "Hours [row 1]", "Hours [row 2]"]
    assert column(app, "source", "Scenarios") == ["Ada", "hours.scenario.yaml", "hours.scenario.yaml"]
    assert control(app, "suites_run").label == "Run 3 scenarios"


def test_numbers_in_names_are_sorted_by_size(app, backend, file):
    file.unlink()
    for number in (10, 1, 20, 2):
        store(backend, f"Call {number}")
        text = SCENARIO.replace("rows: [{word: a}, {word: b}]\n", "").replace("Hours", f"File {number}")
        (file.parent / f"file {number}.scenario.yaml").write_text(text)
    names = [f"{source} {number}" for source in ("Call", "File") for number in (1, 2, 10, 20)]
    app.run()
    before = column(app, "scenario", "Scenarios")
    backend.create_workflow(document(static("hello", "Hello"), name="Tea shop"))
    use(app, "suites_run")
    assert record_of(app, SuitesState).job.wait(30)
    app.run()

    assert before == names
    assert [each for each in column(app, "scenario", "Scenarios") if each in names[:4]] == names[:4]


def test_run_has_both_sources(app, backend):
    store(backend, "Tea")
    backend.create_workflow(document(static("hello", "Hello"), name="Tea shop"))
    app.run()

    use(app, "suites_run")
    assert record_of(app, SuitesState).job.wait(30)
    app.run()

    assert set(column(app, "now", "Scenarios")) == {"✓ Passed"}
    assert len(column(app, "now", "Scenarios")) == 3


def test_name_of_a_file_and_a_stored_one_is_an_error(app, backend):
    store(backend, "Hours")

    app.run()

    assert "'Hours' is that of a stored scenario and of" in app.error[0].value
    assert "of hours\\.scenario\\.yaml" in app.error[0].value
    assert control(app, "suites_run").disabled


def store(backend, name, writer=ADA):
    text = f"version: 1\nname: {name}\nworkflow: Tea shop\nturns: [{{say: Hi}}]\n"
    return store_scenario(backend.store.scenarios, text, writer, expected=0)


def test_start_that_fails_can_be_tried_again(app, backend, monkeypatch):
    app.run()
    with monkeypatch.context() as patch:
        patch.setattr(SuiteRepository, "begin", fail)
        use(app, "suites_run")

    assert app.error[0].value == "The database is gone\\."
    use(app, "suites_run")
    assert record_of(app, LastAction).error is None
    assert record_of(app, SuitesState).job.wait(30)


def test_store_that_fails_is_told(app, monkeypatch):
    monkeypatch.setattr(SuiteRepository, "newest", fail)

    app.run()

    assert not app.exception
    assert app.error[0].value == "The database is gone\\."


def fail(*_, **__):
    raise StoreError("The database is gone.")


def test_each_mistake_of_a_file_has_a_line(app, file):
    file.write_text(SCENARIO.replace("name: Hours", "nome: Hours\nsize: 5"))

    app.run()

    lines = app.error[0].value.split("  \n")
    assert [re.search(r":(\d)\\?:", line)[1] for line in lines] == ["1", "2", "3"]


def test_unused_answer_is_a_warning_of_the_scenario(app, file):
    script = "version: 1\nworkflow: hello\nanswers: [{to: GET .*/slotz, body: 1}]\n"
    (file.parent / "hello.script.yaml").write_text(script)
    file.write_text(SCENARIO.replace("rows: [{word: a}, {word: b}]", "script: hello.script.yaml"))
    app.run()

    use(app, "suites_run")
    suites_state = record_of(app, SuitesState)
    assert suites_state.job.wait(30)
    suites_state.chosen = suites_state.job.cases[0].id
    app.run()

    assert column(app, "result", "Checks") == ["Warning"]


def test_causes_of_failed_checks_are_whole_sentences(app, file):
    expected = "turns: [{say: Hi, expect: [{path: [Hello, Hello]}]}]"
    file.write_text(SCENARIO.replace("turns: [{say: Hi}]", expected))
    app.run()

    use(app, "suites_run")
    suites_state = record_of(app, SuitesState)
    assert suites_state.job.wait(30)
    suites_state.chosen = suites_state.job.cases[0].id
    app.run()

    assert "Ran Test, version 0" in [each.value for each in app.caption]
    (why,) = [each.value for each in app.caption if each.value.startswith("Why")]
    assert why.startswith("Why · turn 1 · path: Left at 'Hello'")
    assert why.endswith("it has no edge to 'Hello'")


def test_scenario_without_result_says_why(app, file):
    app.run()
    suites_state = record_of(app, SuitesState)
    suites_state.chosen = f"{file.parent}/hours.scenario.yaml::Hours[row 1]"
    app.run()
    before = app.caption[-1].value
    use(app, "suites_run")
    assert suites_state.job.wait(30)
    (file.parent / "late.scenario.yaml").write_text(SCENARIO.replace("Hours", "Late"))
    suites_state.chosen = f"{file.parent}/late.scenario.yaml::Late[row 1]"
    app.run()

    assert before == "1 turn. Not run yet."
    assert app.caption[-1].value == "1 turn. The suite run on view did not run it."


def test_chosen_versions_are_columns(app, backend, file):
    file.unlink()
    workflow = backend.create_workflow(document(static("hello", "Hello"), name="Tea shop"))
    backend.store.create_version(workflow.id, document=document(static("hello", "Good day")))
    text = "version: 1\nname: Greeting\nworkflow: Tea shop\nturns: [{say: Hi, expect: [{says: Hello}]}]\n"
    store_scenario(backend.store.scenarios, text, ADA, expected=0)
    for number in (0, 1):
        app.session_state[actions.version_key(workflow.id, number)] = True
    app.run()
    label = control(app, "suites_run").label
    use(app, "suites_run")
    assert record_of(app, SuitesState).job.wait(60)
    app.run()
    shown = [column(app, f"version_{number}", "Scenarios") for number in (0, 1)]
    use(app, "suites_failed")
    again = record_of(app, SuitesState).job

    assert label == "Run 1 scenario, 2 runs"
    assert shown == [["✓ Passed"], ["✗ Failed"]]
    assert [case.id for case in again.cases] == ["stored::Greeting[version 1]"]
    assert again.wait(60)
