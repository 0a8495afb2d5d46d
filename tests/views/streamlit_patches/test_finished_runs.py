from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests

from debugger.views.streamlit_patches import finished_runs
from debugger.views.streamlit_patches.finished_runs import keep_finished_runs


class StoppedRunner:
    """A thread of the script that has stopped, and whose events are still to come."""

    def __init__(self):
        self._requests = ScriptRequests()
        self._requests.request_stop()

    def request_rerun(self, data):
        return self._requests.request_rerun(data)

    def request_stop(self):
        self._requests.request_stop()


class Session(AppSession):
    """A session that notes for what it would begin a new thread."""

    def __init__(self, script):
        files = MemoryUploadedFileManager("/upload")
        super().__init__(ScriptData(str(script), is_hello=False), files, ScriptCache(), None, {})
        self.begun = []

    def has_fragment(self, fragment_id):
        return True

    def _create_scriptrunner(self, data):
        self.begun.append(data.fragment_id)
        self._scriptrunner = SimpleNamespace(
            request_rerun=lambda data: self.begun.append(data.fragment_id) or True
        )
        self._scriptrunner._requests = ScriptRequests()


@pytest.fixture(autouse=True)
def streamlit_alone(monkeypatch):
    # Another test of this process may have started the app; the method is put back afterwards.
    monkeypatch.setattr(AppSession, "request_rerun", finished_runs._request)


def texts_after(script, *fragments, seconds=0.1):
    """Ask for fragments before the drawing of a stopped thread is taken over; return what is sent."""

    async def ask():
        session, runner = Session(script), StoppedRunner()
        session._scriptrunner = runner
        drawn = ForwardMsg()
        drawn.delta.new_element.text.body = "drawn"
        session._on_scriptrunner_event(runner, ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, forward_msg=drawn)
        session._on_scriptrunner_event(runner, ScriptRunnerEvent.SHUTDOWN, client_state=ClientState())
        for fragment in fragments:
            session.request_rerun(ClientState(fragment_id=fragment))
        await asyncio.sleep(seconds)
        texts = [each.delta.new_element.text.body for each in session.flush_browser_queue()]
        return [text for text in texts if text], session.begun

    return asyncio.run(ask())


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.touch()
    return path


def test_drawing_is_sent_before_the_fragment_is_drawn(script):
    keep_finished_runs()

    assert texts_after(script, "bar") == (["drawn"], ["bar"])


def test_streamlit_alone_loses_the_drawing(script):
    assert texts_after(script, "bar") == ([], ["bar"])  # else the patch can go


def test_requests_keep_their_order(script):
    keep_finished_runs()

    assert texts_after(script, "bar", "look", "graph") == (["drawn"], ["bar", "look", "graph"])


def test_page_does_not_wait(script):
    keep_finished_runs()

    assert texts_after(script, "", seconds=0) == ([], [None])  # all of it is drawn anew
