from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from debugger.views.components.script_editor import MAX_CHARACTERS
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.scenarios.record import ScenarioRecord
from tests.support.factories import document, say
from tests.views.bars import keys, use

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


@pytest.fixture
def overtaken(app, backend, record, tmp_path):
    """The dialog with a script of the user, after another process has stored one; returns that one."""
    file = tmp_path / "scripts" / "tea.script.yaml"
    file.write_text(SCRIPT.format(line="First."))
    backend.create_workflow(document(say("chat")))
    app.run()
    use(app, "script")
    file.write_text(SCRIPT.format(line="Theirs."))
    record(ScenarioRecord).script = SCRIPT.format(line="Mine.")
    app.run()
    use(app, "save_script")
    assert not app.exception
    return file.read_text


def test_script_changed_meanwhile_is_asked_about(app, overtaken, record):
    question, before = record(OpenQuestions).edit, overtaken()
    use(app, "go_on_editing")
    kept = record(ScenarioRecord).script
    use(app, "save_script")

    assert "Theirs." in before == question.error.present
    assert "Mine." in kept == question.mine
    assert overtaken() == kept
    assert record(ScenarioRecord).script is None


@pytest.mark.parametrize(("answer", "line"), [("keep_theirs", "Theirs."), ("replace_theirs", "Mine.")])
def test_answer_closes_dialog_of_script(app, overtaken, record, answer, line):
    use(app, answer)

    assert overtaken() == SCRIPT.format(line=line)
    assert record(ScenarioRecord).script is None
    assert "save_script" not in keys(app)


def upload(app, backend, record, text):
    """Open the script dialog and upload a file; return the script before."""
    backend.create_workflow(document(say("chat"), name="Tea shop"))
    app.run()
    use(app, "script")
    before = record(ScenarioRecord).script
    app.file_uploader[0].upload("own.script.yaml", text.encode()).run()
    assert not app.exception
    return before


def test_uploaded_script_takes_the_place_of_the_one_on_view(app, backend, record):
    text = RULES.ljust(MAX_CHARACTERS)

    upload(app, backend, record, text)

    assert record(ScenarioRecord).script == text


def test_script_that_is_too_long_is_refused_whole(app, backend, record):
    before = upload(app, backend, record, RULES.ljust(MAX_CHARACTERS + 1))

    assert record(ScenarioRecord).script == before
    said = [error.value.replace("\\", "") for error in app.error]
    assert "The script 'own.script.yaml' has 500,001 characters. Shorten it: 500,000 are the most." in said
