from __future__ import annotations

import json

import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from debugger.views.components.script_editor import MAX_CHARACTERS
from debugger.views.confirmations import OpenQuestions
from debugger.views.run_state import CurrentRun
from tests.support.factories import document, say
from tests.views.bars import control, keys, use

RULES = "version: 1\nworkflow: tea\nanywhere: []\n"
SCRIPT = "version: 1\nworkflow: workflow_test\ndemo:\n  - {line}\n"


@pytest.fixture
def backend(tmp_path):
    """An engine with a folder of scripts."""
    (tmp_path / "scripts").mkdir()
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", scripts=f"{tmp_path}/scripts")
    backend = EmbeddedBackend(settings)
    yield backend
    backend.close()


def editor(app):
    """Return the editor of the open dialog; ``None`` without one."""
    found = [each for each in app.get("bidi_component") if '"names"' in each.proto.json]
    return found[0] if found else None


def text_on_view(app):
    """Return the text that the editor is drawn with."""
    return json.loads(editor(app).proto.json)["text"]


def type_text(app, text, leaves=False):
    """Tell what the editor tells of a typed text; where `leaves`, with the key that leaves the dialog."""
    states = app._tree.get_widget_states()
    events = states.widgets.add()
    events.id = _make_trigger_id(editor(app).proto.id, "events")
    events.json_trigger_value = json.dumps([{"event": "edited", "value": text}])
    if leaves:
        _leave(app, states)
    app._run(states)


def leave(app):
    """Leave the dialog as by its cross."""
    states = app._tree.get_widget_states()
    _leave(app, states)
    app._run(states)


def _leave(app, states):
    dialog = next(each for each in app.get("dialog") if each.proto.dialog.title == "Script")
    event = states.widgets.add()
    event.id = dialog.proto.dialog.id
    event.trigger_value = True


@pytest.fixture
def overtaken(app, backend, tmp_path):
    """The dialog with a script of the user, after another process has stored one; returns that one."""
    file = tmp_path / "scripts" / "tea.script.yaml"
    file.write_text(SCRIPT.format(line="First."))
    backend.create_workflow(document(say("chat")))
    app.run()
    use(app, "script")
    file.write_text(SCRIPT.format(line="Theirs."))
    type_text(app, SCRIPT.format(line="Mine."))
    use(app, "save_script")
    assert not app.exception
    return file.read_text


def test_script_changed_meanwhile_is_asked_about(app, overtaken, record):
    question, before = record(OpenQuestions).edit, overtaken()
    use(app, "go_on_editing")
    kept = text_on_view(app)
    use(app, "save_script")

    assert "Theirs." in before == question.error.present
    assert "Mine." in kept == question.mine
    assert overtaken() == kept
    assert editor(app) is None


@pytest.mark.parametrize(("answer", "line"), [("keep_theirs", "Theirs."), ("replace_theirs", "Mine.")])
def test_answer_closes_dialog_of_script(app, overtaken, answer, line):
    use(app, answer)

    assert overtaken() == SCRIPT.format(line=line)
    assert "save_script" not in keys(app)
    use(app, "script")
    assert text_on_view(app) == overtaken()


@pytest.fixture
def stored(app, backend, tmp_path):
    """The open dialog of a workflow with a stored script; gives its file."""
    file = tmp_path / "scripts" / "tea.script.yaml"
    file.write_text(SCRIPT.format(line="First."))
    backend.create_workflow(document(say("chat")))
    app.run()
    use(app, "script")
    return file


def test_typed_script_outlives_its_dialog(app, stored):
    mine = SCRIPT.format(line="Mine.")

    type_text(app, mine, leaves=True)
    assert editor(app) is None
    use(app, "script")

    assert text_on_view(app) == mine
    assert stored.read_text() == SCRIPT.format(line="First.")


def test_kept_script_is_compared_with_revision_seen(app, stored, record):
    mine, theirs = SCRIPT.format(line="Mine."), SCRIPT.format(line="Theirs.")
    type_text(app, mine)
    leave(app)
    stored.write_text(theirs)
    use(app, "script")

    use(app, "save_script")

    assert record(OpenQuestions).edit.error.present == theirs
    assert stored.read_text() == theirs


def test_script_left_unchanged_is_read_anew(app, stored):
    leave(app)
    stored.write_text(SCRIPT.format(line="Theirs."))

    use(app, "script")

    assert text_on_view(app) == SCRIPT.format(line="Theirs.")


def test_kept_script_belongs_to_its_workflow(app, backend, stored, record):
    type_text(app, SCRIPT.format(line="Mine."), leaves=True)
    other = backend.create_workflow(document(say("chat"), name="Tea shop", logical_id="workflow_shop"))
    app.query_params["workflow"] = other.id
    app.run()

    use(app, "script")

    assert record(CurrentRun).session.workflow_id == other.id
    assert "Mine." not in text_on_view(app)


def test_saved_script_is_no_longer_kept(app, stored):
    type_text(app, SCRIPT.format(line="Mine."))
    use(app, "save_script")
    stored.write_text(SCRIPT.format(line="Theirs."))

    use(app, "script")

    assert text_on_view(app) == SCRIPT.format(line="Theirs.")


def test_discarded_changes_leave_the_stored_script(app, stored):
    assert control(app, "discard_script").disabled
    type_text(app, SCRIPT.format(line="Mine."))
    stored.write_text(SCRIPT.format(line="Theirs."))

    use(app, "discard_script")

    assert text_on_view(app) == SCRIPT.format(line="Theirs.")
    assert control(app, "discard_script").disabled
    type_text(app, SCRIPT.format(line="Mine."))
    use(app, "save_script")
    assert stored.read_text() == SCRIPT.format(line="Mine.")


def upload(app, backend, text):
    """Open the script dialog and upload a file; return the script before."""
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    use(app, "script")
    before = text_on_view(app)
    app.file_uploader[0].upload("own.script.yaml", text.encode()).run()
    assert not app.exception
    return before


def test_uploaded_script_takes_the_place_of_the_one_on_view(app, backend):
    text = RULES.ljust(MAX_CHARACTERS)

    upload(app, backend, text)

    assert text_on_view(app) == text


def test_script_that_is_too_long_is_refused_whole(app, backend):
    before = upload(app, backend, RULES.ljust(MAX_CHARACTERS + 1))

    assert text_on_view(app) == before
    said = [error.value.replace("\\", "") for error in app.error]
    assert "The script 'own.script.yaml' has 500,001 characters. Shorten it: 500,000 are the most." in said


def test_dialog_left_by_address_stays_closed(app, backend, stored, record):
    first = record(CurrentRun).session.workflow_id
    other = backend.create_workflow(document(say("chat"), name="Tea shop", logical_id="workflow_shop"))
    app.query_params["workflow"] = other.id
    app.run()
    assert editor(app) is None

    app.query_params["workflow"] = first
    app.run()

    assert record(CurrentRun).session.workflow_id == first
    assert editor(app) is None


def test_kept_script_is_not_of_another_without_logical_id(app, backend, record):
    backend.create_workflow(document(say("chat"), name="First", logical_id=""))
    app.run()
    use(app, "script")
    type_text(app, SCRIPT.format(line="Mine."), leaves=True)
    other = backend.create_workflow(document(say("chat"), name="Second", logical_id=""))
    app.query_params["workflow"] = other.id
    app.run()

    use(app, "script")

    assert record(CurrentRun).session.workflow_id == other.id
    assert "Mine." not in text_on_view(app)


def test_cleared_text_is_not_saved_as_before(app, stored):
    type_text(app, SCRIPT.format(line="Mine."))
    states = app._tree.get_widget_states()
    events = states.widgets.add()
    events.id = _make_trigger_id(editor(app).proto.id, "events")
    events.json_trigger_value = json.dumps([{"event": "edited", "value": ""}])
    save = states.widgets.add()
    save.id, save.trigger_value = control(app, "save_script").id, True
    app._run(states)

    assert stored.read_text() == SCRIPT.format(line="First.")
