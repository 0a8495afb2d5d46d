from __future__ import annotations

import pytest

from debugger.errors import StoreError
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.notes import NoteRepository
from debugger.views.backend_cache import BackendCache
from debugger.views.confirmations import OpenQuestions
from debugger.views.run_state import CurrentRun, RunInputs
from tests.support.factories import document, say
from tests.views.bars import control, use


@pytest.fixture
def tea(app, backend):
    """A workflow whose run input is open before the start."""
    app.session_state["edit_inputs"] = True
    return backend.create_workflow(document(say("chat", "Serve {{name}}."), defaults={"shop": "Leaf"}))


@pytest.fixture
def model(record):
    """Gives what the workflow is started with."""

    def found():
        session = record(CurrentRun).session
        return record(RunInputs).start[session.workflow_id, session.version_number]

    return found


def give(app, model, name):
    model().value = {**model().value, "dynamic_variables": {"name": name}}
    app.run()


def test_input_is_saved_as_preset_loaded_again_and_deleted(app, backend, tea, model):
    app.run()
    give(app, model, "Ada")

    app.text_input("preset_name").set_value("Known caller").run()
    use(app, "keep_preset")
    give(app, model, "Ben")
    use(app, "load_preset")
    loaded = model().value["dynamic_variables"]
    captions = [caption.value for caption in app.caption]
    use(app, "delete_preset")

    assert not app.exception
    assert loaded == {"name": "Ada"}
    assert any("Values carried from preset Known caller" in text for text in captions)
    assert backend.store.notes.presets(tea.id) == []


def test_preset_without_name_is_told(app, tea):
    app.run()

    use(app, "keep_preset")

    assert "1 to 80 characters" in app.error[0].value


def test_inputs_of_earlier_runs_are_recalled_one_by_one(app, tea, model, press):
    app.run()
    give(app, model, "Ada")
    press("start")
    use(app, "restart_changed")
    give(app, model, "Ben")
    press("restart_now")
    use(app, "restart_changed")
    assert control(app, "input_for").value == "Restart"
    give(app, model, "Cleo")

    recalled = []
    for key in ("recall_older", "recall_older", "recall_newer"):
        use(app, key)
        recalled.append(model().value["dynamic_variables"]["name"])

    assert not app.exception
    assert recalled == ["Ben", "Ada", "Ben"]
    assert any("Values carried from run" in caption.value for caption in app.caption)


def test_carried_input_that_was_edited_says_so(app, backend, tea, model):
    backend.store.notes.keep_preset(
        tea.id, "Known caller", {"dynamic_variables": {"name": "Ada"}}, expected=NEVER_WRITTEN
    )
    app.run()
    use(app, "load_preset")

    give(app, model, "Ben")

    assert any("preset Known caller, changed since" in caption.value for caption in app.caption)


def test_difference_from_defaults_is_told_and_taken_back(app, tea, model):
    app.run()
    assert not any("Differs from the defaults" in each.label for each in app.expander)
    defaults = model().value

    give(app, model, "Ada")
    texts = [text.value for text in app.text]
    use(app, "input_defaults")

    assert '~ dynamic_variables.name: "" → "Ada"' in texts
    assert any(text.startswith("− dynamic_variables.shop") for text in texts)
    assert model().value == defaults


def test_options_are_shown_as_written(app, tea, record, press):
    app.run()
    press("start")
    record(BackendCache).expire()
    app.query_params.clear()
    app.query_params["workflow"] = tea.id
    app.run()
    app.text_input("preset_name").set_value("fast-track (v2)").run()

    use(app, "keep_preset")

    assert app.selectbox("preset").options == ["fast-track (v2)"]
    (run,) = app.selectbox("copy_run_None").options
    assert "\\" not in run


def test_preset_that_another_user_deleted_is_told(app, backend, tea, model):
    kept = backend.store.notes.keep_preset(tea.id, "Green", {}, expected=NEVER_WRITTEN)
    app.run()
    backend.store.notes.delete_preset(tea.id, "Green", expected=kept.revision)

    use(app, "load_preset")

    assert "There is no preset 'Green'" in app.error[0].value.replace("\\", "")


@pytest.fixture
def overtaken(app, backend, tea, model):
    """A preset that Ben saves under the name that is typed here."""
    app.run()
    give(app, model, "Ada")
    backend.store.notes.keep_preset(
        tea.id, "Green", {"dynamic_variables": {"name": "Ben"}}, by="Ben", expected=NEVER_WRITTEN
    )
    app.text_input("preset_name").set_value(" Green ").run()
    use(app, "keep_preset")

    def stored():
        [preset] = backend.store.notes.presets(tea.id)
        return preset.run_input["dynamic_variables"]["name"]

    return stored


def test_preset_of_another_user_is_replaced_after_a_question(app, overtaken, record):
    question, before = record(OpenQuestions).edit, overtaken()
    use(app, "replace_theirs")

    assert (question.subject, question.error.changed_by) == ("The preset “Green”", "Ben")
    assert '"name": "Ada"' in question.mine
    assert '"name": "Ben"' in question.words(question.error.present)
    assert (before, overtaken()) == ("Ben", "Ada")
    assert app.text_input("preset_name").value == ""


def test_name_of_preset_is_kept_to_be_changed(app, overtaken):
    use(app, "go_on_editing")

    assert overtaken() == "Ben"
    assert app.text_input("preset_name").value == "Green"


def test_loaded_preset_is_replaced_and_deleted_without_a_question(app, backend, tea, model, record):
    backend.store.notes.keep_preset(
        tea.id, "Green", {"dynamic_variables": {"name": "Ben"}}, expected=NEVER_WRITTEN
    )
    app.run()
    use(app, "load_preset")
    give(app, model, "Ada")
    app.text_input("preset_name").set_value("Green").run()
    use(app, "keep_preset")
    [preset] = backend.store.notes.presets(tea.id)
    use(app, "delete_preset")

    assert record(OpenQuestions).edit is None
    assert preset.run_input["dynamic_variables"] == {"name": "Ada"}
    assert backend.store.notes.presets(tea.id) == []


def test_loaded_preset_that_was_changed_is_not_deleted(app, backend, tea, record):
    kept = backend.store.notes.keep_preset(tea.id, "Green", {"run_by": "qa"}, expected=NEVER_WRITTEN)
    app.run()
    use(app, "load_preset")
    backend.store.notes.keep_preset(tea.id, "Green", {"run_by": "Ben"}, by="Ben", expected=kept.revision)

    use(app, "delete_preset")
    [kept] = backend.store.notes.presets(tea.id)
    use(app, "replace_theirs")

    assert kept.run_input == {"run_by": "Ben"}
    assert backend.store.notes.presets(tea.id) == []


def test_listed_preset_is_deleted_without_a_question(app, backend, tea, record):
    backend.store.notes.keep_preset(tea.id, "Green", {"run_by": "qa"}, expected=NEVER_WRITTEN)
    app.run()

    use(app, "delete_preset")

    assert record(OpenQuestions).edit is None
    assert backend.store.notes.presets(tea.id) == []


def test_preset_that_was_changed_since_listed_is_not_deleted(app, backend, tea, record):
    first = backend.store.notes.keep_preset(tea.id, "Green", {"run_by": "qa"}, expected=NEVER_WRITTEN)
    app.run()
    backend.store.notes.keep_preset(tea.id, "Green", {"run_by": "Ben"}, by="Ben", expected=first.revision)

    use(app, "delete_preset")

    assert record(OpenQuestions).edit.error.changed_by == "Ben"
    assert backend.store.notes.presets(tea.id)[0].run_input == {"run_by": "Ben"}


def test_failed_deletion_does_not_count_as_seen(app, backend, tea, model, record, monkeypatch):
    backend.store.notes.keep_preset(tea.id, "Green", {"run_by": "Ben"}, by="Ben", expected=NEVER_WRITTEN)
    app.run()

    def fail(*_args, **_kwargs):
        raise StoreError("The store is busy.")

    with monkeypatch.context() as patch:
        patch.setattr(NoteRepository, "delete_preset", fail)
        use(app, "delete_preset")
    save_green(app, model)

    assert record(OpenQuestions).edit is not None
    assert backend.store.notes.presets(tea.id)[0].run_input == {"run_by": "Ben"}


def test_preset_that_is_gone_is_saved_anew_without_a_question(app, backend, tea, model, record):
    kept, _ = [
        backend.store.notes.keep_preset(tea.id, name, {"run_by": "qa"}, expected=NEVER_WRITTEN)
        for name in ("Green", "Red")
    ]
    app.run()
    backend.store.notes.delete_preset(tea.id, "Green", expected=kept.revision)
    use(app, "delete_preset")

    save_green(app, model)

    assert record(OpenQuestions).edit is None
    assert [preset.name for preset in backend.store.notes.presets(tea.id)] == ["Green", "Red"]


def save_green(app, model):
    give(app, model, "Ada")
    app.text_input("preset_name").set_value("Green").run()
    use(app, "keep_preset")
