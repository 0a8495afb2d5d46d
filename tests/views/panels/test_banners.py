from __future__ import annotations

import pytest

from debugger.backends.recorded import REASON, RecordedBackend
from debugger.protocol.notes import RunNotes
from debugger.protocol.run_file import RunFile
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.backends import CurrentBackend
from debugger.views.run_state import CurrentRun
from tests.support.exports import run_file
from tests.support.factories import document, say
from tests.views.bars import control, use
from tests.views.message import box
from tests.views.talk import words


@pytest.fixture
def recording(backend):
    workflow = backend.create_workflow(document(say("chat")))
    run_id = backend.execute(workflow.id, TurnInput.with_message("Hello")).finish().run_id
    graph = backend.workflow(workflow.id)
    return RecordedBackend(run_file(backend.run(run_id), graph, RunNotes(), engine="Elsewhere"))


def keep(app, recording):
    """Let a tab show a recording."""
    chosen = CurrentBackend("recording", recording)
    for each in (chosen, CurrentRun(DebugSession.open(recording, recording.run_id))):
        app.session_state[state.record_key(type(each))] = each


@pytest.fixture
def opened(app, recording):
    keep(app, recording)
    app.run()
    assert not app.exception
    return app


def test_recording_is_shown_with_banner_that_says_where_it_is_from(opened):
    assert any("It ran on\\: Elsewhere" in caption.value for caption in opened.caption)
    assert "Hello" in words(opened)


def test_whatever_would_run_something_is_greyed_with_reason(opened):
    greyed = {key: control(opened, key) for key in ("restart", "stop", "resume")}

    assert not control(opened, "step_event").disabled  # it moves the cursor
    assert all(button.disabled for button in greyed.values())
    assert all(button.help == REASON for button in greyed.values())
    assert box(opened)["disabled"]
    assert box(opened)["placeholder"] == REASON


def test_leaving_recording_leads_back_to_embedded_engine(opened, record):
    use(opened, "leave_recording")

    assert not opened.exception
    assert record(CurrentBackend).name == "embedded"
    assert record(CurrentRun).session.backend.name == "Embedded engine"


def test_link_to_recording_of_another_tab_says_what_to_do(app, recording):
    app.query_params["backend"] = "recording"
    app.query_params["run"] = recording.run_id

    app.run()

    assert not app.exception
    assert "only the tab that opened its file knows" in app.error[0].value


def test_file_without_its_workflow_is_drawn_from_path(app, recording):
    bare = RecordedBackend(RunFile(run=recording.file.run))
    keep(app, bare)

    app.run()

    assert not app.exception
    assert any("drawn from the path" in caption.value for caption in app.caption)
