from __future__ import annotations

import re

import pytest
import streamlit as st

from debugger.errors import StoreError
from debugger.scenarios.archives import read_archive, write_archive
from debugger.scenarios.stored import store_scenario
from debugger.store import Role
from debugger.store.scenarios import StoredScenarios, Writer
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.suites import actions
from debugger.views.panels.suites.actions import SuitesState
from debugger.views.panels.suites.dialogs import SuiteDialogs
from debugger.views.state import LastAction, record_key
from tests.support.factories import document, say
from tests.views.bars import use
from tests.views.records import record_of
from tests.views.row_lists import column

TEXT = "version: 1\nname: {name}\nworkflow: Tea shop\nturns:\n  - say: {line}  # kept\n"
ADA, BEN = Writer("Ada", Role.RUN), Writer("Ben", Role.RUN)


def text(name="Tea", line="Hello"):
    return TEXT.format(name=name, line=line)


@pytest.fixture
def scenarios(backend):
    return backend.store.scenarios


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "scenarios"
    made.mkdir()
    return made


@pytest.fixture
def app(view, backend, folder, monkeypatch):
    """The page as Ada sees it, who may run."""
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SCENARIOS", str(folder))
    monkeypatch.setattr(actions, "embedded_backend", lambda: backend)
    monkeypatch.setattr("debugger.views.pages.suites.embedded_backend", lambda: backend)
    monkeypatch.setattr(permissions, "current_user", lambda: User("Ada", Role.RUN, is_local=False))
    monkeypatch.setattr("debugger.views.panels.suites.storing.current_user", permissions.current_user)
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    return view("suites")


@pytest.fixture
def chosen(app, scenarios):
    """Shows a scenario of a user."""

    def shown(writer=ADA):
        store_scenario(scenarios, text(), writer, expected=0)
        app.session_state[record_key(SuitesState)] = SuitesState(chosen="stored::Tea")
        app.run()
        return app

    return shown


def upload(app, name, content):
    app.run()
    use(app, "suite_files_button")
    app.file_uploader[0].upload(name, content).run()
    assert not app.exception


def test_uploaded_scenario_is_stored(app, scenarios):
    upload(app, "tea.yaml", text().encode())

    app.button(key="add_scenarios").click().run()

    assert [each[:3] for each in scenarios.all()] == [("Tea", text(), "Ada")]
    assert not record_of(app, SuiteDialogs).kind


def test_archive_adds_replaces_and_leaves_what_is_of_others(app, scenarios):
    store_scenario(scenarios, text("Old"), ADA, expected=0)
    store_scenario(scenarios, text("Same"), ADA, expected=0)
    store_scenario(scenarios, text("Theirs"), BEN, expected=0)
    lines = {"Old": "Bye", "Same": "Hello", "Theirs": "Bye", "New": "Bye"}
    files = {f"{name}.scenario.yaml": text(name, line) for name, line in lines.items()}
    upload(app, "all.zip", write_archive({**files, "tea.json": "{}", "tea.script.yaml": "version: 1"}))
    button = app.button(key="add_scenarios")

    button.click().run()

    assert button.label == "Add 1 scenario, replace 1"
    assert {each.name: ("Bye" in each.text, each.author) for each in scenarios.all()} == {
        "New": (True, "Ada"),
        "Old": (True, "Ada"),
        "Same": (False, "Ada"),
        "Theirs": (False, "Ben"),
    }


def test_scenario_changed_after_upload_is_not_replaced(app, scenarios):
    stored = store_scenario(scenarios, text(), ADA, expected=0)
    upload(app, "tea.yaml", text(line="Mine").encode())
    store_scenario(scenarios, text(line="Theirs"), ADA, expected=stored.revision)

    app.button(key="add_scenarios").click().run()

    assert "Theirs" in scenarios.find("Tea").text
    assert "changed meanwhile" in app.error[0].value


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tea.yaml", b"version: 1\nnome: Tea\n", "tea"),
        ("tea.yaml", b"\xff", "is not UTF"),
        ("tea.zip", b"no archive", "cannot be read"),
        ("tea.zip", write_archive({"read.me": ""}), "no scenario among the files"),
        ("tea.zip", write_archive({"a.yaml": text(), "b.yaml": text()}), "Two of the files have the name"),
    ],
)
def test_unusable_upload_is_told(app, scenarios, name, content, message):
    upload(app, name, content)

    assert message in app.error[0].value
    assert scenarios.all() == []


def test_all_scenarios_are_downloaded(app, scenarios, folder, monkeypatch):
    made = {}
    draw = st.download_button

    def keep(label, data, **wanted):
        made[wanted["key"]] = data
        return draw(label, data, **wanted)

    monkeypatch.setattr(st, "download_button", keep)
    store_scenario(scenarios, text(), ADA, expected=0)
    (folder / "own.scenario.yaml").write_text(text("Own"))
    app.run()
    use(app, "suite_files_button")

    files = read_archive(made["download_suite"](), "all.zip")

    assert files == {"tea.scenario.yaml": text().encode(), "own.scenario.yaml": text("Own").encode()}


def test_edited_text_is_stored(chosen, scenarios):
    app = chosen()
    app.button(key="suite_text_button").click().run()
    record_of(app, SuiteDialogs).text = text(line="Bye")
    app.run()

    app.button(key="save_scenario_text").click().run()

    assert scenarios.find("Tea").text == text(line="Bye")
    assert not record_of(app, SuiteDialogs).kind


def test_typed_text_outlives_its_dialog(chosen, scenarios):
    app = chosen()
    app.button(key="suite_text_button").click().run()
    record_of(app, SuiteDialogs).keep(text(line="Mine"))
    record_of(app, SuiteDialogs).close()  # as by Escape
    app.run()
    scenarios.save("Tea", text(line="Theirs"), ADA, expected=scenarios.find("Tea").revision)

    app.button(key="suite_text_button").click().run()
    assert record_of(app, SuiteDialogs).text == text(line="Mine")
    app.button(key="save_scenario_text").click().run()

    assert record_of(app, OpenQuestions).edit.mine == text(line="Mine")
    assert scenarios.find("Tea").text == text(line="Theirs")


def test_discarded_text_is_the_stored_one(chosen, scenarios):
    app = chosen()
    app.button(key="suite_text_button").click().run()
    assert app.button(key="discard_scenario_text").disabled
    record_of(app, SuiteDialogs).keep(text(line="Mine"))
    app.run()
    scenarios.save("Tea", text(line="Theirs"), ADA, expected=scenarios.find("Tea").revision)

    app.button(key="discard_scenario_text").click().run()

    assert record_of(app, SuiteDialogs).text == text(line="Theirs")
    record_of(app, SuiteDialogs).keep(text(line="Mine"))
    app.run()
    app.button(key="save_scenario_text").click().run()
    assert scenarios.find("Tea").text == text(line="Mine")
    assert not record_of(app, SuiteDialogs).drafts


def test_text_with_mistakes_cannot_be_saved(chosen):
    app = chosen()
    app.button(key="suite_text_button").click().run()

    record_of(app, SuiteDialogs).text = text().replace("say", "sya")
    app.run()

    assert "Did you mean" in app.error[0].value
    assert app.button(key="save_scenario_text").disabled


@pytest.mark.parametrize(
    ("answer", "line"), [("keep_theirs", "Theirs"), ("replace_theirs", "Mine"), ("go_on_editing", "Theirs")]
)
def test_second_editor_is_asked(chosen, scenarios, answer, line):
    app = chosen()
    app.button(key="suite_text_button").click().run()
    scenarios.save("Tea", text(line="Theirs"), ADA, expected=scenarios.find("Tea").revision)
    record_of(app, SuiteDialogs).text = text(line="Mine")
    app.run()
    app.button(key="save_scenario_text").click().run()
    question = record_of(app, OpenQuestions).edit
    app.run()

    app.button(key=answer).click().run()

    assert question.error.present == text(line="Theirs")
    assert scenarios.find("Tea").text == text(line=line)
    held = record_of(app, SuiteDialogs)
    assert (held.kind, held.text) == (
        ("text", text(line="Mine")) if answer == "go_on_editing" else ("", held.text)
    )


def test_scenario_of_another_is_only_read(chosen):
    app = chosen(BEN)

    app.button(key="suite_text_button").click().run()

    assert app.button(key="suite_text_button").label == "Text …"
    assert app.code[0].value == text().strip()
    keys = {each.key for each in app.button}
    assert not keys & {"save_scenario_text", "suite_delete"}


def test_scenario_is_deleted_after_a_question(chosen, scenarios):
    app = chosen()
    app.button(key="suite_text_button").click().run()
    app.button(key="suite_delete").click().run()
    before = scenarios.all()

    app.button(key="delete_scenario").click().run()

    assert len(before) == 1
    assert scenarios.all() == []


def test_scenario_changed_since_it_was_opened_is_not_deleted(chosen, scenarios):
    app = chosen()
    app.button(key="suite_text_button").click().run()
    scenarios.save("Tea", text(line="Theirs"), ADA, expected=scenarios.find("Tea").revision)
    app.button(key="suite_delete").click().run()

    app.button(key="delete_scenario").click().run()

    assert record_of(app, OpenQuestions).edit.error.present == text(line="Theirs")
    assert scenarios.find("Tea").text == text(line="Theirs")


def test_upload_takes_no_name_of_a_file(app, scenarios, folder):
    (folder / "own.scenario.yaml").write_text(text("Own"))
    upload(app, "own.yaml", text("Own", "Bye").encode())

    assert column(app, "effect", "Scenarios of the files") == ["is in the file own.scenario.yaml"]
    assert app.button(key="add_scenarios").disabled
    assert scenarios.all() == []


def test_each_uploaded_scenario_is_in_the_audit_list(app, backend):
    files = {f"{name}.yaml": text(name) for name in ("Green", "Black")}
    upload(app, "all.zip", write_archive(files))

    app.button(key="add_scenarios").click().run()

    found = [each.target for each in backend.store.audit.newest() if each.action == "store scenario"]
    assert sorted(found) == ["Black", "Green"]


def test_text_is_that_of_the_chosen_of_two_files(app, scenarios, folder):
    for name, line in (("a", "Hello"), ("b", "Bye")):
        (folder / f"{name}.scenario.yaml").write_text(text("Own", line))
    app.session_state[record_key(SuitesState)] = SuitesState(chosen=f"{folder}/b.scenario.yaml::Own")
    app.run()

    app.button(key="suite_text_button").click().run()
    shown = app.code[0].value
    app.button(key="suite_copy").click().run()

    assert "say: Bye" in shown
    assert "say: Bye" in scenarios.find("Own (copy)").text


def test_copy_of_a_long_name_is_stored(app, scenarios, folder):
    (folder / "own.scenario.yaml").write_text(text("x" * 120))
    own = f"{folder}/own.scenario.yaml::{'x' * 120}"
    app.session_state[record_key(SuitesState)] = SuitesState(chosen=own)
    app.run()
    app.button(key="suite_text_button").click().run()

    app.button(key="suite_copy").click().run()

    assert [each.name for each in scenarios.all()] == [f"{'x' * 108} (copy)"]


def test_file_of_the_folder_is_copied_under_another_name(app, scenarios, folder):
    (folder / "own.scenario.yaml").write_text(text("Own"))
    for _ in range(2):
        own = f"{folder}/own.scenario.yaml::Own"
        app.session_state[record_key(SuitesState)] = SuitesState(chosen=own)
        app.run()
        app.button(key="suite_text_button").click().run()
        app.button(key="suite_copy").click().run()
        assert record_of(app, LastAction).error is None

    assert {each.name: each.author for each in scenarios.all()} == {
        "Own (copy)": "Ada",
        "Own (copy 2)": "Ada",
    }
    assert "# kept" in scenarios.find("Own (copy)").text
    assert re.search("name: Own$", (folder / "own.scenario.yaml").read_text(), re.MULTILINE)


@pytest.fixture
def failed(app, backend, folder, monkeypatch):
    """Shows a scenario that failed, of the folder or of a user."""
    monkeypatch.setattr("debugger.views.panels.suites.dialogs.embedded_backend", lambda: backend)

    def shown(writer=None):
        wrong = text().rstrip() + "\n    expect: [status: completed]\n"
        if writer is None:
            (folder / "tea.scenario.yaml").write_text(wrong)
        else:
            store_scenario(backend.store.scenarios, wrong, writer, expected=0)
        app.run()
        use(app, "suites_run")
        assert record_of(app, SuitesState).job.wait(60)
        app.run()
        app.button(key="suite_checks_0_0_accept").click().run()
        assert not app.exception
        return app

    return shown


def test_accepted_result_is_stored_after_its_difference(failed, scenarios):
    app = failed(ADA)
    shown, before = app.code[0].value, scenarios.find("Tea").text

    app.button(key="accept_result").click().run()

    after = scenarios.find("Tea").text
    assert "status: completed" in before
    assert re.search(r"^-.*completed", shown, re.MULTILINE)
    assert re.search(r"^\+.*waiting_for_user_input", shown, re.MULTILINE)
    assert "waiting_for_user_input" in after
    assert "# kept" in after
    assert not record_of(app, SuiteDialogs).kind


def test_acceptance_that_was_not_stored_stays(failed, scenarios, monkeypatch):
    app = failed(ADA)
    with monkeypatch.context() as patch:
        patch.setattr(StoredScenarios, "save", fail)
        app.button(key="accept_result").click().run()
    told = {each.value for each in app.error}

    app.button(key="accept_result").click().run()

    assert told == {"The database is gone\\."}
    assert "waiting_for_user_input" in scenarios.find("Tea").text
    assert not record_of(app, SuiteDialogs).kind


def test_copy_that_was_not_stored_stays(failed, scenarios, monkeypatch):
    app = failed(BEN)
    with monkeypatch.context() as patch:
        patch.setattr(StoredScenarios, "save", fail)
        app.button(key="copy_accepted").click().run()

    app.button(key="copy_accepted").click().run()

    assert "waiting_for_user_input" in scenarios.find("Tea (copy)").text
    assert not record_of(app, SuiteDialogs).kind


def test_deletion_that_was_not_stored_stays(chosen, scenarios, monkeypatch):
    app = chosen()
    app.button(key="suite_text_button").click().run()
    app.button(key="suite_delete").click().run()
    with monkeypatch.context() as patch:
        patch.setattr(StoredScenarios, "delete", fail)
        app.button(key="delete_scenario").click().run()

    app.button(key="delete_scenario").click().run()

    assert scenarios.all() == []
    assert not record_of(app, SuiteDialogs).kind


def test_deletion_after_a_question_that_was_not_stored_stays(chosen, scenarios, monkeypatch):
    app = chosen()
    app.button(key="suite_text_button").click().run()
    app.button(key="suite_delete").click().run()
    scenarios.save("Tea", text(line="Theirs"), ADA, expected=scenarios.find("Tea").revision)
    app.button(key="delete_scenario").click().run()
    with monkeypatch.context() as patch:
        patch.setattr(StoredScenarios, "delete", fail)
        app.button(key="replace_theirs").click().run()

    assert record_of(app, SuiteDialogs).kind == "deletion"
    assert scenarios.find("Tea").text == text(line="Theirs")


def fail(*_, **__):
    raise StoreError("The database is gone.")


def test_accepted_failure_is_no_longer_shown(failed):
    app = failed(ADA)

    app.button(key="accept_result").click().run()
    shown = column(app, "now", "Scenarios"), column(app, "disposition", "Scenarios")
    offered = {each.key for each in app.button}
    app.button(key="suite_checks_run_again").click().run()
    assert record_of(app, SuitesState).job.wait(60)
    app.run()

    assert shown == (["Changed"], [""])
    assert "suite_checks_0_0_accept" not in offered
    assert column(app, "now", "Scenarios") == ["✓ Passed"]


def test_failure_beside_an_accepted_one_stays(app, backend, scenarios, monkeypatch):
    monkeypatch.setattr("debugger.views.panels.suites.dialogs.embedded_backend", lambda: backend)
    wrong = text().rstrip() + "\n    expect: [status: completed, says: Good day]\n"
    store_scenario(scenarios, wrong, ADA, expected=0)
    app.run()
    use(app, "suites_run")
    assert record_of(app, SuitesState).job.wait(60)
    app.run()

    app.button(key="suite_checks_0_0_accept").click().run()
    app.button(key="accept_result").click().run()

    assert column(app, "now", "Scenarios") == ["✗ Failed"]
    assert column(app, "kind", "Checks") == ["says"]


def test_acceptance_that_was_overtaken_is_asked_about(failed, scenarios):
    app = failed(ADA)
    scenarios.save("Tea", text(line="Theirs"), ADA, expected=scenarios.find("Tea").revision)

    app.button(key="accept_result").click().run()

    assert record_of(app, OpenQuestions).edit is not None
    assert scenarios.find("Tea").text == text(line="Theirs")


@pytest.mark.parametrize("writer", [None, BEN])
def test_acceptance_in_what_is_read_only_makes_a_copy(failed, scenarios, writer):
    app = failed(writer)
    offered = {each.key for each in app.button}

    app.button(key="copy_accepted").click().run()

    assert "accept_result" not in offered
    assert "waiting_for_user_input" in scenarios.find("Tea (copy)").text
    assert scenarios.find("Tea (copy)").author == "Ada"


def test_result_of_a_row_is_not_accepted(app, backend, folder):
    rows = "rows: [{word: a}]\nturns:"
    wrong = text().replace("turns:", rows).rstrip() + "\n    expect: [status: completed]\n"
    (folder / "tea.scenario.yaml").write_text(wrong)
    app.run()

    use(app, "suites_run")
    assert record_of(app, SuitesState).job.wait(60)
    app.run()

    assert column(app, "result", "Checks") == ["✗ Failed"]
    assert "suite_checks_0_0_accept" not in {each.key for each in app.button}
