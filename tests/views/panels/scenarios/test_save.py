from __future__ import annotations

from debugger.store import Role
from debugger.store.scenarios import Writer
from debugger.views.confirmations import OpenQuestions
from debugger.views.edits import SeenRevisions
from debugger.views.panels.scenarios.record import ScenarioRecord
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction, record_key
from tests.support.factories import document, say
from tests.views.bars import use
from tests.views.message import send


def test_repeated_tag_is_saved_once(app, backend, press, record):
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    press("start")
    use(app, "save_scenario")

    box = next(each for each in app.text_input if each.label == "Tags")
    box.set_value("smoke, , tea, smoke").run()

    assert not app.exception
    assert record(ScenarioRecord).draft.head["tags"] == ["smoke", "tea"]


def test_masking_also_masks_name(app, backend, press, record):
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    press("start")
    send(app, "Call +1 415 555 0123")
    use(app, "save_scenario")
    before = record(ScenarioRecord).draft.head["name"]
    next(each for each in app.text_input if each.label == "Tags").set_value("smoke").run()
    next(each for each in app.text_input if each.label == "Name").set_value("Call +1 415 555 0123").run()
    next(each for each in app.checkbox if each.label == "Mask personal data").check().run()
    draft = record(ScenarioRecord).draft
    box = next(each for each in app.text_input if each.label == "Name")

    assert not app.exception
    assert before == "Tea shop"
    assert (draft.head["name"], draft.head["tags"]) == (box.value, ["smoke"])
    assert "555 0123" not in draft.text()


def test_numbers_of_an_opened_file_are_shown(app, backend, record):
    text = (
        "version: 1\nname: 2026\ntags: [7, smoke]\nworkflow: {}\nturns: [{{say: 12, expect: [{{says: 42}}]}}]"
    )
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    use(app, "open_scenario")
    reference = record(CurrentRun).session.workflow_id
    app.file_uploader[0].upload("one.scenario.yaml", text.format(reference).encode()).run()
    app.button("scenario_open_now").click().run()

    use(app, "save_scenario")

    assert not app.exception
    assert next(each.value for each in app.text_input if each.label == "Tags") == "7, smoke"


def test_run_is_saved_to_the_suite(app, backend, press, record):
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    press("start")
    send(app, "Green tea")
    use(app, "save_scenario")
    own = record(ScenarioRecord).draft.text()

    app.button("save_to_suite").click().run()

    assert [each.text for each in backend.store.scenarios.all()] == [own]
    assert record(ScenarioRecord).draft is None


def test_other_scenario_of_the_name_is_asked_about(app, backend, press, record):
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    press("start")
    use(app, "save_scenario")
    draft = record(ScenarioRecord).draft
    backend.store.scenarios.save(draft.head["name"], "name: theirs", Writer("Ben", Role.RUN), expected=0)

    app.button("save_to_suite").click().run()
    question = record(OpenQuestions).edit
    app.button("go_on_editing").click().run()

    assert question.error.present == "name: theirs"
    assert record(ScenarioRecord).draft is draft
    assert [each.text for each in backend.store.scenarios.all()] == ["name: theirs"]


def test_scenario_that_was_seen_before_is_asked_about(app, backend, press, record):
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    press("start")
    for _ in range(2):  # the second time this tab has itself stored what is there
        use(app, "save_scenario")
        name = record(ScenarioRecord).draft.head["name"]
        stored = backend.store.scenarios.find(name)
        if stored is not None:
            app.session_state[record_key(SeenRevisions)].by_place["scenario", name] = stored.revision
            next(each for each in app.text_input if each.label == "Tags").set_value("other").run()
        app.button("save_to_suite").click().run()

    assert record(OpenQuestions).edit is not None
    assert "other" not in backend.store.scenarios.find(name).text


def test_name_of_a_file_of_the_folder_is_refused(app, backend, press, record, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SCENARIOS", str(tmp_path))
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    press("start")
    use(app, "save_scenario")
    own = record(ScenarioRecord).draft
    (tmp_path / "own.scenario.yaml").write_text(own.text())

    app.button("save_to_suite").click().run()

    assert "own.scenario.yaml in the folder" in str(record(LastAction).error)
    assert record(ScenarioRecord).draft is own
    assert backend.store.scenarios.all() == []
